//! Which executions this process runs: a lease in its own name says nothing of one that it has
//! given up, so it remembers.

use super::super::records::ExecutionKey;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file, and an execution's key in it.
type Key = (Arc<Path>, i64);

/// The executions of all stores that this process runs: a file may be opened twice.
static RUNNING: Mutex<Option<HashSet<Key>>> = Mutex::new(None);

/// The executions of one file that this process runs.
#[derive(Clone)]
pub(super) struct Running {
    file: Arc<Path>,
}

impl Running {
    /// Those of this file, which exists.
    pub(super) fn of(file: &Path) -> Running {
        let file = file.canonicalize().unwrap_or_else(|_| PathBuf::from(file));
        Running { file: file.into() }
    }

    pub(super) fn contains(&self, execution: ExecutionKey) -> bool {
        lock().as_ref().is_some_and(|running| running.contains(&self.key(execution)))
    }

    pub(super) fn remove(&self, execution: ExecutionKey) {
        if let Some(running) = lock().as_mut() {
            running.remove(&self.key(execution));
        }
    }

    /// Takes an execution, until the claim is dropped without being kept.
    pub(super) fn claim(&self, execution: ExecutionKey) -> Claim {
        lock().get_or_insert_default().insert(self.key(execution));
        Claim { running: self.clone(), execution, kept: false }
    }

    fn key(&self, execution: ExecutionKey) -> Key {
        (self.file.clone(), execution.0)
    }
}

fn lock() -> MutexGuard<'static, Option<HashSet<Key>>> {
    // The set is whole after every step, whoever panicked.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An execution that was taken in a transaction which may yet fail.
pub(super) struct Claim {
    running: Running,
    execution: ExecutionKey,
    kept: bool,
}

impl Claim {
    /// The transaction stands: the execution is this process's until it is removed.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.kept {
            self.running.remove(self.execution);
        }
    }
}

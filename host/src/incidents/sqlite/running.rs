//! Which executions this process runs: a lease in its own name says nothing of one that it has
//! given up, so it remembers.

use super::super::records::ExecutionKey;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The executions that this process runs.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<i64>>>);

impl Running {
    pub(super) fn contains(&self, execution: ExecutionKey) -> bool {
        self.lock().contains(&execution.0)
    }

    pub(super) fn remove(&self, execution: ExecutionKey) {
        self.lock().remove(&execution.0);
    }

    /// Takes an execution, until the claim is dropped without being kept.
    pub(super) fn claim(&self, execution: ExecutionKey) -> Claim {
        self.lock().insert(execution.0);
        Claim {
            running: self.clone(),
            execution,
            kept: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<i64>> {
        // The set is whole after every step, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

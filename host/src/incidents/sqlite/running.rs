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

    /// How many of them were claimed through this or a copy of it.
    pub(super) fn count(&self) -> usize {
        let own = |(file, _): &&Key| Arc::ptr_eq(file, &self.file);
        lock().as_ref().map_or(0, |running| running.iter().filter(own).count())
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

#[cfg(test)]
mod tests {
    use super::super::{executions, open};
    use super::*;
    use crate::incidents::{Begun, Ending, ExecutionState, NewExecution, StoreError};
    use playdock_plugin_api::Mode;
    use std::collections::BTreeMap;

    fn new(id: &str) -> NewExecution {
        NewExecution {
            id: id.to_owned(),
            command: "C".to_owned(),
            plugin: "p".to_owned(),
            plugin_version: "1".to_owned(),
            plugin_digest: "d".to_owned(),
            conditions: None,
            mode: Mode::Automatic,
            site: "A".to_owned(),
            requested_by: None,
            api_key: None,
            acting_user: None,
            parameters: "{}".to_owned(),
            parameters_digest: "e".to_owned(),
            clock: None,
            columns: "[]".to_owned(),
        }
    }

    #[test]
    fn an_execution_whose_beginning_is_lost_is_taken_for_no_other_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let (connection, _) = open::open(&path).unwrap();
        let running = Running::of(&path);
        let begin = |id| match executions::begin(&connection, &new(id), &running).unwrap() {
            (Begun::New(key), Some(claim)) => {
                claim.keep();
                key
            }
            (other, _) => panic!("{other:?}"),
        };
        connection.execute_batch("BEGIN").unwrap();
        let lost = begin("lost");
        connection.execute_batch("ROLLBACK").unwrap();
        let other = begin("other");
        assert_ne!(lost, other);
        assert_eq!(running.count(), 2);
        // Its lease isn't asked for, since it can't be read; writing finds it gone.
        assert!(executions::is_fresh(&connection, lost).unwrap());
        assert!(matches!(executions::renew(&connection, lost), Err(StoreError::TakenOver)));
        let ending = Ending {
            state: ExecutionState::Finished,
            return_data: String::new(),
            error: String::new(),
            outputs: BTreeMap::new(),
        };
        let ended = executions::end(&connection, lost, &ending);
        assert!(matches!(ended, Err(StoreError::TakenOver)));
        executions::end(&connection, other, &ending).unwrap();
        running.remove(lost);
        running.remove(other);
        assert_eq!(running.count(), 0);
    }
}

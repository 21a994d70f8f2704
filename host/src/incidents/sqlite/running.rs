//! Which executions this process runs: a lease in its own name says nothing of one that it has
//! given up, so it remembers.

use super::super::records::ExecutionKey;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A file, and an execution's key in it.
type Key = (Arc<Path>, i64);

/// The executions of all stores that this process runs: a file may be opened twice.
/// With each, when its lease was last written.
static RUNNING: Mutex<Option<HashMap<Key, Instant>>> = Mutex::new(None);

/// The executions of one file that this process runs.
#[derive(Clone)]
pub(super) struct Running {
    file: Arc<Path>,
    /// How many there are of this and its copies.
    count: Arc<AtomicUsize>,
}

impl Running {
    /// Those of this file, which exists.
    pub(super) fn of(file: &Path) -> Running {
        let file = file.canonicalize().unwrap_or_else(|_| PathBuf::from(file));
        Running { file: file.into(), count: Arc::default() }
    }

    pub(super) fn contains(&self, execution: ExecutionKey) -> bool {
        lock().as_ref().is_some_and(|running| running.contains_key(&self.key(execution)))
    }

    /// How many of them were claimed through this or a copy of it, or are expected.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn remove(&self, execution: ExecutionKey) {
        let removed = lock().as_mut().and_then(|running| running.remove(&self.key(execution)));
        if removed.is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Takes an execution, until the claim is dropped without being kept. Its lease was written
    /// just now.
    pub(super) fn claim(&self, execution: ExecutionKey) -> Claim {
        self.renewed(execution);
        Claim { running: self.clone(), execution, kept: false }
    }

    /// Notes that the lease of an execution was written just now.
    pub(super) fn renewed(&self, execution: ExecutionKey) {
        let now = Instant::now();
        if lock().get_or_insert_default().insert(self.key(execution), now).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The claim of an execution that was taken before, which it is given up with.
    pub(super) fn claim_of(&self, execution: ExecutionKey) -> Claim {
        Claim { running: self.clone(), execution, kept: false }
    }

    /// Whether the lease of an execution was written less than so long ago.
    pub(super) fn was_renewed_within(&self, execution: ExecutionKey, time: Duration) -> bool {
        let running = lock();
        let at = running.as_ref().and_then(|running| running.get(&self.key(execution)));
        at.is_some_and(|at| at.elapsed() < time)
    }

    /// Counts an execution that has no key yet, until this is dropped.
    pub(super) fn expect(&self) -> Expected {
        self.count.fetch_add(1, Ordering::Relaxed);
        Expected(self.clone())
    }

    fn key(&self, execution: ExecutionKey) -> Key {
        (self.file.clone(), execution.0)
    }
}

fn lock() -> MutexGuard<'static, Option<HashMap<Key, Instant>>> {
    // The map is whole after every step, whoever panicked.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An execution that runs and has no key yet.
pub(super) struct Expected(Running);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
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
        // Its lease was written, as far as this process knows; writing finds it gone.
        assert!(running.was_renewed_within(lost, Duration::from_secs(9)));
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

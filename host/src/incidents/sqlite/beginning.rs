//! An execution of a new id, whose beginning is written when the thread that writes comes to it. One
//! that has ended by then, and had nothing to record, is written once, as a whole.

use super::super::error::StoreError;
use super::super::records::{BegunExecution, Ending, ExecutionKey, NewExecution, Noted, Notice};
use super::executions;
use super::running::{Expected, Running};
use super::writer::{Queue, Waits};
use playdock_plugin_api::Timestamp;
use rusqlite::Connection;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// An execution that begins.
pub(super) struct Beginning {
    queue: Arc<Queue>,
    running: Running,
    state: Mutex<State>,
    written: Condvar,
}

enum State {
    /// It waits to be written.
    Waiting(Box<Waiting>),
    /// It was written, and runs under this key.
    Runs(ExecutionKey),
    /// It was written as a whole.
    Ended,
    /// Its beginning was not written.
    Lost(StoreError),
}

struct Waiting {
    new: Arc<NewExecution>,
    started_at: Timestamp,
    ending: Option<Ending>,
    expected: Expected,
    /// Whether somebody waits for its key: to wake nobody is a system call, too.
    is_asked_for: bool,
}

impl Beginning {
    /// Hands an execution over that begins now. `durable` is called once its beginning is, if
    /// somebody wants to know.
    pub(super) fn start(
        queue: &Arc<Queue>,
        running: &Running,
        new: Arc<NewExecution>,
        durable: Option<Notice>,
    ) -> Arc<Beginning> {
        let started_at = Timestamp::now();
        let expected = running.expect();
        let waiting = Waiting { new, started_at, ending: None, expected, is_asked_for: false };
        let beginning = Arc::new(Beginning {
            queue: queue.clone(),
            running: running.clone(),
            state: Mutex::new(State::Waiting(Box::new(waiting))),
            written: Condvar::new(),
        });
        let (writes, untold) = (beginning.clone(), Untold(beginning.clone()));
        queue.hand_over_undone(
            Waits { for_work: false, for_commit: false },
            move |connection| writes.write(connection),
            move |result| match result {
                Ok(()) => durable.into_iter().for_each(|durable| durable()),
                Err(error) => untold.0.lose(error),
            },
        );
        beginning
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what there is to write of it by now.
    fn write(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut state = self.lock();
        let lost = State::Lost(StoreError::Closed);
        let State::Waiting(waiting) = std::mem::replace(&mut *state, lost) else {
            return Err(StoreError::Closed);
        };
        let Waiting { new, started_at, ending, expected, is_asked_for } = *waiting;
        // After a panic, too.
        let _told = is_asked_for.then(|| Told(&self.written));
        let insert = |end: Option<&Ending>| {
            executions::insert(connection, &new, started_at, end, &self.running)
        };
        let written = match &ending {
            Some(ending) => insert(Some(ending)).map(|_| State::Ended),
            None => insert(None).map(|key| {
                self.running.claim(key).keep();
                State::Runs(key)
            }),
        };
        drop(expected);
        let result = written.as_ref().map(|_| ()).map_err(StoreError::clone);
        *state = written.unwrap_or_else(State::Lost);
        result
    }

    /// Its beginning was not committed.
    fn lose(&self, error: StoreError) {
        let mut state = self.lock();
        // One that runs finds it out when it writes: its key stays its own until then.
        if !matches!(*state, State::Runs(_)) {
            let before = std::mem::replace(&mut *state, State::Lost(error));
            if matches!(before, State::Waiting(waiting) if waiting.is_asked_for) {
                self.written.notify_all();
            }
        }
    }

    /// Notes its end in the row of its beginning, which was written before; `None` for an end that
    /// was written with it.
    fn note_end(&self, connection: &Connection, ending: Option<&Ending>) -> Result<(), StoreError> {
        let (key, ending) = match (&*self.lock(), ending) {
            (State::Ended, _) => return Ok(()),
            (State::Lost(error), _) => return Err(error.clone()),
            (State::Runs(key), Some(ending)) => (*key, ending),
            (State::Runs(_), None) | (State::Waiting(_), _) => return Err(StoreError::Closed),
        };
        executions::end(connection, key, ending)
    }
}

/// What is to be told whether its beginning was written. Where it never is, since the thread that
/// writes broke down, nobody is to wait for it.
struct Untold(Arc<Beginning>);

impl Drop for Untold {
    fn drop(&mut self) {
        let waits = matches!(*self.0.lock(), State::Waiting(_));
        if waits {
            self.0.lose(StoreError::Closed);
        }
    }
}

/// One whose end is being noted. Whether or not that comes to be done, this process runs it no
/// longer.
struct GivenUp(Arc<Beginning>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        if let State::Runs(key) = &*self.0.lock() {
            self.0.running.remove(*key);
        }
    }
}

/// Tells all who wait for the key, when it is dropped, that they can have it or what became of it.
struct Told<'a>(&'a Condvar);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.0.notify_all();
    }
}

impl BegunExecution for Arc<Beginning> {
    fn key(&self) -> Result<ExecutionKey, StoreError> {
        let mut state = self.lock();
        if let State::Waiting(waiting) = &mut *state {
            waiting.is_asked_for = true;
            drop(state);
            self.queue.hurry();
            state = self.lock();
        }
        loop {
            match &*state {
                State::Waiting(_) => {}
                State::Runs(key) => return Ok(*key),
                State::Ended => return Err(StoreError::TakenOver),
                State::Lost(error) => return Err(error.clone()),
            }
            state = self.written.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self, ending: Ending, noted: Noted) {
        let left = match &mut *self.lock() {
            State::Waiting(waiting) => {
                waiting.ending = Some(ending);
                None
            }
            _ => Some(ending),
        };
        let waits = Waits { for_work: false, for_commit: true };
        // It goes with the work, and before the commit, after which another may begin it again.
        let ends = GivenUp(self.clone());
        let work = move |connection: &_| {
            let given_up_then = ends;
            given_up_then.0.note_end(connection, left.as_ref())
        };
        self.queue.hand_over_undone(waits, work, noted);
    }

    fn lost(&self) -> Option<StoreError> {
        match &*self.lock() {
            State::Lost(error) => Some(error.clone()),
            State::Waiting(_) | State::Runs(_) | State::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::records::{Conditions, ExecutionRecords, ExecutionState};
    use super::super::SqliteStore;
    use super::*;
    use playdock_plugin_api::Mode;
    use std::collections::BTreeMap;
    use std::sync::mpsc::channel;

    fn new(id: &str) -> NewExecution {
        NewExecution {
            id: id.to_owned(),
            command: "C".to_owned(),
            plugin: "p".to_owned(),
            plugin_version: "1".to_owned(),
            plugin_digest: "d".to_owned(),
            conditions: Some(Conditions {
                trusted: "signed".to_owned(),
                signing_key: Some("CE9F91EF0E49089E".to_owned()),
                isolation: "worker".to_owned(),
                unprotected: "a\nb".to_owned(),
            }),
            mode: Mode::Automatic,
            site: "A".to_owned(),
            requested_by: Some("account".to_owned()),
            api_key: None,
            acting_user: Some("user".to_owned()),
            parameters: "{\"a\":1}".to_owned(),
            parameters_digest: "e".to_owned(),
            clock: Some(Timestamp::from_milliseconds(7)),
            columns: "[]".to_owned(),
        }
    }

    fn ending() -> Ending {
        Ending {
            state: ExecutionState::Finished,
            return_data: "Failed".to_owned(),
            error: "Something".to_owned(),
            outputs: BTreeMap::from([("failed".to_owned(), 3.into())]),
        }
    }

    /// Ends an execution, and waits until that is durable.
    fn end(begun: &dyn BegunExecution) -> Result<(), StoreError> {
        let (told, noted) = channel();
        begun.end(ending(), Box::new(move |result| told.send(result).unwrap()));
        noted.recv().unwrap()
    }

    fn store() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.db")).unwrap();
        (folder, store)
    }

    #[test]
    fn one_that_ends_before_it_is_written_is_written_once_and_as_a_whole() {
        let (_folder, store) = store();
        let (go_on, waits) = channel::<()>();
        let busy = store.writer.begin(1, move |_| Ok(waits.recv().is_ok()));
        let begun = store.begin_new(&new("one").into(), None).unwrap();
        assert_eq!(store.running.count(), 1);
        let (told, noted) = channel();
        begun.end(ending(), Box::new(move |result| told.send(result).unwrap()));
        assert!(noted.try_recv().is_err());
        let rows = |connection: &Connection| {
            let count = "SELECT total_changes()";
            Ok(connection.query_row(count, [], |row| row.get::<_, i64>(0))?)
        };
        let before = store.writer.begin(1, rows);
        go_on.send(()).unwrap();
        assert!(busy.wait().unwrap());
        noted.recv().unwrap().unwrap();
        // A row of the journal, and one for its parameters.
        assert_eq!((before.wait().unwrap(), store.commits()), (2, 1));
        let (_, record) = store.execution("one").unwrap().unwrap();
        assert_eq!((&record.begun, record.state), (&new("one"), ExecutionState::Finished));
        assert_eq!(
            (&record.outputs, record.error.as_deref()),
            (&ending().outputs, Some("Something"))
        );
        assert!(record.finished_at.is_some_and(|at| at >= record.started_at));
        assert_eq!(store.running.count(), 0);
        assert!(matches!(begun.key(), Err(StoreError::TakenOver)));
    }

    #[test]
    fn one_that_records_is_written_when_its_key_is_asked_for() {
        let (_folder, store) = store();
        let (told, durable) = channel();
        let told = Mutex::new(told);
        let notice: Notice = Arc::new(move || told.lock().unwrap().send(()).unwrap());
        let begun = store.begin_new(&new("one").into(), Some(&notice)).unwrap();
        let key = begun.key().unwrap();
        assert!(store.running.contains(key));
        durable.recv().unwrap();
        let (found, record) = store.execution("one").unwrap().unwrap();
        assert_eq!((found, record.state), (key, ExecutionState::Running));
        end(&*begun).unwrap();
        assert_eq!(store.execution("one").unwrap().unwrap().1.state, ExecutionState::Finished);
        assert_eq!(store.running.count(), 0);
    }

    #[test]
    fn one_that_is_not_written_says_so_to_all_who_ask() {
        let (_folder, store) = store();
        end(&*store.begin_new(&new("one").into(), None).unwrap()).unwrap();
        // The same id, which nobody should have used.
        let again = store.begin_new(&new("one").into(), None).unwrap();
        assert!(again.key().is_err());
        assert!(end(&*again).is_err());
        let third = store.begin_new(&new("one").into(), None).unwrap();
        assert!(end(&*third).is_err());
        // Nothing of it takes others with it.
        end(&*store.begin_new(&new("two").into(), None).unwrap()).unwrap();
        assert_eq!(store.running.count(), 0);
    }

    #[test]
    fn where_the_thread_that_writes_panics_nobody_waits_for_a_key() {
        let (_folder, store) = store();
        let (go_on, waits) = channel::<()>();
        let _busy = store.writer.begin(1, move |_| Ok(waits.recv().is_ok()));
        // The job and the beginning are taken together.
        let _breaks = store.writer.begin(1, |_| -> Result<(), StoreError> { panic!("a bug") });
        let begun = store.begin_new(&new("one").into(), None).unwrap();
        let (told, key) = channel();
        std::thread::spawn(move || told.send(begun.key().is_err()));
        std::thread::sleep(std::time::Duration::from_millis(200));
        go_on.send(()).unwrap();
        assert_eq!(key.recv_timeout(std::time::Duration::from_secs(5)), Ok(true));
    }
}

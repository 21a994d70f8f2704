//! The one thread that writes. What waits while a transaction is being written goes into the next
//! one together, each later piece of work in a savepoint of its own.

use super::super::error::StoreError;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many rows one commit takes at most, before the next piece of work has to wait.
const ROWS_PER_COMMIT: usize = 10_000;
/// How long one commit takes work in.
const TIME_PER_COMMIT: Duration = Duration::from_millis(50);

/// Answers whoever waits, once it is known whether the commit stands.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Writes, and says whether what it wrote is to be kept. With an error, since no transaction could
/// be begun, it only makes the answer.
type Work =
    Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Result<(), StoreError>, Answer) + Send>;

struct Job {
    rows: usize,
    work: Work,
}

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Writer {
        let (jobs, queue) = channel();
        let thread = std::thread::spawn(move || run(&connection, &queue));
        Writer { jobs: Some(jobs), thread: Some(thread) }
    }

    /// Runs `work` in a transaction and waits until it is committed. `rows` says about how many
    /// rows it writes. If `work` fails, nothing of it is kept.
    pub(super) fn write<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.begin(rows, work)?.wait()
    }

    /// As [`write`](Writer::write), and doesn't wait.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<UnderWay<T>, StoreError> {
        let (answer, answered) = channel();
        let job = Job {
            rows,
            work: Box::new(move |connection| {
                let result = connection.and_then(work);
                let keep = result.as_ref().map(|_| ()).map_err(StoreError::clone);
                let answer: Answer = Box::new(move |committed| {
                    // Whoever waited may be gone; the work is done all the same.
                    let _ = answer.send(result.and_then(|value| committed.map(|()| value)));
                });
                (keep, answer)
            }),
        };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Closed)?;
        Ok(UnderWay(answered))
    }
}

/// Work that waits for the thread, or for its commit.
pub(super) struct UnderWay<T>(Receiver<Result<T, StoreError>>);

impl<T> UnderWay<T> {
    /// Waits until it is committed.
    pub(super) fn wait(self) -> Result<T, StoreError> {
        self.0.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It ends with the queue; a panic in it was answered with `Closed` before.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        transaction(connection, first, queue);
    }
}

/// One transaction: the first job, and those that came by the time it was done.
fn transaction(connection: &Connection, first: Job, queue: &Receiver<Job>) {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        let (_, answer) = (first.work)(Err(error.into()));
        answer(Ok(()));
        return;
    }
    // The time for which another process had locked the store is not the work's.
    let began = Instant::now();
    // A savepoint costs a copy of every page that is changed in it, so the first job, which is
    // often the only one and a large one, goes without.
    let mut rows = first.rows;
    let (keep, answer) = (first.work)(Ok(connection));
    if keep.is_err() {
        // It may have been rolled back by SQLite itself, on a full disk say.
        let _ = connection.execute_batch("ROLLBACK");
        answer(Ok(()));
        return;
    }
    let mut answers = vec![answer];
    let mut rolled_back = None;
    // SQLite may roll back the whole transaction by itself; what came next would be in another one.
    while rows < ROWS_PER_COMMIT
        && began.elapsed() < TIME_PER_COMMIT
        && !connection.is_autocommit()
        && let Ok(job) = queue.try_recv()
    {
        rows += job.rows;
        let (kept, answer) = in_savepoint(connection, job);
        answers.push(answer);
        rolled_back = kept.err().filter(|_| connection.is_autocommit());
    }
    let committed = match rolled_back {
        Some(error) => Err(error),
        None => connection.execute_batch("COMMIT").map_err(StoreError::from),
    };
    if committed.is_err() && !connection.is_autocommit() {
        // The error is the commit's; nothing better can be said of the rollback.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// Runs a job so that it can fail alone. Where what it wrote can't be told from what the others
/// wrote, the whole transaction is rolled back, and its error is that of all.
fn in_savepoint(connection: &Connection, job: Job) -> (Result<(), StoreError>, Answer) {
    if let Err(error) = connection.execute_batch("SAVEPOINT job") {
        return (job.work)(Err(error.into()));
    }
    let (kept, answer) = (job.work)(Ok(connection));
    let end = if kept.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    match connection.execute_batch(end) {
        Ok(()) => (kept, answer),
        Err(error) => {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            (kept.and(Err(error.into())), answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs two jobs in one transaction; answers what became of them and how many rows there are.
    fn together(
        first: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
        second: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> ([Result<(), StoreError>; 2], i64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE note (text)").unwrap();
        let writer = Writer::start(connection);
        let (go_on, told) = channel();
        let first = writer.begin(1, move |connection| {
            told.recv().unwrap();
            first(connection)
        });
        // It waits in the queue before the first one goes on.
        let second = writer.begin(1, second);
        go_on.send(()).unwrap();
        let became = [first.unwrap().wait(), second.unwrap().wait()];
        let notes = "SELECT count(*) FROM note";
        let count = |row: &rusqlite::Row<'_>| row.get(0);
        (became, Connection::open(&path).unwrap().query_row(notes, [], count).unwrap())
    }

    fn note(connection: &Connection) -> Result<(), StoreError> {
        Ok(connection.execute_batch("INSERT INTO note VALUES ('a')")?)
    }

    fn fail() -> Result<(), StoreError> {
        Err(StoreError::Full)
    }

    #[test]
    fn a_job_that_fails_takes_nothing_of_the_others() {
        let ([first, second], notes) = together(note, |it| note(it).and_then(|()| fail()));
        assert!(first.is_ok() && matches!(second, Err(StoreError::Full)), "{first:?} {second:?}");
        assert_eq!(notes, 1);
        let ([first, second], notes) = together(|it| note(it).and_then(|()| fail()), note);
        assert!(second.is_ok() && matches!(first, Err(StoreError::Full)), "{first:?} {second:?}");
        assert_eq!(notes, 1);
    }

    #[test]
    fn a_transaction_that_is_rolled_back_fails_for_all_of_it_and_says_why() {
        // As SQLite does by itself on a full disk.
        let rolled_back = |it: &Connection| {
            note(it)?;
            it.execute_batch("ROLLBACK")?;
            fail()
        };
        let ([first, second], notes) = together(note, rolled_back);
        assert!(matches!(first, Err(StoreError::Full)), "{first:?}");
        assert!(matches!(second, Err(StoreError::Full)), "{second:?}");
        assert_eq!(notes, 0);
    }

    #[test]
    fn what_cannot_be_undone_alone_is_undone_with_the_rest() {
        let no_savepoint = |result: fn() -> Result<(), StoreError>| {
            move |it: &Connection| {
                note(it)?;
                it.execute_batch("RELEASE job")?;
                result()
            }
        };
        for result in [fail, || Ok(())] {
            let ([first, second], notes) = together(note, no_savepoint(result));
            assert!(first.is_err() && second.is_err(), "{first:?} {second:?}");
            assert_eq!(notes, 0);
        }
    }
}

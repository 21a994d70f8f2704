//! The one thread that writes. What waits while a transaction is being written goes into the next
//! one together, each later piece of work in a savepoint of its own.

use super::super::error::StoreError;
use super::running::Running;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many rows one commit takes at most, before the next piece of work has to wait.
const ROWS_PER_COMMIT: usize = 10_000;
/// How long one commit takes work in.
const TIME_PER_COMMIT: Duration = Duration::from_millis(50);
/// How long a commit waits for executions that run and don't wait for it yet: most of them are
/// about to write something too, and a commit costs the disk as much for one as for all.
const TIME_TO_GATHER: Duration = Duration::from_millis(1);

/// Answers whoever waits, once it is known whether the commit stands.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Writes, and says whether what it wrote is to be kept. With an error, since no transaction could
/// be begun, it only makes the answer.
type Work =
    Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Result<(), StoreError>, Answer) + Send>;

struct Job {
    rows: usize,
    /// Whether somebody waits for its commit.
    awaited: bool,
    work: Work,
}

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    commits: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `running` are the executions whose writing it gathers.
    pub(super) fn start(connection: Connection, running: Running) -> Writer {
        let (jobs, queue) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let thread = Thread { connection, queue, running, commits: commits.clone() };
        let thread = std::thread::spawn(move || thread.run());
        Writer { jobs: Some(jobs), commits, thread: Some(thread) }
    }

    /// How many transactions it has committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
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
        self.hand_over(rows, true, work, move |result| {
            // Whoever waited may be gone; the work is done all the same.
            let _ = answer.send(result);
        })?;
        Ok(UnderWay(answered))
    }

    /// As [`begin`](Writer::begin), for work whose commit nobody hurries: it waits a moment for
    /// other work. `committed` is called once it stands.
    pub(super) fn begin_at_leisure<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        committed: impl FnOnce() + Send + 'static,
    ) -> Result<UnderWay<T>, StoreError> {
        let (answer, answered) = channel();
        self.hand_over(rows, false, work, move |result| {
            if result.is_ok() {
                committed();
            }
            let _ = answer.send(result);
        })?;
        Ok(UnderWay(answered))
    }

    fn hand_over<T: Send + 'static>(
        &self,
        rows: usize,
        awaited: bool,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let job = Job {
            rows,
            awaited,
            work: Box::new(move |connection| {
                let result = connection.and_then(work);
                let keep = result.as_ref().map(|_| ()).map_err(StoreError::clone);
                let answer: Answer = Box::new(move |committed| {
                    answer(result.and_then(|value| committed.map(|()| value)));
                });
                (keep, answer)
            }),
        };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Closed)
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

/// What the thread works with.
struct Thread {
    connection: Connection,
    queue: Receiver<Job>,
    running: Running,
    commits: Arc<AtomicU64>,
}

impl Thread {
    fn run(self) {
        while let Ok(first) = self.queue.recv() {
            self.transaction(first);
        }
    }

    /// One transaction: the first job, and those that come until it is committed.
    fn transaction(&self, first: Job) {
        let connection = &self.connection;
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            let (_, answer) = (first.work)(Err(error.into()));
            answer(Ok(()));
            return;
        }
        // The time for which another process had locked the store is not the work's.
        let began = Instant::now();
        // A savepoint costs a copy of every page that is changed in it, so the first job, which is
        // often the only one and a large one, goes without.
        let (mut rows, mut waiting) = (first.rows, usize::from(first.awaited));
        let (keep, answer) = (first.work)(Ok(connection));
        if keep.is_err() {
            // It may have been rolled back by SQLite itself, on a full disk say.
            let _ = connection.execute_batch("ROLLBACK");
            answer(Ok(()));
            return;
        }
        let mut answers = vec![answer];
        let (mut rolled_back, mut gathering) = (None, None);
        // SQLite may roll back the whole transaction by itself; what came next would be in another one.
        while rows < ROWS_PER_COMMIT
            && began.elapsed() < TIME_PER_COMMIT
            && !connection.is_autocommit()
            && let Some(job) = self.next(waiting, &mut gathering)
        {
            rows += job.rows;
            waiting += usize::from(job.awaited);
            let (kept, answer) = in_savepoint(connection, job);
            answers.push(answer);
            rolled_back = kept.err().filter(|_| connection.is_autocommit());
        }
        let committed = match rolled_back {
            Some(error) => Err(error),
            None => connection.execute_batch("COMMIT").map_err(StoreError::from),
        };
        if committed.is_ok() {
            self.commits.fetch_add(1, Ordering::Relaxed);
        } else if !connection.is_autocommit() {
            // The error is the commit's; nothing better can be said of the rollback.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
    }

    /// Another job for a transaction for whose commit so many wait; `None` when it is to be
    /// committed: all executions wait for it, or it has waited for them long enough.
    fn next(&self, waiting: usize, gathering: &mut Option<Instant>) -> Option<Job> {
        match self.queue.try_recv() {
            Ok(job) => return Some(job),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if waiting >= self.running.count().max(1) {
            return None;
        }
        let end = *gathering.get_or_insert_with(|| Instant::now() + TIME_TO_GATHER);
        self.queue.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
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
    use rusqlite::params;

    /// Runs two jobs in one transaction; answers what became of them and how many rows there are.
    fn together(
        first: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
        second: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> ([Result<(), StoreError>; 2], i64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE note (text)").unwrap();
        let writer = Writer::start(connection, Running::of(&path));
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

    #[test]
    fn what_waits_shares_a_commit_and_what_fails_takes_nothing_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE number (number)").unwrap();
        let writer = Writer::start(connection, Running::of(&path));
        let insert = |number: i64| {
            move |connection: &Connection| match number {
                13 => Err(StoreError::Refused("unlucky".to_owned())),
                _ => Ok(connection.execute("INSERT INTO number VALUES (?1)", params![number])?),
            }
        };
        let (go_on, waits) = channel::<()>();
        let first = move |_: &Connection| Ok(waits.recv().is_ok());
        let first = writer.begin(1, first).unwrap();
        let under_way: Vec<_> =
            (10..20).map(|number| writer.begin(1, insert(number)).unwrap()).collect();
        let (told, committed) = channel();
        let last = writer
            .begin_at_leisure(1, insert(20), move || {
                let _ = told.send(());
            })
            .unwrap();
        assert!(committed.try_recv().is_err());
        go_on.send(()).unwrap();
        assert!(first.wait().unwrap());
        let failed = under_way.into_iter().filter_map(|one| one.wait().err()).count();
        last.wait().unwrap();
        committed.recv().unwrap();
        assert_eq!((failed, writer.commits()), (1, 1));
        let there = Connection::open(&path).unwrap();
        let count: i64 =
            there.query_row("SELECT count(*) FROM number", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 10);
    }
}

//! The one thread that writes. What waits while a transaction is being written goes into the next
//! one together, and what has to be undone alone is done in a savepoint of its own.

mod queue;

pub(super) use queue::Queue;

use super::super::error::StoreError;
use super::checkpoints::Checkpoints;
use super::recent::Recent;
use super::running::Running;
use queue::{Answer, Job};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many rows one commit takes at most, before the next piece of work has to wait.
const ROWS_PER_COMMIT: usize = 10_000;
/// How long one commit takes work in.
const TIME_PER_COMMIT: Duration = Duration::from_millis(50);

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    queue: Arc<Queue>,
    commits: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `running` are the executions whose writing it gathers, and `recent` is
    /// told when others have written.
    pub(super) fn start(
        connection: Connection,
        checkpoints: Checkpoints,
        running: Running,
        recent: Arc<Recent>,
    ) -> Result<Writer, StoreError> {
        let queue = Arc::new(Queue::new(running));
        let commits = Arc::new(AtomicU64::new(0));
        let mut thread = Thread {
            connection,
            _checkpoints: checkpoints,
            queue: queue.clone(),
            recent,
            version: 0,
            commits: commits.clone(),
        };
        // Where this fails, the connection is closed before the checkpoints are waited for.
        thread.version = data_version(&thread.connection)?;
        let thread = std::thread::spawn(move || thread.run());
        Ok(Writer { queue, commits, thread: Some(thread) })
    }

    /// How many transactions it has committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The way to the thread, for work that is handed over later.
    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Runs `work` in a transaction and waits until it is committed. `rows` says about how many
    /// rows it writes. If `work` fails, nothing of it is kept.
    pub(super) fn write<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (waits, answer) = (Waits { for_work: false, for_commit: true }, told());
        self.queue.hand_over(rows, waits, work, answer.0);
        answer.1.wait()
    }

    /// As [`write`](Writer::write), and doesn't wait; but somebody waits for the work to be done.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> UnderWay<T> {
        let (waits, answer) = (Waits { for_work: true, for_commit: true }, told());
        self.queue.hand_over(rows, waits, work, answer.0);
        answer.1
    }

    /// As [`begin`](Writer::begin), for work whose commit nobody hurries: it waits a moment for
    /// other work. `committed` is called with what came of it once it stands.
    pub(super) fn begin_at_leisure<T: Send + 'static>(
        &self,
        rows: usize,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> UnderWay<T> {
        let (waits, answer) = (Waits { for_work: true, for_commit: false }, told());
        self.queue.hand_over(rows, waits, work, |result: Result<T, StoreError>| {
            if let Ok(done) = &result {
                committed(done);
            }
            answer.0(result);
        });
        answer.1
    }
}

/// Whether somebody waits for work to be done, and for its commit.
#[derive(Clone, Copy)]
pub(super) struct Waits {
    pub(super) for_work: bool,
    pub(super) for_commit: bool,
}

impl Queue {
    /// Hands work over that is done in a savepoint of its own. `answer` is called on the thread
    /// that writes, once it is known whether the commit stands.
    pub(super) fn hand_over<T: Send + 'static>(
        &self,
        rows: usize,
        waits: Waits,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.add(job(rows, waits, work, answer))
    }

    /// The same for work that leaves nothing behind where it fails.
    pub(super) fn hand_over_undone<T: Send + 'static>(
        &self,
        waits: Waits,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.add(Job { leaves_nothing: true, ..job(1, waits, work, answer) })
    }
}

fn job<T: Send + 'static>(
    rows: usize,
    waits: Waits,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    answer: impl FnOnce(Result<T, StoreError>) + Send + 'static,
) -> Job {
    Job {
        rows,
        hurried: waits.for_work,
        awaited: waits.for_commit,
        leaves_nothing: false,
        work: Box::new(move |connection| {
            let result = connection.and_then(work);
            let keep = result.as_ref().map(|_| ()).map_err(StoreError::clone);
            let answer: Answer = Box::new(move |committed| {
                answer(result.and_then(|value| committed.map(|()| value)));
            });
            (keep, answer)
        }),
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

/// A way to wait for an answer.
fn told<T: Send + 'static>() -> (impl FnOnce(Result<T, StoreError>) + Send, UnderWay<T>) {
    let (answer, answered) = channel();
    let tell = move |result| {
        // Whoever waited may be gone; the work is done all the same.
        let _ = answer.send(result);
    };
    (tell, UnderWay(answered))
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        let own = std::thread::current().id();
        // Whoever was answered last, on that thread, may be the last who had the store.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != own) {
            // It ends with the queue; a panic in it was answered with `Closed` before.
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
struct Thread {
    connection: Connection,
    /// They end with the connection, which has to be closed before.
    _checkpoints: Checkpoints,
    queue: Arc<Queue>,
    recent: Arc<Recent>,
    /// What changes with every commit of another connection.
    version: i64,
    commits: Arc<AtomicU64>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        // After a panic, too.
        self.queue.abandon();
    }
}

impl Thread {
    fn run(&mut self) {
        while let Some((mut jobs, gather_until)) = self.queue.next(ROWS_PER_COMMIT) {
            while !jobs.is_empty() {
                jobs = self.transaction(jobs, gather_until);
            }
        }
    }

    /// One transaction: these jobs, and those that come until it is committed. Returns those that
    /// it had no place for.
    fn transaction(&mut self, mut jobs: VecDeque<Job>, gather_until: Instant) -> VecDeque<Job> {
        if let Err(error) = self.begin() {
            let awaited = jobs.iter().filter(|job| job.awaited).count();
            jobs.into_iter().for_each(|job| job.refuse(&error));
            self.queue.answered(awaited);
            return VecDeque::new();
        }
        let connection = &self.connection;
        // The time for which another process had locked the store is not the work's.
        let began = Instant::now();
        let (mut rows, mut awaited) = (0, 0);
        let mut answers = Vec::with_capacity(jobs.len());
        let mut rolled_back = None;
        loop {
            // SQLite may roll back the whole transaction by itself; what came next would be in
            // another one.
            while rolled_back.is_none()
                && let Some(job) = jobs.pop_front()
            {
                rows += job.rows;
                awaited += usize::from(job.awaited);
                // A savepoint costs a copy of every page that is changed in it, so the first job,
                // which is often the only one and a large one, goes without.
                let is_first = answers.is_empty();
                let (kept, answer) = match is_first || job.leaves_nothing {
                    true => (job.work)(Ok(connection)),
                    false => in_savepoint(connection, job),
                };
                answers.push(answer);
                if connection.is_autocommit() || (is_first && kept.is_err()) {
                    rolled_back = Some(kept.err().unwrap_or(StoreError::Closed));
                }
            }
            if rolled_back.is_some()
                || rows >= ROWS_PER_COMMIT
                || began.elapsed() >= TIME_PER_COMMIT
            {
                break;
            }
            jobs = self.queue.more(ROWS_PER_COMMIT - rows, gather_until);
            if jobs.is_empty() {
                break;
            }
        }
        let committed = match rolled_back {
            Some(error) => {
                // It may have been rolled back by SQLite itself, on a full disk say.
                let _ = run(connection, "ROLLBACK");
                Err(error)
            }
            None => run(connection, "COMMIT"),
        };
        if committed.is_ok() {
            self.commits.fetch_add(1, Ordering::Relaxed);
        } else if !connection.is_autocommit() {
            // The error is the commit's; nothing better can be said of the rollback.
            let _ = run(connection, "ROLLBACK");
        }
        for answer in answers {
            answer(committed.clone());
        }
        self.queue.answered(awaited);
        jobs
    }

    /// Opens a transaction, and sees whether others have written since the one before.
    fn begin(&mut self) -> Result<(), StoreError> {
        run(&self.connection, "BEGIN IMMEDIATE")?;
        match data_version(&self.connection) {
            Ok(version) => {
                self.recent.looked(version != self.version);
                self.version = version;
                Ok(())
            }
            Err(error) => {
                let _ = run(&self.connection, "ROLLBACK");
                Err(error)
            }
        }
    }
}

/// A number that changes with every commit of another connection, in whatever process.
fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Runs a statement that is run often.
fn run(connection: &Connection, statement: &str) -> Result<(), StoreError> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

/// Runs a job so that it can fail alone. Where what it wrote can't be told from what the others
/// wrote, the whole transaction is rolled back, and its error is that of all.
fn in_savepoint(connection: &Connection, job: Job) -> (Result<(), StoreError>, Answer) {
    if let Err(error) = run(connection, "SAVEPOINT job") {
        return (job.work)(Err(error));
    }
    let (kept, answer) = (job.work)(Ok(connection));
    let undone = match &kept {
        Ok(()) => Ok(()),
        Err(_) => run(connection, "ROLLBACK TO job"),
    };
    match undone.and_then(|()| run(connection, "RELEASE job")) {
        Ok(()) => (kept, answer),
        Err(error) => {
            if !connection.is_autocommit() {
                let _ = run(connection, "ROLLBACK");
            }
            (kept.and(Err(error)), answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::params;
    use std::path::Path;

    fn start(mut connection: Connection, path: &Path) -> Writer {
        let checkpoints = Checkpoints::of(&mut connection, path).unwrap();
        Writer::start(connection, checkpoints, Running::of(path), Arc::default()).unwrap()
    }

    /// Runs two jobs in one transaction; answers what became of them and how many rows there are.
    fn together(
        first: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
        second: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> ([Result<(), StoreError>; 2], i64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE note (text)").unwrap();
        let writer = start(connection, &path);
        let (go_on, told) = channel();
        let first = writer.begin(1, move |connection| {
            told.recv().unwrap();
            first(connection)
        });
        // It waits in the queue before the first one goes on.
        let second = writer.begin(1, second);
        go_on.send(()).unwrap();
        let became = [first.wait(), second.wait()];
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
        let writer = start(connection, &path);
        let insert = |number: i64| {
            move |connection: &Connection| match number {
                13 => Err(StoreError::Refused("unlucky".to_owned())),
                _ => Ok(connection.execute("INSERT INTO number VALUES (?1)", params![number])?),
            }
        };
        let (go_on, waits) = channel::<()>();
        let first = move |_: &Connection| Ok(waits.recv().is_ok());
        let first = writer.begin(1, first);
        let under_way: Vec<_> = (10..20).map(|number| writer.begin(1, insert(number))).collect();
        let (told, committed) = channel();
        let last = writer.begin_at_leisure(1, insert(20), move |_| {
            let _ = told.send(());
        });
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

    #[test]
    fn a_connection_that_cannot_be_read_is_refused_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = Connection::open(&path).unwrap();
        let checkpoints = Checkpoints::of(&mut connection, &path).unwrap();
        // Every statement fails from here on, as where the disk does.
        connection.progress_handler(1, Some(|| true)).unwrap();
        let (told, done) = channel();
        std::thread::spawn(move || {
            let started =
                Writer::start(connection, checkpoints, Running::of(&path), Arc::default());
            let _ = told.send(started.is_err());
        });
        assert_eq!(done.recv_timeout(Duration::from_secs(10)), Ok(true));
    }
}

//! What waits to be written, and when the thread that writes goes on with it.
//!
//! Waking a thread costs more than most of what it is woken for, so it isn't woken for each job: it
//! goes on once somebody waits for the work itself, once every execution waits for its commit or as
//! many as are enough, or after a moment.

use super::super::super::error::StoreError;
use super::super::running::{Expected, Running};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a commit waits for executions that run and don't wait for it yet: most of them are
/// about to write something too, and a commit costs the disk as much for one as for all.
const TIME_TO_GATHER: Duration = Duration::from_millis(2);

/// With so many who wait for it, a commit waits for no more: those that still run keep the
/// processors busy while it goes to the disk, and share the next one.
const MANY: usize = 32;

/// Answers whoever waits, once it is known whether the commit stands.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Writes, and says whether what it wrote is to be kept. With an error, since no transaction could
/// be begun, it only makes the answer.
pub(super) type Work =
    Box<dyn FnOnce(Result<&Connection, StoreError>) -> (Result<(), StoreError>, Answer) + Send>;

/// A piece of work for one transaction.
pub(super) struct Job {
    /// About how many rows it writes.
    pub(super) rows: usize,
    /// Whether somebody waits for it to be done, before it is committed.
    pub(super) hurried: bool,
    /// Whether somebody waits for its commit.
    pub(super) awaited: bool,
    /// Whether nothing of it is left where it fails; else it has to be undone.
    pub(super) leaves_nothing: bool,
    pub(super) work: Work,
}

impl Job {
    /// Answers that it can't be done.
    pub(super) fn refuse(self, error: &StoreError) {
        let (_, answer) = (self.work)(Err(error.clone()));
        answer(Ok(()));
    }
}

/// The jobs that wait.
pub(in super::super) struct Queue {
    state: Mutex<State>,
    news: Condvar,
    running: Running,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Whether somebody waits for work in the queue to be done.
    hurried: bool,
    /// How many jobs somebody waits for the commit of, those of the open transaction too.
    awaited: usize,
    thread: Thread,
    closed: bool,
}

/// What the thread does that writes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Thread {
    #[default]
    Works,
    /// It waits for anything at all.
    Idles,
    /// It waits for more of what there is.
    Gathers,
}

impl State {
    /// Whether nothing more is to be waited for.
    fn is_complete(&self, running: usize) -> bool {
        self.hurried || self.closed || self.awaited >= running.clamp(1, MANY)
    }

    /// Takes jobs of so many rows; one at least.
    fn take(&mut self, mut rows: usize) -> VecDeque<Job> {
        let of_rows = self.jobs.iter().position(|job| {
            let full = rows == 0;
            rows = rows.saturating_sub(job.rows);
            full
        });
        let taken = match of_rows {
            None => std::mem::take(&mut self.jobs),
            Some(count) => self.jobs.drain(..count.max(1)).collect(),
        };
        self.hurried = self.jobs.iter().any(|job| job.hurried);
        taken
    }
}

impl Queue {
    /// An empty one. `running` are the executions whose writing is gathered.
    pub(super) fn new(running: Running) -> Queue {
        Queue { state: Mutex::default(), news: Condvar::new(), running }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; where there is no thread any more, it is answered at once.
    pub(super) fn add(&self, job: Job) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            job.refuse(&StoreError::Closed);
            return;
        }
        state.hurried |= job.hurried;
        state.awaited += usize::from(job.awaited);
        state.jobs.push_back(job);
        self.wake(state);
    }

    /// An execution is about to begin: its writing is gathered, too, until this is dropped.
    pub(in super::super) fn expect(self: &Arc<Queue>) -> Coming {
        Coming { expected: Some(self.running.expect()), queue: self.clone() }
    }

    /// Somebody waits for work in the queue to be done.
    pub(in super::super) fn hurry(&self) {
        let mut state = self.lock();
        state.hurried = true;
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakes = match state.thread {
            Thread::Works => false,
            Thread::Idles => !state.jobs.is_empty(),
            Thread::Gathers => state.is_complete(self.running.count()),
        };
        if wakes {
            state.thread = Thread::Works;
            drop(state);
            self.news.notify_one();
        }
    }

    /// Nothing more is taken in.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// There is no thread any more: nobody is to wait for what will not be written.
    pub(super) fn abandon(&self) {
        let left = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.jobs)
        };
        left.into_iter().for_each(|job| job.refuse(&StoreError::Closed));
    }

    /// Waits for the jobs of the next transaction, of so many rows, and tells until when it may wait
    /// for more; `None` when there will be none.
    pub(super) fn next(&self, rows: usize) -> Option<(VecDeque<Job>, Instant)> {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            state.thread = Thread::Idles;
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let end = Instant::now() + TIME_TO_GATHER;
        Some((self.gather(state, end).take(rows), end))
    }

    /// Waits for more for a transaction that is open, until `end` at most; nothing when it is to be
    /// committed.
    pub(super) fn more(&self, rows: usize, end: Instant) -> VecDeque<Job> {
        let state = self.lock();
        let mut state = match state.jobs.is_empty() {
            true => self.gather(state, end),
            false => state,
        };
        state.take(rows)
    }

    fn gather<'a>(&self, mut state: MutexGuard<'a, State>, end: Instant) -> MutexGuard<'a, State> {
        while !state.is_complete(self.running.count()) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.thread = Thread::Gathers;
            let waited = self.news.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.thread = Thread::Works;
        state
    }

    /// So many jobs are no longer waited for.
    pub(super) fn answered(&self, awaited: usize) {
        self.lock().awaited -= awaited;
    }
}

/// An execution that is about to begin.
pub(in super::super) struct Coming {
    expected: Option<Expected>,
    queue: Arc<Queue>,
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.expected = None;
        // The thread may have waited for nobody else.
        self.queue.wake(self.queue.lock());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Waits;
    use super::*;

    #[test]
    fn what_is_about_to_begin_is_waited_for_until_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::new(Running::of(folder.path())));
        let (one, other) = (queue.expect(), queue.expect());
        queue.lock().thread = Thread::Gathers;
        let waits = Waits { for_work: false, for_commit: true };
        queue.hand_over(1, waits, |_| Ok(()), |_| {});
        assert!(queue.lock().thread == Thread::Gathers);
        drop(one);
        assert!(queue.lock().thread == Thread::Works);
        drop(other);
        assert_eq!(queue.running.count(), 0);
    }

    #[test]
    fn where_many_wait_the_others_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::new(Running::of(folder.path())));
        let others: Vec<_> = (0..=MANY).map(|_| queue.expect()).collect();
        queue.lock().thread = Thread::Gathers;
        for number in 1..=MANY {
            assert!(queue.lock().thread == Thread::Gathers, "{number}");
            let waits = Waits { for_work: false, for_commit: true };
            queue.hand_over(1, waits, |_| Ok(()), |_| {});
        }
        assert!(queue.lock().thread == Thread::Works);
        drop(others);
    }
}

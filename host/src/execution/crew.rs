//! Threads on which executions run. Few work at once, about as many as the machine has processors:
//! to wake a thread costs more than most of a short execution does, and those that work go on with
//! what waits. One that waits itself, for the disk or for a command that takes its time, gives up
//! its place, so that nobody waits for it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// After how long one that works is taken for one that waits.
const LONG: Duration = Duration::from_millis(1);
/// The stack of a thread: a plugin in this process runs on it, too.
const STACK: usize = 2 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for them. They end once this is dropped, each after its job.
pub(crate) struct Crew(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// How many work at once.
    places: usize,
    /// How many threads there are at most.
    most: usize,
    /// The size of their stacks.
    stack: usize,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The jobs that have a place, by their numbers, and since when.
    working: Vec<(u64, Instant)>,
    /// How many jobs were begun.
    begun: u64,
    threads: usize,
    /// The threads that sleep; the last to fall asleep is the first to be woken.
    asleep: Vec<Arc<Sleeper>>,
    /// How many threads were made or woken and have not come to look for work yet.
    waking: usize,
    /// Whether a thread watches out for those that work too long.
    watched: bool,
    closed: bool,
}

/// A thread that sleeps until it is woken by name: a wake-up that another could take would be lost.
struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

thread_local! {
    /// The crew of this thread, and the number of its job, while that has a place.
    static PLACE: RefCell<Option<(Arc<Shared>, u64)>> = const { RefCell::new(None) };
}

impl Crew {
    /// A crew of so many threads at most, none of which is there yet.
    pub(crate) fn new(most: usize) -> Crew {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let places = processors.max(2);
        Crew(Arc::new(Shared { state: Mutex::default(), places, most, stack: STACK }))
    }

    /// Has a job done once there is a place for it.
    pub(crate) fn add(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock();
        state.jobs.push_back(Box::new(job));
        self.0.call(state);
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let asleep = std::mem::take(&mut state.asleep);
        state.waking += asleep.len();
        drop(state);
        asleep.iter().for_each(|sleeper| sleeper.wake());
    }
}

/// The job that runs on this thread is about to wait: another may have its place.
pub(super) fn give_up_place() {
    if let Some((shared, number)) = PLACE.take() {
        let mut state = shared.lock();
        state.working.retain(|(working, _)| *working != number);
        if !state.jobs.is_empty() {
            shared.call(state);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes a thread for a job that waits, or makes one, if there is a place for it; or for the
    /// watch, if nobody keeps it.
    fn call(self: &Arc<Shared>, mut state: MutexGuard<'_, State>) {
        let has_place = state.working.len() + state.waking < self.places;
        if !has_place && (state.watched || state.waking > 0) {
            return;
        }
        if let Some(sleeper) = state.asleep.pop() {
            state.waking += 1;
            drop(state);
            sleeper.wake();
        } else if state.threads < self.most {
            let shared = self.clone();
            let thread = std::thread::Builder::new().name("playdock-crew".to_owned());
            match thread.stack_size(self.stack).spawn(move || shared.work()) {
                Ok(_) => {
                    state.threads += 1;
                    state.waking += 1;
                }
                Err(error) => {
                    log::error!("there is no other thread for executions: {error}");
                    // Where nobody will come to them, their own guards tell who waits for them.
                    let lost = (state.threads == 0).then(|| std::mem::take(&mut state.jobs));
                    drop(state);
                    drop(lost);
                }
            }
        }
    }

    fn work(self: &Arc<Shared>) {
        let mut state = self.lock();
        state.waking -= 1;
        loop {
            if state.closed {
                return;
            }
            if state.working.len() < self.places
                && let Some(job) = state.jobs.pop_front()
            {
                state.begun += 1;
                let number = state.begun;
                state.working.push((number, Instant::now()));
                match state.jobs.is_empty() {
                    true => drop(state),
                    false => self.call(state),
                }
                PLACE.set(Some((self.clone(), number)));
                // The panic was printed; the job's own guards tell whoever waits for it.
                let _ = catch_unwind(AssertUnwindSafe(job));
                PLACE.set(None);
                state = self.lock();
                state.working.retain(|(working, _)| *working != number);
            } else if !state.jobs.is_empty() && !state.watched {
                state.watched = true;
                drop(state);
                std::thread::sleep(LONG);
                state = self.lock();
                state.watched = false;
                state.working.retain(|(_, since)| since.elapsed() < LONG);
            } else {
                let thread = std::thread::current();
                let sleeper = Arc::new(Sleeper { thread, woken: AtomicBool::new(false) });
                state.asleep.push(sleeper.clone());
                drop(state);
                while !sleeper.woken.load(Ordering::Acquire) {
                    std::thread::park();
                }
                state = self.lock();
                state.waking -= 1;
            }
        }
    }
}

impl Sleeper {
    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::mpsc::channel;

    fn crew(places: usize, most: usize) -> Crew {
        Crew(Arc::new(Shared { state: Mutex::default(), places, most, stack: STACK }))
    }

    #[test]
    fn where_there_is_no_thread_a_job_is_dropped() {
        // No machine has that much.
        let stack = isize::MAX as usize / 2;
        let crew = Crew(Arc::new(Shared { state: Mutex::default(), places: 1, most: 2, stack }));
        let (told, done) = channel::<()>();
        crew.add(move || told.send(()).unwrap());
        assert!(done.recv().is_err());
        assert_eq!(crew.0.lock().threads, 0);
    }

    #[test]
    fn all_jobs_are_done_by_few_threads() {
        let crew = crew(2, 64);
        let (told, done) = channel();
        for number in 0..1000 {
            let told = told.clone();
            crew.add(move || told.send(number).unwrap());
        }
        drop(told);
        let mut numbers: Vec<i32> = done.iter().collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..1000));
        // Two that work, and one that watches.
        assert!(crew.0.lock().threads <= 3);
    }

    #[test]
    fn a_job_that_waits_keeps_no_other_from_being_done() {
        for says_so in [true, false] {
            let crew = crew(2, 9);
            let all_are_there = Arc::new(Barrier::new(9));
            for _ in 0..8 {
                let all_are_there = all_are_there.clone();
                crew.add(move || {
                    if says_so {
                        give_up_place();
                    }
                    all_are_there.wait();
                });
            }
            all_are_there.wait();
        }
    }

    #[test]
    fn threads_that_fall_asleep_while_others_are_woken_are_woken_for_the_next() {
        let crew = crew(2, 9);
        for _ in 0..200 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let (told, done) = channel();
                        for _ in 0..20 {
                            let told = told.clone();
                            crew.add(move || told.send(()).unwrap());
                            done.recv().unwrap();
                        }
                    });
                }
            });
        }
        let state = crew.0.lock();
        assert!(state.waking <= state.threads, "{}", state.waking);
    }

    #[test]
    fn a_job_that_panics_leaves_its_place_to_others() {
        let crew = crew(1, 2);
        let (told, done) = channel();
        crew.add(|| panic!("as it is to be"));
        crew.add(move || told.send(()).unwrap());
        done.recv().unwrap();
    }

    #[test]
    fn nobody_outside_of_a_crew_has_a_place_to_give_up() {
        give_up_place();
    }
}

//! All cases of a plan: which are tried at all, in which order, and so many at once as there are
//! processors.

use super::catalogue::{DESCRIBES_ITSELF, LOADS, Listed, NEEDED_LIBRARIES};
use super::messages::{Amount, Job, Place};
use super::one_case;
use crate::plugins::KeptFile;
use playdock_plugin_api::testing::conformance::{Finding, Verdict};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is to be tried.
pub(crate) struct Plan {
    /// The cases.
    pub(crate) cases: Vec<Listed>,
    /// The commands of which those that are asked of commands are asked.
    pub(crate) commands: Vec<String>,
    /// How much.
    pub(crate) amount: Amount,
    /// How long one may take.
    pub(crate) limit: Duration,
}

/// A case that was tried.
pub(crate) struct Tried {
    /// Its place in the plan's cases.
    pub(crate) case: usize,
    /// The command that it was asked of; empty where that was the library.
    pub(crate) command: String,
    /// Where the library's code ran, if it did.
    pub(crate) place: Option<Place>,
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Plan {
    /// How many times a case is tried.
    pub(crate) fn count(&self) -> usize {
        let times = |case: &Listed| {
            let of = if case.of_commands { self.commands.len() } else { 1 };
            case.places.len().max(1) * of
        };
        self.cases.iter().map(times).sum()
    }
}

/// Tries all cases; `done` is told of each. The parts of the sandbox that the kernel lacks come
/// beside the verdicts.
pub(crate) fn run(
    plan: &Plan,
    file: &KeptFile,
    done: &(dyn Fn() + Sync),
) -> (Vec<Tried>, Vec<String>) {
    let runner = Runner { plan, file, done, unprotected: Mutex::default() };
    let mut tried = Vec::new();
    // Each of these makes no sense where the one before it failed.
    for gate in [Some(NEEDED_LIBRARIES), Some(LOADS), Some(DESCRIBES_ITSELF), None] {
        let next = runner.waiting(gate, &tried);
        tried.extend(runner.try_all(next));
    }
    tried.sort_by(|one, other| {
        let key = |it: &Tried| (it.command.clone(), it.case, it.place.map(Place::name));
        key(one).cmp(&key(other))
    });
    (tried, runner.unprotected.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Runner<'a> {
    plan: &'a Plan,
    file: &'a KeptFile,
    done: &'a (dyn Fn() + Sync),
    unprotected: Mutex<Vec<String>>,
}

/// What is to be tried next: a case, its command, its place, and why it is skipped, if it is.
type Waiting = (usize, String, Option<Place>, Option<&'static str>);

impl Runner<'_> {
    /// What is to be tried of one case, or of all that are no gates.
    fn waiting(&self, gate: Option<&str>, tried: &[Tried]) -> Vec<Waiting> {
        let gates = [NEEDED_LIBRARIES, LOADS, DESCRIBES_ITSELF];
        let mut waiting = Vec::new();
        for (index, case) in self.plan.cases.iter().enumerate() {
            match gate {
                Some(gate) if case.id != gate => continue,
                None if gates.contains(&case.id) => continue,
                _ => {}
            }
            let library = [String::new()];
            let commands = if case.of_commands { &self.plan.commands[..] } else { &library };
            for command in commands {
                if case.places.is_empty() {
                    waiting.push((index, command.clone(), None, None));
                }
                for place in case.places {
                    let why = self.hopeless(case, *place, tried);
                    waiting.push((index, command.clone(), Some(*place), why));
                }
            }
        }
        waiting
    }

    /// Why a case can't be tried after what failed before.
    fn hopeless(&self, case: &Listed, place: Place, tried: &[Tried]) -> Option<&'static str> {
        let failed = |id: &str| {
            let is = |it: &&Tried| {
                self.plan.cases[it.case].id == id && it.place.is_none_or(|other| other == place)
            };
            tried.iter().find(is).is_some_and(|it| matches!(it.verdict, Verdict::Failed(_)))
        };
        match () {
            () if failed(NEEDED_LIBRARIES) => Some("It isn't handed to the loader."),
            () if failed(LOADS) => Some("It doesn't load."),
            () if failed(DESCRIBES_ITSELF) && case.needs_description() => {
                Some("It doesn't describe itself.")
            }
            () => None,
        }
    }

    fn try_all(&self, waiting: Vec<Waiting>) -> Vec<Tried> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = processors.min(waiting.len());
        let queue = Mutex::new(waiting.into_iter());
        let tried = Mutex::new(Vec::new());
        // A process of a case ends with the thread that started it, which waits for it.
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let Some(next) = lock(&queue).next() else { break };
                        let one = self.try_one(next);
                        (self.done)();
                        lock(&tried).push(one);
                    }
                });
            }
        });
        tried.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_one(&self, (index, command, place, why): Waiting) -> Tried {
        let began = Instant::now();
        let verdict = match (place, why) {
            (_, Some(why)) => Verdict::Skipped(why.to_owned()),
            (None, None) => self.needed_libraries(),
            (Some(place), None) => {
                let job = Job {
                    case: self.plan.cases[index].id.to_owned(),
                    command: command.clone(),
                    place,
                    amount: self.plan.amount,
                    file: self.file.inspected().path().to_owned(),
                    commands: self.file.inspected().identity().commands.clone(),
                };
                let (verdict, unprotected) =
                    one_case::run(&job, self.file.sealed(), self.plan.limit);
                let mut known = lock(&self.unprotected);
                for part in unprotected {
                    if !known.contains(&part) {
                        known.push(part);
                    }
                }
                verdict
            }
        };
        Tried { case: index, command, place, verdict, took: began.elapsed() }
    }

    fn needed_libraries(&self) -> Verdict {
        match self.file.inspected().refused() {
            None => Verdict::Passed,
            Some(cause) => Verdict::Failed(Finding {
                expected: "a library that the system's loader only has to load".to_owned(),
                happened: cause.to_string(),
                input: String::new(),
            }),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A host over incidents in memory: it answers a command's calls, wherever the command's code runs.

use super::in_memory::InMemoryIncidents;
use crate::context::{ContextError, IncidentContext, IncidentPage, Recording};
use crate::host_link::HostLink;
use crate::incident::{Facts, Incident};
use crate::messages::{self, Call, MessageError, Reply};
use crate::outcome::Refusal;
use crate::parameters::TextList;
use abi_stable::std_types::RVec;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What becomes of a command's calls beyond what the incidents answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Stop {
    /// All are answered.
    #[default]
    Never,
    /// The host fails at this call, counted from 0, and at all later ones.
    FailsAt(usize),
    /// The execution is cancelled before this call is answered.
    CancelledAt(usize),
    /// The execution's time is over then.
    At(Instant),
}

/// What a host says that can't go on.
pub(crate) const HOST_ERROR: &str = "The store is gone.";

/// How many incidents the endless host hands out at once.
const PAGE: u64 = 3;
/// How many incidents it says that there are beside those that are selected: more than are handed out
/// before the deadline.
const WITHOUT_END: u64 = 100_000_000;

/// Answers the calls of one invocation from incidents in memory.
///
/// Whoever runs a command's code somewhere else than in this process hands its calls to this.
pub struct TestHost {
    state: Mutex<State>,
    stop: Stop,
    endless: bool,
    most_calls: usize,
}

#[derive(Default)]
struct State {
    incidents: InMemoryIncidents,
    numbers: Vec<String>,
    /// The names of the calls so far.
    calls: Vec<&'static str>,
    /// The position after the last incident that was made up.
    made_up: u64,
}

impl Default for TestHost {
    /// A host without incidents.
    fn default() -> TestHost {
        TestHost::new(InMemoryIncidents::default())
    }
}

impl TestHost {
    /// A host over these incidents.
    pub(crate) fn new(incidents: InMemoryIncidents) -> TestHost {
        let state = Mutex::new(State { incidents, ..State::default() });
        TestHost { state, stop: Stop::Never, endless: false, most_calls: usize::MAX }
    }

    /// With another end than the command's own.
    pub(crate) fn stopping(self, stop: Stop) -> TestHost {
        TestHost { stop, ..self }
    }

    /// After the incidents that are selected, it hands out others without end.
    pub(crate) fn endless(self) -> TestHost {
        TestHost { endless: true, ..self }
    }

    /// Answers so many calls, and fails then: a command must come to an end.
    pub(crate) fn answering(self, most_calls: usize) -> TestHost {
        TestHost { most_calls, ..self }
    }

    /// Answers a [`Call`] with a [`Reply`], both as JSON.
    pub fn call(&self, request: &[u8]) -> Vec<u8> {
        let reply = match messages::read(request) {
            Ok(call) => self.answer(call),
            Err(MessageError::Unsupported(what)) => Reply::Unsupported { what },
            Err(error) => Reply::Failed { error: error.to_string() },
        };
        messages::write(&reply)
    }

    /// Takes a record for the log of the test.
    pub fn log(&self, level: log::Level, target: &str, message: &str) {
        log::log!(target: target, level, "{message}");
    }

    /// Whether the command is asked to stop.
    pub fn is_cancelled(&self) -> bool {
        let state = self.lock();
        self.is_over(state.calls.len()) || state.incidents.is_cancelled()
    }

    /// When the execution's time is over, where it has an end.
    pub fn deadline(&self) -> Option<Instant> {
        match self.stop {
            Stop::At(deadline) => Some(deadline),
            _ => None,
        }
    }

    /// The names of the calls so far.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    /// Looks at the incidents.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&InMemoryIncidents) -> T) -> T {
        look(&self.lock().incidents)
    }

    /// Puts other incidents in the place of these.
    pub(crate) fn swap(&self, incidents: &mut InMemoryIncidents) {
        std::mem::swap(&mut self.lock().incidents, incidents);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked in here has failed already; what it left may still be looked at.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the command is to stop when so many calls were answered.
    fn is_over(&self, calls: usize) -> bool {
        match &self.stop {
            Stop::CancelledAt(call) => calls >= *call,
            Stop::At(deadline) => Instant::now() >= *deadline,
            Stop::Never | Stop::FailsAt(_) => false,
        }
    }

    fn answer(&self, call: Call<'_>) -> Reply {
        let mut state = self.lock();
        let before = state.calls.len();
        if self.is_over(before) {
            return Reply::Cancelled {};
        }
        if before >= self.most_calls {
            return Reply::Failed { error: format!("There were more than {before} calls.") };
        }
        // The endless host is called without end.
        if !self.endless {
            state.calls.push(name(&call));
        }
        match self.stop {
            Stop::FailsAt(first) if before >= first => {
                Reply::Failed { error: HOST_ERROR.to_owned() }
            }
            _ => state.answer(call, self.endless),
        }
    }
}

fn name(call: &Call<'_>) -> &'static str {
    match call {
        Call::Select { .. } => "select",
        Call::NextIncidents {} => "next_incidents",
        Call::Record { .. } => "record",
        Call::NextRefusals {} => "next_refusals",
        Call::Progress { .. } => "progress",
    }
}

/// Refusals, in one message: a test has few.
fn all_refused(refused: Vec<Refusal>) -> Reply {
    Reply::Recorded { refused, more: false, must_understand: Vec::new() }
}

impl HostLink for Arc<TestHost> {
    fn call(&self, request: &[u8]) -> RVec<u8> {
        TestHost::call(self, request).into()
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        TestHost::log(self, level, target, message);
    }

    fn is_cancelled(&self) -> bool {
        TestHost::is_cancelled(self)
    }
}

impl State {
    fn answer(&mut self, call: Call<'_>, endless: bool) -> Reply {
        let answered = match call {
            Call::Select { numbers, more, .. } => {
                self.numbers.extend(numbers.into_iter().map(|number| number.0.into_owned()));
                if more {
                    Ok(Reply::Selected { count: self.numbers.len() as u64 })
                } else {
                    let list: TextList<'_> =
                        std::mem::take(&mut self.numbers).into_iter().collect();
                    let more = if endless { WITHOUT_END } else { 0 };
                    let count = self.incidents.select(&list);
                    count.map(|count| Reply::Selected { count: count + more })
                }
            }
            Call::NextIncidents {} => self.next_page(endless).map(|page| Reply::Incidents {
                as_of: page.as_of,
                incidents: page.incidents,
                must_understand: Vec::new(),
            }),
            Call::Record { conclusion, rows, outcomes, .. } => {
                let no_row = || ContextError::Host("An outcome has no row.".to_owned());
                // Nothing is kept of those that were made up.
                let selected = self.incidents.selected().len() as u64;
                messages::unpack(&rows, outcomes).ok_or_else(no_row).and_then(|mut outcomes| {
                    outcomes.retain(|outcome| !endless || outcome.position < selected);
                    let conclusion = conclusion.as_deref();
                    let recorded =
                        self.incidents.record(&Recording { conclusion, outcomes: &outcomes });
                    recorded.map(all_refused)
                })
            }
            Call::NextRefusals {} => Ok(all_refused(Vec::new())),
            Call::Progress { done, total } => {
                self.incidents.progress(done, total).map(|()| Reply::Done {})
            }
        };
        answered.unwrap_or_else(|error| match error {
            ContextError::Cancelled => Reply::Cancelled {},
            ContextError::Unsupported(what) => Reply::Unsupported { what },
            ContextError::Host(error) => Reply::Failed { error },
        })
    }

    fn next_page(&mut self, endless: bool) -> Result<IncidentPage, ContextError> {
        let page = self.incidents.next_page()?;
        let as_of = self.incidents.clock();
        let at_the_end = IncidentPage { as_of, incidents: Vec::new() };
        let page = page.unwrap_or(at_the_end);
        match page.incidents.is_empty() && endless {
            true => Ok(IncidentPage { as_of, incidents: self.make_up() }),
            false => Ok(page),
        }
    }

    /// Incidents like the first that there is.
    fn make_up(&mut self) -> Vec<Incident> {
        let like: Option<Facts> = self.incidents.all().values().next().map(|it| it.facts());
        let first = self.made_up.max(self.incidents.selected().len() as u64);
        self.made_up = first + PAGE;
        let made_up = |position: u64| Incident {
            position,
            number: format!("MADE-UP-{position}"),
            facts: like.clone(),
            earlier: None,
        };
        (first..self.made_up).map(made_up).collect()
    }
}

//! Answering the calls of a command while it runs.
//!
//! A session is all that a command reaches: the incidents of one site, in the name of one user. It
//! gives each incident out once, takes one outcome for each, and is over when the command returns;
//! a thread that the command left behind is refused from then on. Writing is `record.rs`'s.

use super::given_out::{GivenOut, LookedAt};
use super::invocation::{Cancellation, Clock, Progress};
use super::journal::OpenExecution;
use super::record::Uncommitted;
use super::refusals::Refusals;
use super::rows::Rows;
use super::selection::{Selecting, Selection};
use crate::incidents::{ExecutionRecords, IncidentStore, LedgerRow, StoreError};
use crate::plugins::{HostServices, LARGEST_CALL, LogBudget};
use playdock_plugin_api::messages::{self, CHUNK, Call, MessageError, Reply};
use playdock_plugin_api::{Columns, Earlier, Execution, Facts, Incident, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many incidents one look at the store takes. What a command makes of them is one commit, and
/// a commit waits for the disk.
const LOOK: usize = 8192;

/// How many bytes the numbers that an execution selects may take.
const MOST_SELECTED: usize = 512 << 20;

/// What a session is given.
pub(super) struct SessionSetup {
    pub(super) store: Arc<dyn IncidentStore>,
    pub(super) records: Arc<dyn ExecutionRecords>,
    pub(super) execution: Execution,
    /// Its place in the journal; `None` for a preview, which writes nothing.
    pub(super) journal: Option<Arc<OpenExecution>>,
    pub(super) command: String,
    pub(super) columns: Arc<Columns>,
    pub(super) plugin: String,
    pub(super) clock: Clock,
    pub(super) cancellation: Cancellation,
    pub(super) deadline: Instant,
    pub(super) progress: Option<Progress>,
    /// What an interrupted run of the same execution recorded.
    pub(super) earlier: Vec<LedgerRow>,
}

/// One run of a command, from the side of the host.
pub(super) struct Session {
    pub(super) setup: SessionSetup,
    over: AtomicBool,
    /// Whether a call came when it was over.
    called_late: AtomicBool,
    log: Mutex<LogBudget>,
    state: Mutex<State>,
}

/// How far a session is.
#[derive(Default)]
pub(super) struct State {
    selecting: Selecting,
    pub(super) selection: Option<Selection>,
    /// Looked up, and on no page yet.
    waiting: VecDeque<Waiting>,
    /// The page that is given out next, where there was time to make it ready.
    ready: Option<Page>,
    /// When those that wait were looked up.
    as_of: Option<Timestamp>,
    /// Given out, and without an outcome that is committed, by rank.
    pub(super) given_out: GivenOut,
    /// The rows, by rank.
    pub(super) rows: Rows,
    /// The outcomes that are on their way to the disk.
    pub(super) uncommitted: Option<Uncommitted>,
    /// Outcomes that were refused, and that the command has not heard of yet.
    pub(super) refused: Refusals,
    /// Those to whom it assigned incidents, and whether it may.
    pub(super) owners: HashMap<String, bool>,
    /// How many bytes of text the command gave them.
    pub(super) text: usize,
    /// What an interrupted run recorded, by position.
    pub(super) earlier: HashMap<usize, LedgerRow>,
    /// What the store said when it could not go on.
    pub(super) store_error: Option<StoreError>,
}

/// An incident that was looked up.
struct Waiting {
    rank: usize,
    number: String,
    facts: Option<Facts>,
}

/// Incidents that are given out together.
struct Page {
    /// The reply that gives them out.
    reply: Vec<u8>,
    as_of: Timestamp,
    /// They, by rank.
    incidents: Vec<(usize, Incident)>,
}

/// Why a call was not done.
pub(super) enum Refused {
    /// The store failed, and will go on failing.
    Store(StoreError),
    /// The command did something that makes no sense: what it did, as the rest of a sentence.
    Misuse(String),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::Store(error)
    }
}

impl Session {
    pub(super) fn new(mut setup: SessionSetup) -> Session {
        let by_position = |row: LedgerRow| Some((usize::try_from(row.position).ok()?, row));
        let earlier = std::mem::take(&mut setup.earlier).into_iter().filter_map(by_position);
        let state = State { earlier: earlier.collect(), ..State::default() };
        Session {
            setup,
            over: AtomicBool::new(false),
            called_late: AtomicBool::new(false),
            log: Mutex::new(LogBudget::new()),
            state: Mutex::new(state),
        }
    }

    /// Ends the session and takes what it recorded.
    pub(super) fn end(&self) -> State {
        self.over.store(true, Ordering::Relaxed);
        let dropped = self.log.lock().unwrap_or_else(PoisonError::into_inner).dropped();
        if dropped > 0 {
            let plugin = &self.setup.plugin;
            log::warn!("{plugin}: {dropped} more records were dropped: it flooded the log");
        }
        let mut state = self.lock();
        self.wait_for_commit(&mut state);
        std::mem::take(&mut *state)
    }

    /// Whether the time is over, though nobody cancelled.
    pub(super) fn deadline_passed(&self) -> bool {
        Instant::now() >= self.setup.deadline
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each call leaves the state whole, or panics before it changes it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn select(
        &self,
        state: &mut State,
        numbers: &[messages::Number<'_>],
        more: bool,
    ) -> Result<u64, Refused> {
        if state.selection.is_some() {
            return Err(Refused::Misuse("selected incidents a second time".to_owned()));
        }
        for number in numbers {
            state.selecting.add(&number.0);
        }
        if state.selecting.bytes() > MOST_SELECTED {
            return Err(Refused::Misuse(format!(
                "selects more than {} MiB of numbers",
                MOST_SELECTED >> 20
            )));
        }
        let count = state.selecting.count();
        if !more {
            let selecting = std::mem::take(&mut state.selecting);
            let selection =
                selecting.resolve(&*self.setup.store, &self.setup.execution.site.name)?;
            state.rows = Rows::none(count);
            state.selection = Some(selection);
        }
        Ok(count as u64)
    }

    /// The next incidents, as the bytes of a reply.
    fn next_incidents(&self, state: &mut State) -> Result<Vec<u8>, Refused> {
        let page = match state.ready.take() {
            Some(page) => page,
            None => self.next_page(state)?,
        };
        for (rank, incident) in page.incidents {
            state.keep(rank, incident, page.as_of);
        }
        Ok(page.reply)
    }

    /// The next incidents, with a reply of about [`CHUNK`] bytes.
    fn next_page(&self, state: &mut State) -> Result<Page, Refused> {
        if state.waiting.is_empty() {
            self.look(state)?;
        }
        let as_of = state.as_of.unwrap_or_else(|| self.setup.clock.now());
        let mut reply =
            format!("{{\"incidents\":{{\"as_of\":{},\"incidents\":[", as_of.milliseconds())
                .into_bytes();
        let mut incidents = Vec::with_capacity(state.waiting.len());
        let mut separator: &[u8] = b"";
        while reply.len() < CHUNK
            && let Some(next) = state.waiting.front()
        {
            state.check_earlier(next.rank)?;
            let Some(Waiting { rank, number, facts }) = state.waiting.pop_front() else { break };
            let incident = state.incident(rank, number, facts);
            reply.extend_from_slice(separator);
            messages::append(&incident, &mut reply);
            separator = b",";
            incidents.push((rank, incident));
        }
        reply.extend_from_slice(b"]}}");
        Ok(Page { reply, as_of, incidents })
    }

    /// Looks at the next incidents of the selection; at its end there are none.
    fn look(&self, state: &mut State) -> Result<(), Refused> {
        let Some(selection) = &mut state.selection else {
            return Err(Refused::Misuse(
                "asked for incidents before it had selected any".to_owned(),
            ));
        };
        let as_of = self.setup.clock.now();
        let ranks = selection.next(LOOK);
        let keys: Vec<_> = ranks.clone().filter_map(|rank| selection.key(rank)).collect();
        let found = self.setup.store.look_up(&keys);
        let mut found = found.inspect_err(|_| selection.back(ranks.len()))?.into_iter();
        let numbers = selection.numbers_of(ranks.clone());
        let looked_up = ranks.zip(numbers).map(|(rank, number)| Waiting {
            rank,
            number,
            facts: selection.key(rank).and_then(|_| found.next().flatten()),
        });
        state.waiting = looked_up.collect();
        state.as_of = Some(as_of);
        Ok(())
    }

    /// Makes the next incidents ready before they are asked for, while the store is busy with those
    /// before them.
    pub(super) fn look_ahead(&self, state: &mut State) {
        if state.ready.is_none() {
            // What fails here is tried again when they are asked for, and said then.
            state.ready = self.next_page(state).ok();
        }
    }

    fn answer(&self, call: Call<'_>) -> Vec<u8> {
        if self.over.load(Ordering::Relaxed) {
            // Said once: who goes on calling must not fill the log.
            if !self.called_late.swap(true, Ordering::Relaxed) {
                let plugin = &self.setup.plugin;
                log::warn!("{plugin}: calls after the command had returned are refused");
            }
            return failed("The execution is over.");
        }
        let mut state = self.lock();
        if self.is_cancelled() && !state.is_done() {
            return messages::write(&Reply::Cancelled {});
        }
        if let Some(error) = &state.store_error {
            // What it lost stays lost: the same execution id goes on, with another session.
            return failed(&format!("{error}."));
        }
        let answered = match call {
            Call::Select { numbers, more, .. } => self
                .select(&mut state, &numbers, more)
                .map(|count| messages::write(&Reply::Selected { count })),
            Call::NextIncidents {} => self.next_incidents(&mut state),
            Call::Record { conclusion, rows, outcomes, .. } => self
                .record(&mut state, conclusion.as_deref(), rows, outcomes)
                .map(|()| state.refused.next_reply()),
            Call::NextRefusals {} => Ok(state.refused.next_reply()),
            Call::Progress { done, total } => {
                if let Some(progress) = &self.setup.progress {
                    // What is on its way to the disk is not done yet.
                    progress(done.saturating_sub(state.not_committed()), total);
                }
                Ok(messages::write(&Reply::Done {}))
            }
        };
        answered.unwrap_or_else(|refused| match refused {
            Refused::Misuse(what) => failed(&format!("The command {} {what}.", self.setup.command)),
            Refused::Store(error) => {
                let sentence = failed(&format!("{error}."));
                state.store_error = Some(error);
                sentence
            }
        })
    }
}

impl State {
    /// How many outcomes are on their way to the disk.
    fn not_committed(&self) -> u64 {
        self.uncommitted.as_ref().map_or(0, |batch| batch.ranks().len() as u64)
    }

    /// What an earlier run recorded at a position must be of the same incident: another build of
    /// the command may select others.
    fn check_earlier(&self, rank: usize) -> Result<(), Refused> {
        let (Some(row), Some(selection)) = (self.earlier(rank), &self.selection) else {
            return Ok(());
        };
        let number = selection.number(rank);
        // A store that can't hold U+0000 has U+FFFD in its place.
        if row.number != number && row.number != number.replace('\0', "\u{FFFD}") {
            let what = "selects other incidents than in the run that it goes on with";
            return Err(Refused::Misuse(what.to_owned()));
        }
        Ok(())
    }

    /// Whether every incident has a row: there is nothing left that could be cancelled.
    fn is_done(&self) -> bool {
        self.selection.is_some() && self.rows.left().next().is_none()
    }

    /// What an earlier run recorded of the incident of a rank.
    pub(super) fn earlier(&self, rank: usize) -> Option<&LedgerRow> {
        self.earlier.get(&self.selection.as_ref()?.position(rank))
    }

    /// What a command sees of the incident of a rank.
    fn incident(&self, rank: usize, number: String, facts: Option<Facts>) -> Incident {
        let earlier = self.earlier(rank).map(|line| Earlier {
            result: line.row.result,
            reason: line.row.reason.clone(),
            undone: line
                .change
                .zip(facts.as_ref())
                .is_some_and(|(change, facts)| change.is_undone(line.owner.as_deref(), facts)),
        });
        let position = self.selection.as_ref().map_or(usize::MAX, |it| it.position(rank));
        let mut incident = Incident::new(position as u64, number, facts);
        incident.earlier = earlier;
        incident
    }

    /// Keeps what a command saw of the incident of a rank; it is the command's to judge from now
    /// on, unless its outcome stands from an earlier run.
    fn keep(&mut self, rank: usize, incident: Incident, as_of: Timestamp) {
        let stands = incident.earlier.is_some_and(|earlier| !earlier.undone);
        match self.earlier(rank).map(|line| line.row.clone()).filter(|_| stands) {
            Some(row) => self.rows.set(rank, &row),
            None => self.given_out.insert(rank, LookedAt { as_of, facts: incident.facts }),
        }
    }

    /// Gives out the incident of a rank again.
    pub(super) fn give_out(&mut self, rank: usize, looked_at: LookedAt) -> Incident {
        let LookedAt { as_of, facts } = looked_at;
        let number = self.selection.as_ref().map_or("", |selection| selection.number(rank));
        let incident = self.incident(rank, number.to_owned(), facts);
        self.keep(rank, incident.clone(), as_of);
        incident
    }
}

impl HostServices for Session {
    fn call(&self, request: &[u8]) -> Vec<u8> {
        if request.len() > LARGEST_CALL {
            return failed(&format!("The call is larger than {} MiB.", LARGEST_CALL >> 20));
        }
        match messages::read(request) {
            Ok(call) => self.answer(call),
            Err(MessageError::Unsupported(what)) => messages::write(&Reply::Unsupported { what }),
            Err(error) => failed(&format!("The call is {error}.")),
        }
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        let mut budget = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = budget.take(target, message) {
            log::log!(target: &self.setup.plugin, level, "{target}: {message}");
        }
    }

    fn is_cancelled(&self) -> bool {
        self.setup.cancellation.is_cancelled() || self.deadline_passed()
    }

    fn scope(&self) -> Option<(String, String)> {
        let execution = &self.setup.execution;
        Some((execution.site.name.clone(), execution.actor.username.clone()))
    }
}

fn failed(sentence: &str) -> Vec<u8> {
    messages::write(&Reply::Failed { error: sentence.to_owned() })
}

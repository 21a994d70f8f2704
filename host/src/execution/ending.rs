//! What an answer says where a command did not come to its end: what had been committed is
//! reported incident by incident, the rest as not attempted.

use super::answer::{Ended, ReturnData};
use super::executor::NoResponse;
use super::report::NumberedRows;
use super::rows::Rows;
use super::session::{Session, State};
use crate::incidents::{IncidentKey, LedgerRow};
use crate::plugins::LARGEST_RESPONSE;
use playdock_plugin_api::messages::{self, Finished, Response, Row};
use playdock_plugin_api::{Cell, OutcomeResult, Reason};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the journal says of those that were stopped, at its beginning.
const CANCELLED: &str = "The execution was cancelled.";
const TIME_WAS_OVER: &str = "The execution's time was over.";
/// What is said where it isn't known how many incidents are left.
const GOES_ON: &str =
    "What an earlier run recorded stands; the same execution id goes on with the rest.";
pub(super) const HOST_STOPPED: &str = "The host stopped in the middle of it.";

/// How a run ended, and its rows.
pub(super) struct RunEnd {
    pub(super) ended: Ended,
    pub(super) return_data: ReturnData,
    pub(super) error: String,
    /// The command's own.
    outputs: BTreeMap<String, Value>,
    /// `None` where the command failed as a whole.
    pub(super) rows: Option<NumberedRows>,
}

/// Makes the end of a run out of the library's response and what the session recorded.
pub(super) fn end(session: &Session, command: &str, response: Result<&[u8], NoResponse>) -> RunEnd {
    let cancelled = session.setup.cancellation.is_cancelled();
    let plugin = &session.setup.plugin;
    let stopped = cancelled || session.deadline_passed();
    let mut state = session.end();
    let left = state.rows.left().count();
    let nothing_recorded = left == state.rows.len() && state.earlier.is_empty();
    let broke = |cause: String| (Ended::CommandBroke, cause);
    let asked_to_stop = || match cancelled {
        true => (Ended::Cancelled, CANCELLED.to_owned()),
        false => (Ended::DeadlinePassed, TIME_WAS_OVER.to_owned()),
    };
    let response = response.and_then(|bytes| match bytes.len() {
        too_many if too_many > LARGEST_RESPONSE => Err(NoResponse::Ended(format!(
            "it sent a message of {too_many} bytes, and {LARGEST_RESPONSE} is the most"
        ))),
        _ => Ok(bytes),
    });
    let (ended, cause) = match (response.map(messages::read), &state.store_error) {
        // Whatever the command made of it: what the store did not take is not done.
        (_, Some(error)) => (Ended::StoreFailed, format!("{}.", capitalised(&error.to_string()))),
        (Err(NoResponse::Killed), None) => asked_to_stop(),
        // Whoever stops the host may have stopped its workers with it.
        (Err(NoResponse::Ended(_)), None) if cancelled => asked_to_stop(),
        (Err(NoResponse::Ended(cause)), None) => {
            broke(format!("The plugin {plugin} gave no answer to {command}: {cause}."))
        }
        (Err(NoResponse::NotStarted(error)), None) => {
            broke(format!("The plugin {plugin} did not run: {error}."))
        }
        (Ok(Ok(Response::Finished(finished))), None) => match left {
            0 => return finish(state, finished),
            _ => broke(format!(
                "The command {command} ended without an outcome for {left} incidents."
            )),
        },
        // Its words for a call that was answered "cancelled", perhaps.
        (Ok(Ok(Response::Failed { .. })), None)
            if stopped && nothing_recorded && state.selection.is_some() =>
        {
            asked_to_stop()
        }
        (Ok(Ok(Response::Failed { error })), None) => match nothing_recorded {
            true => return failed_as_a_whole(error),
            false => broke(error),
        },
        (Ok(Ok(Response::Cancelled {})), None) if stopped => asked_to_stop(),
        (Ok(Ok(Response::Cancelled {})), None) => {
            broke(format!("The command {command} stopped, though nobody told it to."))
        }
        (Ok(Ok(Response::Panicked { message })), None) => {
            broke(format!("The command {command} panicked: {message}."))
        }
        (Ok(Ok(Response::Unsupported { what })), None) => {
            let error = format!("The plugin {plugin} is too old: {what} isn't known to it.");
            match nothing_recorded {
                true => return failed_as_a_whole(error),
                false => broke(error),
            }
        }
        (Ok(Ok(Response::Described { .. })), None) => {
            broke(format!("The command {command} answered another question."))
        }
        (Ok(Err(error)), None) => broke(format!("What the command {command} answered is {error}.")),
    };
    let stopped_at_its_end = left == 0
        && state.selection.is_some()
        && matches!(ended, Ended::Cancelled | Ended::DeadlinePassed);
    if stopped_at_its_end {
        return finish(state, Finished::default());
    }
    // Those of a batch that the store did not take have a row and no outcome.
    let has_row = |rank: &usize| state.rows.get(*rank).is_some();
    let unwritten = state.given_out.ranks().filter(has_row).count();
    let attempted = fill(session, &mut state) - unwritten;
    // A run that selected nothing can't tell how many are left of what an earlier one began.
    let attempted = state.selection.is_some().then_some(attempted);
    interrupted(ended, cause, attempted, rows(state))
}

/// How an interrupted execution ended, by the error that the journal has.
pub(super) fn of_interrupted(error: &str) -> Ended {
    let known = [
        (CANCELLED, Ended::Cancelled),
        (TIME_WAS_OVER, Ended::DeadlinePassed),
        (HOST_STOPPED, Ended::HostStopped),
    ];
    let known = known.into_iter().find(|(words, _)| error.starts_with(words));
    // Whether the command or the store failed isn't noted.
    known.map_or(Ended::CommandBroke, |(_, ended)| ended)
}

/// The answer of an execution whose host stopped when this was recorded.
pub(super) fn of_stopped(ledger: &[LedgerRow]) -> (ReturnData, String) {
    let failed = ledger.iter().filter(|line| line.row.result == OutcomeResult::Failed).count();
    match ledger.len() {
        0 => (ReturnData::Failed, HOST_STOPPED.to_owned()),
        // Those that are left have no row.
        count => (
            ReturnData::of(count, failed).max(ReturnData::PartiallySuccessful),
            format!("{HOST_STOPPED} {GOES_ON}"),
        ),
    }
}

/// An execution that goes on with an earlier run, and can't: what that recorded stands.
pub(super) fn not_resumed(error: String, earlier: Vec<LedgerRow>) -> RunEnd {
    if earlier.is_empty() {
        return failed_as_a_whole(error);
    }
    let rows = NumberedRows::from(earlier);
    interrupted(Ended::CommandBroke, error, None, rows)
}

/// The command came to its end.
fn finish(state: State, finished: Finished) -> RunEnd {
    let rows = rows(state);
    let (failed, count) = (count_failed(&rows.of), rows.of.len());
    let error = match (failed, finished.error.is_empty()) {
        (0, _) => String::new(),
        (_, true) => format!("{failed} of {count} incidents failed"),
        (_, false) => finished.error,
    };
    RunEnd {
        ended: Ended::Finished,
        return_data: ReturnData::of(count, failed),
        error,
        outputs: finished.outputs,
        rows: Some(rows),
    }
}

/// The command failed before it did anything: a wrong parameter, say.
pub(super) fn failed_as_a_whole(error: String) -> RunEnd {
    RunEnd {
        ended: Ended::Finished,
        return_data: ReturnData::Failed,
        error,
        outputs: BTreeMap::new(),
        rows: None,
    }
}

/// It ended too early, when so many incidents had had an outcome; `None` where it isn't known of how
/// many.
fn interrupted(
    ended: Ended,
    cause: String,
    attempted: Option<usize>,
    rows: NumberedRows,
) -> RunEnd {
    let (failed, count) = (count_failed(&rows.of), rows.of.len());
    let return_data = match attempted {
        _ if ended == Ended::CommandBroke || count == 0 => ReturnData::Failed,
        Some(_) => ReturnData::of(count, failed),
        // Those that are left have no row.
        None => ReturnData::of(count, failed).max(ReturnData::PartiallySuccessful),
    };
    let error = match attempted.map(|attempted| count - attempted) {
        Some(left @ 1..) => format!(
            "{cause} {left} of {count} incidents are left; the same execution id goes on with them."
        ),
        None if count > 0 => format!("{cause} {GOES_ON}"),
        _ => cause,
    };
    // A command that broke before it selected anything failed as a whole.
    let (outputs, rows) = (BTreeMap::new(), (count > 0).then_some(rows));
    RunEnd { ended, return_data, error, outputs, rows }
}

impl RunEnd {
    /// What a playbook can use: the outputs of the command, and how many incidents `succeeded`, in
    /// its own word for it, and how many failed, which the host counts however it ended.
    pub(super) fn outputs(&self, succeeded: &str) -> BTreeMap<String, Value> {
        let rows = self.rows.as_ref().map(|rows| &rows.of);
        let all = rows.map_or(0, |rows| rows.iter().count());
        let failed = rows.map_or(0, count_failed);
        let mut outputs = self.outputs.clone();
        outputs.insert(succeeded.to_owned(), (all - failed).into());
        outputs.insert("failed".to_owned(), failed.into());
        outputs
    }
}

/// Gives every incident without an outcome a row that says so; returns how many have had one.
fn fill(session: &Session, state: &mut State) -> usize {
    for (position, line) in &state.earlier {
        let rank = state.selection.as_ref().and_then(|it| it.rank(*position as u64));
        if let Some(rank) = rank.filter(|rank| state.rows.get(*rank).is_none()) {
            // An earlier run's outcome stands, though this run did not come to it.
            state.rows.set(rank, &line.row);
        }
    }
    let left: Vec<usize> = state.rows.left().collect();
    let statuses = statuses(session, &left, |rank| state.selection.as_ref()?.key(rank));
    let mut known: Vec<Arc<Row>> = Vec::new();
    for (rank, status) in left.iter().zip(statuses) {
        let message = "The execution ended before it came to this incident.".to_owned();
        let row = session.row_without_outcome(status, Reason::NOT_ATTEMPTED, message);
        let row = match known.iter().find(|known| ***known == row) {
            Some(known) => known,
            None => {
                known.push(Arc::new(row));
                &known[known.len() - 1]
            }
        };
        state.rows.set(*rank, row);
    }
    state.rows.len() - left.len()
}

/// The present status of incidents; empty where there is none, or where the store can't tell.
fn statuses(
    session: &Session,
    ranks: &[usize],
    key: impl Fn(usize) -> Option<IncidentKey>,
) -> Vec<Cell> {
    let mut statuses = Vec::with_capacity(ranks.len());
    for chunk in ranks.chunks(4096) {
        let keys: Vec<IncidentKey> = chunk.iter().filter_map(|rank| key(*rank)).collect();
        let mut found = session.setup.store.look_up(&keys).unwrap_or_default().into_iter();
        statuses.extend(chunk.iter().map(|rank| {
            let looked_up = key(*rank).and_then(|_| found.next().flatten());
            looked_up.map(|facts| facts.status.as_str().to_owned()).into()
        }));
    }
    statuses
}

fn rows(state: State) -> NumberedRows {
    match state.selection {
        Some(selection) => NumberedRows {
            numbers: selection.numbers().clone(),
            of: selection.by_position(&state.rows),
        },
        // It ended before it selected anything: what an earlier run recorded stands.
        None => NumberedRows::from(state.earlier.into_values().collect::<Vec<_>>()),
    }
}

fn count_failed(rows: &Rows) -> usize {
    rows.iter().filter(|row| row.result == OutcomeResult::Failed).count()
}

pub(super) fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

//! What an answer says where a command did not come to its end: what had been committed is
//! reported incident by incident, the rest as not attempted.

use super::answer::{Ended, ReturnData};
use super::report::ReportRow;
use super::session::{Session, State};
use crate::incidents::IncidentKey;
use playdock_plugin_api::messages::{self, Finished, Response};
use playdock_plugin_api::{Cell, OutcomeResult};
use std::collections::BTreeMap;

/// How a run ended, and its rows.
pub(super) struct RunEnd {
    pub(super) ended: Ended,
    pub(super) return_data: ReturnData,
    pub(super) error: String,
    pub(super) outputs: BTreeMap<String, u64>,
    /// `None` where the command failed as a whole.
    pub(super) rows: Option<Vec<ReportRow>>,
}

/// Makes the end of a run out of the library's response and what the session recorded.
pub(super) fn end(session: &Session, command: &str, response: &[u8]) -> RunEnd {
    let cancelled = session.setup.cancellation.is_cancelled();
    let mut state = session.end();
    let broke = |cause: String| (Ended::CommandBroke, cause);
    let (ended, cause) = match messages::read(response) {
        Ok(Response::Finished(finished)) => {
            match state.rows.iter().filter(|row| row.is_none()).count() {
                0 => return finish(state, finished),
                left => broke(format!(
                    "The command {command} ended without an outcome for {left} incidents."
                )),
            }
        }
        Ok(Response::Failed { error }) => match &state.store_error {
            Some(error) => (
                Ended::StoreFailed,
                format!("{}.", capitalised(&error.to_string())),
            ),
            None if state.rows.iter().all(Option::is_none) => return failed_as_a_whole(error),
            None => broke(error),
        },
        Ok(Response::Cancelled {}) if cancelled => {
            (Ended::Cancelled, "The execution was cancelled.".to_owned())
        }
        Ok(Response::Cancelled {}) if session.deadline_passed() => (
            Ended::DeadlinePassed,
            "The execution's time was over.".to_owned(),
        ),
        Ok(Response::Cancelled {}) => broke(format!(
            "The command {command} stopped, though nobody told it to."
        )),
        Ok(Response::Panicked { message }) => {
            broke(format!("The command {command} panicked: {message}."))
        }
        Ok(Response::Unsupported { what }) => {
            return failed_as_a_whole(format!(
                "The plugin of {command} is too old: {what} isn't known to it."
            ));
        }
        Ok(Response::Described { .. }) => {
            broke(format!("The command {command} answered another question."))
        }
        Err(error) => broke(format!("What the command {command} answered is {error}.")),
    };
    let told_to_stop = matches!(ended, Ended::Cancelled | Ended::DeadlinePassed);
    if told_to_stop && all_succeeded(&state) {
        // The word to stop came when all was done.
        let outputs = outputs(state.rows.len(), 0);
        let error = String::new();
        return finish(state, Finished { error, outputs });
    }
    let unwritten = unwritten(&state);
    let attempted = fill(session, &mut state);
    let rows = rows(state);
    interrupted(ended, cause, attempted, unwritten, rows)
}

/// Whether this run came to every incident, and none failed.
fn all_succeeded(state: &State) -> bool {
    let succeeded = |row: &Option<ReportRow>| {
        row.as_ref()
            .is_some_and(|row| row.result == OutcomeResult::Successful)
    };
    !state.rows.is_empty() && state.rows.iter().all(succeeded)
}

/// How many incidents have a row that says that the store could not write their outcome.
fn unwritten(state: &State) -> usize {
    let has_row = |position: &&usize| state.rows.get(**position).is_some_and(Option::is_some);
    state.looked_at.keys().filter(has_row).count()
}

/// The command came to its end.
fn finish(state: State, finished: Finished) -> RunEnd {
    let rows = rows(state);
    let failed = count_failed(&rows);
    let error = match (failed, finished.error.is_empty()) {
        (0, _) => String::new(),
        (_, true) => format!("{failed} of {} incidents failed", rows.len()),
        (_, false) => finished.error,
    };
    RunEnd {
        ended: Ended::Finished,
        return_data: ReturnData::of(rows.len(), failed),
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

fn interrupted(
    ended: Ended,
    cause: String,
    attempted: usize,
    unwritten: usize,
    rows: Vec<ReportRow>,
) -> RunEnd {
    let failed = count_failed(&rows);
    let left = rows.len() - attempted + unwritten;
    let return_data = match ended {
        Ended::CommandBroke => ReturnData::Failed,
        _ if rows.is_empty() => ReturnData::Failed,
        _ => ReturnData::of(rows.len(), failed),
    };
    let error = match left {
        0 => cause,
        _ => format!(
            "{cause} {left} of {} incidents were not {}; the same execution id goes on with them.",
            rows.len(),
            match unwritten {
                0 => "attempted",
                _ => "written, or not attempted",
            }
        ),
    };
    let outputs = outputs(rows.len(), failed);
    RunEnd {
        ended,
        return_data,
        error,
        outputs,
        // Without an incident there is nothing to report beside the error.
        rows: (!rows.is_empty()).then_some(rows),
    }
}

/// What a playbook can use where the command itself could not say it.
fn outputs(rows: usize, failed: usize) -> BTreeMap<String, u64> {
    BTreeMap::from([
        ("closed".to_owned(), (rows - failed) as u64),
        ("failed".to_owned(), failed as u64),
    ])
}

/// Gives every incident without an outcome a row that says so; returns how many have had one.
fn fill(session: &Session, state: &mut State) -> usize {
    let mut left: Vec<usize> = Vec::new();
    for (position, place) in state.rows.iter_mut().enumerate() {
        if place.is_none() {
            // An earlier run's outcome stands, though this run did not come to it.
            *place = state.earlier.get(&position).map(ReportRow::from);
        }
        if place.is_none() {
            left.push(position);
        }
    }
    let statuses = statuses(session, &left, |position| {
        state.selection.as_ref()?.key(position)
    });
    for (position, status) in left.iter().zip(statuses) {
        let row = session.row_without_outcome(state, *position, status);
        state.rows[*position] = Some(row);
    }
    state.rows.len() - left.len()
}

/// The present status of incidents; empty where there is none, or where the store can't tell.
fn statuses(
    session: &Session,
    positions: &[usize],
    key: impl Fn(usize) -> Option<IncidentKey>,
) -> Vec<Cell> {
    let mut statuses = Vec::with_capacity(positions.len());
    for chunk in positions.chunks(4096) {
        let keys: Vec<IncidentKey> = chunk.iter().filter_map(|position| key(*position)).collect();
        let mut found = session
            .setup
            .store
            .look_up(&keys)
            .unwrap_or_default()
            .into_iter();
        statuses.extend(chunk.iter().map(|position| {
            let looked_up = key(*position).and_then(|_| found.next().flatten());
            looked_up
                .map(|looked_up| looked_up.facts.status.as_str().to_owned())
                .into()
        }));
    }
    statuses
}

fn rows(state: State) -> Vec<ReportRow> {
    match state.selection {
        Some(_) => state.rows.into_iter().flatten().collect(),
        // It ended before it selected anything: what an earlier run recorded stands.
        None => {
            let mut earlier: Vec<_> = state.earlier.into_values().collect();
            earlier.sort_unstable_by_key(|row| row.position);
            earlier.iter().map(ReportRow::from).collect()
        }
    }
}

fn count_failed(rows: &[ReportRow]) -> usize {
    rows.iter()
        .filter(|row| row.result == OutcomeResult::Failed)
        .count()
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

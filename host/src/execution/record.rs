//! Recording outcomes: each is checked against what was given out, written with its change, and
//! becomes a row of the answer.

use super::report::ReportRow;
use super::session::{LookedAt, Refused, Session, State};
use crate::incidents::{
    Before, ChangeToMake, EntryOutcome, ExecutionKey, LedgerEntry, LookedUp, RecordBatch,
    StoreError,
};
use playdock_plugin_api::{
    Cell, Change, ColumnKind, Incident, Intent, Outcome, OutcomeResult, Reason, Refusal, Waiver,
    rich_text,
};
use serde::Serialize;
use std::collections::HashSet;

/// What a preview answers where it would close.
const WOULD_CLOSE: Reason = Reason::new("would-close");

/// How many bytes of text a command may give the rows of one execution.
const MOST_TEXT: usize = 512 << 20;

impl Session {
    /// Records outcomes and returns those that were refused.
    pub(super) fn record(
        &self,
        state: &mut State,
        conclusion: Option<&str>,
        outcomes: Vec<Outcome>,
    ) -> Result<Vec<Refusal>, Refused> {
        state.text += outcomes.iter().map(text).sum::<usize>();
        if state.text > MOST_TEXT {
            return Err(Refused::Misuse(format!(
                "The command gives its rows more than {} MiB of text.",
                MOST_TEXT >> 20
            )));
        }
        let mut refused = Vec::new();
        let mut entries = Vec::with_capacity(outcomes.len());
        let mut positions = HashSet::with_capacity(outcomes.len());
        for outcome in outcomes {
            let position = self.check(state, &outcome)?;
            if !positions.insert(position) {
                return Err(Refused::Misuse(format!(
                    "The command recorded two outcomes for position {position} at once."
                )));
            }
            if outcome.change.is_some() && !self.setup.execution.actor.may_close {
                let message = "The acting user may not close incidents.".to_owned();
                let incident = self.as_known(state, position);
                refused.push(Refusal { reason: Reason::NOT_PERMITTED, message, incident });
                continue;
            }
            entries.push((position, ledger_entry(state, position, outcome)?));
        }
        match self.setup.journal {
            Some(journal) if self.setup.execution.intent == Intent::Apply => {
                self.write(state, journal, conclusion, entries, &mut refused)?;
            }
            _ => preview(state, entries),
        }
        Ok(refused)
    }

    /// Checks that an outcome is for an incident that waits for one, and that its row is whole.
    fn check(&self, state: &State, outcome: &Outcome) -> Result<usize, Refused> {
        let position = usize::try_from(outcome.position).unwrap_or(usize::MAX);
        if !state.looked_at.contains_key(&position) {
            let what = match state.rows.get(position) {
                Some(Some(_)) => "has an outcome already",
                Some(None) => "was not looked at",
                None => "is not selected",
            };
            return Err(Refused::Misuse(format!(
                "The command recorded an outcome for position {position}, which {what}."
            )));
        }
        let (has, needs) = (outcome.cells.len(), self.setup.columns.cells());
        if has != needs {
            return Err(Refused::Misuse(format!(
                "The command recorded a row of {has} cells, and its columns have {needs}."
            )));
        }
        let looked_up = state.looked_up(position);
        let changed_before = state.earlier.get(&position).is_some_and(|row| row.changed);
        let facts = looked_up.map(|looked_up| &looked_up.facts);
        outcome.check(facts, changed_before).map_err(Refused::Misuse)?;
        Ok(position)
    }

    fn write(
        &self,
        state: &mut State,
        journal: ExecutionKey,
        conclusion: Option<&str>,
        entries: Vec<(usize, LedgerEntry)>,
        refused: &mut Vec<Refusal>,
    ) -> Result<(), Refused> {
        if entries.is_empty() {
            return Ok(());
        }
        let (positions, entries): (Vec<usize>, Vec<LedgerEntry>) = entries.into_iter().unzip();
        let rows: Vec<ReportRow> = positions
            .iter()
            .zip(&entries)
            .map(|(position, entry)| row(state, *position, &entry.outcome))
            .collect();
        let batch = RecordBatch {
            execution: journal,
            acting_user: self.setup.execution.actor.username.clone(),
            conclusion: conclusion.map(rich_text::paragraph),
            entries,
        };
        let renewed = self.setup.records.renew(journal);
        let written = match renewed.and_then(|()| self.setup.store.record(batch)) {
            Ok(written) => written,
            Err(error) => {
                self.fail_rows(state, &positions, &error);
                return Err(error.into());
            }
        };
        let mut changed = Vec::new();
        for ((position, row), outcome) in positions.into_iter().zip(rows).zip(written) {
            match outcome {
                EntryOutcome::Written => {
                    state.looked_at.remove(&position);
                    state.rows[position] = Some(row);
                }
                EntryOutcome::ChangedMeanwhile => changed.push(position),
                EntryOutcome::Failed(error) => refused.push(Refusal {
                    reason: Reason::STORE_ERROR,
                    message: format!("The store could not write it: {error}."),
                    incident: self.as_known(state, position),
                }),
            }
        }
        self.look_again(state, changed, refused)
    }

    /// Gives the rows of a batch of which nothing was written.
    fn fail_rows(&self, state: &mut State, positions: &[usize], error: &StoreError) {
        for position in positions {
            let looked_up = state.looked_up(*position);
            let status = looked_up.map(|looked_up| looked_up.facts.status.as_str().to_owned());
            let mut row = self.row_without_outcome(state, *position, status.into());
            row.reason = Some(Reason::STORE_ERROR);
            row.message = Some(format!("The store could not write it: {error}."));
            state.rows[*position] = Some(row);
        }
    }

    /// The failed row of an incident of which no more than its status is known.
    pub(super) fn row_without_outcome(
        &self,
        state: &State,
        position: usize,
        status: Cell,
    ) -> ReportRow {
        let number = state.selection.as_ref().map_or("", |selection| selection.number(position));
        let columns = self.setup.columns.context.iter().filter(|column| column.kind.has_cell());
        let cell = |kind| {
            if kind == ColumnKind::Status { status.clone() } else { Cell::Empty }
        };
        ReportRow {
            number: number.to_owned(),
            result: OutcomeResult::Failed,
            reason: Some(Reason::NOT_ATTEMPTED),
            message: Some("The execution ended before it came to this incident.".to_owned()),
            cells: columns.map(|column| cell(column.kind)).collect(),
        }
    }

    /// Looks again at incidents that changed between look and change.
    fn look_again(
        &self,
        state: &mut State,
        changed: Vec<usize>,
        refused: &mut Vec<Refusal>,
    ) -> Result<(), Refused> {
        let Some(selection) = &state.selection else {
            return Ok(());
        };
        let keys: Vec<_> = changed.iter().filter_map(|position| selection.key(*position)).collect();
        let found = if keys.is_empty() { Vec::new() } else { self.setup.store.look_up(&keys)? };
        for (position, looked_up) in changed.into_iter().zip(found) {
            // Its row may bear the time of the first look, so its change does too.
            let as_of = state.looked_at.get(&position).map(|looked| looked.as_of);
            let as_of = as_of.unwrap_or_else(|| self.setup.clock.now());
            let incident = state.give_out(position, LookedAt { as_of, looked_up });
            let message = "The incident changed meanwhile.".to_owned();
            refused.push(Refusal { reason: Reason::CHANGED_MEANWHILE, message, incident });
        }
        Ok(())
    }

    /// The incident at a position as it was looked at last.
    fn as_known(&self, state: &mut State, position: usize) -> Incident {
        let known = state.looked_at.get(&position).cloned();
        let nothing = || LookedAt { as_of: self.setup.clock.now(), looked_up: None };
        state.give_out(position, known.unwrap_or_else(nothing))
    }
}

/// How many bytes of text an outcome has.
fn text(outcome: &Outcome) -> usize {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => text.len(),
        _ => 0,
    };
    let reason = outcome.reason.as_ref().map_or(0, |reason| reason.as_str().len());
    reason
        + outcome.message.as_ref().map_or(0, String::len)
        + outcome.cells.iter().map(cell).sum::<usize>()
}

/// A preview keeps the rows and writes nothing.
fn preview(state: &mut State, entries: Vec<(usize, LedgerEntry)>) {
    for (position, entry) in entries {
        let mut row = row(state, position, &entry.outcome);
        if entry.change.is_some() {
            row.reason = Some(WOULD_CLOSE);
        }
        state.looked_at.remove(&position);
        state.rows[position] = Some(row);
    }
}

fn row(state: &State, position: usize, outcome: &Outcome) -> ReportRow {
    let number = state.selection.as_ref().map_or("", |selection| selection.number(position));
    ReportRow {
        number: number.to_owned(),
        result: outcome.result,
        reason: outcome.reason.clone(),
        message: outcome.message.clone(),
        cells: outcome.cells.clone(),
    }
}

fn ledger_entry(state: &State, position: usize, outcome: Outcome) -> Result<LedgerEntry, Refused> {
    let selection = state.selection.as_ref();
    let incident = selection.and_then(|selection| selection.key(position));
    let change = match (&outcome.change, state.looked_at.get(&position)) {
        (
            Some(Change::Close { version, waived }),
            Some(LookedAt { as_of, looked_up: Some(it) }),
        ) => Some(ChangeToMake {
            at: *as_of,
            version: *version,
            before: before(it),
            waived: waived_json(it, waived)?,
        }),
        _ => None,
    };
    Ok(LedgerEntry {
        incident,
        number: match incident {
            Some(_) => None,
            None => selection.map(|selection| selection.number(position).to_owned()),
        },
        outcome,
        change,
        replaces: state.earlier.get(&position).map(|row| row.sequence),
    })
}

fn before(looked_up: &LookedUp) -> Before {
    Before {
        status: looked_up.facts.status.as_str().to_owned(),
        closed_at: looked_up.facts.closed_at,
        closed_by: looked_up.facts.closed_by.clone(),
        conclusion_bytes: looked_up.conclusion_bytes,
    }
}

/// What was waived, by name, for the audit.
fn waived_json(looked_up: &LookedUp, waived: &[Waiver]) -> Result<Option<String>, Refused> {
    #[derive(Serialize)]
    struct Waived<'a> {
        bypass: &'a str,
        tasks: Vec<&'a str>,
        fields: Vec<String>,
    }
    if waived.is_empty() {
        return Ok(None);
    }
    // The indexes were checked before.
    let task = |index: &usize| Some(looked_up.facts.required_tasks.get(*index)?.title.as_str());
    let field = |index: &usize| {
        let field = looked_up.facts.required_fields.get(*index)?;
        Some(format!("{} > {}", field.section, field.name))
    };
    let named: Vec<Waived<'_>> = waived
        .iter()
        .map(|waiver| Waived {
            bypass: &waiver.bypass,
            tasks: waiver.tasks.iter().filter_map(task).collect(),
            fields: waiver.fields.iter().filter_map(field).collect(),
        })
        .collect();
    serde_json::to_string(&named).map(Some).map_err(|error| Refused::Misuse(error.to_string()))
}

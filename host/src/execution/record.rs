//! Recording outcomes: each is checked against what was given out, written with its change, and
//! becomes a row of the answer.
//!
//! A command hears what became of its outcomes as soon as that is known, and judges the next while
//! they are committed. No answer is given before they are.

use super::given_out::LookedAt;
use super::rows::text;
use super::session::{Refused, Session, State};
use super::waived;
use super::{crew, ending};
use crate::incidents::{
    ChangeToMake, Commit, EntryOutcome, ExecutionKey, LedgerEntry, RecordBatch, StoreError,
};
use playdock_plugin_api::messages::{Row, RowOutcome};
use playdock_plugin_api::{
    Cell, Change, ChangeKind, ColumnKind, Incident, Intent, OutcomeResult, Reason, Refusal,
    rich_text,
};
use std::collections::HashMap;
use std::sync::Arc;

/// How many bytes of text a command may give the rows of one execution.
const MOST_TEXT: usize = 512 << 20;

/// Outcomes that are written and not yet committed.
pub(super) struct Uncommitted {
    commit: Commit,
    ranks: Vec<usize>,
}

impl Uncommitted {
    /// Of which incidents they are.
    pub(super) fn ranks(&self) -> &[usize] {
        &self.ranks
    }
}

impl Session {
    /// Records outcomes; those that are refused wait in the state.
    pub(super) fn record(
        &self,
        state: &mut State,
        conclusion: Option<&str>,
        rows: Vec<Row>,
        outcomes: Vec<RowOutcome>,
    ) -> Result<(), Refused> {
        if !state.refused.is_empty() {
            let what = "recorded outcomes before it had asked for all that were refused";
            return Err(Refused::Misuse(what.to_owned()));
        }
        if conclusion.is_some_and(rich_text::is_too_long) {
            let most = rich_text::LONGEST_CONCLUSION;
            let what = format!("recorded a conclusion of more than {most} characters");
            return Err(Refused::Misuse(what));
        }
        let texts: Vec<usize> = rows.iter().map(text).collect();
        let rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        let mut refused = Vec::new();
        let mut entries = Vec::with_capacity(outcomes.len());
        if let Some(position) = state.twice(&outcomes) {
            return Err(Refused::Misuse(format!(
                "recorded two outcomes for position {position} at once"
            )));
        }
        for outcome in outcomes {
            state.text += texts.get(outcome.row).unwrap_or(&0);
            if state.text > MOST_TEXT {
                return Err(Refused::Misuse(format!(
                    "gives its rows more than {} MiB of text",
                    MOST_TEXT >> 20
                )));
            }
            let rank = self.check(state, rows.get(outcome.row), &outcome)?;
            let actor = &self.setup.execution.actor;
            if let Some(kind) = outcome.change.as_ref().map(Change::kind)
                && !actor.may(kind)
            {
                let message = format!("The acting user may not {} incidents.", kind.as_str());
                let incident = self.as_known(state, rank);
                refused.push(Refusal { reason: Reason::NOT_PERMITTED, message, incident });
                continue;
            }
            if let Some(owner) = outcome.change.as_ref().and_then(Change::owner)
                && !self.may_own(state, owner)?
            {
                let message = format!("The site has no active user \"{owner}\".");
                let incident = self.as_known(state, rank);
                refused.push(Refusal { reason: Reason::UNKNOWN_OWNER, message, incident });
                continue;
            }
            entries.push((rank, ledger_entry(state, rank, outcome)?));
        }
        match &self.setup.journal {
            Some(journal) if self.setup.execution.intent == Intent::Apply => {
                self.write(state, journal.key()?, conclusion, rows, entries, &mut refused)?;
            }
            _ => preview(state, &rows, entries),
        }
        state.refused = refused.into();
        Ok(())
    }

    /// Checks that an outcome is for an incident that waits for one, and that its row is whole.
    fn check(
        &self,
        state: &State,
        row: Option<&Arc<Row>>,
        outcome: &RowOutcome,
    ) -> Result<usize, Refused> {
        let position = outcome.position;
        let rank = state.rank(position);
        let has_row = rank.is_some_and(|rank| state.rows.get(rank).is_some());
        let looked_at = rank.and_then(|rank| Some((rank, state.given_out.get(rank)?)));
        let Some((rank, looked_at)) = looked_at.filter(|_| !has_row) else {
            let what = match rank {
                Some(_) if has_row => "has an outcome already",
                Some(_) => "was not looked at",
                None => "is not selected",
            };
            return Err(Refused::Misuse(format!(
                "recorded an outcome for position {position}, which {what}"
            )));
        };
        let Some(row) = row else {
            return Err(Refused::Misuse(format!(
                "recorded an outcome for position {position} without a row"
            )));
        };
        let (has, needs) = (row.cells.len(), self.setup.columns.cells());
        if has != needs {
            return Err(Refused::Misuse(format!(
                "recorded a row of {has} cells, and its columns have {needs}"
            )));
        }
        if let Some(change) = &outcome.change {
            let changed_before = state.earlier(rank).is_some_and(|line| line.change.is_some());
            let facts = looked_at.facts.as_ref();
            let checked = change.check(facts, row.result, changed_before);
            checked.map_err(|wrong| Refused::Misuse(format!("recorded {wrong}")))?;
        }
        Ok(rank)
    }

    fn write(
        &self,
        state: &mut State,
        journal: ExecutionKey,
        conclusion: Option<&str>,
        rows: Vec<Arc<Row>>,
        entries: Vec<(usize, LedgerEntry)>,
        refused: &mut Vec<Refusal>,
    ) -> Result<(), Refused> {
        if entries.is_empty() {
            return Ok(());
        }
        let (ranks, entries): (Vec<usize>, Vec<LedgerEntry>) = entries.into_iter().unzip();
        let row_of: Vec<usize> = entries.iter().map(|entry| entry.row).collect();
        let batch = RecordBatch {
            execution: journal,
            acting_user: self.setup.execution.actor.username.clone(),
            conclusion: conclusion.map(rich_text::paragraph),
            rows: rows.clone(),
            entries,
        };
        let renewed = self.setup.records.renew(journal);
        let recorded = renewed.and_then(|()| {
            let recording = self.setup.store.record(batch);
            self.look_ahead(state);
            recording.judged()
        });
        // The commit before this one: it is done, since one thread writes them all.
        self.wait_for_commit(state);
        let (outcomes, commit) = match recorded {
            Ok(recorded) => recorded,
            Err(error) => {
                self.fail_rows(state, &ranks, &error);
                return Err(error.into());
            }
        };
        let mut written = Vec::with_capacity(ranks.len());
        let mut changed = Vec::new();
        for ((rank, row), outcome) in ranks.into_iter().zip(row_of).zip(outcomes) {
            match outcome {
                EntryOutcome::Written => {
                    state.rows.set(rank, &rows[row]);
                    written.push(rank);
                }
                EntryOutcome::ChangedMeanwhile => changed.push(rank),
                EntryOutcome::Failed(error) => refused.push(Refusal {
                    reason: Reason::STORE_ERROR,
                    message: not_written(&error),
                    incident: self.as_known(state, rank),
                }),
            }
        }
        state.uncommitted = Some(Uncommitted { commit, ranks: written });
        if let Some(error) = &state.store_error {
            return Err(error.clone().into());
        }
        self.look_again(state, changed, refused)
    }

    /// Waits until what was written is committed, or gives it rows that say that it was not.
    pub(super) fn wait_for_commit(&self, state: &mut State) {
        let Some(Uncommitted { commit, ranks }) = state.uncommitted.take() else { return };
        crew::give_up_place();
        match commit.wait() {
            Ok(()) => ranks.iter().for_each(|rank| state.given_out.remove(*rank)),
            Err(error) => {
                self.fail_rows(state, &ranks, &error);
                state.store_error.get_or_insert(error);
            }
        }
    }

    /// Gives the rows of a batch of which nothing was written, as far as is known.
    fn fail_rows(&self, state: &mut State, ranks: &[usize], error: &StoreError) {
        for rank in ranks {
            let facts = state.given_out.get(*rank).and_then(|it| it.facts.as_ref());
            let status = facts.map(|facts| facts.status.as_str().to_owned());
            let message = not_written(error);
            let row = self.row_without_outcome(status.into(), Reason::STORE_ERROR, message);
            state.rows.set(*rank, &Arc::new(row));
        }
    }

    /// The failed row of an incident of which no more than its status is known.
    pub(super) fn row_without_outcome(&self, status: Cell, reason: Reason, message: String) -> Row {
        let columns = self.setup.columns.context.iter().filter(|column| column.kind.has_cell());
        let cell = |kind| {
            if kind == ColumnKind::Status { status.clone() } else { Cell::Empty }
        };
        Row {
            result: OutcomeResult::Failed,
            reason: Some(reason),
            message: Some(message),
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
        if changed.is_empty() {
            return Ok(());
        }
        // What changed them may be on its way to the disk too, in the same commit at the latest.
        self.wait_for_commit(state);
        if let Some(error) = &state.store_error {
            return Err(error.clone().into());
        }
        let Some(selection) = &state.selection else {
            return Ok(());
        };
        let keys: Vec<_> = changed.iter().filter_map(|rank| selection.key(*rank)).collect();
        let found = self.setup.store.look_up(&keys)?;
        for (rank, facts) in changed.into_iter().zip(found) {
            // Its row may bear the time of the first look, so its change does too.
            let as_of = state.given_out.get(rank).map(|looked| looked.as_of);
            let as_of = as_of.unwrap_or_else(|| self.setup.clock.now());
            let incident = state.give_out(rank, LookedAt { as_of, facts });
            let message = "The incident changed meanwhile.".to_owned();
            refused.push(Refusal { reason: Reason::CHANGED_MEANWHILE, message, incident });
        }
        Ok(())
    }

    /// The incident of a rank as it was looked at last.
    fn as_known(&self, state: &mut State, rank: usize) -> Incident {
        let known = state.given_out.get(rank).cloned();
        let nothing = || LookedAt { as_of: self.setup.clock.now(), facts: None };
        state.give_out(rank, known.unwrap_or_else(nothing))
    }
}

impl State {
    /// The rank of the incident at a position, if one is selected there.
    fn rank(&self, position: u64) -> Option<usize> {
        self.selection.as_ref()?.rank(position)
    }

    /// A position that two of the outcomes have.
    fn twice(&self, outcomes: &[RowOutcome]) -> Option<u64> {
        // They come in the order in which incidents were given out, as a rule.
        if outcomes.is_sorted_by(|a, b| self.rank(a.position) < self.rank(b.position)) {
            return None;
        }
        let mut positions: Vec<u64> = outcomes.iter().map(|outcome| outcome.position).collect();
        positions.sort_unstable();
        positions.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

/// The sentence of an incident whose outcome was not written, as far as is known.
fn not_written(error: &StoreError) -> String {
    match error {
        StoreError::InDoubt(_) => format!("{}.", ending::capitalised(&error.to_string())),
        error => format!("The store could not write it: {error}."),
    }
}

/// A preview keeps the rows and writes nothing.
fn preview(state: &mut State, rows: &[Arc<Row>], entries: Vec<(usize, LedgerEntry)>) {
    let mut changing: HashMap<(usize, ChangeKind), Arc<Row>> = HashMap::new();
    for (rank, entry) in entries {
        let row = &rows[entry.row];
        let row = match &entry.change {
            Some(change) => changing.entry((entry.row, change.kind)).or_insert_with(|| {
                Arc::new(Row { reason: Some(change.kind.would()), ..Row::clone(row) })
            }),
            None => row,
        };
        state.given_out.remove(rank);
        state.rows.set(rank, row);
    }
}

fn ledger_entry(state: &State, rank: usize, outcome: RowOutcome) -> Result<LedgerEntry, Refused> {
    let selection = state.selection.as_ref();
    let incident = selection.and_then(|selection| selection.key(rank));
    let change = match (&outcome.change, state.given_out.get(rank)) {
        (Some(change), Some(LookedAt { as_of, facts: Some(facts) })) => Some(ChangeToMake {
            kind: change.kind(),
            status: change.status().unwrap_or(&facts.status).clone(),
            owner: change.owner().map(str::to_owned),
            at: *as_of,
            version: change.version(),
            waived: waived::json(facts, change.waived()).map_err(Refused::Misuse)?,
        }),
        _ => None,
    };
    Ok(LedgerEntry {
        incident,
        number: match incident {
            Some(_) => None,
            None => selection.map(|selection| selection.number(rank).to_owned()),
        },
        position: outcome.position,
        row: outcome.row,
        change,
        replaces: state.earlier(rank).map(|line| line.sequence),
    })
}

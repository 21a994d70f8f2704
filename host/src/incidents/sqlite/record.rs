//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all.
//!
//! Changes that are alike are made by one statement: a statement for each would cost several times
//! as much.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::executions;
use super::ledger::Ledger;
use super::picked::Picked;
use playdock_plugin_api::ChangeKind;
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

/// Makes the changes of entries inside the transaction that is open, with their audit entries, and
/// says what becomes of each entry. An error that is about a row says nothing of the others, which
/// [`record_singly`] finds out.
pub(super) fn make_changes(
    connection: &Connection,
    batch: &RecordBatch,
    entries: &[LedgerEntry],
) -> Result<Vec<EntryOutcome>, StoreError> {
    // Only whoever holds the lease may write; writing renews it.
    executions::renew(connection, batch.execution)?;
    let mut changed_meanwhile = HashSet::new();
    for (change, incidents) in alike(entries) {
        changed_meanwhile.extend(make(connection, batch, change, incidents)?);
    }
    let stands = |entry: &LedgerEntry| match (&entry.change, entry.incident) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(it)) => changed_meanwhile.is_empty() || !changed_meanwhile.contains(&it.0),
    };
    let outcome = |entry| match stands(entry) {
        true => EntryOutcome::Written,
        false => EntryOutcome::ChangedMeanwhile,
    };
    Ok(entries.iter().map(outcome).collect())
}

/// The incidents for which the same change is to be made.
fn alike(entries: &[LedgerEntry]) -> Vec<(&ChangeToMake, Vec<i64>)> {
    let mut alike: Vec<(&ChangeToMake, Vec<i64>)> = Vec::new();
    let mut known: HashMap<&ChangeToMake, usize> = HashMap::new();
    let mut last = 0;
    for entry in entries {
        let (Some(change), Some(incident)) = (&entry.change, entry.incident) else { continue };
        // Neighbours often change alike.
        if alike.get(last).is_none_or(|(of_last, _)| *of_last != change) {
            last = *known.entry(change).or_insert(alike.len());
        }
        match alike.get_mut(last) {
            Some((_, incidents)) => incidents.push(incident.0),
            None => alike.push((change, vec![incident.0])),
        }
    }
    alike
}

/// Writes the lines of those entries into the ledger that are to be written.
pub(super) fn note(
    connection: &Connection,
    batch: &RecordBatch,
    entries: &[LedgerEntry],
    outcomes: &[EntryOutcome],
) -> Result<(), StoreError> {
    let mut ledger = Ledger::of(connection, batch)?;
    let written = entries.iter().zip(outcomes);
    let written = written.filter(|(_, outcome)| matches!(outcome, EntryOutcome::Written));
    let entries: Vec<&LedgerEntry> = written.map(|(entry, _)| entry).collect();
    let (appended, replacing): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.replaces.is_none());
    let many = appended.chunks_exact(Ledger::LINES_AT_ONCE);
    let rest = many.remainder();
    many.into_iter().try_for_each(|entries| ledger.append(entries))?;
    rest.iter().try_for_each(|entry| ledger.append(&[*entry]))?;
    replacing.into_iter().try_for_each(|entry| ledger.replace(entry))
}

/// Writes the entries of a batch each on its own, so that one which can't be written leaves the
/// others.
pub(super) fn record_singly(
    connection: &Connection,
    batch: &RecordBatch,
) -> Result<Vec<EntryOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        connection.execute_batch("SAVEPOINT entry")?;
        match record_one(connection, batch, entry) {
            Ok(outcome) => outcomes.extend(outcome),
            Err(error) if error.is_about_a_row() => {
                connection.execute_batch("ROLLBACK TO entry")?;
                outcomes.push(EntryOutcome::Failed(error));
            }
            Err(error) => return Err(error),
        }
        connection.execute_batch("RELEASE entry")?;
    }
    Ok(outcomes)
}

fn record_one(
    connection: &Connection,
    batch: &RecordBatch,
    entry: &LedgerEntry,
) -> Result<Vec<EntryOutcome>, StoreError> {
    let outcomes = make_changes(connection, batch, std::slice::from_ref(entry))?;
    note(connection, batch, std::slice::from_ref(entry), &outcomes)?;
    Ok(outcomes)
}

/// Changes those of the incidents that stand at the version that was judged, and returns the others.
fn make(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    incidents: Vec<i64>,
) -> Result<Vec<i64>, StoreError> {
    // No incident has a version that the store can't hold.
    let Ok(version) = i64::try_from(change.version) else { return Ok(incidents) };
    let picked = Picked::new(incidents);
    let changed = match change.kind {
        ChangeKind::Close | ChangeKind::Reopen => {
            close_or_reopen(connection, batch, change, version, &picked)?
        }
        ChangeKind::Assign => assign(connection, batch, change, version, &picked)?,
    };
    if changed == picked.count() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT incident FROM audit
         WHERE incident IN rarray(?1) AND before_version = ?2 AND execution = ?3",
    )?;
    let changed =
        statement.query_map((picked.list(), version, batch.execution.0), |row| row.get(0))?;
    let changed: HashSet<i64> = changed.collect::<Result<_, _>>()?;
    Ok(picked.into_ids().into_iter().filter(|incident| !changed.contains(incident)).collect())
}

/// Closes or reopens those of the incidents that are as they were judged; returns how many.
fn close_or_reopen(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    version: i64,
    picked: &Picked,
) -> Result<usize, StoreError> {
    let (execution, at) = (batch.execution.0, change.at.milliseconds());
    let closes = change.kind == ChangeKind::Close;
    let condition =
        format!("{} AND version = ?4 AND (status <> 'Closed') = ?5", picked.condition());
    let [first, last, which] = picked.parameters();
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived)
         SELECT id, ?6, ?7, ?8, ?9, status, version, closed_at, closed_by,
             octet_length(conclusion), ?10
         FROM incident WHERE {condition}"
    ))?;
    let (user, kind, waived) = (&batch.acting_user, change.kind.as_str(), &change.waived);
    statement
        .execute(params![first, last, which, version, closes, execution, kind, at, user, waived])?;
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE incident SET status = ?6, version = version + 1, closed_at = ?7,
             closed_by = ?8, closed_in = ?9, conclusion = conclusion || ?10
         WHERE {condition}"
    ))?;
    let status = change.status.as_str();
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    // An open incident has no date, user or execution of a closing.
    let (at, user) = (closes.then_some(at), closes.then_some(user));
    let closed_in = closes.then_some(execution);
    Ok(statement.execute(params![
        first, last, which, version, closes, status, at, user, closed_in, conclusion
    ])?)
}

/// Assigns those of the incidents that are as they were judged; returns how many.
fn assign(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    version: i64,
    picked: &Picked,
) -> Result<usize, StoreError> {
    let (execution, at, user) = (batch.execution.0, change.at.milliseconds(), &batch.acting_user);
    let condition = format!("{} AND version = ?4", picked.condition());
    let [first, last, which] = picked.parameters();
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes,
             before_owner, owner)
         SELECT id, ?5, 'assign', ?6, ?7, status, version, closed_at, closed_by,
             octet_length(conclusion), owner, ?8
         FROM incident WHERE {condition}"
    ))?;
    let owner = &change.owner;
    statement.execute(params![first, last, which, version, execution, at, user, owner])?;
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE incident SET owner = ?5, version = version + 1, conclusion = conclusion || ?6
         WHERE {condition}"
    ))?;
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    Ok(statement.execute(params![first, last, which, version, owner, conclusion])?)
}

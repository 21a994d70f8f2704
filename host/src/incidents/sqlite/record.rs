//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::executions;
use playdock_plugin_api::Timestamp;
use rusqlite::Connection;

/// Writes a batch inside the transaction that is open, as a whole: an error that is about a row
/// says nothing of the others, which [`record_singly`] finds out.
pub(super) fn record(
    connection: &Connection,
    batch: &RecordBatch,
) -> Result<Vec<EntryOutcome>, StoreError> {
    // Only whoever holds the lease may write; writing renews it.
    executions::renew(connection, batch.execution)?;
    let mut sequence = next_sequence(connection, batch)?;
    batch.entries.iter().map(|entry| write(connection, batch, entry, &mut sequence)).collect()
}

/// Writes the entries of a batch each on its own, so that one which can't be written leaves the
/// others.
pub(super) fn record_singly(
    connection: &Connection,
    batch: &RecordBatch,
) -> Result<Vec<EntryOutcome>, StoreError> {
    executions::renew(connection, batch.execution)?;
    let mut sequence = next_sequence(connection, batch)?;
    let mut outcomes = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        connection.execute_batch("SAVEPOINT entry")?;
        match write(connection, batch, entry, &mut sequence) {
            Ok(outcome) => outcomes.push(outcome),
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

fn next_sequence(connection: &Connection, batch: &RecordBatch) -> Result<u64, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT coalesce(max(sequence) + 1, 0) FROM ledger WHERE execution = ?1")?;
    Ok(statement.query_row([batch.execution.0], |row| row.get(0))?)
}

fn write(
    connection: &Connection,
    batch: &RecordBatch,
    entry: &LedgerEntry,
    sequence: &mut u64,
) -> Result<EntryOutcome, StoreError> {
    if let Some(change) = &entry.change {
        let Some(incident) = entry.incident else {
            return Ok(EntryOutcome::ChangedMeanwhile);
        };
        if !close(connection, batch, incident.0, change)? {
            return Ok(EntryOutcome::ChangedMeanwhile);
        }
    }
    write_ledger(connection, batch, entry, sequence)?;
    Ok(EntryOutcome::Written)
}

/// Closes an incident if it stands at the version that was judged; says whether it did.
fn close(
    connection: &Connection,
    batch: &RecordBatch,
    incident: i64,
    change: &ChangeToMake,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE incident SET status = 'Closed', version = version + 1, closed_at = ?1,
             closed_by = ?2, closed_in = ?3, conclusion = conclusion || ?4
         WHERE id = ?5 AND version = ?6 AND status <> 'Closed'",
    )?;
    let changed = statement.execute((
        change.at.milliseconds(),
        &batch.acting_user,
        batch.execution.0,
        batch.conclusion.as_deref().unwrap_or_default(),
        incident,
        change.version,
    ))?;
    if changed == 0 {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived)
         VALUES (?1, ?2, 'close', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    statement.execute((
        incident,
        batch.execution.0,
        change.at.milliseconds(),
        &batch.acting_user,
        &change.before.status,
        change.version,
        change.before.closed_at.map(Timestamp::milliseconds),
        &change.before.closed_by,
        change.before.conclusion_bytes,
        &change.waived,
    ))?;
    Ok(true)
}

fn write_ledger(
    connection: &Connection,
    batch: &RecordBatch,
    entry: &LedgerEntry,
    sequence: &mut u64,
) -> Result<(), StoreError> {
    let outcome = &entry.outcome;
    let place = entry.replaces.unwrap_or(*sequence);
    if entry.replaces.is_none() {
        *sequence += 1;
    }
    let mut statement = connection.prepare_cached(match entry.replaces {
        None => {
            "INSERT INTO ledger (execution, sequence, position, incident, number, change,
                 result, reason, message, cells)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        }
        Some(_) => {
            "UPDATE ledger SET position = ?3, incident = ?4, number = ?5, change = ?6, result = ?7,
                 reason = ?8, message = ?9, cells = ?10
             WHERE execution = ?1 AND sequence = ?2"
        }
    })?;
    let cells = serde_json::to_string(&outcome.cells)
        .map_err(|error| StoreError::Refused(error.to_string()))?;
    statement.execute((
        batch.execution.0,
        place,
        outcome.position,
        entry.incident.map(|key| key.0),
        &entry.number,
        entry.change.as_ref().map(|_| "close"),
        outcome.result.as_str(),
        outcome.reason.as_ref().map(playdock_plugin_api::Reason::as_str),
        &outcome.message,
        cells,
    ))?;
    Ok(())
}

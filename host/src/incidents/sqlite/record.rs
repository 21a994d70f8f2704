//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all.
//!
//! Changes that are alike are made by one statement: a statement for each would cost several times
//! as much.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::executions;
use playdock_plugin_api::{Reason, messages::Row};
use rusqlite::Connection;
use rusqlite::types::Value;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::OnceLock;

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
        changed_meanwhile.extend(close(connection, batch, change, incidents)?);
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
    let many = appended.chunks_exact(LINES_AT_ONCE);
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

/// Closes those of the incidents that stand at the version that was judged, and returns the others.
fn close(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    incidents: Vec<i64>,
) -> Result<Vec<i64>, StoreError> {
    // No incident has a version that the store can't hold.
    let Ok(version) = i64::try_from(change.version) else { return Ok(incidents) };
    let (execution, at) = (batch.execution.0, change.at.milliseconds());
    let wanted: Rc<Vec<Value>> = Rc::new(incidents.iter().map(|id| Value::from(*id)).collect());
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived)
         SELECT id, ?1, 'close', ?2, ?3, status, version, closed_at, closed_by,
             octet_length(conclusion), ?4
         FROM incident WHERE id IN rarray(?5) AND version = ?6 AND status <> 'Closed'",
    )?;
    statement.execute((execution, at, &batch.acting_user, &change.waived, &wanted, version))?;
    let mut statement = connection.prepare_cached(
        "UPDATE incident SET status = 'Closed', version = version + 1, closed_at = ?1,
             closed_by = ?2, closed_in = ?3, conclusion = conclusion || ?4
         WHERE id IN rarray(?5) AND version = ?6 AND status <> 'Closed'",
    )?;
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    let changed =
        statement.execute((at, &batch.acting_user, execution, conclusion, &wanted, version))?;
    if changed == incidents.len() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT id FROM incident
         WHERE id IN rarray(?1) AND version = ?2 + 1 AND closed_in = ?3 AND status = 'Closed'",
    )?;
    let closed = statement.query_map((&wanted, version, execution), |row| row.get(0))?;
    let closed: HashSet<i64> = closed.collect::<Result<_, _>>()?;
    Ok(incidents.into_iter().filter(|incident| !closed.contains(incident)).collect())
}

/// How many lines of the ledger one statement appends.
const LINES_AT_ONCE: usize = 32;

/// Writes lines of an execution's ledger.
struct Ledger<'a> {
    connection: &'a Connection,
    batch: &'a RecordBatch,
    sequence: u64,
    /// The keys of the batch's rows in the store, of those that it has.
    rows: Vec<Option<i64>>,
}

impl<'a> Ledger<'a> {
    fn of(connection: &'a Connection, batch: &'a RecordBatch) -> Result<Ledger<'a>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT coalesce(max(sequence) + 1, 0) FROM ledger WHERE execution = ?1",
        )?;
        let sequence = statement.query_row([batch.execution.0], |row| row.get(0))?;
        Ok(Ledger { connection, batch, sequence, rows: vec![None; batch.rows.len()] })
    }

    /// Appends one line, or as many as one statement appends.
    fn append(&mut self, entries: &[&LedgerEntry]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(appending(entries.len()))?;
        statement.raw_bind_parameter(1, self.batch.execution.0)?;
        let mut parameter = 2;
        for entry in entries {
            let row = self.row(entry.row)?;
            statement.raw_bind_parameter(parameter, self.sequence)?;
            statement.raw_bind_parameter(parameter + 1, entry.position)?;
            statement.raw_bind_parameter(parameter + 2, entry.incident.map(|key| key.0))?;
            statement.raw_bind_parameter(parameter + 3, entry.number.as_deref())?;
            statement.raw_bind_parameter(parameter + 4, change(entry))?;
            statement.raw_bind_parameter(parameter + 5, row)?;
            parameter += 6;
            self.sequence += 1;
        }
        statement.raw_execute()?;
        Ok(())
    }

    /// Writes a line in the place of an earlier one.
    fn replace(&mut self, entry: &LedgerEntry) -> Result<(), StoreError> {
        let row = self.row(entry.row)?;
        let mut statement = self.connection.prepare_cached(
            "UPDATE ledger SET position = ?3, incident = ?4, number = ?5, change = ?6, row = ?7
             WHERE execution = ?1 AND sequence = ?2",
        )?;
        let incident = entry.incident.map(|key| key.0);
        statement.execute((
            self.batch.execution.0,
            entry.replaces,
            entry.position,
            incident,
            &entry.number,
            change(entry),
            row,
        ))?;
        Ok(())
    }

    /// The key of a row of the batch, which is written when the first entry needs it.
    fn row(&mut self, index: usize) -> Result<i64, StoreError> {
        if let Some(key) = self.rows[index] {
            return Ok(key);
        }
        let row: &Row = &self.batch.rows[index];
        let cells = serde_json::to_string(&row.cells)
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO ledger_row (result, reason, message, cells) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let reason = row.reason.as_ref().map(Reason::as_str);
        statement.execute((row.result.as_str(), reason, &row.message, cells))?;
        let key = self.connection.last_insert_rowid();
        self.rows[index] = Some(key);
        Ok(key)
    }
}

/// The statement that appends so many lines.
fn appending(lines: usize) -> &'static str {
    static MANY: OnceLock<String> = OnceLock::new();
    static ONE: OnceLock<String> = OnceLock::new();
    let statement = if lines == 1 { &ONE } else { &MANY };
    statement.get_or_init(|| {
        let line = |index: usize| {
            let [a, b, c, d, e, f] = [2, 3, 4, 5, 6, 7].map(|parameter| parameter + 6 * index);
            format!("(?1, ?{a}, ?{b}, ?{c}, ?{d}, ?{e}, ?{f})")
        };
        let values: Vec<String> = (0..lines).map(line).collect();
        let columns = "execution, sequence, position, incident, number, change, row";
        format!("INSERT INTO ledger ({columns}) VALUES {}", values.join(", "))
    })
}

/// What the ledger calls the change of an entry.
fn change(entry: &LedgerEntry) -> Option<&'static str> {
    entry.change.as_ref().map(|_| "close")
}

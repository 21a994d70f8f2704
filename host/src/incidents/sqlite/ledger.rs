//! The ledger: what became of each incident of an execution, line by line, and the rows that the
//! lines share.

use super::super::error::StoreError;
use super::super::records::ExecutionKey;
use super::super::store::{IncidentKey, LedgerEntry, LedgerRow, RecordBatch};
use super::executions::unreadable;
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{ChangeKind, OutcomeResult, Reason};
use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

/// The lines of an execution, in the order of the input.
pub(super) fn read(
    connection: &Connection,
    key: ExecutionKey,
) -> Result<Vec<LedgerRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, position, incident, coalesce(incident.number, ledger.number, ''),
             change, ledger.row,
             CASE change WHEN 'assign' THEN (SELECT owner FROM audit
                 WHERE audit.incident = ledger.incident AND audit.execution = ledger.execution
                     AND action = 'assign') END
         FROM ledger LEFT JOIN incident ON incident.id = ledger.incident WHERE execution = ?1",
    )?;
    let mut rows = statement.query([key.0])?;
    let mut shared: HashMap<i64, Arc<Row>> = HashMap::new();
    let mut ledger = Vec::new();
    while let Some(row) = rows.next()? {
        let of = row.get(5)?;
        let of = match shared.entry(of) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => unknown.insert(shared_row(connection, of)?).clone(),
        };
        ledger.push(LedgerRow {
            sequence: row.get(0)?,
            position: row.get(1)?,
            incident: row.get::<_, Option<i64>>(2)?.map(IncidentKey),
            number: row.get(3)?,
            change: match row.get_ref(4)? {
                ValueRef::Null => None,
                word => Some(kind(word.as_str().map_err(rusqlite::Error::from)?)?),
            },
            owner: row.get(6)?,
            row: of,
        });
    }
    ledger.sort_unstable_by_key(|row| row.position);
    Ok(ledger)
}

fn shared_row(connection: &Connection, id: i64) -> Result<Arc<Row>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT result, reason, message, cells FROM ledger_row WHERE id = ?1")?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let text = |index| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    Ok(Arc::new(Row {
        result: match text(0)? {
            "Successful" => OutcomeResult::Successful,
            _ => OutcomeResult::Failed,
        },
        reason: row.get::<_, Option<String>>(1)?.map(Reason::from),
        message: row.get(2)?,
        cells: serde_json::from_str(text(3)?).map_err(unreadable("a row of a ledger"))?,
    }))
}

/// Writes lines of an execution's ledger.
pub(super) struct Ledger<'a> {
    connection: &'a Connection,
    batch: &'a RecordBatch,
    sequence: u64,
    /// The keys of the batch's rows in the store, of those that it has.
    rows: Vec<Option<i64>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn of(
        connection: &'a Connection,
        batch: &'a RecordBatch,
    ) -> Result<Ledger<'a>, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT coalesce(max(sequence) + 1, 0) FROM ledger WHERE execution = ?1",
        )?;
        let sequence = statement.query_row([batch.execution.0], |row| row.get(0))?;
        Ok(Ledger { connection, batch, sequence, rows: vec![None; batch.rows.len()] })
    }

    /// Appends lines: those that are alike by one statement, since a statement for each, or the
    /// values of each, would cost twice as much.
    pub(super) fn append(&mut self, entries: &[&LedgerEntry]) -> Result<(), StoreError> {
        let first = entries.iter().filter_map(|entry| entry.incident).map(|key| key.0).min();
        let mut alike: Vec<Alike> = Vec::new();
        let mut known = HashMap::new();
        for entry in entries {
            let Some(line) = first.and_then(|first| packed(entry, first)) else {
                self.append_one(entry)?;
                continue;
            };
            let (row, change) = (entry.row, change(entry));
            let index = *known.entry((row, change)).or_insert(alike.len());
            match alike.get_mut(index) {
                Some(alike) => alike.lines.push(line),
                None => alike.push(Alike { row, change, lines: vec![line] }),
            }
        }
        alike.into_iter().try_for_each(|alike| self.append_alike(first.unwrap_or(0), alike))
    }

    fn append_one(&mut self, entry: &LedgerEntry) -> Result<(), StoreError> {
        let row = self.row(entry.row)?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO ledger (execution, sequence, position, incident, number, change, row)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        statement.execute((
            self.batch.execution.0,
            self.sequence,
            entry.position,
            entry.incident.map(|key| key.0),
            &entry.number,
            change(entry),
            row,
        ))?;
        self.sequence += 1;
        Ok(())
    }

    fn append_alike(&mut self, first: i64, alike: Alike) -> Result<(), StoreError> {
        let Alike { row, change, lines } = alike;
        let (row, count) = (self.row(row)?, lines.len() as u64);
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO ledger (execution, sequence, position, incident, change, row)
             SELECT ?1, ?2 + rowid - 1, value & 0xFFFFFFFF, ?3 + (value >> 32), ?4, ?5
             FROM rarray(?6)",
        )?;
        let execution = self.batch.execution.0;
        statement.execute((execution, self.sequence, first, change, row, Rc::new(lines)))?;
        self.sequence += count;
        Ok(())
    }

    /// Writes a line in the place of an earlier one.
    pub(super) fn replace(&mut self, entry: &LedgerEntry) -> Result<(), StoreError> {
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

/// Lines with the same row, of whose incidents the same was made.
struct Alike {
    row: usize,
    change: Option<&'static str>,
    /// They, [packed], as `rarray` takes them.
    lines: Vec<Value>,
}

/// An entry's incident and position in one number: how far the incident's id is behind the first one,
/// above the 32 bits of the position. `None` where there is no incident, or no room.
fn packed(entry: &LedgerEntry, first: i64) -> Option<Value> {
    let behind = i32::try_from(entry.incident?.0.checked_sub(first)?).ok()?;
    let position = i64::from(u32::try_from(entry.position).ok()?);
    Some(Value::from((i64::from(behind) << 32) | position))
}

/// What the ledger calls the change of an entry.
fn change(entry: &LedgerEntry) -> Option<&'static str> {
    entry.change.as_ref().map(|change| change.kind.as_str())
}

/// The change that the ledger has this word for.
fn kind(word: &str) -> Result<ChangeKind, StoreError> {
    ChangeKind::of_word(word).ok_or_else(|| StoreError::Unreadable {
        what: "a line of a ledger",
        cause: format!("it has the change \"{word}\", which isn't known here"),
    })
}

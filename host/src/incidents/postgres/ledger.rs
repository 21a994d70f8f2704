//! The ledger: what became of each incident of an execution, line by line, and the rows that the
//! lines share.

use super::super::error::StoreError;
use super::super::records::ExecutionKey;
use super::super::store::{IncidentKey, LedgerEntry, LedgerRow, RecordBatch};
use super::connections::Client;
use super::failed::{Failed, unreadable};
use super::look::{storable_text, unsigned};
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{ChangeKind, OutcomeResult, Reason};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_postgres::Statement;

/// The lines of an execution, in the order of the input.
pub(super) async fn read(client: &Client, key: ExecutionKey) -> Result<Vec<LedgerRow>, Failed> {
    let (lines, rows) = tokio::try_join!(
        client.prepare_cached(
            "SELECT sequence, position, incident, coalesce(incident.number, ledger.number, ''),
                 change, ledger.row,
                 CASE change WHEN 'assign' THEN (SELECT owner FROM audit
                     WHERE audit.incident = ledger.incident AND audit.execution = ledger.execution
                         AND action = 'assign' ORDER BY audit.id DESC LIMIT 1) END
             FROM ledger LEFT JOIN incident ON incident.id = ledger.incident WHERE execution = $1"
        ),
        client.prepare_cached(
            "SELECT id, result, reason, message, cells FROM ledger_row
             WHERE id IN (SELECT row FROM ledger WHERE execution = $1)"
        ),
    )?;
    let key: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&key.0];
    // The lines first: what they share is there by then.
    let (lines, rows) =
        tokio::try_join!(biased; client.query(&lines, &key), client.query(&rows, &key))?;
    let shared: HashMap<i64, Arc<Row>> =
        rows.iter().map(shared_row).collect::<Result<_, Failed>>()?;
    let line = |line: tokio_postgres::Row| -> Result<LedgerRow, Failed> {
        let row: i64 = line.try_get(5)?;
        let Some(row) = shared.get(&row) else {
            return Err(unreadable("a line of a ledger")("its row is missing").into());
        };
        Ok(LedgerRow {
            sequence: unsigned(line.try_get(0)?),
            position: unsigned(line.try_get(1)?),
            incident: line.try_get::<_, Option<i64>>(2)?.map(IncidentKey),
            number: line.try_get(3)?,
            change: line.try_get::<_, Option<&str>>(4)?.map(kind).transpose()?,
            owner: line.try_get(6)?,
            row: row.clone(),
        })
    };
    let mut ledger: Vec<LedgerRow> = lines.into_iter().map(line).collect::<Result<_, _>>()?;
    ledger.sort_unstable_by_key(|row| row.position);
    Ok(ledger)
}

fn shared_row(row: &tokio_postgres::Row) -> Result<(i64, Arc<Row>), Failed> {
    let cells: &str = row.try_get(4)?;
    let shared = Row {
        result: match row.try_get(1)? {
            "Successful" => OutcomeResult::Successful,
            _ => OutcomeResult::Failed,
        },
        reason: row.try_get::<_, Option<String>>(2)?.map(Reason::from),
        message: row.try_get(3)?,
        cells: serde_json::from_str(cells).map_err(unreadable("a row of a ledger"))?,
    };
    Ok((row.try_get(0)?, Arc::new(shared)))
}

/// Where the next lines of an execution go, as it is known in the transaction that is open.
pub(super) struct Place {
    /// The sequence of the next line.
    sequence: i64,
    /// The keys of the rows of a batch; nobody else has them, nor will.
    rows: Vec<Key>,
}

struct Key {
    id: i64,
    is_written: bool,
}

/// A line that was written, by which it is found out whether its transaction was committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    sequence: i64,
    row: i64,
}

impl Place {
    /// The statement that finds a place.
    pub(super) async fn finding(client: &Client) -> Result<Statement, Failed> {
        let finding = "SELECT
            coalesce((SELECT max(sequence) + 1 FROM ledger WHERE execution = $1), 0),
            ARRAY(SELECT nextval('ledger_row_id_seq') FROM generate_series(1, $2))";
        Ok(client.prepare_cached(finding).await?)
    }

    /// Finds the place, for lines with so many rows.
    pub(super) async fn find(
        client: &Client,
        finding: &Statement,
        execution: ExecutionKey,
        rows: usize,
    ) -> Result<Place, Failed> {
        let rows = i32::try_from(rows).unwrap_or(i32::MAX);
        let row = client.query_one(finding, &[&execution.0, &rows]).await?;
        let ids: Vec<i64> = row.try_get(1)?;
        let rows = ids.into_iter().map(|id| Key { id, is_written: false }).collect();
        Ok(Place { sequence: row.try_get(0)?, rows })
    }

    /// Where writing a line of an entry would put it.
    fn line(&self, entry: &LedgerEntry) -> Line {
        let sequence = entry.replaces.and_then(|sequence| i64::try_from(sequence).ok());
        Line { sequence: sequence.unwrap_or(self.sequence), row: self.rows[entry.row].id }
    }

    /// Writes the lines of entries, and tells one of them.
    pub(super) async fn write(
        &mut self,
        client: &Client,
        batch: &RecordBatch,
        entries: &[&LedgerEntry],
    ) -> Result<Option<Line>, Failed> {
        let Some(first) = entries.first() else { return Ok(None) };
        let (appended, replacing): (Vec<&LedgerEntry>, Vec<&LedgerEntry>) =
            entries.iter().partition(|entry| entry.replaces.is_none());
        let line = self.line(first);
        let sequence = self.sequence;
        let new_rows = self.new_rows(entries);
        tokio::try_join!(
            biased;
            write_rows(client, batch, &self.rows, &new_rows),
            append(client, batch, &self.rows, sequence, &appended),
            replace(client, batch, &self.rows, &replacing),
        )?;
        self.sequence += i64::try_from(appended.len()).unwrap_or(i64::MAX);
        new_rows.into_iter().for_each(|row| self.rows[row].is_written = true);
        Ok(Some(line))
    }

    /// The rows of entries that are not written yet.
    fn new_rows(&self, entries: &[&LedgerEntry]) -> Vec<usize> {
        let mut rows: Vec<usize> = entries.iter().map(|entry| entry.row).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.retain(|row| !self.rows[*row].is_written);
        rows
    }
}

/// Whether a line stands in the ledger as it was written.
pub(super) async fn stands(
    client: &Client,
    execution: ExecutionKey,
    line: Line,
) -> Result<bool, Failed> {
    let statement = client
        .prepare_cached("SELECT 1 FROM ledger WHERE execution = $1 AND sequence = $2 AND row = $3")
        .await?;
    let found = client.query_opt(&statement, &[&execution.0, &line.sequence, &line.row]).await?;
    Ok(found.is_some())
}

async fn write_rows(
    client: &Client,
    batch: &RecordBatch,
    keys: &[Key],
    rows: &[usize],
) -> Result<(), Failed> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = client
        .prepare_cached(
            "INSERT INTO ledger_row (id, result, reason, message, cells)
                 SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])",
        )
        .await?;
    let each = || rows.iter().map(|row| &*batch.rows[*row]);
    let ids: Vec<i64> = rows.iter().map(|row| keys[*row].id).collect();
    let results: Vec<&str> = each().map(|row| row.result.as_str()).collect();
    let reasons: Vec<Option<&str>> =
        each().map(|row| row.reason.as_ref().map(Reason::as_str)).collect();
    let messages: Vec<Option<&str>> = each().map(|row| row.message.as_deref()).collect();
    let cells: Vec<String> = each()
        .map(|row| serde_json::to_string(&row.cells))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Refused(error.to_string()))?;
    client.execute(&statement, &[&ids, &results, &reasons, &messages, &cells]).await?;
    Ok(())
}

/// What lines hold, column by column.
struct Columns<'a> {
    positions: Vec<i64>,
    incidents: Vec<Option<i64>>,
    numbers: Vec<Option<Cow<'a, str>>>,
    changes: Vec<Option<&'static str>>,
    rows: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(entries: &[&'a LedgerEntry], keys: &[Key]) -> Columns<'a> {
        let each = || entries.iter();
        Columns {
            positions: each().map(|it| i64::try_from(it.position).unwrap_or(i64::MAX)).collect(),
            incidents: each().map(|entry| entry.incident.map(|key| key.0)).collect(),
            // Shorter columns are filled with NULL: as a rule none has a number.
            numbers: match entries.iter().any(|entry| entry.number.is_some()) {
                true => each().map(|entry| entry.number.as_deref().map(storable_text)).collect(),
                false => Vec::new(),
            },
            changes: each()
                .map(|entry| entry.change.as_ref().map(|change| change.kind.as_str()))
                .collect(),
            rows: each().map(|entry| keys[entry.row].id).collect(),
        }
    }
}

async fn append(
    client: &Client,
    batch: &RecordBatch,
    keys: &[Key],
    sequence: i64,
    entries: &[&LedgerEntry],
) -> Result<(), Failed> {
    if entries.is_empty() {
        return Ok(());
    }
    let statement = client
        .prepare_cached(
            "INSERT INTO ledger (execution, sequence, position, incident, number, change, row)
                 SELECT $1, $2 + place - 1, position, incident, number, change, row
                 FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[])
                     WITH ORDINALITY AS line (position, incident, number, change, row, place)",
        )
        .await?;
    let Columns { positions, incidents, numbers, changes, rows } = Columns::of(entries, keys);
    client
        .execute(
            &statement,
            &[&batch.execution.0, &sequence, &positions, &incidents, &numbers, &changes, &rows],
        )
        .await?;
    Ok(())
}

/// Writes lines in the place of earlier ones.
async fn replace(
    client: &Client,
    batch: &RecordBatch,
    keys: &[Key],
    entries: &[&LedgerEntry],
) -> Result<(), Failed> {
    if entries.is_empty() {
        return Ok(());
    }
    let statement = client
        .prepare_cached(
            "UPDATE ledger SET position = line.position, incident = line.incident,
                 number = line.number, change = line.change, row = line.row
             FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
                 $7::bigint[]) AS line (sequence, position, incident, number, change, row)
             WHERE ledger.execution = $1 AND ledger.sequence = line.sequence",
        )
        .await?;
    let Columns { positions, incidents, numbers, changes, rows } = Columns::of(entries, keys);
    let sequences: Vec<Option<i64>> = entries
        .iter()
        .map(|entry| entry.replaces.and_then(|sequence| i64::try_from(sequence).ok()))
        .collect();
    client
        .execute(
            &statement,
            &[&batch.execution.0, &sequences, &positions, &incidents, &numbers, &changes, &rows],
        )
        .await?;
    Ok(())
}

/// The change that the ledger has this word for.
fn kind(word: &str) -> Result<ChangeKind, StoreError> {
    ChangeKind::of_word(word).ok_or_else(|| {
        unreadable("a line of a ledger")(format!(
            "it has the change \"{word}\", which isn't known here"
        ))
    })
}

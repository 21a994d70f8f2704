//! Putting a backup in the place of a store in PostgreSQL: a new schema, filled in one transaction, in
//! which the one of before gets another name. There is a store at any moment.

use super::super::error::StoreError;
use super::super::maintenance::{CopyProgress, MaintenanceError, Migration, Restored};
use super::super::sqlite;
use super::connections::{Client, Connections, IN_USE, SCHEMA};
use super::failed::Failed;
use super::open::{self, KNOWN};
use super::tables::{TABLES, Table};
use rusqlite::types::Value;
use std::path::Path;

/// How many rows are copied by one statement.
const ROWS: usize = 5000;

/// Puts the backup `file` in the place of the store.
pub(super) fn restore(
    connections: &Connections,
    file: &Path,
    progress: CopyProgress<'_>,
) -> Result<Restored, MaintenanceError> {
    let bad = |cause| MaintenanceError::BadBackup { file: file.to_owned(), cause };
    sqlite::open_to_read(file).map_err(bad)?;
    // As it is once it is checked and brought up to date: nobody else knows this copy.
    let copy = tempfile::NamedTempFile::new()
        .map_err(|error| MaintenanceError::file(&std::env::temp_dir(), "written", &error))?;
    let report = sqlite::copy_of_backup(file, copy.path())?;
    let source = sqlite::open_file(copy.path()).map_err(bad)?.0;
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    let restored = connections.once(async |client| {
        client
            .batch_execute(
                "BEGIN; SET LOCAL statement_timeout TO 0;
                 SET LOCAL idle_in_transaction_session_timeout TO 0",
            )
            .await?;
        let alone = format!("SELECT pg_try_advisory_xact_lock({IN_USE})");
        if !client.query_one(&alone, &[]).await?.try_get::<_, bool>(0)? {
            client.batch_execute("ROLLBACK").await?;
            return Ok(Err(MaintenanceError::InUse(connections.address().to_string())));
        }
        let kept = match open::version(client, connections).await? {
            0 => None,
            _ => Some(keep(client).await?),
        };
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}")).await?;
        open::make(client, 0).await?;
        match fill(client, &source, bytes, progress).await {
            Ok(()) => {}
            Err(NotFilled::Read(error)) => {
                client.batch_execute("ROLLBACK").await?;
                return Ok(Err(bad(error.into())));
            }
            Err(NotFilled::Written(Failed::Final(error))) if error.is_about_a_row() => {
                client.batch_execute("ROLLBACK").await?;
                return Ok(Err(bad(error)));
            }
            Err(NotFilled::Written(failed)) => return Err(failed),
        }
        client.batch_execute("COMMIT").await?;
        Ok(Ok(kept))
    })?;
    // The versions of a backup, which is in SQLite, are not those of this store.
    let migration = Migration { from: KNOWN, to: KNOWN };
    let (incidents, executions) = (report.incidents, report.executions);
    Ok(Restored { kept: restored?, migration, incidents, executions })
}

/// Gives the schema of before another name, and tells it.
async fn keep(client: &Client) -> Result<String, Failed> {
    for number in 1_u64.. {
        let name = format!("{SCHEMA}_replaced_{number}");
        let taken = client.query_one("SELECT to_regnamespace($1) IS NOT NULL", &[&name]).await?;
        if !taken.try_get::<_, bool>(0)? {
            client.batch_execute(&format!("ALTER SCHEMA {SCHEMA} RENAME TO {name}")).await?;
            return Ok(format!("the schema {name}"));
        }
    }
    Err(StoreError::Closed.into())
}

/// Why a schema was not filled.
enum NotFilled {
    Read(rusqlite::Error),
    Written(Failed),
}

impl From<rusqlite::Error> for NotFilled {
    fn from(error: rusqlite::Error) -> NotFilled {
        NotFilled::Read(error)
    }
}

impl From<tokio_postgres::Error> for NotFilled {
    fn from(error: tokio_postgres::Error) -> NotFilled {
        NotFilled::Written(error.into())
    }
}

async fn fill(
    client: &Client,
    source: &rusqlite::Connection,
    bytes: u64,
    progress: CopyProgress<'_>,
) -> Result<(), NotFilled> {
    let count = |table: &Table| -> Result<u64, rusqlite::Error> {
        let count = format!("SELECT count(*) FROM \"{}\"", table.name);
        source.query_row(&count, [], |row| row.get(0))
    };
    let rows = TABLES.iter().map(count).sum::<Result<u64, _>>()?.max(1);
    let mut copied = 0;
    for table in TABLES {
        let name = table.name;
        // A task or a field that is inserted would change the version of its incident.
        client.batch_execute(&format!("ALTER TABLE \"{name}\" DISABLE TRIGGER USER")).await?;
        let insert = client.prepare(&table.inserting_many()).await?;
        let mut select = source.prepare(&table.selecting())?;
        let mut selected = select.query([])?;
        loop {
            progress(bytes * copied / rows, bytes);
            let mut columns: Vec<Vec<Value>> = vec![Vec::new(); table.columns.len()];
            let mut read = 0;
            while read < ROWS
                && let Some(row) = selected.next()?
            {
                for (place, column) in columns.iter_mut().enumerate() {
                    column.push(row.get(place)?);
                }
                read += 1;
            }
            if read == 0 {
                break;
            }
            let kinds = table.columns.iter().zip(columns);
            let columns: Vec<_> = kinds.map(|((_, kind), column)| kind.column(column)).collect();
            let columns: Vec<_> = columns.iter().map(|column| &**column).collect();
            client.execute(&insert, &columns).await?;
            copied += read as u64;
        }
        client.batch_execute(&format!("ALTER TABLE \"{name}\" ENABLE TRIGGER USER")).await?;
        if table.counts_its_keys() {
            let last = format!(
                "SELECT setval('\"{name}_id_seq\"', max(id)) FROM \"{name}\" HAVING count(*) > 0;
                 ANALYZE \"{name}\""
            );
            client.batch_execute(&last).await?;
        }
    }
    progress(bytes, bytes);
    Ok(())
}

//! Copying a store out of PostgreSQL, while others use it: into a store in a file of SQLite, which
//! holds the same. So a backup can be looked into, checked and used wherever it lies, and put back
//! into either kind of store.

use super::super::error::StoreError;
use super::super::maintenance::{Backup, CopyProgress, MaintenanceError};
use super::super::sqlite;
use super::connections::{Client, Connections};
use super::failed::Failed;
use super::look::unsigned;
use super::open;
use super::tables::{TABLES, Table};
use rusqlite::params_from_iter;
use std::path::Path;

/// How many rows are copied between two reports of progress.
const ROWS: u64 = 5000;

/// Writes what the store holds into `file`, which must not exist.
pub(super) fn backup(
    connections: &Connections,
    file: &Path,
    progress: CopyProgress<'_>,
) -> Result<Backup, MaintenanceError> {
    let store = connections.address().to_string();
    sqlite::as_backup(store, file, |copy| {
        let writing = |error| MaintenanceError::writing(file, error);
        let target = sqlite::open_file(copy).map_err(writing)?.0;
        let written = connections.once(async |client| {
            if open::version(client, connections).await? == 0 {
                let store = connections.address().to_string();
                return Err(StoreError::Missing(store).into());
            }
            client
                .batch_execute(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                     SET LOCAL statement_timeout TO 0;
                     SET LOCAL idle_in_transaction_session_timeout TO 0",
                )
                .await?;
            let written = copy_all(client, &target, progress).await;
            client.batch_execute("ROLLBACK").await?;
            match written {
                Ok(()) => Ok(Ok(())),
                Err(NotCopied::Read(failed)) => Err(failed),
                Err(NotCopied::Written(error)) => Ok(Err(error)),
            }
        })?;
        written.map_err(|error| writing(error.into()))
    })
}

/// Why something was not copied.
enum NotCopied {
    Read(Failed),
    Written(rusqlite::Error),
}

impl From<tokio_postgres::Error> for NotCopied {
    fn from(error: tokio_postgres::Error) -> NotCopied {
        NotCopied::Read(error.into())
    }
}

impl From<rusqlite::Error> for NotCopied {
    fn from(error: rusqlite::Error) -> NotCopied {
        NotCopied::Written(error)
    }
}

async fn copy_all(
    client: &Client,
    target: &rusqlite::Connection,
    progress: CopyProgress<'_>,
) -> Result<(), NotCopied> {
    // It is nobody's yet: a half copy is thrown away, and a whole one is synced as a whole.
    target.pragma_update(None, "synchronous", "OFF")?;
    target.pragma_update(None, "foreign_keys", false)?;
    let mut counts = Vec::new();
    for Table { name, .. } in TABLES {
        let row = client
            .query_one(
                &format!(
                    "SELECT count(*), pg_table_size(to_regclass('\"{name}\"')) FROM \"{name}\""
                ),
                &[],
            )
            .await?;
        counts.push((unsigned(row.try_get(0)?), unsigned(row.try_get(1)?)));
    }
    let bytes: u64 = counts.iter().map(|(_, bytes)| bytes).sum();
    let transaction = target.unchecked_transaction()?;
    let mut done = 0;
    // A task or a field that is inserted changes the version of its incident, if that is there.
    let of_incidents = |(table, _): &(&Table, &(u64, u64))| table.name == "incident";
    let all = || TABLES.iter().zip(&counts);
    for (table, (rows, size)) in
        all().filter(|it| !of_incidents(it)).chain(all().filter(of_incidents))
    {
        let mut copied = 0;
        let mut insert = transaction.prepare(&table.inserting_one())?;
        let declare = format!("DECLARE copied NO SCROLL CURSOR FOR {}", table.selecting());
        client.batch_execute(&declare).await?;
        let fetch = client.prepare(&format!("FETCH {ROWS} FROM copied")).await?;
        loop {
            progress(done + size * copied / rows.max(&1), bytes);
            let fetched = client.query(&fetch, &[]).await?;
            if fetched.is_empty() {
                break;
            }
            for row in &fetched {
                let values = (0..).zip(table.columns).map(|(at, (_, kind))| kind.value(row, at));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                insert.execute(params_from_iter(values))?;
            }
            copied = (copied + fetched.len() as u64).min(*rows);
        }
        client.batch_execute("CLOSE copied").await?;
        done += size;
    }
    transaction.commit()?;
    progress(bytes, bytes);
    Ok(())
}

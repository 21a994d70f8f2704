//! Opening the file: its settings, its version, and bringing an older one up to date.

use super::super::error::{LOCK_TIMEOUT_SECONDS, StoreError};
use super::super::maintenance::Migration;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::ffi::c_int;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// What makes each version of the schema out of the one before; the first out of nothing.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
];

/// How many pages, of 4 KiB, the write-ahead log takes before what it holds goes into the file: a
/// page that is changed in several commits is written there once.
pub(super) const PAGES_PER_CHECKPOINT: c_int = 4000;

/// The memory of a connection for pages, in KiB, below zero as SQLite wants it: what one commit
/// changes fits in.
const CACHE: i64 = -16_000;

/// Marks the file as a Playdock store in its header: "PLDK".
const APPLICATION_ID: i64 = 0x504C_444B;

/// Opens the file and brings it up to date.
pub(in super::super) fn open(path: &Path) -> Result<(Connection, Migration), StoreError> {
    let mut connection = connect(path)?;
    let migration = migrate(&mut connection, path)?;
    Ok((connection, migration))
}

/// Opens the file for reading alone, whatever version of a store it is up to this program's, and
/// tells its version.
pub(in super::super) fn open_to_read(path: &Path) -> Result<(Connection, i64), StoreError> {
    let cannot_open = |cause: String| StoreError::CannotOpen { store: name(path), cause };
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StoreError::Missing(name(path)));
        }
        Err(error) => return Err(cannot_open(error.to_string())),
        Ok(facts) if facts.is_dir() => return Err(cannot_open("it is a folder".to_owned())),
        Ok(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| cannot_open(error.to_string()))?;
    connection.busy_timeout(Duration::from_secs(LOCK_TIMEOUT_SECONDS))?;
    let numbers = number(&connection, "application_id")
        .and_then(|id| Ok((id, number(&connection, "user_version")?)));
    let (id, version) = numbers.map_err(|error| cannot_read(path, error))?;
    if id != APPLICATION_ID {
        return Err(StoreError::NotAStore(name(path)));
    }
    refuse_newer(path, version)?;
    Ok((connection, version))
}

/// An empty store of a version, in memory.
pub(super) fn example(version: i64) -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory()?;
    for migration in MIGRATIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
        connection.execute_batch(migration)?;
    }
    Ok(connection)
}

/// Opens the file with the settings that every connection has.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)
        .map_err(|error| StoreError::CannotOpen { store: name(path), cause: error.to_string() })?;
    settings(&connection).map_err(|error| cannot_read(path, error))?;
    Ok(connection)
}

/// Why a file could not be read at all.
fn cannot_read(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotAStore(name(path)),
        Some(rusqlite::ErrorCode::CannotOpen) => {
            StoreError::CannotOpen { store: name(path), cause: error.to_string() }
        }
        Some(rusqlite::ErrorCode::ReadOnly) => {
            let cause = "to read it takes writing, and this user may not write the file, or not in \
                its folder";
            StoreError::CannotOpen { store: name(path), cause: cause.to_owned() }
        }
        _ => error.into(),
    }
}

fn settings(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_secs(LOCK_TIMEOUT_SECONDS))?;
    // With WAL, which the file is made with, anything less could lose the latest commits in a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a statement or a savepoint may have to undo is kept in memory: a file, or SQLite's buffer
    // for one, for each of a million statements costs more than they do.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", PAGES_PER_CHECKPOINT)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.set_prepared_statement_cache_capacity(64);
    rusqlite::vtab::array::load_module(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<Migration, StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let is_wal = |connection: &Connection| -> Result<bool, rusqlite::Error> {
        connection.pragma_query_value(None, "journal_mode", |row| {
            Ok(row.get_ref(0)?.as_str()?.eq_ignore_ascii_case("wal"))
        })
    };
    if number(connection, "application_id")? == APPLICATION_ID
        && number(connection, "user_version")? == known
        && is_wal(connection)?
    {
        return Ok(Migration { from: known, to: known });
    }
    // Only now that it is empty or ours may it be changed.
    refuse_others(connection, path)?;
    refuse_newer(path, number(connection, "user_version")?)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Two processes may come here at once: the lock decides, and the second finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = number(&transaction, "user_version")?;
    refuse_newer(path, version)?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(Migration { from: version, to: known })
}

/// What people call the store in a file.
fn name(path: &Path) -> String {
    path.display().to_string()
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn refuse_newer(path: &Path, found: i64) -> Result<(), StoreError> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match found > known {
        true => Err(StoreError::Newer { store: name(path), found, known }),
        false => Ok(()),
    }
}

/// Refuses a file that holds tables of something else.
fn refuse_others(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let ours: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match tables > 0 && ours != APPLICATION_ID {
        true => Err(StoreError::NotAStore(name(path))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::running::Running;
    use super::super::{executions, ledger};
    use super::*;
    use crate::incidents::{Begun, Conditions, ExecutionRecords, NewExecution, SqliteStore};

    #[test]
    fn a_store_is_made_once_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        open(&path).unwrap().0.execute_batch("INSERT INTO site VALUES (1, 'A', 'UTC')").unwrap();
        let again = open(&path).unwrap().0;
        let sites: i64 =
            again.query_row("SELECT count(*) FROM site", [], |row| row.get(0)).unwrap();
        assert_eq!(sites, 1);
    }

    #[test]
    fn a_store_of_version_1_is_brought_up_with_its_executions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute_batch(
            "INSERT INTO execution (execution_id, command, plugin, plugin_version, plugin_digest,
                 mode, site, parameters, parameters_digest, started_at, state, columns)
             VALUES ('old', 'C', 'p', '1', 'd', 'automatic', 'A', '{}', 'e', 0, 'interrupted', '[]')",
        )
        .unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);

        let store = SqliteStore::open(&path).unwrap();
        let (key, record) = store.execution("old").unwrap().unwrap();
        assert_eq!((record.begun.command.as_str(), &record.begun.conditions), ("C", &None));
        // Whoever goes on with it notes the conditions.
        let conditions = Some(Conditions {
            trusted: "signed".to_owned(),
            signing_key: Some("CE9F91EF0E49089E".to_owned()),
            isolation: "worker".to_owned(),
            unprotected: "a\nb".to_owned(),
        });
        let again = NewExecution { conditions, ..record.begun };
        assert_eq!(store.begin(&again, Box::new(|| ())).unwrap(), Begun::Resumed(key));
        assert_eq!(store.execution("old").unwrap().unwrap().1.begun, again);
        let new = NewExecution { id: "new".to_owned(), ..again };
        let (told, durable) = std::sync::mpsc::channel();
        let begun = store
            .begin(
                &new,
                Box::new(move || {
                    let _ = told.send(());
                }),
            )
            .unwrap();
        assert!(matches!(begun, Begun::New(_)));
        durable.recv().unwrap();
        assert_eq!(store.execution("new").unwrap().unwrap().1.begun, new);
    }

    #[test]
    fn a_newer_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        open(&path).unwrap().0.pragma_update(None, "user_version", 99).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("made by a newer playdock"));
    }

    #[test]
    fn something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.db");
        std::fs::write(&text, "not a database, but long enough to have a header".repeat(9))
            .unwrap();
        assert!(matches!(open(&text), Err(StoreError::NotAStore(_))));

        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE song (title)").unwrap();
        assert!(matches!(open(&other), Err(StoreError::NotAStore(_))));

        assert!(matches!(
            open(&folder.path().join("no/such/a.db")),
            Err(StoreError::CannotOpen { .. })
        ));
    }

    #[test]
    fn a_store_of_the_first_version_keeps_its_journal_and_its_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let old = connect(&path).unwrap();
        let first = MIGRATIONS[0];
        let rows = "INSERT INTO site VALUES (1, 'A', 'UTC');
            INSERT INTO incident (id, site, number, status, imported_at) VALUES (7, 1, 'N', 'Open', 0);
            INSERT INTO execution (id, execution_id, command, plugin, plugin_version,
                plugin_digest, mode, site, parameters, parameters_digest, started_at, state, columns)
            VALUES (3, 'E', '', '', '', '', 'automatic', 'A', '{\"a\":1}', '', 0, 'finished', '');
            INSERT INTO ledger VALUES (3, 0, 1, NULL, 'M', NULL, 'Failed', 'not-found', 'none', '[]'),
                (3, 1, 0, 7, NULL, 'close', 'Successful', NULL, NULL, '[\"Closed\"]');";
        let version = format!(
            "{first}{rows}PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1"
        );
        old.execute_batch(&version).unwrap();
        drop(old);

        let (new, _) = open(&path).unwrap();
        let running = Running::of(&path);
        let (key, record) = executions::execution(&new, "E", &running).unwrap().unwrap();
        assert_eq!(record.begun.parameters, "{\"a\":1}");
        let lines_read = ledger::read(&new, key).unwrap();
        let lines: Vec<String> = lines_read
            .iter()
            .map(|line| {
                format!(
                    "{} {} {} {:?}",
                    line.sequence,
                    line.number,
                    line.change.is_some(),
                    line.row
                )
            })
            .collect();
        assert!(
            lines[0].starts_with("1 N true Row { result: Successful, reason: None"),
            "{lines:?}"
        );
        assert!(lines[0].contains("Closed"), "{lines:?}");
        assert!(lines[1].starts_with("0 M false Row { result: Failed"), "{lines:?}");
        assert!(lines[1].contains("not-found") && lines[1].contains("none"), "{lines:?}");
        let broken: Vec<String> = new
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(broken, [""; 0]);
    }
}

//! What the bare work costs, written straight on rusqlite: the settings of the connection are
//! those of the store.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use std::rc::Rc;

const AT: i64 = 1_611_756_480_000;

/// A connection like the store's own.
fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.pragma_update(None, "temp_store", "MEMORY").unwrap();
    connection.pragma_update(None, "wal_autocheckpoint", 4000).unwrap();
    connection.pragma_update(None, "cache_size", -16_000).unwrap();
    rusqlite::vtab::array::load_module(&connection).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

/// Notes an execution for the changes to refer to.
fn begin(connection: &Connection) -> i64 {
    connection
        .execute(
            "INSERT INTO execution (execution_id, command, plugin, plugin_version, plugin_digest,
                 mode, site, parameters_digest, started_at, state, columns)
             VALUES ('bare', '', '', '', '', 'automatic', '', '', 0, 'finished', '')",
            [],
        )
        .unwrap();
    connection.last_insert_rowid()
}

/// One statement that closes all incidents, in one transaction.
pub(crate) fn bare_update(path: &Path, numbers: &[String]) -> impl FnOnce() {
    let connection = connect(path);
    let execution = begin(&connection);
    let values: Vec<Value> = numbers.iter().map(|number| Value::from(number.clone())).collect();
    let values = Rc::new(values);
    move || {
        let changed = connection
            .execute(
                "UPDATE incident SET status = 'Closed', version = version + 1, closed_at = ?1,
                     closed_by = ?2, closed_in = ?3, conclusion = conclusion || ?4
                 WHERE site = 1 AND number IN rarray(?5)",
                (AT, "admin user", execution, "", &values),
            )
            .unwrap();
        assert_eq!(changed, values.len());
    }
}

/// The loop that one would write: each incident looked up with what both rules ask for, closed if
/// nothing keeps it open, and noted in the audit, all in one transaction.
pub(crate) fn row_by_row(path: &Path, numbers: &[String]) -> impl FnOnce() {
    let connection = connect(path);
    let execution = begin(&connection);
    let numbers = numbers.to_vec();
    move || {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        {
            let mut look = connection
                .prepare(
                    "SELECT id, status, version, octet_length(conclusion) FROM incident
                     WHERE site = 1 AND number = ?1",
                )
                .unwrap();
            let mut tasks = connection
                .prepare(
                    "SELECT 1 FROM task WHERE incident = ?1 AND required = 1
                     AND status NOT IN ('Completed', 'Cancelled', 'Skipped')",
                )
                .unwrap();
            let mut fields = connection
                .prepare(
                    "SELECT 1 FROM field WHERE incident = ?1 AND required_on_close = 1
                     AND visible = 1 AND value IN ('null', '\"\"', '[]')",
                )
                .unwrap();
            let mut update = connection
                .prepare(
                    "UPDATE incident SET status = 'Closed', version = version + 1, closed_at = ?1,
                         closed_by = ?2, closed_in = ?3, conclusion = conclusion || ?4
                     WHERE id = ?5 AND version = ?6",
                )
                .unwrap();
            let mut audit = connection
                .prepare(
                    "INSERT INTO audit (incident, execution, action, at, acting_user,
                         before_status, before_version, before_conclusion_bytes)
                     VALUES (?1, ?2, 'close', ?3, ?4, ?5, ?6, ?7)",
                )
                .unwrap();
            for number in &numbers {
                let (id, status, version, conclusion) = look
                    .query_row([number], |row| {
                        Ok((
                            row.get::<_, i64>(0)?,
                            row.get::<_, String>(1)?,
                            row.get::<_, i64>(2)?,
                            row.get::<_, i64>(3)?,
                        ))
                    })
                    .optional()
                    .unwrap()
                    .unwrap();
                if tasks.exists([id]).unwrap() || fields.exists([id]).unwrap() {
                    continue;
                }
                let actor = "admin user";
                assert_eq!(update.execute((AT, actor, execution, "", id, version)).unwrap(), 1);
                audit.execute((id, execution, AT, actor, status, version, conclusion)).unwrap();
            }
        }
        connection.execute_batch("COMMIT").unwrap();
    }
}

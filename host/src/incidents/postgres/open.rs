//! Making the schema of a store, and bringing an older one up to date. Two hosts may come here at
//! once: a lock decides, and the second finds it done.

use super::super::error::StoreError;
use super::super::maintenance::Migration;
use super::connections::{Client, Connections, FIRST_PATIENCE, SCHEMA};
use super::failed::Failed;

/// What makes each version of the schema out of the one before; the first out of nothing.
const MIGRATIONS: &[(i64, &str)] = &[(5, include_str!("schema.sql"))];

/// The latest version that this program knows.
pub(super) const KNOWN: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The oldest PostgreSQL that is supported, as the server numbers its versions.
const OLDEST_SERVER: i32 = 14_00_00;

/// The key of the lock under which a schema is changed: "PLDK".
const LOCK: i64 = 0x504C_444B;

/// How long a host waits for another one that changes the schema.
const LOCK_TIMEOUT: &str = "60s";

/// Brings the store up to the version of this program, and makes it where there is none.
pub(super) fn migrate(connections: &Connections) -> Result<Migration, StoreError> {
    let found = connections.repeat_for(FIRST_PATIENCE, async |client| {
        suitable(client, connections).await?;
        version(client, connections).await
    })?;
    if found == KNOWN {
        return Ok(Migration { from: KNOWN, to: KNOWN });
    }
    connections.once(async |client| {
        client
            .batch_execute(&format!(
                "BEGIN; SET LOCAL lock_timeout TO '{LOCK_TIMEOUT}';
                 SET LOCAL statement_timeout TO 0; SELECT pg_advisory_xact_lock({LOCK})"
            ))
            .await?;
        let from = version(client, connections).await?;
        if from == 0 {
            client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}")).await?;
        }
        make(client, from).await?;
        client.batch_execute("COMMIT").await?;
        Ok(Migration { from, to: KNOWN })
    })
}

/// Makes each later version out of the one before, in the transaction that is open, in the schema
/// that is on the search path.
pub(super) async fn make(client: &Client, from: i64) -> Result<(), Failed> {
    for (version, migration) in MIGRATIONS.iter().filter(|(version, _)| *version > from) {
        client.batch_execute(migration).await?;
        client.batch_execute(&format!("INSERT INTO version (version) VALUES ({version})")).await?;
    }
    Ok(())
}

/// The version of the store; 0 where there is none.
pub(super) async fn version(client: &Client, connections: &Connections) -> Result<i64, Failed> {
    let store = || connections.address().to_string();
    let tables = client
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE relname = 'version') FROM pg_class
             WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')",
            &[&SCHEMA],
        )
        .await?;
    match (tables.try_get::<_, i64>(0)?, tables.try_get::<_, i64>(1)?) {
        (0, _) => return Ok(0),
        (_, 0) => {
            let cause = format!("its schema {SCHEMA} holds something else: name another database");
            return Err(StoreError::CannotOpen { store: store(), cause }.into());
        }
        _ => {}
    }
    let found = format!("SELECT coalesce(max(version), 0) FROM {SCHEMA}.version");
    let found: i64 = client.query_one(&found, &[]).await?.try_get(0)?;
    match found > KNOWN {
        true => Err(StoreError::Newer { store: store(), found, known: KNOWN }.into()),
        false => Ok(found),
    }
}

/// Refuses a server that is too old, and a database that can't hold every text.
async fn suitable(client: &Client, connections: &Connections) -> Result<(), Failed> {
    let server = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                 current_setting('server_encoding')",
            &[],
        )
        .await?;
    let (number, version, encoding): (i32, String, String) =
        (server.try_get(0)?, server.try_get(1)?, server.try_get(2)?);
    match unsuitable(number, &version, &encoding) {
        None => Ok(()),
        Some(cause) => {
            let store = connections.address().to_string();
            Err(StoreError::CannotOpen { store, cause }.into())
        }
    }
}

/// Why a store can't be in a database of a server of this version, in this encoding, if it can't.
fn unsuitable(number: i32, version: &str, encoding: &str) -> Option<String> {
    if number < OLDEST_SERVER {
        return Some(format!(
            "its server is PostgreSQL {version}, and 14 is the oldest that is supported"
        ));
    }
    (encoding != "UTF8")
        .then(|| format!("its encoding is {encoding}: make a database with the encoding UTF8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_and_a_database_of_another_encoding_are_refused() {
        let old = unsuitable(13_00_14, "13.14 (Debian 13.14-1)", "UTF8").unwrap();
        let said = "its server is PostgreSQL 13.14 (Debian 13.14-1), and 14 is the oldest that is supported";
        assert_eq!(old, said);
        assert!(
            unsuitable(15_00_18, "15.18", "LATIN1").unwrap().contains("its encoding is LATIN1")
        );
        assert_eq!(unsuitable(14_00_00, "14.0", "UTF8"), None);
    }
}

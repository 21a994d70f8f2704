//! The conditions under which the code of an execution ran, in its row of the journal.

use super::super::error::StoreError;
use super::super::records::{Conditions, ExecutionKey};
use rusqlite::{Connection, Row};

/// Notes the conditions of an execution that goes on, in place of those of before.
pub(super) fn note(
    connection: &Connection,
    key: ExecutionKey,
    conditions: Option<&Conditions>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE execution SET trusted = ?1, signing_key = ?2, isolation = ?3, unprotected = ?4
         WHERE id = ?5",
    )?;
    statement.execute((
        conditions.map(|it| &it.trusted),
        conditions.and_then(|it| it.signing_key.as_ref()),
        conditions.map(|it| &it.isolation),
        conditions.map(|it| &it.unprotected),
        key.0,
    ))?;
    Ok(())
}

/// Reads the conditions out of a row of the journal; an execution of a store of version 1 has none.
pub(super) fn read(row: &Row<'_>) -> Result<Option<Conditions>, rusqlite::Error> {
    let Some(trusted) = row.get("trusted")? else {
        return Ok(None);
    };
    Ok(Some(Conditions {
        trusted,
        signing_key: row.get("signing_key")?,
        isolation: row.get("isolation")?,
        unprotected: row.get("unprotected")?,
    }))
}

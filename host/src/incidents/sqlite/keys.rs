//! The keys of remote clients in SQLite.

use super::super::error::StoreError;
use super::super::keys::{ApiKey, ApiKeyId, Limits, NewApiKey, Proof};
use playdock_plugin_api::Timestamp;
use rusqlite::{Connection, Row};

pub(super) fn add(connection: &Connection, key: &NewApiKey) -> Result<bool, StoreError> {
    let (digest, sealed) = match &key.proof {
        Proof::Secret(digest) => (Some(&digest[..]), None),
        Proof::Signature(sealed) => (None, Some(&sealed[..])),
    };
    let inserted = connection.execute(
        "INSERT INTO api_key (public_id, name, secret_digest, sealed_secret, commands, sites, users,
             created_at, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
         WHERE NOT EXISTS (SELECT 1 FROM api_key WHERE name = ?2 AND revoked_at IS NULL)",
        rusqlite::params![
            key.public_id,
            key.name,
            digest,
            sealed,
            as_json(key.limits.commands.as_ref()),
            as_json(key.limits.sites.as_ref()),
            as_json(key.limits.users.as_ref()),
            Timestamp::now().milliseconds(),
            key.expires_at.map(Timestamp::milliseconds),
        ],
    )?;
    Ok(inserted == 1)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<ApiKey>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, public_id, name, secret_digest, sealed_secret, commands, sites, users,
             created_at, expires_at, revoked_at, last_used_at
         FROM api_key ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read(row)?);
    }
    Ok(keys)
}

pub(super) fn revoke(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    let revoked = connection.execute(
        "UPDATE api_key SET revoked_at = ?1, sealed_secret = iif(sealed_secret IS NULL, NULL, x'')
         WHERE name = ?2 AND revoked_at IS NULL",
        (Timestamp::now().milliseconds(), name),
    )?;
    Ok(revoked > 0)
}

pub(super) fn note_uses(
    connection: &Connection,
    uses: &[(ApiKeyId, Timestamp)],
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE api_key SET last_used_at = max(coalesce(last_used_at, ?1), ?1) WHERE id = ?2",
    )?;
    for (key, at) in uses {
        statement.execute((at.milliseconds(), key.0))?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    let instant = |index| -> Result<Option<Timestamp>, rusqlite::Error> {
        Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_milliseconds))
    };
    let proof = match row.get::<_, Option<Vec<u8>>>(3)? {
        Some(digest) => Proof::Secret(digest.try_into().map_err(|_| unreadable("its length"))?),
        None => Proof::Signature(row.get(4)?),
    };
    Ok(ApiKey {
        id: ApiKeyId(row.get(0)?),
        made: NewApiKey {
            public_id: row.get(1)?,
            name: row.get(2)?,
            proof,
            limits: Limits {
                commands: names(row, 5)?,
                sites: names(row, 6)?,
                users: names(row, 7)?,
            },
            expires_at: instant(9)?,
        },
        created_at: Timestamp::from_milliseconds(row.get(8)?),
        revoked_at: instant(10)?,
        last_used_at: instant(11)?,
    })
}

fn names(row: &Row<'_>, column: usize) -> Result<Option<Vec<String>>, StoreError> {
    let json: Option<String> = row.get(column)?;
    json.map(|json| serde_json::from_str(&json).map_err(unreadable)).transpose()
}

/// Names as the text of a JSON array, which holds any of them.
fn as_json(names: Option<&Vec<String>>) -> Option<String> {
    names.map(|names| serde_json::Value::from(names.as_slice()).to_string())
}

fn unreadable(cause: impl ToString) -> StoreError {
    StoreError::Unreadable { what: "an API key", cause: cause.to_string() }
}

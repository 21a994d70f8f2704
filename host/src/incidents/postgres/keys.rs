//! The keys of remote clients in PostgreSQL.

use super::super::error::StoreError;
use super::super::keys::{ApiKey, ApiKeyId, Limits, NewApiKey, Proof};
use super::connections::Client;
use super::failed::Failed;
use playdock_plugin_api::Timestamp;
use tokio_postgres::Row;

/// Stores a key. Called again for the same, since it isn't known whether it was stored, it finds it.
pub(super) async fn add(client: &Client, key: &NewApiKey) -> Result<bool, Failed> {
    let (digest, sealed) = match &key.proof {
        Proof::Secret(digest) => (Some(&digest[..]), None),
        Proof::Signature(sealed) => (None, Some(&sealed[..])),
    };
    let statement = client
        .prepare_cached(
            "INSERT INTO api_key (public_id, name, secret_digest, sealed_secret, commands, sites,
                 users, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .await?;
    let inserted = client
        .execute(
            &statement,
            &[
                &key.public_id,
                &key.name,
                &digest,
                &sealed,
                &as_json(key.limits.commands.as_ref()),
                &as_json(key.limits.sites.as_ref()),
                &as_json(key.limits.users.as_ref()),
                &Timestamp::now().milliseconds(),
                &key.expires_at.map(Timestamp::milliseconds),
            ],
        )
        .await?;
    if inserted == 1 {
        return Ok(true);
    }
    let same = "SELECT 1 FROM api_key WHERE public_id = $1 AND name = $2";
    let statement = client.prepare_cached(same).await?;
    Ok(client.query_opt(&statement, &[&key.public_id, &key.name]).await?.is_some())
}

pub(super) async fn all(client: &Client) -> Result<Vec<ApiKey>, Failed> {
    let statement = client
        .prepare_cached(
            "SELECT id, public_id, name, secret_digest, sealed_secret, commands, sites, users,
                 created_at, expires_at, revoked_at, last_used_at
             FROM api_key ORDER BY id",
        )
        .await?;
    client.query(&statement, &[]).await?.iter().map(read).collect()
}

/// Revokes a key. Where that was tried before, and it isn't known what came of it, the moment tells
/// whether it was this that revoked it.
pub(super) async fn revoke(
    client: &Client,
    name: &str,
    at: Timestamp,
    tried: bool,
) -> Result<bool, Failed> {
    let statement = client
        .prepare_cached(
            "UPDATE api_key SET revoked_at = $2,
                 sealed_secret = CASE WHEN sealed_secret IS NOT NULL THEN ''::bytea END
             WHERE name = $1 AND revoked_at IS NULL",
        )
        .await?;
    let revoked = client.execute(&statement, &[&name, &at.milliseconds()]).await?;
    if revoked > 0 || !tried {
        return Ok(revoked > 0);
    }
    let same = "SELECT 1 FROM api_key WHERE name = $1 AND revoked_at = $2";
    let statement = client.prepare_cached(same).await?;
    Ok(!client.query(&statement, &[&name, &at.milliseconds()]).await?.is_empty())
}

pub(super) async fn note_uses(
    client: &Client,
    uses: &[(ApiKeyId, Timestamp)],
) -> Result<(), Failed> {
    let mut uses: Vec<(i64, i64)> =
        uses.iter().map(|(key, at)| (key.0, at.milliseconds())).collect();
    // In the order of the keys, which every host locks them in.
    uses.sort_unstable();
    let (keys, times): (Vec<i64>, Vec<i64>) = uses.into_iter().unzip();
    let statement = client
        .prepare_cached(
            "WITH used AS MATERIALIZED (
                 SELECT api_key.id, used.at
                 FROM (SELECT id, max(at) AS at FROM unnest($1::bigint[], $2::bigint[])
                     AS used (id, at) GROUP BY id ORDER BY id) AS used
                 JOIN api_key ON api_key.id = used.id
                 ORDER BY api_key.id FOR NO KEY UPDATE OF api_key)
             UPDATE api_key SET last_used_at = greatest(last_used_at, used.at)
             FROM used WHERE api_key.id = used.id",
        )
        .await?;
    client.execute(&statement, &[&keys, &times]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<ApiKey, Failed> {
    let instant = |index| -> Result<Option<Timestamp>, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<i64>>(index)?.map(Timestamp::from_milliseconds))
    };
    let proof = match row.try_get::<_, Option<&[u8]>>(3)? {
        Some(digest) => Proof::Secret(digest.try_into().map_err(unreadable)?),
        None => Proof::Signature(row.try_get(4)?),
    };
    Ok(ApiKey {
        id: ApiKeyId(row.try_get(0)?),
        made: NewApiKey {
            public_id: row.try_get(1)?,
            name: row.try_get(2)?,
            proof,
            limits: Limits {
                commands: names(row.try_get(5)?)?,
                sites: names(row.try_get(6)?)?,
                users: names(row.try_get(7)?)?,
            },
            expires_at: instant(9)?,
        },
        created_at: Timestamp::from_milliseconds(row.try_get(8)?),
        revoked_at: instant(10)?,
        last_used_at: instant(11)?,
    })
}

fn names(json: Option<&str>) -> Result<Option<Vec<String>>, StoreError> {
    json.map(|json| serde_json::from_str(json).map_err(unreadable)).transpose()
}

/// Names as the text of a JSON array, which holds any of them.
fn as_json(names: Option<&Vec<String>>) -> Option<String> {
    names.map(|names| serde_json::Value::from(names.as_slice()).to_string())
}

fn unreadable(cause: impl ToString) -> StoreError {
    StoreError::Unreadable { what: "an API key", cause: cause.to_string() }
}

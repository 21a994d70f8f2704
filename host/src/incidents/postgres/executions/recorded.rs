//! Executions as the journal has them.

use super::super::super::keys::ApiKeyId;
use super::super::super::records::{
    Conditions, ExecutionKey, ExecutionRecord, ExecutionState, NewExecution,
};
use super::super::connections::Client;
use super::super::failed::{Failed, unreadable};
use super::super::leases::{self, NOW};
use super::super::look::can_be_stored;
use playdock_plugin_api::{Mode, Timestamp};
use tokio_postgres::Row;

/// Selects what is read of executions.
pub(super) fn selecting(which: &str) -> String {
    format!(
        "SELECT execution.id, execution_id, command, plugin, plugin_version, plugin_digest, mode,
             site, requested_by, acting_user,
             (SELECT json FROM execution_parameters
                 WHERE execution_parameters.execution = execution.id) AS parameters,
             parameters_digest, clock, started_at, finished_at, state, return_data, error, outputs,
             lease_owner, lease_until > {NOW} AS lease_fresh, columns, trusted, signing_key,
             isolation, unprotected, api_key
         FROM execution {which}"
    )
}

/// An execution, and who holds its lease.
pub(super) struct Found {
    pub(super) key: ExecutionKey,
    pub(super) record: ExecutionRecord,
    /// The name of the lease, and whether it has not run out.
    pub(super) lease: Option<(String, bool)>,
}

impl Found {
    /// Whether a host that lives runs it.
    pub(super) fn is_held(&self) -> bool {
        self.lease.as_ref().is_some_and(|(name, fresh)| leases::is_held(name, *fresh))
    }
}

pub(in super::super) async fn execution(
    client: &Client,
    id: &str,
) -> Result<Option<(ExecutionKey, ExecutionRecord)>, Failed> {
    if !can_be_stored(id) {
        return Ok(None);
    }
    let statement = client.prepare_cached(&selecting("WHERE execution_id = $1")).await?;
    let Some(row) = client.query_opt(&statement, &[&id]).await? else { return Ok(None) };
    let found = read(&row)?;
    Ok(Some((found.key, seen(found))))
}

pub(in super::super) async fn begun_by(
    client: &Client,
    id: &str,
) -> Result<Option<ApiKeyId>, Failed> {
    if !can_be_stored(id) {
        return Ok(None);
    }
    let statement =
        client.prepare_cached("SELECT api_key FROM execution WHERE execution_id = $1").await?;
    let Some(row) = client.query_opt(&statement, &[&id]).await? else { return Ok(None) };
    Ok(row.try_get::<_, Option<i64>>(0)?.map(ApiKeyId))
}

pub(in super::super) async fn latest(
    client: &Client,
    count: usize,
) -> Result<Vec<ExecutionRecord>, Failed> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let statement = client.prepare_cached(&selecting("ORDER BY id DESC LIMIT $1")).await?;
    let rows = client.query(&statement, &[&count]).await?;
    rows.iter().map(|row| Ok(seen(read(row)?))).collect()
}

/// An execution as others see it: one whose host died is interrupted.
fn seen(mut found: Found) -> ExecutionRecord {
    if found.record.state == ExecutionState::Running && !found.is_held() {
        found.record.state = ExecutionState::Interrupted;
    }
    found.record
}

/// Reads what [`selecting`] selects.
pub(super) fn read(row: &Row) -> Result<Found, Failed> {
    let instant = |column| -> Result<Option<Timestamp>, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<i64>>(column)?.map(Timestamp::from_milliseconds))
    };
    let outputs: Option<&str> = row.try_get("outputs")?;
    let api_key: Option<i64> = row.try_get("api_key")?;
    let lease: Option<String> = row.try_get("lease_owner")?;
    Ok(Found {
        key: ExecutionKey(row.try_get("id")?),
        record: ExecutionRecord {
            begun: NewExecution {
                id: row.try_get("execution_id")?,
                command: row.try_get("command")?,
                plugin: row.try_get("plugin")?,
                plugin_version: row.try_get("plugin_version")?,
                plugin_digest: row.try_get("plugin_digest")?,
                conditions: conditions(row)?,
                mode: match row.try_get("mode")? {
                    "manual" => Mode::Manual,
                    _ => Mode::Automatic,
                },
                site: row.try_get("site")?,
                requested_by: row.try_get("requested_by")?,
                api_key: api_key.map(ApiKeyId),
                acting_user: row.try_get("acting_user")?,
                parameters: row.try_get("parameters")?,
                parameters_digest: row.try_get("parameters_digest")?,
                clock: instant("clock")?,
                columns: row.try_get("columns")?,
            },
            started_at: Timestamp::from_milliseconds(row.try_get("started_at")?),
            finished_at: instant("finished_at")?,
            state: match row.try_get("state")? {
                "finished" => ExecutionState::Finished,
                "interrupted" => ExecutionState::Interrupted,
                _ => ExecutionState::Running,
            },
            return_data: row.try_get("return_data")?,
            error: row.try_get("error")?,
            outputs: match outputs {
                Some(json) => {
                    serde_json::from_str(json).map_err(unreadable("an execution's outputs"))?
                }
                None => Default::default(),
            },
        },
        lease: lease.zip(row.try_get("lease_fresh")?),
    })
}

fn conditions(row: &Row) -> Result<Option<Conditions>, Failed> {
    let Some(trusted) = row.try_get("trusted")? else { return Ok(None) };
    Ok(Some(Conditions {
        trusted,
        signing_key: row.try_get("signing_key")?,
        isolation: row.try_get("isolation")?,
        unprotected: row.try_get("unprotected")?,
    }))
}

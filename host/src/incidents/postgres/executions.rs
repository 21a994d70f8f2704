//! The journal of executions: how they begin and end. Whatever two hosts do at once, the row of an
//! execution decides: it is inserted by one, and locked by whoever looks whether it can be taken over.
//! Reading it is `recorded`'s.

mod recorded;

pub(super) use recorded::{begun_by, execution, latest};

use super::super::error::StoreError;
use super::super::lease::LEASE_MILLISECONDS;
use super::super::records::{Begun, Ending, ExecutionKey, ExecutionState, NewExecution};
use super::connections::Client;
use super::failed::Failed;
use super::leases::{NOW, Name};
use super::look::{can_be_stored, storable_text};
use playdock_plugin_api::{Mode, Timestamp};
use std::borrow::Cow;

/// Begins an execution under a lease of this name. Called again with the same name, since it isn't
/// known whether it was begun, it finds it.
pub(super) async fn begin(
    client: &Client,
    new: &NewExecution,
    name: &Name,
) -> Result<Begun, Failed> {
    let new = &storable(new);
    if let Some(key) = insert(client, new, name).await? {
        return Ok(Begun::New(key));
    }
    client.batch_execute("BEGIN").await?;
    let begun = find_or_take_over(client, new, name).await?;
    client.batch_execute("COMMIT").await?;
    Ok(begun)
}

/// Inserts an execution that there wasn't yet, with its parameters.
async fn insert(
    client: &Client,
    new: &NewExecution,
    name: &Name,
) -> Result<Option<ExecutionKey>, Failed> {
    let statement = client
        .prepare_cached(&format!(
            "WITH new AS (
                 INSERT INTO execution (execution_id, command, plugin, plugin_version,
                     plugin_digest, mode, site, requested_by, acting_user, parameters_digest, clock,
                     started_at, lease_owner, lease_until, columns, api_key, trusted, signing_key,
                     isolation, unprotected, state)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     {NOW} + {LEASE_MILLISECONDS}, $14, $15, $16, $17, $18, $19, 'running')
                 ON CONFLICT (execution_id) DO NOTHING RETURNING id)
             INSERT INTO execution_parameters (execution, json)
                 SELECT id, $20 FROM new RETURNING execution"
        ))
        .await?;
    let conditions = new.conditions.as_ref();
    let row = client
        .query_opt(
            &statement,
            &[
                &new.id,
                &new.command,
                &new.plugin,
                &new.plugin_version,
                &new.plugin_digest,
                &mode_text(new.mode),
                &new.site,
                &new.requested_by,
                &new.acting_user,
                &new.parameters_digest,
                &new.clock.map(Timestamp::milliseconds),
                &Timestamp::now().milliseconds(),
                &name.as_str(),
                &new.columns,
                &new.api_key.map(|key| key.0),
                &conditions.map(|it| &it.trusted),
                &conditions.and_then(|it| it.signing_key.as_ref()),
                &conditions.map(|it| &it.isolation),
                &conditions.map(|it| &it.unprotected),
                &new.parameters,
            ],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(ExecutionKey(row.try_get(0)?)),
        None => None,
    })
}

/// Finds an execution, and takes it over where it was interrupted and nobody runs it, in the
/// transaction that is open.
async fn find_or_take_over(
    client: &Client,
    new: &NewExecution,
    name: &Name,
) -> Result<Begun, Failed> {
    let locked = recorded::selecting("WHERE execution_id = $1 FOR NO KEY UPDATE OF execution");
    let statement = client.prepare_cached(&locked).await?;
    let found = recorded::read(&client.query_one(&statement, &[&new.id]).await?)?;
    if found.lease.as_ref().is_some_and(|(held, _)| held == name.as_str()) {
        // It was begun, and the answer lost.
        return Ok(Begun::Resumed(found.key));
    }
    let before = &found.record.begun;
    if let Some(what) = new.asks_otherwise_than(before) {
        return Ok(Begun::Conflict(what));
    }
    if found.record.state == ExecutionState::Finished {
        return Ok(Begun::Finished(found.key, Box::new(found.record)));
    }
    if let Some(what) = new.runs_otherwise_than(before) {
        return Ok(Begun::Conflict(what));
    }
    if found.is_held() {
        return Ok(Begun::Running);
    }
    let statement = client
        .prepare_cached(&format!(
            "UPDATE execution SET state = 'running', lease_owner = $2,
                 lease_until = {NOW} + {LEASE_MILLISECONDS}, plugin = $3, plugin_version = $4,
                 plugin_digest = $5, acting_user = coalesce($6, acting_user), trusted = $7,
                 signing_key = $8, isolation = $9, unprotected = $10, finished_at = NULL,
                 return_data = NULL, error = NULL, outputs = NULL
             WHERE id = $1"
        ))
        .await?;
    let conditions = new.conditions.as_ref();
    client
        .execute(
            &statement,
            &[
                &found.key.0,
                &name.as_str(),
                &new.plugin,
                &new.plugin_version,
                &new.plugin_digest,
                &new.acting_user,
                &conditions.map(|it| &it.trusted),
                &conditions.and_then(|it| it.signing_key.as_ref()),
                &conditions.map(|it| &it.isolation),
                &conditions.map(|it| &it.unprotected),
            ],
        )
        .await?;
    Ok(Begun::Resumed(found.key))
}

/// Notes how an execution ended, at a moment by which it is known that it was this that noted it:
/// called again with the same moment, it finds it noted.
pub(super) async fn end(
    client: &Client,
    key: ExecutionKey,
    name: &Name,
    ending: &Ending,
    at: Timestamp,
) -> Result<(), Failed> {
    let outputs = serde_json::to_string(&ending.outputs)
        .map_err(|error| StoreError::Refused(error.to_string()))?;
    let statement = client
        .prepare_cached(
            "UPDATE execution SET state = $3, return_data = $4, error = $5, outputs = $6,
                 finished_at = $7, lease_owner = NULL, lease_until = NULL
             WHERE id = $1 AND lease_owner = $2",
        )
        .await?;
    let (state, error) = (ending.state.as_str(), storable_text(&ending.error));
    let ended = client
        .execute(
            &statement,
            &[
                &key.0,
                &name.as_str(),
                &state,
                &ending.return_data,
                &error,
                &outputs,
                &at.milliseconds(),
            ],
        )
        .await?;
    if ended == 1 {
        return Ok(());
    }
    let statement = client
        .prepare_cached(
            "SELECT 1 FROM execution WHERE id = $1 AND lease_owner IS NULL AND state = $2
                 AND error = $3 AND finished_at = $4",
        )
        .await?;
    match client.query_opt(&statement, &[&key.0, &state, &error, &at.milliseconds()]).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::TakenOver.into()),
    }
}

/// An execution without characters that PostgreSQL can't hold, in what a client may have sent.
fn storable(new: &NewExecution) -> Cow<'_, NewExecution> {
    let texts = [Some(&new.site), new.requested_by.as_ref(), new.acting_user.as_ref()];
    if texts.into_iter().flatten().all(|text| can_be_stored(text)) {
        return Cow::Borrowed(new);
    }
    let owned = |text: &String| storable_text(text).into_owned();
    Cow::Owned(NewExecution {
        site: owned(&new.site),
        requested_by: new.requested_by.as_ref().map(owned),
        acting_user: new.acting_user.as_ref().map(owned),
        ..new.clone()
    })
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Manual => "manual",
    }
}

//! The journal of executions, and their ledgers.

use super::super::error::StoreError;
use super::super::keys::ApiKeyId;
use super::super::lease::{LEASE_MILLISECONDS, LeaseOwner};
use super::super::records::{
    Begun, Ending, ExecutionKey, ExecutionRecord, ExecutionState, NewExecution,
};
use super::conditions;
use super::running::{Claim, Running};
use playdock_plugin_api::{Mode, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use std::fmt::Display;

const COLUMNS: &str =
    "id, execution_id, command, plugin, plugin_version, plugin_digest, mode, site,
    requested_by, acting_user,
    (SELECT json FROM execution_parameters WHERE execution_parameters.execution = execution.id),
    parameters_digest, clock, started_at, finished_at,
    state, return_data, error, outputs, lease_owner, lease_until, columns,
    trusted, signing_key, isolation, unprotected, api_key";

/// An execution, and who holds its lease.
struct Found {
    key: ExecutionKey,
    record: ExecutionRecord,
    lease: Option<(String, i64)>,
}

impl Found {
    /// Whether a host that lives runs it.
    fn is_held(&self, running: &Running) -> bool {
        let Some((holder, until)) = &self.lease else { return false };
        if *holder == LeaseOwner::this_process_as_text() {
            return running.contains(self.key);
        }
        LeaseOwner::lives(holder).unwrap_or(*until > Timestamp::now().milliseconds())
    }

    /// As others see it: one whose host died is interrupted.
    fn seen(mut self, running: &Running) -> ExecutionRecord {
        if self.record.state == ExecutionState::Running && !self.is_held(running) {
            self.record.state = ExecutionState::Interrupted;
        }
        self.record
    }
}

/// Begins an execution inside the transaction that is open, and claims it for this process.
pub(super) fn begin(
    connection: &Connection,
    new: &NewExecution,
    running: &Running,
) -> Result<(Begun, Option<Claim>), StoreError> {
    let begun = find_or_insert(connection, new, running)?;
    let claim = match &begun {
        Begun::New(key) | Begun::Resumed(key) => Some(running.claim(*key)),
        _ => None,
    };
    Ok((begun, claim))
}

fn find_or_insert(
    connection: &Connection,
    new: &NewExecution,
    running: &Running,
) -> Result<Begun, StoreError> {
    let now = Timestamp::now();
    let Some(found) = find(connection, &new.id)? else {
        return insert(connection, new, now, None, running).map(Begun::New);
    };
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
    if found.is_held(running) {
        return Ok(Begun::Running);
    }
    connection.execute(
        "UPDATE execution SET state = 'running', lease_owner = ?1, lease_until = ?2,
             plugin = ?3, plugin_version = ?4, plugin_digest = ?5,
             acting_user = coalesce(?6, acting_user), finished_at = NULL, return_data = NULL,
             error = NULL, outputs = NULL
         WHERE id = ?7",
        (
            LeaseOwner::this_process_as_text(),
            now.milliseconds() + LEASE_MILLISECONDS,
            &new.plugin,
            &new.plugin_version,
            &new.plugin_digest,
            &new.acting_user,
            found.key.0,
        ),
    )?;
    conditions::note(connection, found.key, new.conditions.as_ref())?;
    Ok(Begun::Resumed(found.key))
}

/// Writes a new execution, which runs, or has ended already. Where that fails, nothing is left of
/// it.
pub(super) fn insert(
    connection: &Connection,
    new: &NewExecution,
    started_at: Timestamp,
    ending: Option<&Ending>,
    running: &Running,
) -> Result<ExecutionKey, StoreError> {
    let key = unused_key(connection, running)?;
    let started_at = started_at.milliseconds();
    let (owner, until) = match ending {
        None => (Some(LeaseOwner::this_process_as_text()), Some(started_at + LEASE_MILLISECONDS)),
        Some(_) => (None, None),
    };
    let outputs = ending.map(outputs_json).transpose()?;
    let conditions = new.conditions.as_ref();
    let mut statement = connection.prepare_cached(
        "INSERT INTO execution (execution_id, command, plugin, plugin_version, plugin_digest, mode,
             site, requested_by, acting_user, parameters_digest, clock, started_at, lease_owner,
             lease_until, columns, api_key, id, state, trusted, signing_key, isolation,
             unprotected, finished_at, return_data, error, outputs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)",
    )?;
    statement.execute(rusqlite::params![
        new.id,
        new.command,
        new.plugin,
        new.plugin_version,
        new.plugin_digest,
        mode_text(new.mode),
        new.site,
        new.requested_by,
        new.acting_user,
        new.parameters_digest,
        new.clock.map(Timestamp::milliseconds),
        started_at,
        owner,
        until,
        new.columns,
        new.api_key.map(|key| key.0),
        key.0,
        ending.map_or(ExecutionState::Running, |ending| ending.state).as_str(),
        conditions.map(|it| &it.trusted),
        conditions.and_then(|it| it.signing_key.as_ref()),
        conditions.map(|it| &it.isolation),
        conditions.map(|it| &it.unprotected),
        ending.map(|_| Timestamp::now().milliseconds()),
        ending.map(|ending| &ending.return_data),
        ending.map(|ending| &ending.error),
        outputs,
    ])?;
    let parameters = connection
        .prepare_cached("INSERT INTO execution_parameters (execution, json) VALUES (?1, ?2)")
        .and_then(|mut statement| statement.execute((key.0, &new.parameters)));
    if let Err(error) = parameters {
        if connection.execute("DELETE FROM execution WHERE id = ?1", [key.0]).is_err()
            && !connection.is_autocommit()
        {
            // What can't be undone alone is undone with all that is in the transaction.
            connection.execute_batch("ROLLBACK")?;
        }
        return Err(error.into());
    }
    Ok(key)
}

fn outputs_json(ending: &Ending) -> Result<String, StoreError> {
    serde_json::to_string(&ending.outputs).map_err(|error| StoreError::Refused(error.to_string()))
}

/// The key of a new execution. One whose beginning was told and then not committed still has its
/// key: another's with the same one would be taken for it.
fn unused_key(connection: &Connection, running: &Running) -> Result<ExecutionKey, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM execution")?;
    let mut key = ExecutionKey(statement.query_row([], |row| row.get(0))?);
    while running.contains(key) {
        key.0 += 1;
    }
    Ok(key)
}

/// Renews the lease of an execution that this process runs.
pub(super) fn renew(connection: &Connection, key: ExecutionKey) -> Result<(), StoreError> {
    let until = Timestamp::now().milliseconds() + LEASE_MILLISECONDS;
    let mut statement = connection.prepare_cached(
        "UPDATE execution SET lease_until = ?1 WHERE id = ?2 AND lease_owner = ?3",
    )?;
    match statement.execute((until, key.0, LeaseOwner::this_process_as_text()))? {
        0 => Err(StoreError::TakenOver),
        _ => Ok(()),
    }
}

/// Notes how an execution ended, if this process still holds it.
pub(super) fn end(
    connection: &Connection,
    key: ExecutionKey,
    ending: &Ending,
) -> Result<(), StoreError> {
    let outputs = outputs_json(ending)?;
    let mut statement = connection.prepare_cached(
        "UPDATE execution SET state = ?1, return_data = ?2, error = ?3, outputs = ?4,
             finished_at = ?5, lease_owner = NULL, lease_until = NULL
         WHERE id = ?6 AND lease_owner = ?7",
    )?;
    let changed = statement.execute((
        ending.state.as_str(),
        &ending.return_data,
        &ending.error,
        outputs,
        Timestamp::now().milliseconds(),
        key.0,
        LeaseOwner::this_process_as_text(),
    ))?;
    if changed == 0 { Err(StoreError::TakenOver) } else { Ok(()) }
}

pub(super) fn execution(
    connection: &Connection,
    id: &str,
    running: &Running,
) -> Result<Option<(ExecutionKey, ExecutionRecord)>, StoreError> {
    Ok(find(connection, id)?.map(|found| (found.key, found.seen(running))))
}

pub(super) fn begun_by(connection: &Connection, id: &str) -> Result<Option<ApiKeyId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT api_key FROM execution WHERE execution_id = ?1")?;
    let key = statement.query_row([id], |row| row.get::<_, Option<i64>>(0)).optional()?;
    Ok(key.flatten().map(ApiKeyId))
}

pub(super) fn latest(
    connection: &Connection,
    count: usize,
    running: &Running,
) -> Result<Vec<ExecutionRecord>, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM execution ORDER BY id DESC LIMIT ?1"))?;
    let mut rows = statement.query([count])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(read(row)?.seen(running));
    }
    Ok(records)
}

fn find(connection: &Connection, id: &str) -> Result<Option<Found>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM execution WHERE execution_id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Result<Found, StoreError> {
    let instant = |index| -> Result<Option<Timestamp>, rusqlite::Error> {
        Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_milliseconds))
    };
    let outputs: Option<String> = row.get(18)?;
    Ok(Found {
        key: ExecutionKey(row.get(0)?),
        record: ExecutionRecord {
            begun: NewExecution {
                id: row.get(1)?,
                command: row.get(2)?,
                plugin: row.get(3)?,
                plugin_version: row.get(4)?,
                plugin_digest: row.get(5)?,
                conditions: conditions::read(row)?,
                mode: match row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)? {
                    "manual" => Mode::Manual,
                    _ => Mode::Automatic,
                },
                site: row.get(7)?,
                requested_by: row.get(8)?,
                acting_user: row.get(9)?,
                parameters: row.get(10)?,
                parameters_digest: row.get(11)?,
                clock: instant(12)?,
                columns: row.get(21)?,
                api_key: row.get::<_, Option<i64>>("api_key")?.map(ApiKeyId),
            },
            started_at: Timestamp::from_milliseconds(row.get(13)?),
            finished_at: instant(14)?,
            state: match row.get_ref(15)?.as_str().map_err(rusqlite::Error::from)? {
                "finished" => ExecutionState::Finished,
                "interrupted" => ExecutionState::Interrupted,
                _ => ExecutionState::Running,
            },
            return_data: row.get(16)?,
            error: row.get(17)?,
            outputs: match outputs {
                Some(json) => {
                    serde_json::from_str(&json).map_err(unreadable("an execution's outputs"))?
                }
                None => Default::default(),
            },
        },
        lease: row.get::<_, Option<String>>(19)?.zip(row.get(20)?),
    })
}

pub(super) fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Automatic => "automatic",
        Mode::Manual => "manual",
    }
}

pub(super) fn unreadable<E: Display>(what: &'static str) -> impl Fn(E) -> StoreError {
    move |error| StoreError::Unreadable { what, cause: error.to_string() }
}

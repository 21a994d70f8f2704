//! Reading what executions need: sites, users, and incidents with the facts that rules judge.

use super::super::error::StoreError;
use super::super::store::{IncidentKey, LookedUp, SiteRecord, UserRecord};
use playdock_plugin_api::{Facts, FieldValue, RequiredField, RequiredTask, Status, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;
use std::rc::Rc;

/// How many numbers one statement resolves: enough to be worth a statement, few enough to bound
/// what SQLite sorts.
const NUMBERS_AT_ONCE: usize = 20_000;

pub(super) fn site(connection: &Connection, name: &str) -> Result<Option<SiteRecord>, StoreError> {
    let read = |row: &Row<'_>| Ok(SiteRecord { name: row.get(0)?, time_zone: row.get(1)? });
    let mut statement =
        connection.prepare_cached("SELECT name, time_zone FROM site WHERE name = ?1")?;
    Ok(statement.query_row([name], read).optional()?)
}

pub(super) fn user(
    connection: &Connection,
    username: &str,
) -> Result<Option<UserRecord>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, active, may_close FROM user WHERE username = ?1")?;
    let found = statement
        .query_row([username], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((id, active, may_close)) = found else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT site.name FROM user_site JOIN site ON site.id = user_site.site
         WHERE user_site.user = ?1 ORDER BY site.name",
    )?;
    let sites = statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Some(UserRecord { username: username.to_owned(), active, may_close, sites }))
}

pub(super) fn resolve(
    connection: &Connection,
    site: &str,
    numbers: &[&str],
) -> Result<Vec<Option<IncidentKey>>, StoreError> {
    let mut keys = vec![None; numbers.len()];
    // In the order of the index, so that neighbours are found beside each other.
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_unstable_by_key(|index| numbers[*index]);
    let mut statement = connection.prepare_cached(
        "SELECT number, id FROM rarray(?2) AS wanted CROSS JOIN incident
         ON number = wanted.value AND site = (SELECT id FROM site WHERE name = ?1)",
    )?;
    for chunk in order.chunks(NUMBERS_AT_ONCE) {
        let wanted: Vec<Value> =
            chunk.iter().map(|index| Value::from(numbers[*index].to_owned())).collect();
        let mut rows = statement.query((site, Rc::new(wanted)))?;
        let mut waiting = chunk.iter();
        while let Some(row) = rows.next()? {
            let number = row.get_ref(0)?.as_bytes().map_err(rusqlite::Error::from)?;
            // Both are in order, and each row is the answer to one of those that wait.
            if let Some(index) = waiting.find(|index| numbers[**index].as_bytes() == number) {
                keys[*index] = Some(IncidentKey(row.get(1)?));
            }
        }
    }
    Ok(keys)
}

pub(super) fn look_up(
    connection: &Connection,
    keys: &[IncidentKey],
) -> Result<Vec<Option<LookedUp>>, StoreError> {
    let places: HashMap<i64, usize> =
        keys.iter().enumerate().map(|(index, key)| (key.0, index)).collect();
    let ids: Rc<Vec<Value>> = Rc::new(keys.iter().map(|key| Value::from(key.0)).collect());
    let mut found: Vec<Option<LookedUp>> = vec![None; keys.len()];

    // CROSS JOIN fixes the order of the loops: from the keys, which are in the order of the tables,
    // to the rows of each, which come in the order of their positions.

    let mut statement = connection.prepare_cached(
        "SELECT id, status, version, closed_at, closed_by, octet_length(conclusion)
         FROM rarray(?1) AS wanted CROSS JOIN incident ON id = wanted.value",
    )?;
    let mut rows = statement.query([&ids])?;
    while let Some(row) = rows.next()? {
        if let Some(place) = places.get(&row.get(0)?) {
            found[*place] = Some(incident(row)?);
        }
    }

    let mut each =
        |row: &Row<'_>, take: &dyn Fn(&Row<'_>, &mut Facts) -> Result<(), StoreError>| {
            let looked_up = places.get(&row.get(0)?).and_then(|place| found[*place].as_mut());
            looked_up.map_or(Ok(()), |looked_up| take(row, &mut looked_up.facts))
        };
    let mut statement = connection.prepare_cached(
        "SELECT incident, title, status FROM rarray(?1) AS wanted
         CROSS JOIN task ON incident = wanted.value AND required = 1",
    )?;
    let mut rows = statement.query([&ids])?;
    while let Some(row) = rows.next()? {
        each(row, &|row, facts| {
            facts.required_tasks.push(RequiredTask { title: row.get(1)?, status: row.get(2)? });
            Ok(())
        })?;
    }
    let mut statement = connection.prepare_cached(
        "SELECT incident, section, name, visible, field.value FROM rarray(?1) AS wanted
         CROSS JOIN field ON incident = wanted.value AND required_on_close = 1",
    )?;
    let mut rows = statement.query([&ids])?;
    while let Some(row) = rows.next()? {
        each(row, &|row, facts| {
            facts.required_fields.push(RequiredField {
                section: row.get(1)?,
                name: row.get(2)?,
                visible: row.get(3)?,
                value: field_value(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?,
            });
            Ok(())
        })?;
    }
    Ok(found)
}

fn incident(row: &Row<'_>) -> Result<LookedUp, StoreError> {
    Ok(LookedUp {
        facts: Facts {
            status: Status::from(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?),
            version: row.get(2)?,
            closed_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_milliseconds),
            closed_by: row.get(4)?,
            required_tasks: Vec::new(),
            required_fields: Vec::new(),
        },
        conclusion_bytes: row.get(5)?,
    })
}

/// The kind of a value that is stored as JSON; only texts and lists have to be read for it.
fn field_value(json: &str) -> Result<FieldValue, StoreError> {
    match json.trim_start().as_bytes().first() {
        Some(b'n' | b'"' | b'[') => {
            serde_json::from_str(json).map(|value| FieldValue::of(&value)).map_err(|error| {
                StoreError::Unreadable { what: "a field's value", cause: error.to_string() }
            })
        }
        _ => Ok(FieldValue::Present),
    }
}

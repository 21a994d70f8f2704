//! Reading what executions need: sites, users, and incidents with the facts that rules judge.

use super::super::error::StoreError;
use super::super::store::{IncidentKey, SiteRecord, UserRecord};
use super::connections::Client;
use super::failed::Failed;
use super::near;
use playdock_plugin_api::{Facts, FieldValue, RequiredField, RequiredTask, Status, Timestamp};
use std::borrow::Cow;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// How many numbers one statement looks for.
const NUMBERS_AT_ONCE: usize = 50_000;

pub(super) async fn site(client: &Client, name: &str) -> Result<Option<SiteRecord>, Failed> {
    if !can_be_stored(name) {
        return Ok(None);
    }
    let statement =
        client.prepare_cached("SELECT name, time_zone FROM site WHERE name = $1").await?;
    let Some(row) = client.query_opt(&statement, &[&name]).await? else { return Ok(None) };
    Ok(Some(SiteRecord { name: row.try_get(0)?, time_zone: row.try_get(1)? }))
}

pub(super) async fn user(client: &Client, username: &str) -> Result<Option<UserRecord>, Failed> {
    if !can_be_stored(username) {
        return Ok(None);
    }
    let statement = client
        .prepare_cached(
            "SELECT active, may_close, ARRAY(SELECT site.name FROM user_site
                 JOIN site ON site.id = user_site.site
                 WHERE user_site.\"user\" = \"user\".id ORDER BY site.name)
             FROM \"user\" WHERE username = $1",
        )
        .await?;
    let Some(row) = client.query_opt(&statement, &[&username]).await? else { return Ok(None) };
    Ok(Some(UserRecord {
        username: username.to_owned(),
        active: row.try_get(0)?,
        may_close: row.try_get(1)?,
        sites: row.try_get(2)?,
    }))
}

pub(super) async fn resolve(
    client: &Client,
    site: &str,
    numbers: &[&str],
) -> Result<Vec<Option<IncidentKey>>, Failed> {
    let mut keys = vec![None; numbers.len()];
    if !can_be_stored(site) {
        return Ok(keys);
    }
    let mut order: Vec<usize> =
        (0..numbers.len()).filter(|index| can_be_stored(numbers[*index])).collect();
    // In the order of the index, so that neighbours are found beside each other.
    if !numbers.is_sorted() {
        order.sort_unstable_by_key(|index| numbers[*index]);
    }
    let statement = client
        .prepare_cached(
            "SELECT ARRAY(SELECT incident.id FROM unnest($2::text[])
                 WITH ORDINALITY AS wanted (number, place)
                 LEFT JOIN incident ON incident.site = site.id AND incident.number = wanted.number
                 ORDER BY place)
             FROM site WHERE name = $1",
        )
        .await?;
    for order in order.chunks(NUMBERS_AT_ONCE) {
        let wanted: Vec<&str> = order.iter().map(|index| numbers[*index]).collect();
        let Some(found) = client.query_opt(&statement, &[&site, &wanted]).await? else { break };
        let found: Vec<Option<i64>> = found.try_get(0)?;
        for (index, key) in order.iter().zip(found) {
            keys[*index] = key.map(IncidentKey);
        }
    }
    Ok(keys)
}

pub(super) async fn look_up(
    client: &Client,
    keys: &[IncidentKey],
) -> Result<Vec<Option<Facts>>, Failed> {
    let mut found: Vec<Option<Facts>> = vec![None; keys.len()];
    if keys.is_empty() {
        return Ok(found);
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    if !keys.is_sorted() {
        order.sort_unstable_by_key(|index| keys[*index]);
    }
    let wanted: Vec<i64> = order.iter().map(|index| keys[*index].0).collect();
    let near = near::span(&wanted);
    let among = |key: &str| match near {
        Some(_) => format!("{key} BETWEEN $1 AND $2"),
        None => format!("{key} = ANY ($1)"),
    };
    let statements = [
        format!(
            "SELECT id, status, version, closed_at, closed_by, owner FROM incident
             WHERE {} ORDER BY id",
            among("id")
        ),
        format!(
            "SELECT incident, title, status FROM task
             WHERE {} AND required ORDER BY incident, position",
            among("incident")
        ),
        format!(
            "SELECT incident, section, name, visible, value FROM field
             WHERE {} AND required_on_close ORDER BY incident, position",
            among("incident")
        ),
    ];
    let (incidents, tasks, fields) = tokio::try_join!(
        client.prepare_cached(&statements[0]),
        client.prepare_cached(&statements[1]),
        client.prepare_cached(&statements[2]),
    )?;
    let parameters: Vec<&(dyn ToSql + Sync)> = match &near {
        Some((first, last)) => vec![first, last],
        None => vec![&wanted],
    };
    // One moment for all three, and all of it in one round trip.
    let (_, incidents, tasks, fields, _) = tokio::try_join!(
        biased;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        client.query(&incidents, &parameters),
        client.query(&tasks, &parameters),
        client.query(&fields, &parameters),
        client.batch_execute("COMMIT"),
    )?;
    let mut each = |rows: &[Row], take: fn(&Row, &mut Option<Facts>) -> Result<(), Failed>| {
        let mut next = 0;
        for row in rows {
            let id: i64 = row.try_get(0)?;
            while wanted.get(next).is_some_and(|wanted| *wanted < id) {
                next += 1;
            }
            // A key may be wanted more than once, and one that lies between not at all.
            let same = (next..wanted.len()).take_while(|index| wanted[*index] == id);
            for index in same {
                take(row, &mut found[order[index]])?;
            }
        }
        Ok::<(), Failed>(())
    };
    each(&incidents, |row, facts| {
        *facts = Some(incident(row)?);
        Ok(())
    })?;
    each(&tasks, |row, facts| {
        let task = RequiredTask { title: row.try_get(1)?, status: row.try_get(2)? };
        facts.iter_mut().for_each(|facts| facts.required_tasks.push(task.clone()));
        Ok(())
    })?;
    each(&fields, |row, facts| {
        let field = RequiredField {
            section: row.try_get(1)?,
            name: row.try_get(2)?,
            visible: row.try_get(3)?,
            value: field_value(row.try_get(4)?)?,
        };
        facts.iter_mut().for_each(|facts| facts.required_fields.push(field.clone()));
        Ok(())
    })?;
    Ok(found)
}

/// Whether PostgreSQL can hold a text: not with the character U+0000.
pub(super) fn can_be_stored(text: &str) -> bool {
    !text.as_bytes().contains(&0)
}

/// A text as PostgreSQL can hold it: with U+FFFD for U+0000.
pub(super) fn storable_text(text: &str) -> Cow<'_, str> {
    match can_be_stored(text) {
        true => text.into(),
        false => text.replace('\0', "\u{FFFD}").into(),
    }
}

fn incident(row: &Row) -> Result<Facts, Failed> {
    let status = Status::from(row.try_get::<_, &str>(1)?);
    let mut facts = Facts::new(status, unsigned(row.try_get(2)?));
    facts.closed_at = row.try_get::<_, Option<i64>>(3)?.map(Timestamp::from_milliseconds);
    facts.closed_by = row.try_get(4)?;
    let owner = Some(row.try_get::<_, &str>(5)?).filter(|owner| !owner.is_empty());
    facts.owner = owner.map(str::to_owned);
    Ok(facts)
}

/// A number that a store holds none below zero of.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
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

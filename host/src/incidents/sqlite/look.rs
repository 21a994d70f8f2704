//! Reading what executions need: sites, users, and incidents with the facts that rules judge.

use super::super::error::StoreError;
use super::super::store::{IncidentKey, SiteRecord, UserRecord};
use playdock_plugin_api::{Facts, FieldValue, RequiredField, RequiredTask, Status, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Rows, Statement};
use std::cmp::Ordering;

/// How many rows that aren't wanted are passed over before it is searched anew, which costs about
/// as much.
const MOST_PASSED_OVER: usize = 8;

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
    let mut statement = connection.prepare_cached("SELECT id FROM site WHERE name = ?1")?;
    let site: Option<i64> = statement.query_row([site], |row| row.get(0)).optional()?;
    let Some(site) = site else { return Ok(keys) };
    // In the order of the index, so that neighbours are found beside each other.
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    if !numbers.is_sorted() {
        order.sort_unstable_by_key(|index| numbers[*index]);
    }
    let mut statement = connection.prepare_cached(
        "SELECT number, id FROM incident WHERE site = ?1 AND number >= ?2 ORDER BY number",
    )?;
    merge(
        &mut statement,
        order.len(),
        |statement, wanted| statement.query((site, numbers[order[wanted]])),
        |row, wanted| Ok(text(row, 0)?.cmp(numbers[order[wanted]])),
        |row, wanted| {
            keys[order[wanted]] = Some(IncidentKey(row.get(1)?));
            Ok(())
        },
    )?;
    Ok(keys)
}

pub(super) fn look_up(
    connection: &Connection,
    keys: &[IncidentKey],
) -> Result<Vec<Option<Facts>>, StoreError> {
    let mut found: Vec<Option<Facts>> = vec![None; keys.len()];
    let mut order: Vec<usize> = (0..keys.len()).collect();
    if !keys.is_sorted() {
        order.sort_unstable_by_key(|index| keys[*index]);
    }
    let mut each =
        |query: &str, take: fn(&Row<'_>, &mut Option<Facts>) -> Result<(), StoreError>| {
            merge(
                &mut *connection.prepare_cached(query)?,
                order.len(),
                |statement, wanted| statement.query([keys[order[wanted]].0]),
                |row, wanted| Ok(row.get::<_, i64>(0)?.cmp(&keys[order[wanted]].0)),
                |row, wanted| take(row, &mut found[order[wanted]]),
            )
        };
    each(
        "SELECT id, status, version, closed_at, closed_by, owner FROM incident
         WHERE id >= ?1 ORDER BY id",
        |row, facts| {
            *facts = Some(incident(row)?);
            Ok(())
        },
    )?;
    each(
        "SELECT incident, title, status FROM task
         WHERE incident >= ?1 AND required = 1 ORDER BY incident, position",
        |row, facts| {
            let task = RequiredTask { title: row.get(1)?, status: row.get(2)? };
            facts.iter_mut().for_each(|facts| facts.required_tasks.push(task.clone()));
            Ok(())
        },
    )?;
    each(
        "SELECT incident, section, name, visible, value FROM field
         WHERE incident >= ?1 AND required_on_close = 1 ORDER BY incident, position",
        |row, facts| {
            let field = RequiredField {
                section: row.get(1)?,
                name: row.get(2)?,
                visible: row.get(3)?,
                value: field_value(text(row, 4)?)?,
            };
            facts.iter_mut().for_each(|facts| facts.required_fields.push(field.clone()));
            Ok(())
        },
    )?;
    Ok(found)
}

/// Walks over the rows of a table and what is wanted of it, both in the same order: from one to
/// the next where they lie close together, by a new search where they don't.
fn merge(
    statement: &mut Statement<'_>,
    wanted: usize,
    search: impl for<'s> Fn(&'s mut Statement<'_>, usize) -> Result<Rows<'s>, rusqlite::Error>,
    compare: impl Fn(&Row<'_>, usize) -> Result<Ordering, StoreError>,
    mut take: impl FnMut(&Row<'_>, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut next = 0;
    'search: while next < wanted {
        let mut rows = search(statement, next)?;
        let mut passed_over = 0;
        while let Some(row) = rows.next()? {
            loop {
                match compare(row, next)? {
                    Ordering::Less if passed_over == MOST_PASSED_OVER => continue 'search,
                    Ordering::Less => passed_over += 1,
                    Ordering::Equal => {
                        passed_over = 0;
                        take(row, next)?;
                    }
                    Ordering::Greater => {
                        next += 1;
                        if next == wanted {
                            return Ok(());
                        }
                        continue;
                    }
                }
                break;
            }
        }
        return Ok(());
    }
    Ok(())
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn incident(row: &Row<'_>) -> Result<Facts, StoreError> {
    let mut facts = Facts::new(Status::from(text(row, 1)?), row.get(2)?);
    facts.closed_at = row.get::<_, Option<i64>>(3)?.map(Timestamp::from_milliseconds);
    facts.closed_by = row.get(4)?;
    facts.owner = Some(text(row, 5)?).filter(|owner| !owner.is_empty()).map(str::to_owned);
    Ok(facts)
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

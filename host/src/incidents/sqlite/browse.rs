//! Reading incidents for people: lists, and one incident with all that the store has of it.

use super::super::browse::{
    AuditEntry, FieldDetail, IncidentDetail, IncidentFilter, IncidentLine, TaskDetail,
};
use super::super::error::StoreError;
use playdock_plugin_api::Timestamp;
use rusqlite::{Connection, Row};

const LINE: &str = "incident.number, site.name, incident.status, incident.severity, incident.type,
    incident.title, incident.owner, incident.closed_at, incident.closed_by";

pub(super) fn list(
    connection: &Connection,
    filter: &IncidentFilter,
) -> Result<Vec<IncidentLine>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LINE} FROM incident JOIN site ON site.id = incident.site
         WHERE (?1 IS NULL OR site.name = ?1) AND (?2 IS NULL OR incident.status = ?2)
         ORDER BY incident.id LIMIT ?3"
    ))?;
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((&filter.site, &filter.status, limit), line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many incidents there are of those that a filter lets through, whatever its limit.
pub(super) fn count(connection: &Connection, filter: &IncidentFilter) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM incident JOIN site ON site.id = incident.site
         WHERE (?1 IS NULL OR site.name = ?1) AND (?2 IS NULL OR incident.status = ?2)",
    )?;
    Ok(statement.query_row((&filter.site, &filter.status), |row| row.get(0))?)
}

/// The names of all sites.
pub(super) fn site_names(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name FROM site ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The incidents of a number, one for each site that has it.
pub(super) fn show(
    connection: &Connection,
    number: &str,
    site: Option<&str>,
) -> Result<Vec<IncidentDetail>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {LINE}, incident.version, incident.conclusion, incident.created_at,
             incident.imported_at, execution.execution_id, incident.id
         FROM incident JOIN site ON site.id = incident.site
         LEFT JOIN execution ON execution.id = incident.closed_in
         WHERE incident.number = ?1 AND (?2 IS NULL OR site.name = ?2) ORDER BY site.name"
    ))?;
    let mut rows = statement.query((number, site))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(14)?;
        found.push(IncidentDetail {
            line: line(row)?,
            version: row.get(9)?,
            conclusion: row.get(10)?,
            created_at: instant(row, 11)?,
            imported_at: Timestamp::from_milliseconds(row.get(12)?),
            closed_in: row.get(13)?,
            tasks: tasks(connection, id)?,
            fields: fields(connection, id)?,
            audit: audit(connection, id)?,
        });
    }
    Ok(found)
}

fn line(row: &Row<'_>) -> Result<IncidentLine, rusqlite::Error> {
    Ok(IncidentLine {
        number: row.get(0)?,
        site: row.get(1)?,
        status: row.get(2)?,
        severity: row.get(3)?,
        incident_type: row.get(4)?,
        title: row.get(5)?,
        owner: row.get(6)?,
        closed_at: instant(row, 7)?,
        closed_by: row.get(8)?,
    })
}

fn tasks(connection: &Connection, incident: i64) -> Result<Vec<TaskDetail>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT title, required, status FROM task WHERE incident = ?1 ORDER BY position",
    )?;
    let rows = statement.query_map([incident], |row| {
        Ok(TaskDetail { title: row.get(0)?, required: row.get(1)?, status: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn fields(connection: &Connection, incident: i64) -> Result<Vec<FieldDetail>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT section, name, kind, required_on_close, visible, value
         FROM field WHERE incident = ?1 ORDER BY position",
    )?;
    let rows = statement.query_map([incident], |row| {
        Ok(FieldDetail {
            section: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            required_on_close: row.get(3)?,
            visible: row.get(4)?,
            value: json(row, 5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn audit(connection: &Connection, incident: i64) -> Result<Vec<AuditEntry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT action, at, audit.acting_user, execution.requested_by, execution.execution_id,
             before_status, waived, execution.clock, before_owner, owner
         FROM audit JOIN execution ON execution.id = audit.execution
         WHERE incident = ?1 ORDER BY audit.id",
    )?;
    let rows = statement.query_map([incident], |row| {
        Ok(AuditEntry {
            action: row.get(0)?,
            at: Timestamp::from_milliseconds(row.get(1)?),
            acting_user: row.get(2)?,
            requested_by: row.get(3)?,
            execution: row.get(4)?,
            before_status: row.get(5)?,
            waived: json(row, 6)?,
            clock: instant(row, 7)?,
            before_owner: row.get(8)?,
            owner: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn instant(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>, rusqlite::Error> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_milliseconds))
}

/// JSON that the store holds as text; NULL is JSON's null, and so is text that is no JSON.
fn json(row: &Row<'_>, index: usize) -> Result<serde_json::Value, rusqlite::Error> {
    let text: Option<String> = row.get(index)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

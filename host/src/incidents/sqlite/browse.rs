//! Reading incidents for people: lists, and one incident with all that the store has of it.

use super::super::error::StoreError;
use playdock_plugin_api::Timestamp;
use rusqlite::{Connection, Row};
use serde::{Serialize, Serializer};

/// Which incidents to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Of this site alone.
    pub site: Option<String>,
    /// With this status alone.
    pub status: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// An incident in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentLine {
    /// Its number.
    pub number: String,
    /// Its site.
    pub site: String,
    /// Its status.
    pub status: String,
    /// Its severity.
    pub severity: String,
    /// Its type.
    #[serde(rename = "type")]
    pub incident_type: String,
    /// Its title.
    pub title: String,
    /// Its owner.
    pub owner: String,
    /// When it was closed.
    #[serde(serialize_with = "rfc3339")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// All that the store has of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub line: IncidentLine,
    /// Its version.
    pub version: u64,
    /// Its conclusion, as rich text.
    pub conclusion: String,
    /// When it was created.
    #[serde(serialize_with = "rfc3339")]
    pub created_at: Option<Timestamp>,
    /// When its facts were imported: how old they are.
    #[serde(serialize_with = "rfc3339")]
    pub imported_at: Timestamp,
    /// The execution that closed it; none where it was closed before it was imported.
    pub closed_in: Option<String>,
    /// Its tasks.
    pub tasks: Vec<TaskDetail>,
    /// The fields of its form.
    pub fields: Vec<FieldDetail>,
    /// What executions did to it, the earliest first.
    pub audit: Vec<AuditEntry>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskDetail {
    /// Its title.
    pub title: String,
    /// Whether it must be done before the incident closes.
    pub required: bool,
    /// Its status.
    pub status: String,
}

/// A field of an incident's form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDetail {
    /// Its section.
    pub section: String,
    /// Its name.
    pub name: String,
    /// `Activity` or `Info Activity`.
    pub kind: String,
    /// Whether it needs a value before the incident closes.
    pub required_on_close: bool,
    /// Whether the form shows it.
    pub visible: bool,
    /// Its value.
    pub value: serde_json::Value,
}

/// What an execution did to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// What it did.
    pub action: String,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// The fixed clock that the execution ran under, if any.
    #[serde(serialize_with = "rfc3339")]
    pub clock: Option<Timestamp>,
    /// In whose name.
    pub acting_user: String,
    /// The account that asked for it, where that is another.
    pub requested_by: Option<String>,
    /// The execution's id.
    pub execution: String,
    /// The incident's status before.
    pub before_status: String,
    /// The owner before, where it assigned; empty for nobody.
    pub before_owner: Option<String>,
    /// Whom it assigned to, where it did.
    pub owner: Option<String>,
    /// What was waived, and by which bypass.
    pub waived: serde_json::Value,
}

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

/// An instant as RFC 3339 has it; null where there is none, or none that a calendar reaches.
fn rfc3339<S: Serializer>(
    instant: &(impl Copy + Into<Option<Timestamp>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let instant: Option<Timestamp> = (*instant).into();
    let instant = instant.and_then(|it| jiff::Timestamp::from_millisecond(it.milliseconds()).ok());
    instant.map(|instant| instant.to_string()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_filter_lets_through_are_counted_and_times_are_text() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, _) = super::super::open::open(&folder.path().join("a.db")).unwrap();
        let rows = "INSERT INTO site VALUES (1, 'B', 'UTC'), (2, 'A', 'UTC');
            INSERT INTO incident (site, number, status, closed_at, imported_at)
            VALUES (1, '1', 'Closed', 0, 0), (1, '2', 'Closed', NULL, 0), (2, '3', 'Open', NULL, 0)";
        connection.execute_batch(rows).unwrap();
        assert_eq!(site_names(&connection).unwrap(), ["A", "B"]);
        let (site, status) = (Some("B".to_owned()), Some("Closed".to_owned()));
        let filter = IncidentFilter { site, status, limit: 1 };
        assert_eq!(count(&connection, &filter).unwrap(), 2);
        let listed = list(&connection, &filter).unwrap();
        assert_eq!(listed.len(), 1);
        let json = serde_json::to_value(&listed[0]).unwrap();
        assert_eq!(json["closed_at"], "1970-01-01T00:00:00Z");
    }
}

//! Reading incidents for people, in PostgreSQL.

use super::super::browse::{
    AuditEntry, FieldDetail, IncidentDetail, IncidentFilter, IncidentLine, TaskDetail,
};
use super::connections::Client;
use super::failed::Failed;
use super::look::{can_be_stored, unsigned};
use playdock_plugin_api::Timestamp;
use tokio_postgres::Row;

const LINE: &str = "incident.number, site.name AS site, incident.status, incident.severity,
    incident.type, incident.title, incident.owner, incident.closed_at, incident.closed_by";

/// What a filter lets through.
const FILTERED: &str = "FROM incident JOIN site ON site.id = incident.site
    WHERE ($1::text IS NULL OR site.name = $1) AND ($2::text IS NULL OR incident.status = $2)";

pub(super) async fn list(
    client: &Client,
    filter: &IncidentFilter,
) -> Result<Vec<IncidentLine>, Failed> {
    if !is_askable(filter) {
        return Ok(Vec::new());
    }
    let list = format!("SELECT {LINE} {FILTERED} ORDER BY incident.id LIMIT $3");
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let rows = client.query(&list, &[&filter.site, &filter.status, &limit]).await?;
    rows.iter().map(line).collect()
}

/// How many incidents there are of those that a filter lets through, whatever its limit.
pub(super) async fn count(client: &Client, filter: &IncidentFilter) -> Result<u64, Failed> {
    if !is_askable(filter) {
        return Ok(0);
    }
    let count = format!("SELECT count(*) {FILTERED}");
    let row = client.query_one(&count, &[&filter.site, &filter.status]).await?;
    Ok(unsigned(row.try_get(0)?))
}

/// The names of all sites.
pub(super) async fn site_names(client: &Client) -> Result<Vec<String>, Failed> {
    let rows = client.query("SELECT name FROM site ORDER BY name", &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The incidents of a number, one for each site that has it.
pub(super) async fn show(
    client: &Client,
    number: &str,
    site: Option<&str>,
) -> Result<Vec<IncidentDetail>, Failed> {
    if !can_be_stored(number) || !site.is_none_or(can_be_stored) {
        return Ok(Vec::new());
    }
    // One moment for all of it.
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let show = format!(
        "SELECT {LINE}, incident.version, incident.conclusion, incident.created_at,
             incident.imported_at, execution.execution_id AS closed_in, incident.id
         FROM incident JOIN site ON site.id = incident.site
         LEFT JOIN execution ON execution.id = incident.closed_in
         WHERE incident.number = $1 AND ($2::text IS NULL OR site.name = $2) ORDER BY site.name"
    );
    let mut found = Vec::new();
    for row in client.query(&show, &[&number, &site]).await? {
        let id: i64 = row.try_get("id")?;
        found.push(IncidentDetail {
            line: line(&row)?,
            version: unsigned(row.try_get("version")?),
            conclusion: row.try_get("conclusion")?,
            created_at: instant(&row, "created_at")?,
            imported_at: Timestamp::from_milliseconds(row.try_get("imported_at")?),
            closed_in: row.try_get("closed_in")?,
            tasks: tasks(client, id).await?,
            fields: fields(client, id).await?,
            audit: audit(client, id).await?,
        });
    }
    client.batch_execute("COMMIT").await?;
    Ok(found)
}

/// Whether a filter can let anything through: PostgreSQL would refuse to be asked otherwise.
fn is_askable(filter: &IncidentFilter) -> bool {
    [&filter.site, &filter.status].into_iter().flatten().all(|text| can_be_stored(text))
}

fn line(row: &Row) -> Result<IncidentLine, Failed> {
    Ok(IncidentLine {
        number: row.try_get("number")?,
        site: row.try_get("site")?,
        status: row.try_get("status")?,
        severity: row.try_get("severity")?,
        incident_type: row.try_get("type")?,
        title: row.try_get("title")?,
        owner: row.try_get("owner")?,
        closed_at: instant(row, "closed_at")?,
        closed_by: row.try_get("closed_by")?,
    })
}

async fn tasks(client: &Client, incident: i64) -> Result<Vec<TaskDetail>, Failed> {
    let tasks = "SELECT title, required, status FROM task WHERE incident = $1 ORDER BY position";
    let task = |row: &Row| {
        Ok(TaskDetail {
            title: row.try_get(0)?,
            required: row.try_get(1)?,
            status: row.try_get(2)?,
        })
    };
    client.query(tasks, &[&incident]).await?.iter().map(task).collect()
}

async fn fields(client: &Client, incident: i64) -> Result<Vec<FieldDetail>, Failed> {
    let fields = "SELECT section, name, kind, required_on_close, visible, value
         FROM field WHERE incident = $1 ORDER BY position";
    let field = |row: &Row| {
        Ok(FieldDetail {
            section: row.try_get(0)?,
            name: row.try_get(1)?,
            kind: row.try_get(2)?,
            required_on_close: row.try_get(3)?,
            visible: row.try_get(4)?,
            value: json(row, 5)?,
        })
    };
    client.query(fields, &[&incident]).await?.iter().map(field).collect()
}

async fn audit(client: &Client, incident: i64) -> Result<Vec<AuditEntry>, Failed> {
    let audit = "SELECT action, at, audit.acting_user, execution.requested_by,
             execution.execution_id, before_status, before_owner, audit.owner, waived,
             execution.clock
         FROM audit JOIN execution ON execution.id = audit.execution
         WHERE incident = $1 ORDER BY audit.id";
    let entry = |row: &Row| {
        Ok(AuditEntry {
            action: row.try_get(0)?,
            at: Timestamp::from_milliseconds(row.try_get(1)?),
            acting_user: row.try_get(2)?,
            requested_by: row.try_get(3)?,
            execution: row.try_get(4)?,
            before_status: row.try_get(5)?,
            before_owner: row.try_get(6)?,
            owner: row.try_get(7)?,
            waived: json(row, 8)?,
            clock: instant(row, "clock")?,
        })
    };
    client.query(audit, &[&incident]).await?.iter().map(entry).collect()
}

fn instant(row: &Row, column: &str) -> Result<Option<Timestamp>, Failed> {
    Ok(row.try_get::<_, Option<i64>>(column)?.map(Timestamp::from_milliseconds))
}

/// JSON that the store holds as text; NULL is JSON's null, and so is text that is no JSON.
fn json(row: &Row, index: usize) -> Result<serde_json::Value, Failed> {
    let text: Option<&str> = row.try_get(index)?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

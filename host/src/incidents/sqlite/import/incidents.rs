//! Writing one incident of a file over what the store has of it.
//!
//! Which facts an import may change is said by `facts`; that a task or field changes the version of
//! its incident is a matter of the schema's triggers.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::incidents::import::{Field, Incident, Task};
use crate::incidents::importer::facts::{Facts, Kept, Stored};
use crate::incidents::importer::tally::Outcome;

/// Writes incidents, with statements that are prepared once.
pub(super) struct IncidentWriter<'c> {
    imported_at: i64,
    select: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    touch: CachedStatement<'c>,
    select_tasks: CachedStatement<'c>,
    delete_tasks: CachedStatement<'c>,
    insert_task: CachedStatement<'c>,
    select_fields: CachedStatement<'c>,
    delete_fields: CachedStatement<'c>,
    insert_field: CachedStatement<'c>,
}

impl<'c> IncidentWriter<'c> {
    pub(super) fn new(connection: &'c Connection, imported_at: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            imported_at,
            select: connection.prepare_cached(
                "SELECT id, closed_in, status, closed_at, closed_by, conclusion, type, title,
                        severity, owner, created_at,
                        (SELECT CASE action WHEN 'reopen' THEN at END FROM audit
                             WHERE audit.incident = incident.id AND action <> 'assign'
                             ORDER BY before_version DESC LIMIT 1),
                        (SELECT audit.owner FROM audit
                             WHERE audit.incident = incident.id AND action = 'assign'
                             ORDER BY before_version DESC LIMIT 1)
                 FROM incident WHERE site = ?1 AND number = ?2",
            )?,
            insert: connection.prepare_cached(
                "INSERT INTO incident (site, number, imported_at, status, closed_at, closed_by,
                        conclusion, type, title, severity, owner, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?,
            // What a file closes, no execution closed.
            update: connection.prepare_cached(
                "UPDATE incident
                 SET version = version + 1, imported_at = ?2, status = ?3, closed_at = ?4,
                     closed_by = ?5, conclusion = ?6, type = ?7, title = ?8, severity = ?9,
                     owner = ?10, created_at = ?11,
                     closed_in = CASE ?3 WHEN 'Closed' THEN NULL ELSE closed_in END
                 WHERE id = ?1",
            )?,
            touch: connection
                .prepare_cached("UPDATE incident SET imported_at = ?2 WHERE id = ?1")?,
            select_tasks: connection.prepare_cached(
                "SELECT title, required, status FROM task WHERE incident = ?1 ORDER BY position",
            )?,
            delete_tasks: connection.prepare_cached("DELETE FROM task WHERE incident = ?1")?,
            insert_task: connection.prepare_cached(
                "INSERT INTO task (incident, position, title, required, status)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            select_fields: connection.prepare_cached(
                "SELECT section, name, kind, required_on_close, visible, value
                 FROM field WHERE incident = ?1 ORDER BY position",
            )?,
            delete_fields: connection.prepare_cached("DELETE FROM field WHERE incident = ?1")?,
            insert_field: connection.prepare_cached(
                "INSERT INTO field (incident, position, section, name, kind, required_on_close,
                        visible, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
        })
    }

    /// Writes one incident of the site, and tells its id in the store.
    pub(super) fn write(
        &mut self,
        site: i64,
        incident: &Incident,
    ) -> rusqlite::Result<(i64, Outcome)> {
        let stored = self.select.query_row(params![site, incident.number], read).optional()?;
        let (tasks, fields) = (incident.tasks.as_deref(), incident.fields.as_deref());
        let Some(stored) = stored else {
            let facts = Facts::default().updated(incident, &Kept::default());
            let id = self.add(site, &incident.number, &facts)?;
            self.insert_tasks(id, tasks.unwrap_or_default())?;
            self.insert_fields(id, fields.unwrap_or_default())?;
            return Ok((id, Outcome::Added));
        };
        let id = stored.id;
        if stored.is_left_alone() {
            return Ok((id, Outcome::LeftAlone));
        }

        let kept = stored.kept(incident);
        let facts = stored.facts.updated(incident, &kept);
        let mut changed = facts != stored.facts;
        if changed {
            self.update.execute(params![
                id,
                self.imported_at,
                facts.status,
                facts.closed_at,
                facts.closed_by,
                facts.conclusion,
                facts.r#type,
                facts.title,
                facts.severity,
                facts.owner,
                facts.created_at,
            ])?;
        } else {
            self.touch.execute([id, self.imported_at])?;
        }
        if let Some(tasks) = tasks
            && !self.has_tasks(id, tasks)?
        {
            self.delete_tasks.execute([id])?;
            self.insert_tasks(id, tasks)?;
            changed = true;
        }
        if let Some(fields) = fields
            && !self.has_fields(id, fields)?
        {
            self.delete_fields.execute([id])?;
            self.insert_fields(id, fields)?;
            changed = true;
        }
        let outcome = match changed {
            true => Outcome::Updated,
            false => Outcome::Unchanged,
        };
        Ok((id, kept.outcome().unwrap_or(outcome)))
    }

    fn add(&mut self, site: i64, number: &str, facts: &Facts) -> rusqlite::Result<i64> {
        self.insert.insert(params![
            site,
            number,
            self.imported_at,
            facts.status,
            facts.closed_at,
            facts.closed_by,
            facts.conclusion,
            facts.r#type,
            facts.title,
            facts.severity,
            facts.owner,
            facts.created_at,
        ])
    }

    fn has_tasks(&mut self, id: i64, tasks: &[Task]) -> rusqlite::Result<bool> {
        let mut left = tasks.iter();
        let mut rows = self.select_tasks.query([id])?;
        while let Some(row) = rows.next()? {
            let task = Task { title: row.get(0)?, required: row.get(1)?, status: row.get(2)? };
            if left.next() != Some(&task) {
                return Ok(false);
            }
        }
        Ok(left.next().is_none())
    }

    fn insert_tasks(&mut self, id: i64, tasks: &[Task]) -> rusqlite::Result<()> {
        for (position, task) in (0_i64..).zip(tasks) {
            let values = params![id, position, task.title, task.required, task.status];
            self.insert_task.execute(values)?;
        }
        Ok(())
    }

    fn has_fields(&mut self, id: i64, fields: &[Field]) -> rusqlite::Result<bool> {
        let mut left = fields.iter();
        let mut rows = self.select_fields.query([id])?;
        while let Some(row) = rows.next()? {
            let Some(field) = left.next() else {
                return Ok(false);
            };
            let value = field.value.to_string();
            let same = row.get_ref(0)?.as_str()? == field.section
                && row.get_ref(1)?.as_str()? == field.name
                && row.get_ref(2)?.as_str()? == field.kind.word()
                && row.get::<_, bool>(3)? == field.required_on_close
                && row.get::<_, bool>(4)? == field.visible
                && row.get_ref(5)?.as_str()? == value;
            if !same {
                return Ok(false);
            }
        }
        Ok(left.next().is_none())
    }

    fn insert_fields(&mut self, id: i64, fields: &[Field]) -> rusqlite::Result<()> {
        for (position, field) in (0_i64..).zip(fields) {
            self.insert_field.execute(params![
                id,
                position,
                field.section,
                field.name,
                field.kind.word(),
                field.required_on_close,
                field.visible,
                field.value.to_string(),
            ])?;
        }
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        closed_in: row.get(1)?,
        facts: Facts {
            status: row.get(2)?,
            closed_at: row.get(3)?,
            closed_by: row.get(4)?,
            conclusion: row.get(5)?,
            r#type: row.get(6)?,
            title: row.get(7)?,
            severity: row.get(8)?,
            owner: row.get(9)?,
            created_at: row.get(10)?,
        },
        reopened_at: row.get(11)?,
        assigned_to: row.get(12)?,
    })
}

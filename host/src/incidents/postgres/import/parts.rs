//! Writing the tasks and the fields of incidents of a file: in place of those that the store has,
//! where they differ.

use super::super::connections::Client;
use super::super::failed::Failed;
use crate::incidents::import::{Field, Task};
use std::collections::{HashMap, HashSet};
use tokio_postgres::Row;

/// What is a part of incidents.
pub(super) trait Kind {
    /// What a file says of one.
    type Given: Clone;
    /// What the store has of one.
    type Stored: PartialEq;
    /// Its table.
    const TABLE: &'static str;
    /// Selects it, after the incident.
    const COLUMNS: &'static str;

    fn stored(given: &Self::Given) -> Self::Stored;
    fn read(row: &Row) -> Result<Self::Stored, Failed>;
    async fn insert(
        client: &Client,
        incidents: &[i64],
        positions: &[i64],
        parts: &[Self::Stored],
    ) -> Result<(), Failed>;
}

/// The parts of one kind that a file gives.
pub(super) struct Part<K: Kind> {
    /// Those of new incidents.
    new: Vec<(i64, Vec<K::Stored>)>,
    /// Those of incidents that the store has.
    compared: Vec<(i64, Vec<K::Stored>)>,
}

impl<K: Kind> Default for Part<K> {
    fn default() -> Part<K> {
        Part { new: Vec::new(), compared: Vec::new() }
    }
}

impl<K: Kind> Part<K> {
    /// Takes those of a new incident.
    pub(super) fn replace(&mut self, incident: i64, given: &[K::Given]) {
        if !given.is_empty() {
            self.new.push((incident, given.iter().map(K::stored).collect()));
        }
    }

    /// Takes those of an incident that the store has, if the file gives any.
    pub(super) fn compare(&mut self, incident: i64, given: Option<&[K::Given]>) {
        if let Some(given) = given {
            self.compared.push((incident, given.iter().map(K::stored).collect()));
        }
    }

    /// Writes them; returns the incidents of which some changed.
    pub(super) async fn write(self, client: &Client) -> Result<HashSet<i64>, Failed> {
        let Part { mut new, compared } = self;
        let incidents: Vec<i64> = compared.iter().map(|(incident, _)| *incident).collect();
        let mut before: HashMap<i64, Vec<K::Stored>> = HashMap::new();
        if !incidents.is_empty() {
            let select = format!(
                "SELECT incident, {} FROM {} WHERE incident = ANY ($1) ORDER BY incident, position",
                K::COLUMNS,
                K::TABLE
            );
            let select = client.prepare_cached(&select).await?;
            for row in client.query(&select, &[&incidents]).await? {
                before.entry(row.try_get(0)?).or_default().push(K::read(&row)?);
            }
        }
        let differs = |(incident, given): &(i64, Vec<K::Stored>)| match before.get(incident) {
            Some(before) => before != given,
            None => !given.is_empty(),
        };
        let differing: Vec<_> = compared.into_iter().filter(differs).collect();
        let changed: HashSet<i64> = differing.iter().map(|(incident, _)| *incident).collect();
        if !changed.is_empty() {
            let delete = format!("DELETE FROM {} WHERE incident = ANY ($1)", K::TABLE);
            let delete = client.prepare_cached(&delete).await?;
            let incidents: Vec<i64> = changed.iter().copied().collect();
            client.execute(&delete, &[&incidents]).await?;
        }
        new.extend(differing);
        let (mut incidents, mut positions, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (incident, given) in new {
            for (position, part) in (0_i64..).zip(given) {
                incidents.push(incident);
                positions.push(position);
                parts.push(part);
            }
        }
        if !parts.is_empty() {
            K::insert(client, &incidents, &positions, &parts).await?;
        }
        Ok(changed)
    }
}

/// The tasks.
pub(super) enum Tasks {}

impl Kind for Tasks {
    type Given = Task;
    type Stored = Task;
    const TABLE: &'static str = "task";
    const COLUMNS: &'static str = "title, required, status";

    fn stored(given: &Task) -> Task {
        given.clone()
    }

    fn read(row: &Row) -> Result<Task, Failed> {
        Ok(Task { title: row.try_get(1)?, required: row.try_get(2)?, status: row.try_get(3)? })
    }

    async fn insert(
        client: &Client,
        incidents: &[i64],
        positions: &[i64],
        tasks: &[Task],
    ) -> Result<(), Failed> {
        let insert = client
            .prepare_cached(
                "INSERT INTO task (incident, position, title, required, status) SELECT * FROM
                 unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::text[])",
            )
            .await?;
        let titles: Vec<&str> = tasks.iter().map(|task| task.title.as_str()).collect();
        let required: Vec<bool> = tasks.iter().map(|task| task.required).collect();
        let statuses: Vec<&str> = tasks.iter().map(|task| task.status.as_str()).collect();
        client.execute(&insert, &[&incidents, &positions, &titles, &required, &statuses]).await?;
        Ok(())
    }
}

/// The fields.
pub(super) enum Fields {}

/// A field as the store has it.
#[derive(PartialEq)]
pub(super) struct StoredField {
    section: String,
    name: String,
    kind: String,
    required_on_close: bool,
    visible: bool,
    value: String,
}

impl Kind for Fields {
    type Given = Field;
    type Stored = StoredField;
    const TABLE: &'static str = "field";
    const COLUMNS: &'static str = "section, name, kind, required_on_close, visible, value";

    fn stored(given: &Field) -> StoredField {
        StoredField {
            section: given.section.clone(),
            name: given.name.clone(),
            kind: given.kind.word().to_owned(),
            required_on_close: given.required_on_close,
            visible: given.visible,
            value: given.value.to_string(),
        }
    }

    fn read(row: &Row) -> Result<StoredField, Failed> {
        Ok(StoredField {
            section: row.try_get(1)?,
            name: row.try_get(2)?,
            kind: row.try_get(3)?,
            required_on_close: row.try_get(4)?,
            visible: row.try_get(5)?,
            value: row.try_get(6)?,
        })
    }

    async fn insert(
        client: &Client,
        incidents: &[i64],
        positions: &[i64],
        fields: &[StoredField],
    ) -> Result<(), Failed> {
        let insert = client
            .prepare_cached(
                "INSERT INTO field (incident, position, section, name, kind, required_on_close,
                     visible, value)
                 SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],
                     $5::text[], $6::boolean[], $7::boolean[], $8::text[])",
            )
            .await?;
        let text = |of: fn(&StoredField) -> &str| fields.iter().map(of).collect::<Vec<&str>>();
        let flag = |of: fn(&StoredField) -> bool| fields.iter().map(of).collect::<Vec<bool>>();
        client
            .execute(
                &insert,
                &[
                    &incidents,
                    &positions,
                    &text(|field| &field.section),
                    &text(|field| &field.name),
                    &text(|field| &field.kind),
                    &flag(|field| field.required_on_close),
                    &flag(|field| field.visible),
                    &text(|field| &field.value),
                ],
            )
            .await?;
        Ok(())
    }
}

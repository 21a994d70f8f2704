//! One incident in memory, and what a command sees of it.

use crate::change::{Change, ChangeKind, Waiver};
use crate::example::{ExampleField, ExampleIncident, ExampleTask};
use crate::incident::{Facts, FieldValue, RequiredField, RequiredTask, Status};
use crate::timestamp::Timestamp;

/// An incident in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct InMemoryIncident {
    /// Its status.
    pub status: String,
    /// Its version.
    pub version: u64,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// The username of its owner.
    pub owner: Option<String>,
    /// Its conclusion, as rich text.
    pub conclusion: String,
    /// Its tasks.
    pub tasks: Vec<ExampleTask>,
    /// Its fields marked Required on Close.
    pub fields: Vec<ExampleField>,
    /// What was waived when it was closed.
    pub waived: Vec<Waiver>,
}

impl InMemoryIncident {
    /// The incident of an example; one that is closed was closed by `somebody` at `closed_at`.
    pub(super) fn new(incident: ExampleIncident, closed_at: Timestamp) -> InMemoryIncident {
        let closed = incident.status == "Closed";
        InMemoryIncident {
            status: incident.status,
            version: 1,
            closed_at: closed.then_some(closed_at),
            closed_by: closed.then(|| "somebody".to_owned()),
            owner: incident.owner,
            conclusion: incident.conclusion,
            tasks: incident.tasks,
            fields: incident.fields,
            waived: Vec::new(),
        }
    }

    /// Makes a change, at a time and in the name of a user.
    pub(super) fn make(&mut self, change: &Change, at: Timestamp, username: &str) {
        self.version += 1;
        if let Some(status) = change.status() {
            let closes = change.kind() == ChangeKind::Close;
            self.status = status.to_string();
            self.closed_at = closes.then_some(at);
            self.closed_by = closes.then(|| username.to_owned());
            self.waived = change.waived().to_vec();
        }
        if let Some(owner) = change.owner() {
            self.owner = Some(owner.to_owned());
        }
    }

    /// What a command sees of it.
    pub(in crate::testing) fn facts(&self) -> Facts {
        let required = self.tasks.iter().filter(|task| task.required);
        Facts {
            status: Status::from(self.status.as_str()),
            version: self.version,
            closed_at: self.closed_at,
            closed_by: self.closed_by.clone(),
            owner: self.owner.clone(),
            required_tasks: required
                .map(|task| RequiredTask { title: task.title.clone(), status: task.status.clone() })
                .collect(),
            required_fields: self
                .fields
                .iter()
                .map(|field| RequiredField {
                    section: field.section.clone(),
                    name: field.name.clone(),
                    visible: field.visible,
                    value: FieldValue::of(&field.value),
                })
                .collect(),
        }
    }
}

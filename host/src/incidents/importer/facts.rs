//! The facts of an incident that stand in its own row, and what a file may change of them.
//!
//! It writes nothing; tasks and fields are rows of their own, and are not its matter.

use super::super::import::{Incident, Status};

/// What the store has of an incident.
pub(in super::super) struct Stored {
    pub(in super::super) id: i64,
    /// The execution that closed it, if one did.
    pub(in super::super) closed_in: Option<i64>,
    pub(in super::super) facts: Facts,
}

/// The facts of an incident that stand in its own row.
#[derive(PartialEq)]
pub(in super::super) struct Facts {
    pub(in super::super) status: String,
    pub(in super::super) closed_at: Option<i64>,
    pub(in super::super) closed_by: Option<String>,
    pub(in super::super) conclusion: String,
    pub(in super::super) r#type: String,
    pub(in super::super) title: String,
    pub(in super::super) severity: String,
    pub(in super::super) owner: String,
    pub(in super::super) created_at: Option<i64>,
}

/// Those of a new incident of which nothing is known.
impl Default for Facts {
    fn default() -> Self {
        Self {
            status: Status::default().word().to_owned(),
            closed_at: None,
            closed_by: None,
            conclusion: String::new(),
            r#type: String::new(),
            title: String::new(),
            severity: String::new(),
            owner: String::new(),
            created_at: None,
        }
    }
}

impl Facts {
    /// Whether the incident is closed.
    pub(in super::super) fn is_closed(&self) -> bool {
        self.status == Status::Closed.word()
    }

    /// Whether the incident is closed and stays so although the file says that it isn't.
    pub(in super::super) fn stays_closed(&self, incident: &Incident) -> bool {
        self.is_closed() && incident.status.is_some_and(|status| status != Status::Closed)
    }

    /// These, with what the file gives in their place.
    pub(in super::super) fn updated(&self, incident: &Incident) -> Self {
        let milliseconds = |instant: jiff::Timestamp| instant.as_millisecond();
        let text =
            |given: &Option<String>, stored: &String| given.as_ref().unwrap_or(stored).clone();
        let stays_closed = self.stays_closed(incident);
        let status = incident.status.filter(|_| !stays_closed);
        // An incident that is closed anew keeps nothing of an earlier closing.
        let closed_anew = !self.is_closed() && status == Some(Status::Closed);
        let (closed_at, closed_by) =
            if closed_anew { (None, None) } else { (self.closed_at, self.closed_by.as_ref()) };
        Self {
            status: status.map_or_else(|| self.status.clone(), |status| status.word().to_owned()),
            closed_at: match incident.closed {
                Some(given) => given.map(milliseconds),
                None => closed_at,
            },
            closed_by: incident
                .closed_by
                .as_ref()
                .or(closed_by)
                .filter(|name| !name.is_empty())
                .cloned(),
            // What was concluded when it was closed is no matter of a file that has it open.
            conclusion: match &incident.conclusion {
                Some(given) if !stays_closed => given.clone(),
                _ => self.conclusion.clone(),
            },
            r#type: text(&incident.r#type, &self.r#type),
            title: text(&incident.title, &self.title),
            severity: text(&incident.severity, &self.severity),
            owner: text(&incident.owner, &self.owner),
            created_at: match incident.created {
                Some(given) => given.map(milliseconds),
                None => self.created_at,
            },
        }
    }
}

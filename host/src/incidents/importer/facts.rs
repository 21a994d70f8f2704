//! The facts of an incident that stand in its own row, and what a file may change of them.
//!
//! It writes nothing; tasks and fields are rows of their own, and are not its matter.

use super::super::import::{Incident, Status};
use super::tally::Outcome;

/// What the store has of an incident.
pub(in super::super) struct Stored {
    pub(in super::super) id: i64,
    /// The execution that closed it, if one did.
    pub(in super::super) closed_in: Option<i64>,
    /// When an execution reopened it, if none closed it since.
    pub(in super::super) reopened_at: Option<i64>,
    /// To whom an execution assigned it last, if one did.
    pub(in super::super) assigned_to: Option<String>,
    pub(in super::super) facts: Facts,
}

/// What the store keeps of an incident although a file says otherwise.
#[derive(Default)]
pub(in super::super) struct Kept {
    /// That it is closed.
    closed: bool,
    /// That it is open.
    open: bool,
    owner: bool,
    conclusion: bool,
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

impl Stored {
    /// Whether an execution closed it: nothing of it is touched then.
    pub(in super::super) fn is_left_alone(&self) -> bool {
        self.facts.is_closed() && self.closed_in.is_some()
    }

    /// What is kept of it. A file doesn't tell how old its words are, but for the date of a closing:
    /// only one after the reopening closes it again.
    pub(in super::super) fn kept(&self, incident: &Incident) -> Kept {
        let facts = &self.facts;
        let closed = incident.closed.flatten().map(jiff::Timestamp::as_millisecond);
        let closes = incident.status == Some(Status::Closed);
        let reopened_at = self.reopened_at.filter(|_| !facts.is_closed());
        let is_other = |given: &Option<String>, stored: &String| {
            given.as_ref().is_some_and(|given| given != stored)
        };
        let is_kept_closed = facts.is_closed() && incident.status.is_some() && !closes;
        let is_kept_open = closes && reopened_at.is_some_and(|at| closed.is_none_or(|it| it <= at));
        let is_assigned = self.assigned_to.as_ref() == Some(&facts.owner);
        let has_conclusion = reopened_at.is_some() && (is_kept_open || !closes);
        Kept {
            closed: is_kept_closed,
            open: is_kept_open,
            owner: is_assigned && is_other(&incident.owner, &facts.owner),
            conclusion: has_conclusion && is_other(&incident.conclusion, &facts.conclusion),
        }
    }
}

impl Kept {
    /// What became of the incident, as far as something is kept.
    pub(in super::super) fn outcome(&self) -> Option<Outcome> {
        if self.open || self.owner || self.conclusion {
            Some(Outcome::KeptChanged)
        } else if self.closed {
            Some(Outcome::KeptClosed)
        } else {
            None
        }
    }
}

impl Facts {
    /// Whether the incident is closed.
    fn is_closed(&self) -> bool {
        self.status == Status::Closed.word()
    }

    /// These, with what the file gives in their place, but for what is kept.
    pub(in super::super) fn updated(&self, incident: &Incident, kept: &Kept) -> Self {
        let milliseconds = |instant: jiff::Timestamp| instant.as_millisecond();
        let text =
            |given: &Option<String>, stored: &String| given.as_ref().unwrap_or(stored).clone();
        let status = incident.status.filter(|_| !kept.closed && !kept.open);
        // An incident that is closed anew keeps nothing of an earlier closing.
        let closed_anew = !self.is_closed() && status == Some(Status::Closed);
        let (closed_at, closed_by) =
            if closed_anew { (None, None) } else { (self.closed_at, self.closed_by.as_ref()) };
        Self {
            status: status.map_or_else(|| self.status.clone(), |status| status.word().to_owned()),
            closed_at: match incident.closed.filter(|_| !kept.open) {
                Some(given) => given.map(milliseconds),
                None => closed_at,
            },
            closed_by: incident
                .closed_by
                .as_ref()
                .filter(|_| !kept.open)
                .or(closed_by)
                .filter(|name| !name.is_empty())
                .cloned(),
            // What was concluded when it was closed is no matter of a file that has it open.
            conclusion: match &incident.conclusion {
                Some(given) if !kept.closed && !kept.conclusion => given.clone(),
                _ => self.conclusion.clone(),
            },
            r#type: text(&incident.r#type, &self.r#type),
            title: text(&incident.title, &self.title),
            severity: text(&incident.severity, &self.severity),
            owner: match kept.owner {
                true => self.owner.clone(),
                false => text(&incident.owner, &self.owner),
            },
            created_at: match incident.created {
                Some(given) => given.map(milliseconds),
                None => self.created_at,
            },
        }
    }
}

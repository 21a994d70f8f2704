//! What a command can do to an incident: close it, reopen it, or assign it to an owner.

use crate::incident::{Facts, Status};
use crate::outcome::OutcomeResult;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A change of an incident. The host makes it if the incident still stands at the version that
/// the command judged, writes the audit entry, and stamps it with the acting user and with the
/// time of the [look](crate::IncidentPage::as_of).
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{Change, ExampleIncident, IncidentContext, Outcome, Recording};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let incident = &page.incidents[0];
/// let version = incident.facts.as_ref().unwrap().version;
/// let change = Change::Close { version, waived: Vec::new() };
/// let outcome = Outcome::changed(incident, change, vec!["Closed".into()]);
/// incidents.record(&Recording::of(&[outcome]).concluding(Some("Done.")))?;
/// assert_eq!(incidents.incident("INC-1").unwrap().conclusion, "<p>Done.</p>");
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Closes it; tasks and fields stay as they are.
    Close {
        /// The version that was judged.
        version: u64,
        /// The rules that a bypass let it through.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waived: Vec<Waiver>,
    },
    /// Reopens it: it has another status again, and no longer a date or a user of a closing.
    Reopen {
        /// The version that was judged.
        version: u64,
        /// The status that it gets: Open, In Progress or On Hold.
        status: Status,
    },
    /// Assigns it, open or closed: it has another owner. The host sees to it that this is an active
    /// user of the site.
    Assign {
        /// The version that was judged.
        version: u64,
        /// The username of its owner.
        owner: String,
    },
}

/// What a change does, apart from its details. A store has to know each kind, so what matches on them
/// ought not to compile when there is another: commands match on [`Change`].
///
/// ```
/// use playdock_plugin_api::{Change, ChangeKind, Status};
/// let change = Change::Reopen { version: 3, status: Status::OnHold };
/// assert_eq!((change.kind(), change.kind().as_str()), (ChangeKind::Reopen, "reopen"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It closes.
    Close,
    /// It reopens.
    Reopen,
    /// It assigns to an owner.
    Assign,
}

impl ChangeKind {
    /// `close`, `reopen` or `assign`: the word for it in messages and in a host's records, and the verb
    /// in its sentences.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Close => "close",
            ChangeKind::Reopen => "reopen",
            ChangeKind::Assign => "assign",
        }
    }

    /// The kind that this is the word for.
    ///
    /// ```
    /// use playdock_plugin_api::ChangeKind;
    /// assert_eq!(ChangeKind::of_word("close"), Some(ChangeKind::Close));
    /// ```
    pub fn of_word(word: &str) -> Option<ChangeKind> {
        let all = [ChangeKind::Close, ChangeKind::Reopen, ChangeKind::Assign];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether somebody has undone such a change of an incident, which is as in `facts` now. `owner`
    /// is whom an assignment gave it to.
    ///
    /// ```
    /// use playdock_plugin_api::testing::InMemoryIncidents;
    /// use playdock_plugin_api::{ChangeKind, ExampleIncident, IncidentContext};
    /// let incident = ExampleIncident::new("INC-1", "Open").owner("jane");
    /// let mut incidents = InMemoryIncidents::new([incident]);
    /// incidents.select(&["INC-1"].into_iter().collect())?;
    /// let page = incidents.next_page()?.unwrap();
    /// let facts = page.incidents[0].facts.as_ref().unwrap();
    /// assert!(ChangeKind::Close.is_undone(None, facts), "it is open again");
    /// assert!(!ChangeKind::Assign.is_undone(Some("jane"), facts), "it is jane's still");
    /// # Ok::<(), playdock_plugin_api::ContextError>(())
    /// ```
    pub fn is_undone(self, owner: Option<&str>, facts: &Facts) -> bool {
        match self {
            ChangeKind::Close => facts.status != Status::Closed,
            ChangeKind::Reopen => facts.status == Status::Closed,
            ChangeKind::Assign => owner.is_some() && facts.owner.as_deref() != owner,
        }
    }

    /// The reason of an incident that a preview would change: `would-close`, say.
    pub const fn would(self) -> crate::Reason {
        crate::Reason::new(match self {
            ChangeKind::Close => "would-close",
            ChangeKind::Reopen => "would-reopen",
            ChangeKind::Assign => "would-assign",
        })
    }
}

/// What a bypass let through, for the audit.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{Change, ExampleIncident, IncidentContext, Waiver};
/// let incident = ExampleIncident::new("INC-1", "Open").required_task("Reset password", "Pending");
/// let mut incidents = InMemoryIncidents::new([incident]);
/// incidents.select(&["INC-1"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let facts = page.incidents[0].facts.as_ref().unwrap();
/// // The pending task is the first of the incident's required ones.
/// let waived = vec![Waiver { bypass: "Bypass Tasks".into(), tasks: vec![0], fields: Vec::new() }];
/// let change = Change::Close { version: facts.version, waived };
/// # assert!(matches!(change, Change::Close { .. }));
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Waiver {
    /// The parameter that let it through.
    pub bypass: Cow<'static, str>,
    /// Indexes into the incident's [required tasks](crate::Facts::required_tasks).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<usize>,
    /// Indexes into the incident's [required fields](crate::Facts::required_fields).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<usize>,
}

impl Change {
    /// What it does.
    pub const fn kind(&self) -> ChangeKind {
        match self {
            Change::Close { .. } => ChangeKind::Close,
            Change::Reopen { .. } => ChangeKind::Reopen,
            Change::Assign { .. } => ChangeKind::Assign,
        }
    }

    /// The version that was judged.
    pub const fn version(&self) -> u64 {
        match self {
            Change::Close { version, .. }
            | Change::Reopen { version, .. }
            | Change::Assign { version, .. } => *version,
        }
    }

    /// The status that the incident gets, where it may get another.
    pub const fn status(&self) -> Option<&Status> {
        match self {
            Change::Close { .. } => Some(&Status::Closed),
            Change::Reopen { status, .. } => Some(status),
            Change::Assign { .. } => None,
        }
    }

    /// The owner that the incident gets, where it gets another.
    pub fn owner(&self) -> Option<&str> {
        match self {
            Change::Assign { owner, .. } => Some(owner),
            Change::Close { .. } | Change::Reopen { .. } => None,
        }
    }

    /// What a bypass let through.
    pub fn waived(&self) -> &[Waiver] {
        match self {
            Change::Close { waived, .. } => waived,
            Change::Reopen { .. } | Change::Assign { .. } => &[],
        }
    }

    /// What is wrong with the change of an incident that was given out with these facts, that this
    /// execution had `changed_before` or not, and whose outcome has this result; a host refuses to
    /// make it then.
    ///
    /// # Errors
    ///
    /// What the command recorded, to end a sentence with: the change comes with a failure, or is of
    /// another version, of an incident that there is not or that this execution has changed before,
    /// or waives what there is not, or reopens to a status that is none of an open incident, or
    /// what isn't closed, or assigns to nobody, or to the owner that it has.
    pub fn check(
        &self,
        facts: Option<&Facts>,
        result: OutcomeResult,
        changed_before: bool,
    ) -> Result<(), &'static str> {
        let known = |waiver: &Waiver, facts: &Facts| {
            waiver.tasks.iter().all(|index| *index < facts.required_tasks.len())
                && waiver.fields.iter().all(|index| *index < facts.required_fields.len())
        };
        let reopens = self.kind() == ChangeKind::Reopen;
        Err(match facts {
            _ if result == OutcomeResult::Failed => "a failure together with a change",
            None => "a change of an incident that there is not",
            Some(facts) if facts.version != self.version() => {
                "a change of a version that it was not given"
            }
            Some(_) if changed_before => {
                "a change of an incident that this execution had changed before"
            }
            Some(facts) if !self.waived().iter().all(|waiver| known(waiver, facts)) => {
                "that it waived a task or a field that there is not"
            }
            Some(facts) if reopens && facts.status != Status::Closed => {
                "the reopening of an incident that is not closed"
            }
            Some(_)
                if reopens && matches!(self.status(), Some(Status::Closed | Status::Other(_))) =>
            {
                "a reopening to another status than Open, In Progress or On Hold"
            }
            Some(_) if self.owner().is_some_and(|owner| owner.trim().is_empty()) => {
                "an assignment to nobody"
            }
            Some(facts) if self.owner().is_some() && self.owner() == facts.owner.as_deref() => {
                "an assignment to the owner that the incident has"
            }
            Some(_) => return Ok(()),
        })
    }
}

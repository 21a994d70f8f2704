//! The incident context: all that a command can learn and do while it runs.

use crate::change::ChangeKind;
use crate::incident::Incident;
use crate::outcome::{Outcome, Refusal};
use crate::parameters::TextList;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What a command runs on: the incidents of one site, in the name of one user.
///
/// It works in batches: select incidents by number, then page by page look at their facts and
/// record an outcome for each. Nothing is held back: an outcome is written, with the change that
/// it carries, before [`record`](IncidentContext::record) returns.
///
/// Every method fails with [`ContextError::Cancelled`] once the execution is cancelled or its
/// deadline has passed; a command passes that on with `?`, and the host reports what had been
/// recorded and what was not attempted.
///
/// ```
/// use playdock_plugin_api::parameters::TextList;
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{
///     Change, ContextError, ExampleIncident, Incident, IncidentContext, Outcome, Recording, Status,
/// };
///
/// /// Closes what is open.
/// fn close(numbers: &TextList<'_>, context: &mut dyn IncidentContext) -> Result<(), ContextError> {
///     context.select(numbers)?;
///     while let Some(page) = context.next_page()? {
///         let outcomes: Vec<Outcome> = page.incidents.iter().filter_map(closed).collect();
///         let refused = context.record(&Recording::of(&outcomes))?;
///         assert!(refused.is_empty(), "nobody else is at work here");
///     }
///     Ok(())
/// }
///
/// fn closed(incident: &Incident) -> Option<Outcome> {
///     let facts = incident.facts.as_ref().filter(|facts| facts.status != Status::Closed)?;
///     let change = Change::Close { version: facts.version, waived: Vec::new() };
///     Some(Outcome::changed(incident, change, vec!["Closed".into()]))
/// }
///
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
/// close(&["INC-1"].into_iter().collect(), &mut incidents)?;
/// assert_eq!(incidents.incident("INC-1").unwrap().status, "Closed");
/// # Ok::<(), ContextError>(())
/// ```
pub trait IncidentContext {
    /// Which execution this is.
    fn execution(&self) -> &Execution;

    /// Selects incidents by their numbers and returns how many: repeated numbers count once, at
    /// their first place. A number that the site doesn't know is selected too, without facts.
    ///
    /// # Errors
    ///
    /// [`ContextError`]; a second selection in one execution is an error.
    fn select(&mut self, numbers: &TextList<'_>) -> Result<u64, ContextError>;

    /// Looks at the next incidents of the selection, in the order in which the host stores them;
    /// `None` at its end. Each is seen once.
    ///
    /// # Errors
    ///
    /// [`ContextError`]
    fn next_page(&mut self) -> Result<Option<IncidentPage>, ContextError>;

    /// Records outcomes and makes the changes that they carry, each with its outcome or not at
    /// all. Returns those that were refused: record another outcome for their incidents.
    ///
    /// # Errors
    ///
    /// [`ContextError`]; an outcome for an incident that was not seen, or that has one already, or
    /// with the wrong number of cells, or with a change that [`check`](crate::Change::check) objects to, is an error.
    fn record(&mut self, recording: &Recording<'_>) -> Result<Vec<Refusal>, ContextError>;

    /// Says how far the command is, for whoever watches.
    ///
    /// # Errors
    ///
    /// [`ContextError`]
    fn progress(&mut self, done: u64, total: u64) -> Result<(), ContextError>;

    /// Whether the command is asked to stop; for work that goes on long between two calls.
    fn is_cancelled(&self) -> bool;
}

/// Outcomes to record.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext, Outcome, Reason, Recording};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let looked_up = |it| Outcome::unchanged(it, Reason::new("looked-up"), "", Vec::new());
/// let outcomes: Vec<Outcome> = page.incidents.iter().map(looked_up).collect();
/// let refused = incidents.record(&Recording::of(&outcomes))?;
/// assert!(refused.is_empty());
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Recording<'a> {
    /// Text to append to the Conclusion section of each incident that is changed: plain text,
    /// which the host appends as a new paragraph, escaped. It may have
    /// [`LONGEST_CONCLUSION`](crate::rich_text::LONGEST_CONCLUSION) characters at most.
    pub conclusion: Option<&'a str>,
    /// The outcomes.
    pub outcomes: &'a [Outcome],
}

impl<'a> Recording<'a> {
    /// These outcomes, and nothing to append to conclusions.
    ///
    /// ```
    /// use playdock_plugin_api::Recording;
    /// assert_eq!(Recording::of(&[]).conclusion, None);
    /// ```
    pub fn of(outcomes: &'a [Outcome]) -> Recording<'a> {
        Recording { conclusion: None, outcomes }
    }

    /// With text to append to the conclusion of each incident that is changed, if there is any.
    ///
    /// ```
    /// use playdock_plugin_api::Recording;
    /// let recording = Recording::of(&[]).concluding(Some("Done."));
    /// assert_eq!(recording.conclusion, Some("Done."));
    /// ```
    pub fn concluding(mut self, conclusion: Option<&'a str>) -> Recording<'a> {
        self.conclusion = conclusion;
        self
    }
}

/// Incidents that were looked at together.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// assert_eq!(page.incidents.len(), 2);
/// assert!(page.as_of.milliseconds() > 0);
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone)]
pub struct IncidentPage {
    /// When they were looked at: the time that changes of these incidents bear.
    pub as_of: Timestamp,
    /// The incidents.
    pub incidents: Vec<Incident>,
}

/// Which execution of a command this is.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{IncidentContext, Intent, Mode};
/// let incidents = InMemoryIncidents::new([]);
/// let execution = incidents.execution();
/// assert_eq!((execution.mode, execution.intent), (Mode::Automatic, Intent::Apply));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Execution {
    /// Its id; the same id again resumes it or repeats its answer.
    pub id: String,
    /// Whether a person or a playbook runs it.
    pub mode: Mode,
    /// Whether it is to change anything. The host sees to it that a preview doesn't.
    pub intent: Intent,
    /// The site that it works in.
    pub site: Site,
    /// In whose name it acts.
    pub actor: Actor,
    /// The account that asked for it, where that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
}

impl Execution {
    /// An automatic execution that is to change something, and that nobody else asked for.
    ///
    /// ```
    /// use playdock_plugin_api::{Actor, Execution, Intent, Site};
    /// let site = Site { name: "London".to_owned(), time_zone: "Europe/London".to_owned() };
    /// let mut execution = Execution::new("nightly-1", site, Actor::new("admin user"));
    /// execution.intent = Intent::Preview;
    /// ```
    pub fn new(id: impl Into<String>, site: Site, actor: Actor) -> Execution {
        Execution {
            id: id.into(),
            mode: Mode::Automatic,
            intent: Intent::Apply,
            site,
            actor,
            requested_by: None,
        }
    }
}

/// How an execution was started. What a newer host adds is read as `Automatic`: the host has decided
/// who acts.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{IncidentContext, Mode};
/// let incidents = InMemoryIncidents::new([]).manual("jane");
/// assert_eq!(incidents.execution().mode, Mode::Manual);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// By a person, as whom it acts.
    Manual,
    /// By a playbook or a remote request; it acts as the user of its `Username` parameter.
    #[default]
    #[serde(other)]
    Automatic,
}

/// Whether an execution is to change anything. What a newer host adds is read as `Preview`, unless
/// that host says that it must be understood.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{IncidentContext, Intent};
/// let incidents = InMemoryIncidents::new([]).preview();
/// assert_eq!(incidents.execution().intent, Intent::Preview);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// It is.
    Apply,
    /// It only shows what it would do.
    #[serde(other)]
    Preview,
}

/// A site.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::IncidentContext;
/// let incidents = InMemoryIncidents::new([]);
/// assert_eq!(incidents.execution().site.time_zone, "America/Los_Angeles");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its time zone, an IANA name.
    pub time_zone: String,
}

/// The user in whose name an execution acts. The host has made sure that it exists, is active
/// and has the site.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::IncidentContext;
/// let incidents = InMemoryIncidents::new([]).may_not_change();
/// let actor = &incidents.execution().actor;
/// assert_eq!((&*actor.username, actor.may_close), ("admin user", false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Actor {
    /// The username.
    pub username: String,
    /// Whether this user may close incidents.
    pub may_close: bool,
    /// Whether this user may reopen incidents.
    pub may_reopen: bool,
    /// Whether this user may assign incidents; a host from before that was a change says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_assign: bool,
}

impl Actor {
    /// A user who may change nothing, unless the members that say so are set.
    ///
    /// ```
    /// use playdock_plugin_api::{Actor, ChangeKind};
    /// let mut actor = Actor::new("jane");
    /// actor.may_assign = true;
    /// assert!(actor.may(ChangeKind::Assign) && !actor.may(ChangeKind::Close));
    /// ```
    pub fn new(username: impl Into<String>) -> Actor {
        let username = username.into();
        Actor { username, may_close: false, may_reopen: false, may_assign: false }
    }

    /// Whether this user may make such a change.
    ///
    /// ```
    /// use playdock_plugin_api::testing::InMemoryIncidents;
    /// use playdock_plugin_api::{ChangeKind, IncidentContext};
    /// let incidents = InMemoryIncidents::new([]).may_not_change();
    /// assert!(!incidents.execution().actor.may(ChangeKind::Reopen));
    /// ```
    pub fn may(&self, change: ChangeKind) -> bool {
        match change {
            ChangeKind::Close => self.may_close,
            ChangeKind::Reopen => self.may_reopen,
            ChangeKind::Assign => self.may_assign,
        }
    }
}

/// Why the context did not do what it was asked.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ContextError, IncidentContext};
/// let mut incidents = InMemoryIncidents::new([]).fail_after(0, ContextError::Cancelled);
/// assert_eq!(incidents.next_page().unwrap_err(), ContextError::Cancelled);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The execution is cancelled or its deadline has passed.
    #[error("the execution was cancelled")]
    Cancelled,
    /// The host is older than the command: it doesn't know this call.
    #[error("this host doesn't know {0}, which the command needs: use a newer host")]
    Unsupported(String),
    /// The host could not do it; the text says why.
    #[error("{0}")]
    Host(String),
}

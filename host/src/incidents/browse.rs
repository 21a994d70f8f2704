//! Reading incidents for people: lists, and one incident with all that the store has of it.

use super::error::StoreError;
use playdock_plugin_api::Timestamp;
use serde::{Serialize, Serializer};

/// Reads the incidents of a store for people.
///
/// Methods may be called from several threads at once.
pub trait IncidentBrowser: Send + Sync {
    /// Lists incidents in the order in which they were stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<IncidentLine>, StoreError>;

    /// How many incidents a filter lets through, whatever its limit.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn count_incidents(&self, filter: &IncidentFilter) -> Result<u64, StoreError>;

    /// The names of all sites, in the order of their characters.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn site_names(&self) -> Result<Vec<String>, StoreError>;

    /// All that the store has of the incidents of a number: one for each site that has it, in the
    /// order of the sites' names.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn incident(&self, number: &str, site: Option<&str>)
    -> Result<Vec<IncidentDetail>, StoreError>;
}

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

/// An instant as RFC 3339 has it; null where there is none, or none that a calendar reaches.
fn rfc3339<S: Serializer>(
    instant: &(impl Copy + Into<Option<Timestamp>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let instant: Option<Timestamp> = (*instant).into();
    let instant = instant.and_then(|it| jiff::Timestamp::from_millisecond(it.milliseconds()).ok());
    instant.map(|instant| instant.to_string()).serialize(serializer)
}

//! What a command sees of an incident: the facts that its rules judge.

use crate::outcome::{OutcomeResult, Reason};
use crate::timestamp::Timestamp;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// One incident that was selected by its number.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// assert!(page.incidents[0].facts.is_some());
/// assert!(page.incidents[1].facts.is_none(), "the site has no INC-2");
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Incident {
    /// Its place among the numbers that were selected, from 0; repeated numbers count once.
    pub position: u64,
    /// Its number.
    pub number: String,
    /// What is known of it; `None` where the site has no incident of this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What this same execution made of it before it was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// The facts of an incident at the moment when it was looked up.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext, Status};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let facts = page.incidents[0].facts.as_ref().unwrap();
/// assert_eq!(facts.status, Status::OnHold);
/// assert!(facts.required_tasks.is_empty() && facts.required_fields.is_empty());
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Facts {
    /// Its status.
    pub status: Status,
    /// Grows with every change of it. A change is made only if the version still stands.
    pub version: u64,
    /// When it was closed, if it is closed and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Who closed it, if it is closed and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    /// The username of its owner, if it has one; a host from before owners were told says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its tasks with the Required flag ("assigned user must complete this task to close the
    /// incident"), done or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_tasks: Vec<RequiredTask>,
    /// The fields of its form that are marked Required on Close, with a value or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_fields: Vec<RequiredField>,
}

impl Incident {
    /// An incident that this execution has not come to before; without facts where the site has none
    /// of this number.
    ///
    /// ```
    /// use playdock_plugin_api::{Facts, Incident, Status};
    /// let mut facts = Facts::new(Status::Open, 1);
    /// facts.owner = Some("jane".to_owned());
    /// let incident = Incident::new(0, "INC-1", Some(facts));
    /// assert!(incident.earlier.is_none());
    /// ```
    pub fn new(position: u64, number: impl Into<String>, facts: Option<Facts>) -> Incident {
        Incident { position, number: number.into(), facts, earlier: None }
    }
}

impl Facts {
    /// Those of an incident of which no more is known: the other members can be set.
    ///
    /// ```
    /// use playdock_plugin_api::{Facts, Status};
    /// let facts = Facts::new(Status::OnHold, 3);
    /// assert!(facts.owner.is_none() && facts.required_tasks.is_empty());
    /// ```
    pub fn new(status: Status, version: u64) -> Facts {
        Facts {
            status,
            version,
            closed_at: None,
            closed_by: None,
            owner: None,
            required_tasks: Vec::new(),
            required_fields: Vec::new(),
        }
    }
}

/// The status of an incident, in D3's words.
///
/// ```
/// use playdock_plugin_api::Status;
/// assert_eq!(Status::from("On Hold"), Status::OnHold);
/// assert_eq!(Status::from("Merged").to_string(), "Merged");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Status {
    /// `Open`
    Open,
    /// `In Progress`
    InProgress,
    /// `On Hold`
    OnHold,
    /// `Closed`
    Closed,
    /// A status that a newer host knows and this version doesn't.
    Other(String),
}

impl Status {
    /// The status as people read it.
    ///
    /// ```
    /// use playdock_plugin_api::Status;
    /// assert_eq!(Status::InProgress.as_str(), "In Progress");
    /// ```
    pub fn as_str(&self) -> &str {
        match self {
            Status::Open => "Open",
            Status::InProgress => "In Progress",
            Status::OnHold => "On Hold",
            Status::Closed => "Closed",
            Status::Other(other) => other,
        }
    }
}

impl From<&str> for Status {
    fn from(text: &str) -> Status {
        match text {
            "Open" => Status::Open,
            "In Progress" => Status::InProgress,
            "On Hold" => Status::OnHold,
            "Closed" => Status::Closed,
            other => Status::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
        struct StatusVisitor;
        impl Visitor<'_> for StatusVisitor {
            type Value = Status;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a status")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Status, E> {
                Ok(Status::from(text))
            }
        }
        deserializer.deserialize_str(StatusVisitor)
    }
}

/// A task that must be done before its incident closes.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext};
/// let incident = ExampleIncident::new("INC-1", "Open").required_task("Reset password", "Pending");
/// let mut incidents = InMemoryIncidents::new([incident]);
/// incidents.select(&["INC-1"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let facts = page.incidents[0].facts.as_ref().unwrap();
/// assert_eq!(facts.required_tasks[0].title, "Reset password");
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequiredTask {
    /// Its title.
    pub title: String,
    /// Its status, as its source names it: `Pending`, `Completed`, …
    pub status: String,
}

/// A field that must have a value before its incident closes.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, FieldValue, IncidentContext};
/// let incident = ExampleIncident::new("INC-1", "Open")
///     .required_field("Closure", "Root cause", serde_json::json!(""));
/// let mut incidents = InMemoryIncidents::new([incident]);
/// incidents.select(&["INC-1"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let facts = page.incidents[0].facts.as_ref().unwrap();
/// assert_eq!(facts.required_fields[0].name, "Root cause");
/// assert_eq!(facts.required_fields[0].value, FieldValue::BlankText);
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RequiredField {
    /// The section of the form that it stands in.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Whether the form shows it.
    #[serde(default = "shown", skip_serializing_if = "is_shown")]
    pub visible: bool,
    /// What kind of value it has.
    pub value: FieldValue,
}

fn shown() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_shown(visible: &bool) -> bool {
    *visible
}

/// What kind of value a field has; the value itself stays with the host.
///
/// ```
/// use playdock_plugin_api::FieldValue;
/// let lacks_a_value = |value| FieldValue::of(&value) != FieldValue::Present;
/// assert!(lacks_a_value(serde_json::json!([])));
/// assert!(!lacks_a_value(serde_json::json!(0)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FieldValue {
    /// None was ever given, or it was taken away.
    Null,
    /// Text of white space alone, or of nothing.
    BlankText,
    /// A list without elements.
    EmptyList,
    /// Anything else: `false` and `0` too.
    Present,
    /// What a newer host may add; it counts as no value, which is on the safe side.
    #[serde(other)]
    Unknown,
}

impl FieldValue {
    /// The kind of a value.
    ///
    /// ```
    /// use playdock_plugin_api::FieldValue;
    /// use serde_json::json;
    /// assert_eq!(FieldValue::of(&json!(false)), FieldValue::Present);
    /// assert_eq!(FieldValue::of(&json!(" ")), FieldValue::BlankText);
    /// ```
    pub fn of(value: &serde_json::Value) -> FieldValue {
        match value {
            serde_json::Value::Null => FieldValue::Null,
            serde_json::Value::String(text) if text.trim().is_empty() => FieldValue::BlankText,
            serde_json::Value::Array(elements) if elements.is_empty() => FieldValue::EmptyList,
            _ => FieldValue::Present,
        }
    }
}

/// What an interrupted execution had recorded of an incident; its outcome is in the host's ledger.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext, Outcome, Reason, Recording};
/// let numbers = ["INC-1"].into_iter().collect();
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
/// incidents.select(&numbers)?;
/// let page = incidents.next_page()?.unwrap();
/// let outcome = Outcome::unchanged(&page.incidents[0], Reason::new("looked-up"), "", Vec::new());
/// incidents.record(&Recording::of(&[outcome]))?;
///
/// // The same execution again, after an interruption.
/// incidents.resume();
/// incidents.select(&numbers)?;
/// let page = incidents.next_page()?.unwrap();
/// let earlier = page.incidents[0].earlier.as_ref().unwrap();
/// assert!(!earlier.undone, "its outcome stands, and no other is to be recorded");
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Earlier {
    /// Whether it succeeded.
    pub result: OutcomeResult,
    /// The reason that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whether somebody has since undone what the execution had changed: closed then and open
    /// now, or the reverse, or assigned to another owner. The earlier outcome no longer holds and the command records a new one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
}

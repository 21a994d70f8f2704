//! What a command makes of an incident: its outcome, which the host may refuse.

use crate::change::Change;
use crate::incident::Incident;
use crate::timestamp::Timestamp;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Whether what was asked for holds for one incident.
///
/// ```
/// use playdock_plugin_api::OutcomeResult;
/// assert_eq!(OutcomeResult::Failed.as_str(), "Failed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum OutcomeResult {
    /// It holds.
    #[default]
    Successful,
    /// It doesn't. What a newer host may add counts as this.
    #[serde(other)]
    Failed,
}

impl OutcomeResult {
    /// `Successful` or `Failed`, as D3 writes them.
    pub const fn as_str(self) -> &'static str {
        match self {
            OutcomeResult::Successful => "Successful",
            OutcomeResult::Failed => "Failed",
        }
    }

    pub(crate) fn is_successful(&self) -> bool {
        *self == OutcomeResult::Successful
    }
}

/// Why an incident has the outcome that it has: a code for programs, from a closed list that the
/// command documents.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// The site has no incident of this number.
    pub const NOT_FOUND: Reason = Reason::new("not-found");
    /// The acting user may not do this here.
    pub const NOT_PERMITTED: Reason = Reason::new("not-permitted");
    /// The incident changed between look and change, again and again.
    pub const CHANGED_MEANWHILE: Reason = Reason::new("changed-meanwhile");
    /// The execution ended (deadline, cancellation, crash) before it came to this incident.
    pub const NOT_ATTEMPTED: Reason = Reason::new("not-attempted");
    /// The site has no active user of that name, to whom an incident could be assigned.
    pub const UNKNOWN_OWNER: Reason = Reason::new("unknown-owner");
    /// The store could not write the change.
    pub const STORE_ERROR: Reason = Reason::new("store-error");

    /// A code of a command's own, in kebab case.
    ///
    /// ```
    /// use playdock_plugin_api::Reason;
    /// const ALREADY_CLOSED: Reason = Reason::new("already-closed");
    /// assert_eq!(ALREADY_CLOSED.as_str(), "already-closed");
    /// ```
    pub const fn new(code: &'static str) -> Reason {
        Reason(Cow::Borrowed(code))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Reason {
    fn from(code: String) -> Reason {
        Reason(Cow::Owned(code))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One cell of a row: a value for one of the command's [columns](crate::Columns) of text, number
/// or instant. The host renders it.
///
/// ```
/// use playdock_plugin_api::{Cell, Timestamp};
/// let closed_at: Option<Timestamp> = None;
/// let cells: Vec<Cell> = vec!["Closed".into(), closed_at.into(), Cell::Number(3.0)];
/// assert_eq!(cells[1], Cell::Empty);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Cell {
    /// Nothing; shown as empty text.
    Empty,
    /// A point in time, for a column of instants.
    Instant(Timestamp),
    /// A number, for a column of numbers.
    Number(f64),
    /// Text, for a column of text.
    Text(Cow<'static, str>),
}

// By hand, since serde would buffer each of a million cells to find its variant.
impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cell, D::Error> {
        struct CellVisitor;
        impl Visitor<'_> for CellVisitor {
            type Value = Cell;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text, a number, an instant in milliseconds, or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
                Ok(Cell::Empty)
            }
            fn visit_i64<E: de::Error>(self, milliseconds: i64) -> Result<Cell, E> {
                Ok(Cell::Instant(Timestamp::from_milliseconds(milliseconds)))
            }
            fn visit_u64<E: de::Error>(self, milliseconds: u64) -> Result<Cell, E> {
                i64::try_from(milliseconds)
                    .map(|milliseconds| Cell::Instant(Timestamp::from_milliseconds(milliseconds)))
                    .map_err(|_| E::custom("an instant is out of range"))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Cell, E> {
                Ok(Cell::Number(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell::Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_any(CellVisitor)
    }
}

impl From<&'static str> for Cell {
    fn from(text: &'static str) -> Cell {
        Cell::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(Cow::Owned(text))
    }
}

impl From<Timestamp> for Cell {
    fn from(instant: Timestamp) -> Cell {
        Cell::Instant(instant)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Empty, Into::into)
    }
}

/// What became of one incident: one row of the command's answer, and the change that the host
/// makes together with it or not at all.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{ExampleIncident, IncidentContext, Outcome, Reason, Recording};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "On Hold")]);
/// incidents.select(&["INC-1", "INC-2"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let (known, unknown) = (&page.incidents[0], &page.incidents[1]);
/// let message = "The site has no incident of this number.";
/// let outcomes = [
///     Outcome::unchanged(known, Reason::new("looked-up"), "It is on hold.", vec!["On Hold".into()]),
///     Outcome::failed(unknown, Reason::NOT_FOUND, message, vec!["".into()]),
/// ];
/// incidents.record(&Recording::of(&outcomes))?;
/// assert_eq!(incidents.outcomes().len(), 2);
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The [position](Incident::position) of the incident.
    pub position: u64,
    /// What is to be changed, if anything.
    pub change: Option<Change>,
    /// Whether what was asked for holds (once the change is made).
    pub result: OutcomeResult,
    /// Why, as a code; none where the command simply did what it was asked.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub message: Option<String>,
    /// The values of the command's columns of text, number and instant, in their order.
    pub cells: Vec<Cell>,
}

impl Outcome {
    /// An outcome that succeeded by a change.
    pub fn changed(incident: &Incident, change: Change, cells: Vec<Cell>) -> Outcome {
        Outcome {
            position: incident.position,
            change: Some(change),
            result: OutcomeResult::Successful,
            reason: None,
            message: None,
            cells,
        }
    }

    /// An outcome that succeeded without a change: what was asked for held already.
    pub fn unchanged(
        incident: &Incident,
        reason: Reason,
        message: impl Into<String>,
        cells: Vec<Cell>,
    ) -> Outcome {
        Outcome {
            position: incident.position,
            change: None,
            result: OutcomeResult::Successful,
            reason: Some(reason),
            message: Some(message.into()),
            cells,
        }
    }

    /// An outcome that failed.
    pub fn failed(
        incident: &Incident,
        reason: Reason,
        message: impl Into<String>,
        cells: Vec<Cell>,
    ) -> Outcome {
        Outcome {
            result: OutcomeResult::Failed,
            ..Outcome::unchanged(incident, reason, message, cells)
        }
    }
}

/// An outcome that the host did not record; its incident has none yet.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{Change, ExampleIncident, IncidentContext, Outcome, Reason, Recording};
/// // A task is added between the look and the change.
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")])
///     .meanwhile("INC-1", |it| it.conclusion.push_str("<p>One more task.</p>"));
/// incidents.select(&["INC-1"].into_iter().collect())?;
/// let page = incidents.next_page()?.unwrap();
/// let incident = &page.incidents[0];
/// let version = incident.facts.as_ref().unwrap().version;
/// let change = Change::Close { version, waived: Vec::new() };
/// let outcome = Outcome::changed(incident, change, vec!["Closed".into()]);
/// let refused = incidents.record(&Recording::of(&[outcome]))?;
/// assert_eq!(refused[0].reason, Reason::CHANGED_MEANWHILE);
/// assert!(refused[0].incident.facts.as_ref().unwrap().version > version, "judge it anew");
/// # Ok::<(), playdock_plugin_api::ContextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Refusal {
    /// Why: [`CHANGED_MEANWHILE`](Reason::CHANGED_MEANWHILE) (judge it anew),
    /// [`NOT_PERMITTED`](Reason::NOT_PERMITTED), [`UNKNOWN_OWNER`](Reason::UNKNOWN_OWNER),
    /// [`STORE_ERROR`](Reason::STORE_ERROR), or what a newer host adds.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// The incident as it stands now, or as it was known last where it can't be looked up.
    pub incident: Incident,
}

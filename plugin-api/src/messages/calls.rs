//! What a command asks of the host while it runs, and what the host answers.

use super::{Message, Row, RowOutcome};
use crate::incident::Incident;
use crate::outcome::Refusal;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a command asks of the host.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Call<'a> {
    /// To select incidents by their numbers.
    Select {
        /// The numbers, or the next of them.
        #[serde(borrow)]
        numbers: Vec<Number<'a>>,
        /// Whether more follow in another message.
        #[serde(default)]
        more: bool,
        /// The members that must be understood.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// For the next incidents of the selection.
    NextIncidents {},
    /// To record outcomes and make their changes.
    Record {
        /// Text to append to the Conclusion section of each incident that is changed.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        conclusion: Option<Cow<'a, str>>,
        /// The rows of the outcomes.
        rows: Vec<Row>,
        /// The outcomes.
        outcomes: Vec<RowOutcome>,
        /// The members that must be understood; those of an outcome as `outcomes.change.close`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// For more of the outcomes that were not recorded.
    NextRefusals {},
    /// To show how far it is.
    Progress {
        /// How many are done.
        done: u64,
        /// Of how many.
        total: u64,
    },
}

/// One number of a selection.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Number<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// What the host answers.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// How many incidents are selected so far.
    Selected {
        /// Their number, repeated ones counted once.
        count: u64,
    },
    /// The next incidents; none at the end.
    Incidents {
        /// When they were looked at.
        as_of: Timestamp,
        /// They.
        incidents: Vec<Incident>,
        /// The members that must be understood; those of an incident as `incidents.facts`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// The outcomes are recorded but for these.
    Recorded {
        /// The outcomes that were not, or the next of them.
        refused: Vec<Refusal>,
        /// Whether there are more, to be asked for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        /// The members that must be understood; those of an incident as `refused.incident.facts`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// Done.
    Done {},
    /// The execution is cancelled or its deadline has passed; nothing was done.
    Cancelled {},
    /// The host could not do it.
    Failed {
        /// Why, as a sentence.
        error: String,
    },
    /// The host doesn't know this call.
    Unsupported {
        /// What it doesn't know.
        what: String,
    },
}

impl Message for Call<'_> {
    const NAMES: &'static [&'static str] =
        &["select", "next_incidents", "record", "next_refusals", "progress"];

    const KNOWN: &'static [&'static str] = &[
        "numbers",
        "more",
        "conclusion",
        "rows",
        "rows.result",
        "rows.reason",
        "rows.message",
        "rows.cells",
        "outcomes",
        "outcomes.position",
        "outcomes.row",
        "outcomes.change",
        "outcomes.change.close",
        "outcomes.change.close.version",
        "outcomes.change.close.waived",
        "outcomes.change.reopen",
        "outcomes.change.reopen.version",
        "outcomes.change.reopen.status",
        "outcomes.change.assign",
        "outcomes.change.assign.version",
        "outcomes.change.assign.owner",
    ];

    fn must_understand(&self) -> &[String] {
        match self {
            Call::Select { must_understand, .. } | Call::Record { must_understand, .. } => {
                must_understand
            }
            Call::NextIncidents {} | Call::NextRefusals {} | Call::Progress { .. } => &[],
        }
    }
}

impl Message for Reply {
    const NAMES: &'static [&'static str] =
        &["selected", "incidents", "recorded", "done", "cancelled", "failed", "unsupported"];

    const KNOWN: &'static [&'static str] = &[
        "as_of",
        "incidents",
        "incidents.facts",
        "incidents.facts.owner",
        "incidents.facts.required_tasks",
        "incidents.facts.required_fields",
        "incidents.earlier",
        "refused",
        "refused.incident",
        "more",
    ];

    fn must_understand(&self) -> &[String] {
        match self {
            Reply::Incidents { must_understand, .. } | Reply::Recorded { must_understand, .. } => {
                must_understand
            }
            _ => &[],
        }
    }
}

//! The commands of an action step (CACAO 2.0, section 5).
//!
//! The vocabulary of command types is open, so one type holds the members of all the standard's
//! commands, those of our own `soar-utility`, and whatever a vendor adds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ExternalReference;

/// One command of an action step.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Command {
    /// Which kind of command: `soar-utility`, `bash`, `http-api`, …
    #[serde(rename = "type")]
    pub command_type: String,
    /// For people to read.
    pub description: Option<String>,
    /// The version of the command language.
    pub version: Option<String>,
    /// Which of the playbook's activities this belongs to.
    pub playbook_activity: Option<String>,
    /// Sources about this command.
    #[serde(default)]
    pub external_references: Vec<ExternalReference>,
    /// The command as text; of a `soar-utility`, the name of the command.
    pub command: Option<String>,
    /// The command in base64.
    pub command_b64: Option<String>,
    /// The body of a request.
    pub content: Option<String>,
    /// The body of a request in base64.
    pub content_b64: Option<String>,
    /// The headers of a request.
    pub headers: Option<BTreeMap<String, Value>>,
    /// What a `soar-utility` command is given, by the names that its catalogue entry shows.
    pub parameters: Option<Map<String, Value>>,
    /// The members of a vendor's own command type.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

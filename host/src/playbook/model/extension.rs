//! The definition of an extension (CACAO 2.0, section 8).

use serde::{Deserialize, Serialize};

use super::{ExternalReference, Identifier};

/// Says what an extension is and who made it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ExtensionDefinition {
    /// Always `extension-definition`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// Who made it, a STIX identity.
    pub created_by: Identifier,
    /// The definition itself: a URL, or text.
    pub schema: String,
    /// Major, minor and patch.
    pub version: String,
    /// Sources about it.
    #[serde(default)]
    pub external_references: Vec<ExternalReference>,
}

//! Data markings: how a playbook may be shared and handled (CACAO 2.0, section 9).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Extensions, Identifier, Timestamp};

/// One data marking: what all of them share, and what its type adds.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DataMarking {
    /// The marking's id.
    pub id: Identifier,
    /// For people to read.
    pub name: Option<String>,
    /// For people to read.
    pub description: Option<String>,
    /// Who made it, a STIX identity.
    pub created_by: Identifier,
    /// When it was made.
    pub created: Timestamp,
    /// No longer valid.
    #[serde(default)]
    pub revoked: bool,
    /// Doesn't hold before.
    pub valid_from: Option<Timestamp>,
    /// Doesn't hold after.
    pub valid_until: Option<Timestamp>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Objects; in a `marking-iep` text.
    #[serde(default)]
    pub external_references: Vec<Value>,
    /// What extensions add to it.
    #[serde(default)]
    pub marking_extensions: Extensions,
    /// The type, with the members that belong to it alone.
    #[serde(flatten)]
    pub kind: MarkingKind,
}

/// The type of a data marking, with its own members.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "type")]
pub enum MarkingKind {
    /// A sentence.
    #[serde(rename = "marking-statement")]
    Statement {
        /// The sentence.
        statement: String,
    },
    /// A level of the Traffic Light Protocol, version 2.
    #[serde(rename = "marking-tlp")]
    Tlp {
        /// `TLP:RED` to `TLP:CLEAR`.
        tlpv2_level: String,
    },
    /// FIRST's Information Exchange Policy.
    #[serde(rename = "marking-iep")]
    Iep {
        /// The level of the Traffic Light Protocol.
        tlp: String,
        /// The version of the policy's format.
        iep_version: Box<Value>,
        /// Holds from.
        start_date: Timestamp,
        /// Holds until.
        end_date: Option<Timestamp>,
        /// Whether it is encrypted on its way.
        encrypt_in_transit: String,
        /// What may be done with it.
        permitted_actions: String,
        /// Whether the parties concerned may be told.
        affected_party_notifications: String,
        /// Whether its source may be named.
        attribution: String,
        /// Whether it may be sold as it is.
        unmodified_resale: String,
    },
}

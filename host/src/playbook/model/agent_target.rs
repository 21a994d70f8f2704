//! Agents, which run commands, and targets, which commands are run on (CACAO 2.0, section 7).
//!
//! The vocabulary of their types is open, so one type holds the members of all the standard's
//! types and whatever a vendor adds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Extensions, Identifier};

/// An agent or a target.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct AgentTarget {
    /// Which kind: `soar-utility`, `linux`, `organization`, …
    #[serde(rename = "type")]
    pub agent_target_type: String,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// Where it stands.
    pub location: Option<CivicLocation>,
    /// What extensions add to it.
    #[serde(default)]
    pub agent_target_extensions: Extensions,
    /// How to reach it.
    pub contact: Option<Contact>,
    /// By the kind of address (`url`, `ipv4`, `vlan`, …); a `vlan` is a number.
    pub address: Option<BTreeMap<String, Vec<Value>>>,
    /// The port of its service.
    pub port: Option<String>,
    /// The id of what it authenticates with.
    pub authentication_info: Option<Identifier>,
    /// What kind of device or service it is.
    #[serde(default)]
    pub category: Vec<String>,
    /// Places by their names.
    #[serde(default)]
    pub logical: Vec<String>,
    /// The industry.
    pub sector: Option<String>,
    /// The members of a vendor's own type.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A place (CACAO 2.0, section 10.3).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct CivicLocation {
    /// For people to read.
    pub name: Option<String>,
    /// For people to read.
    pub description: Option<String>,
    /// Floor, room and the like.
    pub building_details: Option<String>,
    /// Rack, port and the like.
    pub network_details: Option<String>,
    /// The region of the world.
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// State or province.
    pub administrative_area: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// Street and number.
    pub street_address: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// In decimal degrees.
    pub latitude: Option<String>,
    /// In decimal degrees.
    pub longitude: Option<String>,
    /// Of the coordinates, in metres.
    pub precision: Option<String>,
}

/// How to reach somebody (CACAO 2.0, section 10.4).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Contact {
    /// Addresses by their kind, such as `work`.
    #[serde(default)]
    pub email: BTreeMap<String, String>,
    /// Numbers by their kind, such as `work`.
    #[serde(default)]
    pub phone: BTreeMap<String, String>,
    /// Anything else.
    pub contact_details: Option<String>,
}

//! The whole CACAO 2.0 playbook document, as it is written.
//!
//! Every object and member of the standard has its place here, also those that this host doesn't
//! execute. Nothing is judged: whether a playbook can run is decided by [`Playbook::load`].
//!
//! The types can be written as well as read, because reading finds members that the standard
//! doesn't know by comparing what was read with what was given.
//!
//! [`Playbook::load`]: crate::playbook::Playbook::load

pub mod agent_target;
pub mod authentication;
pub mod command;
pub mod extension;
pub mod marking;
pub mod signature;
pub mod step;
pub mod variable;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use agent_target::AgentTarget;
use authentication::AuthenticationInfo;
use extension::ExtensionDefinition;
use marking::DataMarking;
use signature::Signature;
use step::Step;
use variable::Variable;

/// `object-type--UUID`, the name of every object of a playbook.
pub type Identifier = String;

/// An RFC 3339 time in UTC, kept as it is written.
pub type Timestamp = String;

/// What extensions add to an object: the identifier of the extension's definition, then its members.
pub type Extensions = BTreeMap<Identifier, Map<String, Value>>;

/// A playbook document (CACAO 2.0, section 3).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct PlaybookDocument {
    /// Always `playbook`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// The version of the standard.
    pub spec_version: String,
    /// The playbook's id, the same in all its versions.
    pub id: Identifier,
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// What it is for: `remediation`, `mitigation`, …
    #[serde(default)]
    pub playbook_types: Vec<String>,
    /// What it does in the course of that.
    #[serde(default)]
    pub playbook_activities: Vec<String>,
    /// What it makes use of.
    pub playbook_processing_summary: Option<ProcessingSummary>,
    /// Who made it, a STIX identity.
    pub created_by: Identifier,
    /// When its first version was made.
    pub created: Timestamp,
    /// When this version was made; names the version.
    pub modified: Timestamp,
    /// No longer valid.
    #[serde(default)]
    pub revoked: bool,
    /// Not to be executed before.
    pub valid_from: Option<Timestamp>,
    /// Not to be executed after.
    pub valid_until: Option<Timestamp>,
    /// The playbooks that this one was made from.
    #[serde(default)]
    pub derived_from: Vec<Identifier>,
    /// What else it has to do with.
    #[serde(default)]
    pub related_to: Vec<Identifier>,
    /// From 1, the highest, to 100; 0 is undefined.
    pub priority: Option<u8>,
    /// Of what it is an answer to, from 1 to 100, the highest.
    pub severity: Option<u8>,
    /// Of its execution, from 1 to 100, the highest.
    pub impact: Option<u8>,
    /// Which industries it is for.
    #[serde(default)]
    pub industry_sectors: Vec<String>,
    /// Words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Sources about it.
    #[serde(default)]
    pub external_references: Vec<ExternalReference>,
    /// The ids of the data markings that hold for it.
    #[serde(default)]
    pub markings: Vec<Identifier>,
    /// The variables that all steps see, by name.
    #[serde(default)]
    pub playbook_variables: BTreeMap<String, Variable>,
    /// The id of the step that it begins with.
    pub workflow_start: Identifier,
    /// The id of the step that is taken after a failure that no step handles.
    pub workflow_exception: Option<Identifier>,
    /// The steps by their ids.
    pub workflow: BTreeMap<Identifier, Step>,
    /// What extensions add to the playbook.
    #[serde(default)]
    pub playbook_extensions: Extensions,
    /// What agents and targets refer to, by id.
    #[serde(default)]
    pub authentication_info_definitions: BTreeMap<Identifier, AuthenticationInfo>,
    /// Who runs commands, by id.
    #[serde(default)]
    pub agent_definitions: BTreeMap<Identifier, AgentTarget>,
    /// What commands are run on, by id.
    #[serde(default)]
    pub target_definitions: BTreeMap<Identifier, AgentTarget>,
    /// The extensions that are used, by id.
    #[serde(default)]
    pub extension_definitions: BTreeMap<Identifier, ExtensionDefinition>,
    /// What `markings` refers to, by id.
    #[serde(default)]
    pub data_marking_definitions: BTreeMap<Identifier, DataMarking>,
    /// Signatures of the document.
    #[serde(default)]
    pub signatures: Vec<Signature>,
}

/// What the author says that the playbook makes use of (CACAO 2.0, section 10.14).
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ProcessingSummary {
    /// It is carried out by people alone.
    pub manual_playbook: bool,
    /// It runs other playbooks.
    pub external_playbooks: bool,
    /// It has parallel steps.
    pub parallel_processing: bool,
    /// It has if-conditions.
    pub if_logic: bool,
    /// It has while-conditions.
    pub while_logic: bool,
    /// It has switch-conditions.
    pub switch_logic: bool,
    /// It has delays or timeouts.
    pub temporal_logic: bool,
    /// It has data markings.
    pub data_markings: bool,
    /// It is signed.
    pub digital_signatures: bool,
    /// Its signatures are signed.
    pub countersigned_signatures: bool,
    /// It has extensions.
    pub extensions: bool,
}

/// A pointer to something outside of the playbook (CACAO 2.0, section 10.7).
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ExternalReference {
    /// For people to read.
    pub name: String,
    /// For people to read.
    pub description: Option<String>,
    /// Who published it.
    pub source: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// What it is called there.
    pub external_id: Option<String>,
    /// The STIX or CACAO object that it is.
    pub reference_id: Option<Identifier>,
}

#[cfg(test)]
mod tests;

//! The steps of a workflow: all eight types of CACAO 2.0 (section 4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::variable::Variable;
use super::{Extensions, ExternalReference, Identifier, Timestamp};

/// One step: what all steps share, and what its type adds.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Step {
    /// For people to read.
    pub name: Option<String>,
    /// For people to read.
    pub description: Option<String>,
    /// Sources about this step.
    #[serde(default)]
    pub external_references: Vec<ExternalReference>,
    /// Milliseconds to wait before the step begins.
    pub delay: Option<u64>,
    /// Milliseconds after which the step has failed.
    pub timeout: Option<u64>,
    /// Variables that only this step sees; they hide the playbook's of the same name.
    #[serde(default)]
    pub step_variables: BTreeMap<String, Variable>,
    /// Who is responsible for the step.
    pub owner: Option<Identifier>,
    /// The next step, however this one went.
    pub on_completion: Option<Identifier>,
    /// The next step after a success.
    pub on_success: Option<Identifier>,
    /// The next step after a failure.
    pub on_failure: Option<Identifier>,
    /// What extensions add to the step.
    #[serde(default)]
    pub step_extensions: Extensions,
    /// The type, with the members that belong to it alone.
    #[serde(flatten)]
    pub kind: StepKind,
}

/// The type of a step, with its own members.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum StepKind {
    /// Where the workflow begins.
    Start,
    /// Where the workflow or one of its branches ends.
    End,
    /// Commands that an agent runs.
    Action(Action),
    /// Another playbook.
    PlaybookAction(PlaybookAction),
    /// Branches that run at the same time.
    Parallel {
        /// The first step of each branch.
        next_steps: Vec<Identifier>,
    },
    /// A choice between two branches.
    IfCondition {
        /// The condition, in STIX patterning.
        condition: String,
        /// The branch for true.
        on_true: Identifier,
        /// The branch for false.
        on_false: Option<Identifier>,
    },
    /// A branch that is repeated.
    WhileCondition {
        /// The condition, in STIX patterning.
        condition: String,
        /// The branch that is repeated while the condition holds.
        on_true: Identifier,
    },
    /// A choice between many branches.
    SwitchCondition {
        /// The variable whose value chooses.
        switch: String,
        /// The branch for each value.
        cases: BTreeMap<String, Identifier>,
    },
}

/// The members of an action step.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Action {
    /// What is run, in this order.
    #[serde(default)]
    pub commands: Vec<Command>,
    /// Who runs it. The standard requires it; its absence is reported by the check.
    pub agent: Option<Identifier>,
    /// What it is run on.
    #[serde(default)]
    pub targets: Vec<Identifier>,
    /// The names of the variables that go in.
    #[serde(default)]
    pub in_args: Vec<String>,
    /// The names of the variables that come out.
    #[serde(default)]
    pub out_args: Vec<String>,
}

/// The members of a playbook-action step.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct PlaybookAction {
    /// The playbook to run.
    pub playbook_id: Identifier,
    /// Its version, which is its `modified`; absent, the latest.
    pub playbook_version: Option<Timestamp>,
    /// The names of the variables that go in.
    #[serde(default)]
    pub in_args: Vec<String>,
    /// The names of the variables that come out.
    #[serde(default)]
    pub out_args: Vec<String>,
}

impl StepKind {
    /// The type as a playbook writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Action(_) => "action",
            Self::PlaybookAction(_) => "playbook-action",
            Self::Parallel { .. } => "parallel",
            Self::IfCondition { .. } => "if-condition",
            Self::WhileCondition { .. } => "while-condition",
            Self::SwitchCondition { .. } => "switch-condition",
        }
    }
}

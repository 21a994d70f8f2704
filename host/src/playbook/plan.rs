//! What is left of a playbook once it has been checked: steps that can be executed, whose links
//! are indexes, so that nothing can dangle while it runs.

use std::time::Duration;

use serde_json::{Map, Value};

use super::variables::Variables;

/// A checked workflow.
#[derive(Debug)]
pub(super) struct Plan {
    pub steps: Vec<PlannedStep>,
    /// The index of the step that the workflow begins with.
    pub start: usize,
    /// The playbook's variables with their first values.
    pub variables: Variables,
}

/// A step that can be executed.
#[derive(Debug)]
pub(super) struct PlannedStep {
    pub id: String,
    pub name: Option<String>,
    pub delay: Option<Duration>,
    pub work: Work,
}

impl PlannedStep {
    /// What people call the step: its name, or else its id.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Work {
    /// Goes on with the step of this index.
    Start(usize),
    /// Runs commands.
    Action(PlannedAction),
    /// Ends the run.
    End,
}

/// An action step.
#[derive(Debug)]
pub(super) struct PlannedAction {
    pub commands: Vec<PlannedCommand>,
    pub timeout: Option<Duration>,
    pub variables: Variables,
    /// The names of the variables that are written.
    pub out_args: Vec<String>,
    pub on_success: usize,
    /// The step's own `on_failure`, or else the playbook's exception step; not the latter for
    /// steps that the exception step leads to, so that it is taken once and no step runs twice.
    pub on_failure: Option<usize>,
}

/// One command of an action step.
#[derive(Debug)]
pub(super) struct PlannedCommand {
    pub command: String,
    pub parameters: Map<String, Value>,
}

/// The output that is written into a variable of this name: `closed` into `__closed__`.
pub(super) fn output_for(variable: &str) -> Option<&str> {
    variable.strip_prefix("__")?.strip_suffix("__")
}

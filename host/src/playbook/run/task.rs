//! What the interpreter asks of whoever executes commands.

use crate::execution::ReturnData;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Executes the tasks of a playbook.
pub trait TaskRunner {
    /// Executes one command and says how it went.
    fn run_task(&mut self, task: &Task<'_>) -> TaskOutcome;

    /// Waits before a step with a delay. False when the run was cancelled meanwhile.
    fn wait(&mut self, delay: Duration) -> bool;
}

/// One command to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct Task<'a> {
    /// The step that the command belongs to.
    pub step_id: &'a str,
    /// The step's name.
    pub step_name: Option<&'a str>,
    /// The name of the command.
    pub command: &'a str,
    /// Its parameters, with the values of the variables in them.
    pub parameters: Map<String, Value>,
    /// How long the command may take; each command of a step may take as long.
    pub timeout: Option<Duration>,
}

/// How a command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOutcome {
    /// Chooses the branch.
    pub result: ReturnData,
    /// What variables can take, as text: `returnData`, `error`, `failed`, `contextData`, and what the
    /// command names.
    pub outputs: BTreeMap<String, String>,
    /// The run ends here and takes no branch: it was cancelled, or can't go on.
    pub stop: bool,
}

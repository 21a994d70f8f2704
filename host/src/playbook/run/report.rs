//! What a run came to.

use std::fmt;

use crate::execution::ReturnData;
use crate::playbook::plan::PlannedStep;

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// What was executed, in this order: one entry a command that was called, and one for each
    /// failure of the run itself.
    pub steps: Vec<StepReport>,
    /// The worst result of all steps.
    pub result: ReturnData,
    /// The id of the step that the run ended at.
    pub ended_at: String,
    /// That step's name.
    pub ended_at_name: Option<String>,
    /// Why it ended there.
    pub ending: Ending,
}

/// How one command of a step went, or what went wrong without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// The step.
    pub step_id: String,
    /// The step's name.
    pub step_name: Option<String>,
    /// The command that was called; none when one couldn't be called, when its outputs couldn't be
    /// kept, and when the run was cancelled before the step began.
    pub command: Option<String>,
    /// How it went.
    pub result: ReturnData,
    /// What went wrong.
    pub error: Option<String>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// An `end` step was reached.
    End,
    /// A step wasn't successful, and neither it nor the playbook says what to do then.
    FailureWithoutBranch,
    /// The run was cancelled while it waited before a step.
    Cancelled,
    /// Whoever executes the commands stopped the run.
    Stopped,
}

impl RunReport {
    pub(super) fn new(steps: Vec<StepReport>, ended_at: &PlannedStep, ending: Ending) -> Self {
        let result = steps.iter().map(|step| step.result).max();
        Self {
            result: result.unwrap_or(ReturnData::Successful),
            steps,
            ended_at: ended_at.id.clone(),
            ended_at_name: ended_at.name.clone(),
            ending,
        }
    }
}

impl StepReport {
    /// A failure of the run itself.
    pub(super) fn without_command(step: &PlannedStep, error: impl Into<String>) -> Self {
        Self {
            step_id: step.id.clone(),
            step_name: step.name.clone(),
            command: None,
            result: ReturnData::Failed,
            error: Some(error.into()),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::End => "an end step was reached",
            Self::FailureWithoutBranch => {
                "the step wasn't successful and names no step for that; `on_completion` is taken \
                 after Successful only, so give it `on_success` and `on_failure`"
            }
            Self::Cancelled => "the run was cancelled",
            Self::Stopped => "the run was stopped",
        })
    }
}

//! Runs a checked playbook, from its start step to an end step.
//!
//! The interpreter knows neither plugins nor stores: whoever calls it brings a [`TaskRunner`].

mod report;
mod task;

pub use report::{Ending, RunReport, StepReport};
pub use task::{Task, TaskOutcome, TaskRunner};

use super::model::variable::VariableType;
use super::plan::{Plan, PlannedAction, PlannedStep, Work, output_for};
use super::substitution::{SubstitutionError, substitute_members};
use super::variables::{Scope, Variables, check};
use crate::execution::ReturnData;

/// A playbook whose variables all have what they need: it can be run.
#[derive(Debug)]
pub struct ReadyRun<'p> {
    pub(super) plan: &'p Plan,
    pub(super) variables: Variables,
}

impl ReadyRun<'_> {
    /// Runs the playbook to its end.
    pub fn run<R: TaskRunner + ?Sized>(mut self, runner: &mut R) -> RunReport {
        let plan = self.plan;
        let mut reports = Vec::new();
        let mut step = &plan.steps[plan.start];
        loop {
            if step
                .delay
                .is_some_and(|delay| !delay.is_zero() && !runner.wait(delay))
            {
                reports.push(StepReport {
                    step_id: step.id.clone(),
                    step_name: step.name.clone(),
                    command: None,
                    result: ReturnData::Failed,
                    error: Some("the run was cancelled before this step began".to_owned()),
                });
                return RunReport::new(reports, step, Ending::Cancelled);
            }
            let next = match &step.work {
                Work::Start(next) => *next,
                Work::End => return RunReport::new(reports, step, Ending::End),
                Work::Action(action) => {
                    let outcome = self.action(step, action, runner, &mut reports);
                    if outcome.stop {
                        return RunReport::new(reports, step, Ending::Stopped);
                    }
                    if outcome.result == ReturnData::Successful {
                        action.on_success
                    } else if let Some(on_failure) = action.on_failure {
                        on_failure
                    } else {
                        return RunReport::new(reports, step, Ending::FailureWithoutBranch);
                    }
                }
            };
            step = &plan.steps[next];
        }
    }

    /// Runs the commands of a step up to the first that isn't successful, and keeps the outputs of
    /// the last one that was run, whose outcome is the step's.
    fn action<R: TaskRunner + ?Sized>(
        &mut self,
        step: &PlannedStep,
        action: &PlannedAction,
        runner: &mut R,
        reports: &mut Vec<StepReport>,
    ) -> TaskOutcome {
        let mut own_variables = action.variables.clone();
        let mut last = TaskOutcome {
            result: ReturnData::Successful,
            outputs: Default::default(),
            stop: false,
        };
        for command in &action.commands {
            let scope = Scope {
                step: &own_variables,
                playbook: &self.variables,
            };
            last = match substitute_members(&command.parameters, &scope) {
                Ok(parameters) => runner.run_task(&Task {
                    step_id: &step.id,
                    step_name: step.name.as_deref(),
                    command: &command.command,
                    parameters,
                    timeout: action.timeout,
                }),
                Err(error) => not_called(&error),
            };
            reports.push(StepReport {
                step_id: step.id.clone(),
                step_name: step.name.clone(),
                command: Some(command.command.clone()),
                result: last.result,
                error: last
                    .outputs
                    .get("error")
                    .filter(|error| !error.is_empty())
                    .cloned(),
            });
            if last.stop || last.result != ReturnData::Successful {
                break;
            }
        }
        if let Err(reason) = self.write_outputs(action, &mut own_variables, &last) {
            last.result = ReturnData::Failed;
            if let Some(report) = reports.last_mut() {
                report.result = ReturnData::Failed;
                let error = report
                    .error
                    .take()
                    .map(|error| format!("{error}; "))
                    .unwrap_or_default();
                report.error = Some(format!("{error}{reason}"));
            }
        }
        last
    }

    /// Writes the outputs into the variables that the step names. An output that the command didn't
    /// give leaves null rather than an older value, which would be taken for this step's.
    fn write_outputs(
        &mut self,
        action: &PlannedAction,
        own_variables: &mut Variables,
        outcome: &TaskOutcome,
    ) -> Result<(), String> {
        let mut result = Ok(());
        for name in &action.out_args {
            let variables = &mut self.variables;
            let Some(variable) = own_variables
                .get_mut(name)
                .or_else(|| variables.get_mut(name))
            else {
                continue;
            };
            let is_text = variable.variable_type == VariableType::String;
            let text = output_for(name)
                .and_then(|output| outcome.outputs.get(output))
                .filter(|text| is_text || !text.is_empty());
            variable.value = text.cloned();
            if let Some(Err(reason)) = text.map(|text| check(&variable.variable_type, text)) {
                variable.value = None;
                result = Err(format!(
                    "the output for variable `{name}` doesn't fit: {reason}"
                ));
            }
        }
        result
    }
}

/// The outcome of a command that wasn't called, because its parameters couldn't be made.
fn not_called(error: &SubstitutionError) -> TaskOutcome {
    let error = ("error".to_owned(), error.to_string());
    let return_data = ("returnData".to_owned(), ReturnData::Failed.to_string());
    TaskOutcome {
        result: ReturnData::Failed,
        outputs: [error, return_data].into(),
        stop: false,
    }
}

#[cfg(test)]
mod tests;

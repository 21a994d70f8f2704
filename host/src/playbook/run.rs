//! Runs a checked playbook, from its start step to an end step.
//!
//! The interpreter knows neither plugins nor stores: whoever calls it brings a [`TaskRunner`].

mod report;
mod task;

pub use report::{Ending, RunReport, StepReport};
pub use task::{Task, TaskOutcome, TaskRunner};

use super::model::variable::VariableType;
use super::plan::{Plan, PlannedAction, PlannedStep, Work, output_for};
use super::substitution::substitute_members;
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
            if step.delay.is_some_and(|delay| !delay.is_zero() && !runner.wait(delay)) {
                let error = "the run was cancelled before this step began";
                reports.push(StepReport::without_command(step, error));
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
            let scope = Scope { step: &own_variables, playbook: &self.variables };
            let parameters = match substitute_members(&command.parameters, &scope) {
                Ok(parameters) => parameters,
                Err(reason) => {
                    let error = format!("`{}` wasn't called: {reason}", command.command);
                    reports.push(StepReport::without_command(step, error.as_str()));
                    last = not_called(error);
                    break;
                }
            };
            last = runner.run_task(&Task {
                step_id: &step.id,
                step_name: step.name.as_deref(),
                command: &command.command,
                parameters,
                timeout: action.timeout,
            });
            reports.push(StepReport {
                step_id: step.id.clone(),
                step_name: step.name.clone(),
                command: Some(command.command.clone()),
                result: last.result,
                error: last.outputs.get("error").filter(|error| !error.is_empty()).cloned(),
            });
            if last.stop || last.result != ReturnData::Successful {
                break;
            }
        }
        if let Err(reason) = self.write_outputs(step, action, &mut own_variables, &last) {
            last.result = ReturnData::Failed;
            reports.push(StepReport::without_command(step, reason));
        }
        last
    }

    /// Writes the outputs into the variables that the step names. An output that the command didn't
    /// give leaves null rather than an older value, which would be taken for this step's.
    fn write_outputs(
        &mut self,
        step: &PlannedStep,
        action: &PlannedAction,
        own_variables: &mut Variables,
        outcome: &TaskOutcome,
    ) -> Result<(), String> {
        let mut result = Ok(());
        let title = step.title();
        for name in &action.out_args {
            let variables = &mut self.variables;
            let variable = own_variables.get_mut(name).or_else(|| variables.get_mut(name));
            let (Some(variable), Some(output)) = (variable, output_for(name)) else {
                continue;
            };
            let is_text = variable.variable_type == VariableType::String;
            let text = outcome.outputs.get(output);
            let text = text.filter(|text| is_text || !text.is_empty());
            variable.value = text.cloned();
            variable.unknown_since = match text.map(|text| check(&variable.variable_type, text)) {
                Some(Ok(())) => None,
                Some(Err(reason)) => {
                    variable.value = None;
                    result = Err(format!("the output for variable `{name}` doesn't fit: {reason}"));
                    Some(format!("the output `{output}` of step \"{title}\" didn't fit"))
                }
                None => Some(format!("step \"{title}\" returned no output `{output}`")),
            };
        }
        result
    }
}

/// The outcome of a command that wasn't called, because its parameters couldn't be made.
fn not_called(error: String) -> TaskOutcome {
    let error = ("error".to_owned(), error);
    let return_data = ("returnData".to_owned(), ReturnData::Failed.to_string());
    TaskOutcome { result: ReturnData::Failed, outputs: [error, return_data].into(), stop: false }
}

#[cfg(test)]
mod tests;

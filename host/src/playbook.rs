//! Playbooks: OASIS CACAO 2.0 JSON, checked when loaded and run step by step.
//!
//! [`Playbook::load`] reads the whole standard ([`model`]) and refuses, by name and JSON pointer,
//! whatever this host doesn't execute. Executed are the step types `start`, `action` and `end`
//! with their links, delays, timeouts and variables, and the command type `soar-utility`.
//! [`Playbook::prepare`] takes the caller's variables, and [`ReadyRun::run`] walks the steps.
//!
//! This module knows neither the plugins nor the incident store: commands are executed by the
//! caller's [`TaskRunner`]. Signatures and periods of validity are read, not judged.

mod check;
mod executed;
mod inputs;
pub mod model;
mod plan;
mod problem;
mod run;
mod shape;
mod strict_json;
mod substitution;
mod variables;

use std::collections::BTreeMap;

pub use inputs::{InputError, InputErrors};
pub use problem::{PlaybookError, Problem};
pub use run::{Ending, ReadyRun, RunReport, StepReport, Task, TaskOutcome, TaskRunner};

use model::PlaybookDocument;
use plan::{Plan, Work};

/// A playbook that this host can execute.
#[derive(Debug)]
pub struct Playbook {
    document: PlaybookDocument,
    plan: Plan,
}

impl Playbook {
    /// Reads and checks a playbook.
    ///
    /// # Errors
    ///
    /// When the text isn't JSON, or with everything in it that isn't CACAO 2.0, is inconsistent or
    /// isn't executed here.
    pub fn load(json: &[u8]) -> Result<Self, PlaybookError> {
        let (value, mut problems) = strict_json::read(json).map_err(PlaybookError::NotJson)?;
        let checked = shape::document(&value).and_then(|document| {
            let plan = check::plan(&document)?;
            Ok(Self { document, plan })
        });
        match checked {
            Ok(playbook) if problems.is_empty() => Ok(playbook),
            Ok(_) => Err(PlaybookError::Refused(problems)),
            Err(more) => {
                problems.extend(more);
                Err(PlaybookError::Refused(problems))
            }
        }
    }

    /// The document as it was written.
    pub fn document(&self) -> &PlaybookDocument {
        &self.document
    }

    /// The ids of the action steps with the name of each of their commands.
    pub fn commands(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plan.steps.iter().flat_map(|step| {
            let commands = match &step.work {
                Work::Action(action) => action.commands.as_slice(),
                Work::Start(_) | Work::End => &[],
            };
            commands.iter().map(|command| (step.id.as_str(), command.command.as_str()))
        })
    }

    /// Checks that every output which a step takes into a variable is one of its commands'; `outputs`
    /// tells the names of those that a command has.
    ///
    /// # Errors
    ///
    /// With every output that there is not.
    pub fn check_outputs(
        &self,
        outputs: impl Fn(&str) -> Vec<String>,
    ) -> Result<(), PlaybookError> {
        refused(check::check_outputs(&self.plan, &outputs))
    }

    /// Checks that commands are given no parameter that they don't have, and all that they require;
    /// `schema` tells the JSON Schema of a command's parameters, where it is known.
    ///
    /// # Errors
    ///
    /// With every parameter that there is not, and every one that is missing.
    pub fn check_parameters<'a>(
        &self,
        schema: impl Fn(&str) -> Option<&'a serde_json::Value>,
    ) -> Result<(), PlaybookError> {
        refused(check::check_parameters(&self.plan, &schema))
    }

    /// Gives the external variables their values, by name with the underscores.
    ///
    /// # Errors
    ///
    /// When a value is missing, is of another type, or is for a variable that a caller can't set.
    pub fn prepare(
        &self,
        supplied: &BTreeMap<String, String>,
    ) -> Result<ReadyRun<'_>, InputErrors> {
        let variables = inputs::with_supplied(self.plan.variables.clone(), supplied)?;
        Ok(ReadyRun { plan: &self.plan, variables })
    }
}

fn refused(problems: Vec<Problem>) -> Result<(), PlaybookError> {
    if problems.is_empty() { Ok(()) } else { Err(PlaybookError::Refused(problems)) }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

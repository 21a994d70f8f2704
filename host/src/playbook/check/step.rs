//! Checks one step and plans it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{arguments, extensions, variables};
use crate::playbook::executed::{self, SOAR_UTILITY};
use crate::playbook::model::PlaybookDocument;
use crate::playbook::model::command::Command;
use crate::playbook::model::step::{Action, Step, StepKind};
use crate::playbook::plan::{PlannedAction, PlannedCommand, PlannedStep, Work};
use crate::playbook::problem::Problem;
use crate::playbook::substitution::has_reference;
use crate::playbook::variables::{Scope, Variables};

/// What a step is checked against.
pub(super) struct Checker<'a> {
    pub document: &'a PlaybookDocument,
    /// The steps' indexes by their ids.
    pub indexes: BTreeMap<&'a str, usize>,
    /// The playbook's variables.
    pub variables: &'a Variables,
}

impl Checker<'_> {
    /// The step's plan; none when it can't be part of one.
    pub fn step(&self, id: &str, step: &Step, problems: &mut Vec<Problem>) -> Option<PlannedStep> {
        extensions(&["workflow", id, "step_extensions"], &step.step_extensions, problems);
        if step.on_completion.is_some() && (step.on_success.is_some() || step.on_failure.is_some())
        {
            let message = "`on_completion` excludes `on_success` and `on_failure`; remove one side";
            problems.push(Problem::at(&["workflow", id], message));
        }
        if step.timeout == Some(0) {
            let message = "a timeout of 0 leaves the step no time; write 1 or more milliseconds, \
                           or remove it";
            problems.push(Problem::at(&["workflow", id, "timeout"], message));
        }
        let mut link = |member: &str, target: &Option<String>| {
            let target = target.as_deref()?;
            Some(self.link(&["workflow", id, member], target, problems))
        };
        let on_completion = link("on_completion", &step.on_completion);
        let on_success = link("on_success", &step.on_success);
        let on_failure = link("on_failure", &step.on_failure);
        let branches_here = on_success.is_some() || on_failure.is_some();

        let mut refuse = |member: &[&str], message: &str| -> Option<Work> {
            problems.push(Problem::at(&[&["workflow", id], member].concat(), message));
            None
        };
        let work = match &step.kind {
            StepKind::Start if branches_here => refuse(
                &[],
                "a `start` step has neither `on_success` nor `on_failure`; use `on_completion`",
            ),
            StepKind::Start => match on_completion {
                Some(next) => next.map(Work::Start),
                None => refuse(&[], "a `start` step needs `on_completion`; add it"),
            },
            StepKind::End if branches_here || on_completion.is_some() => {
                refuse(&[], "an `end` step links to no other step; remove its links")
            }
            StepKind::End => Some(Work::End),
            StepKind::Action(action) => {
                let next = on_completion.or(on_success);
                if next.is_none() {
                    let message = "the step has neither `on_completion` nor `on_success`, so no \
                                   `end` is reached from it; add one of them";
                    refuse(&[], message);
                }
                let links = (next.flatten(), on_failure.flatten());
                self.action(id, step, action, links, problems).map(Work::Action)
            }
            kind => {
                let refusal = executed::step_type(kind.name()).err();
                refuse(&["type"], &refusal.unwrap_or_default())
            }
        };
        Some(PlannedStep {
            id: id.to_owned(),
            name: step.name.clone(),
            delay: step.delay.map(Duration::from_millis),
            work: work?,
        })
    }

    /// The index of the step that a link names.
    pub fn link(
        &self,
        pointer: &[&str],
        target: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<usize> {
        let index = self.indexes.get(target).copied();
        if index.is_none() {
            let message = format!("`{target}` isn't a step of the workflow; correct the id");
            problems.push(Problem::at(pointer, message));
        }
        index
    }

    /// The plan of an action step with its links for success and failure; none without the former.
    fn action(
        &self,
        id: &str,
        step: &Step,
        action: &Action,
        (on_success, on_failure): (Option<usize>, Option<usize>),
        problems: &mut Vec<Problem>,
    ) -> Option<PlannedAction> {
        let agents = &self.document.agent_definitions;
        match &action.agent {
            None => problems.push(Problem::at(
                &["workflow", id],
                "the step has no `agent`; name one of `agent_definitions`",
            )),
            Some(agent) if !agents.contains_key(agent) => problems.push(Problem::at(
                &["workflow", id, "agent"],
                format!("agent `{agent}` isn't in `agent_definitions`; add it or correct the id"),
            )),
            Some(_) => {}
        }
        for (index, target) in action.targets.iter().enumerate() {
            if !self.document.target_definitions.contains_key(target) {
                problems.push(Problem::at(
                    &["workflow", id, "targets", &index.to_string()],
                    format!("target `{target}` isn't in `target_definitions`; correct the id"),
                ));
            }
        }

        let own = ["workflow", id, "step_variables"];
        let own_variables = variables(&own, &step.step_variables, problems);
        for name in own_variables.iter().filter(|(_, own)| own.external).map(|(name, _)| name) {
            let message = "only a variable of the playbook can be external; declare it there";
            problems.push(Problem::at(&[&own[..], &[name]].concat(), message));
        }
        let scope = Scope { step: &own_variables, playbook: self.variables };
        // A variable whose declaration is refused is no unknown one.
        let declared = |name: &str| {
            step.step_variables.contains_key(name)
                || self.document.playbook_variables.contains_key(name)
        };
        arguments::check(id, action, &scope, &declared, problems);

        if action.commands.is_empty() {
            let message = "the step has no command; add one to `commands`";
            problems.push(Problem::at(&["workflow", id], message));
        }
        let mut commands = Vec::new();
        for (index, command) in action.commands.iter().enumerate() {
            let pointer = ["workflow", id, "commands", &index.to_string()];
            commands.extend(soar_utility(&pointer, command, problems));
        }
        Some(PlannedAction {
            commands,
            timeout: step.timeout.map(Duration::from_millis),
            variables: own_variables,
            out_args: action.out_args.clone(),
            on_success: on_success?,
            on_failure,
        })
    }
}

/// The plan of a command, whose type was looked at when it was read.
fn soar_utility(
    pointer: &[&str],
    command: &Command,
    problems: &mut Vec<Problem>,
) -> Option<PlannedCommand> {
    let mut refuse = |member: &str, message: String| {
        problems.push(Problem::at(&[pointer, &[member]].concat(), message));
    };
    let foreign = [
        ("command_b64", command.command_b64.is_some()),
        ("content", command.content.is_some()),
        ("content_b64", command.content_b64.is_some()),
        ("headers", command.headers.is_some()),
    ];
    let foreign = foreign.iter().filter(|(_, present)| *present).map(|(member, _)| *member);
    for member in foreign.chain(command.other.keys().map(String::as_str)) {
        refuse(member, format!("a `{SOAR_UTILITY}` command has no `{member}`; remove it"));
    }
    if let Some(version) = command.version.as_deref().filter(|version| *version != "1.0") {
        refuse("version", format!("version \"{version}\" isn't executed here; only \"1.0\" is"));
    }
    let name = command.command.as_deref().unwrap_or_default();
    if name.is_empty() {
        refuse("command", "the name of the command is missing; add it as `command`".into());
    } else if has_reference(name) {
        let message = "the name of a command can't come from a variable; write it out";
        refuse("command", message.into());
    }
    let parameters = command.parameters.clone().unwrap_or_default();
    Some(PlannedCommand { command: name.to_owned(), parameters })
}

#[cfg(test)]
mod tests;

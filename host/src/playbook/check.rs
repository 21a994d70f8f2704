//! Checks that this host can execute a playbook, and makes the plan of it.
//!
//! Whatever a document holds that isn't executed here is refused by name, because a playbook that
//! runs without one of its steps is worse than one that doesn't run.

mod arguments;
mod graph;
mod outputs;
mod parameters;
mod step;

use std::collections::BTreeMap;

use super::model;
use super::model::PlaybookDocument;
use super::model::step::StepKind;
use super::plan::Plan;
use super::problem::Problem;
use super::variables::{Variable, Variables, is_name};

pub(super) use outputs::check as check_outputs;
pub(super) use parameters::check as check_parameters;

/// The largest number of steps.
const MOST_STEPS: usize = 1000;

/// The extensions that draw a playbook and change nothing about its execution: the coordinates
/// and the canvas of the CACAO layout extension.
const LAYOUT_EXTENSIONS: [&str; 2] = [
    "extension-definition--418ee24c-9cb1-46d9-afa5-309e01aabc7f",
    "extension-definition--d03cf830-2e1a-49b4-a5ee-4bfa704f506a",
];

/// Makes the plan of a playbook.
///
/// # Errors
///
/// With everything that isn't executed here, or is inconsistent.
pub(super) fn plan(document: &PlaybookDocument) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    playbook(document, &mut problems);
    let variables = variables(&["playbook_variables"], &document.playbook_variables, &mut problems);
    for (name, variable) in &variables {
        if variable.external && variable.constant && variable.value.is_none() {
            let message = format!(
                "constant `{name}` is external and has no value, and nobody can give it one; \
                 give it a value or make it no constant"
            );
            problems.push(Problem::at(&["playbook_variables", name], message));
        }
    }

    let count = document.workflow.len();
    if count > MOST_STEPS {
        let message = format!("{count} steps are too many; at most {MOST_STEPS} are executed here");
        problems.push(Problem::at(&["workflow"], message));
        return Err(problems);
    }
    let indexes = document.workflow.keys().map(String::as_str).zip(0..).collect();
    let checker = step::Checker { document, indexes, variables: &variables };
    let start = start(&checker, &mut problems);
    let exception = exception(&checker, &mut problems);
    let steps: Option<Vec<_>> = document
        .workflow
        .iter()
        .map(|(id, step)| checker.step(id, step, &mut problems))
        // Every step is looked at before one that failed ends the collecting.
        .collect::<Vec<_>>()
        .into_iter()
        .collect();

    let (Some(mut steps), Some(start)) = (steps, start) else {
        return Err(problems);
    };
    graph::check(&steps, start, exception, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    graph::take_exception_step(&mut steps, exception);
    Ok(Plan { steps, start, variables })
}

/// What concerns the playbook as a whole.
fn playbook(document: &PlaybookDocument, problems: &mut Vec<Problem>) {
    if document.revoked {
        let message = "the playbook is revoked; ask its author for one that is valid";
        problems.push(Problem::at(&["revoked"], message));
    }
    extensions(&["playbook_extensions"], &document.playbook_extensions, problems);
}

/// The index of the step that the workflow begins with.
fn start(checker: &step::Checker<'_>, problems: &mut Vec<Problem>) -> Option<usize> {
    let document = checker.document;
    let id = &document.workflow_start;
    let index = checker.link(&["workflow_start"], id, problems)?;
    let kind = &document.workflow.get(id)?.kind;
    if !matches!(kind, StepKind::Start) {
        let message = format!("`{id}` is a step of type `{}`; name a `start` step", kind.name());
        problems.push(Problem::at(&["workflow_start"], message));
        return None;
    }
    Some(index)
}

/// The index of the step that is taken when one fails and has no `on_failure`.
fn exception(checker: &step::Checker<'_>, problems: &mut Vec<Problem>) -> Option<usize> {
    let document = checker.document;
    let id = document.workflow_exception.as_ref()?;
    let index = checker.link(&["workflow_exception"], id, problems)?;
    if matches!(document.workflow.get(id)?.kind, StepKind::Start) {
        let message = format!("`{id}` begins the whole workflow anew; name another step");
        problems.push(Problem::at(&["workflow_exception"], message));
    }
    Some(index)
}

/// The variables that are declared here with their first values.
fn variables(
    pointer: &[&str],
    declarations: &BTreeMap<String, model::variable::Variable>,
    problems: &mut Vec<Problem>,
) -> Variables {
    let mut variables = Variables::new();
    for (name, declaration) in declarations {
        let at = [pointer, &[name]].concat();
        if !is_name(name) {
            let message = format!(
                "`{name}` can't be the name of a variable; write two underscores, a letter, more \
                 letters, digits, `-` or `_`, and two underscores, such as `__username__`"
            );
            problems.push(Problem::at(&at, message));
        }
        match Variable::declared(declaration) {
            Ok(variable) => {
                variables.insert(name.clone(), variable);
            }
            Err(message) => problems.push(Problem::at(&at, message)),
        }
    }
    variables
}

/// Refuses extensions that may mean something for the execution.
fn extensions(pointer: &[&str], extensions: &model::Extensions, problems: &mut Vec<Problem>) {
    for id in extensions.keys().filter(|id| !LAYOUT_EXTENSIONS.contains(&id.as_str())) {
        let message = format!("extension `{id}` isn't executed here; remove it");
        problems.push(Problem::at(&[pointer, &[id]].concat(), message));
    }
}

#[cfg(test)]
mod tests;

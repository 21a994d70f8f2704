//! Checks the variables that an action step uses: those it refers to in parameters, those it takes
//! in, and those it writes. Whether a command has such outputs is for `outputs`.

use crate::playbook::model::step::Action;
use crate::playbook::problem::{Problem, pointer};
use crate::playbook::substitution::member_references;
use crate::playbook::variables::Scope;

/// Checks the arguments and the references of one action step.
pub(super) fn check(
    id: &str,
    action: &Action,
    scope: &Scope<'_>,
    declared: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) {
    let undeclared = |pointer: String, name: &str| {
        let message = format!("variable `{name}` isn't declared; declare it or correct its name");
        Problem::new(pointer, message)
    };
    let argument = |list: &str, index: usize| pointer(&["workflow", id, list, &index.to_string()]);

    for (index, name) in action.in_args.iter().enumerate() {
        if !declared(name) {
            problems.push(undeclared(argument("in_args", index), name));
        }
    }
    for (index, name) in action.out_args.iter().enumerate() {
        let at = argument("out_args", index);
        if !declared(name) {
            problems.push(undeclared(at, name));
        } else if scope.get(name).is_some_and(|variable| variable.constant) {
            let message = format!("`{name}` is a constant and can't be written; use another");
            problems.push(Problem::new(at, message));
        }
    }
    for (index, command) in action.commands.iter().enumerate() {
        let mut at = pointer(&["workflow", id, "commands", &index.to_string(), "parameters"]);
        if let Some(parameters) = &command.parameters {
            member_references(parameters, &mut at, &mut |pointer, name| {
                if !declared(name) {
                    problems.push(undeclared(pointer.to_owned(), name));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;

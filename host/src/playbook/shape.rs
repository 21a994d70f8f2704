//! Turns a JSON value into a playbook document, entry by entry, so that each wrong one is reported
//! with its pointer, and finds members that the standard doesn't have.

mod words;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::executed;
use super::model::PlaybookDocument;
use super::model::agent_target::AgentTarget;
use super::model::authentication::AuthenticationInfo;
use super::model::command::Command;
use super::model::extension::ExtensionDefinition;
use super::model::marking::DataMarking;
use super::model::step::Step;
use super::model::variable::Variable;
use super::problem::{Problem, push_segment};

/// The version of the standard that is read.
const SPEC_VERSION: &str = "cacao-2.0";

/// The members that every playbook has.
const REQUIRED: [&str; 9] = [
    "type",
    "spec_version",
    "id",
    "name",
    "created_by",
    "created",
    "modified",
    "workflow_start",
    "workflow",
];

/// Reads the document from a value.
///
/// # Errors
///
/// With everything that isn't as the standard writes it, and every step or command of a type that
/// isn't executed here.
pub(super) fn document(value: &Value) -> Result<PlaybookDocument, Vec<Problem>> {
    let Some(members) = value.as_object() else {
        return Err(vec![Problem::new(String::new(), "a playbook is a JSON object")]);
    };
    // What follows would be said in the words of another standard, or of another object.
    for (name, wanted) in [("type", "playbook"), ("spec_version", SPEC_VERSION)] {
        if let Some(found) = members.get(name).filter(|found| **found != wanted) {
            let message = format!("`{name}` is {found}, but only \"{wanted}\" is executed here");
            return Err(vec![Problem::at(&[name], message)]);
        }
    }

    let mut problems = Vec::new();
    for name in REQUIRED.iter().filter(|name| !members.contains_key(**name)) {
        problems.push(Problem::new(String::new(), format!("`{name}` is missing; add it")));
    }
    for (id, value) in dictionary(members, "workflow") {
        step(id, value, &mut problems);
    }
    entries::<Variable>(members, "playbook_variables", &mut problems);
    entries::<AuthenticationInfo>(members, "authentication_info_definitions", &mut problems);
    entries::<AgentTarget>(members, "agent_definitions", &mut problems);
    entries::<AgentTarget>(members, "target_definitions", &mut problems);
    entries::<ExtensionDefinition>(members, "extension_definitions", &mut problems);
    entries::<DataMarking>(members, "data_marking_definitions", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }

    let document: PlaybookDocument = read(value, &[]).map_err(|problem| vec![problem])?;
    let known = serde_json::to_value(&document)
        .map_err(|error| vec![Problem::new(String::new(), error.to_string())])?;
    unknown_members(value, &known, &mut String::new(), &mut problems);
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// The entries of a dictionary; none when it isn't one, which reading the whole document reports.
fn dictionary<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let entries = members.get(name).and_then(Value::as_object);
    entries.into_iter().flatten()
}

/// Tries each entry of a dictionary, because the error of the whole document has no pointer.
fn entries<T: DeserializeOwned>(
    members: &Map<String, Value>,
    name: &str,
    problems: &mut Vec<Problem>,
) {
    for (entry, value) in dictionary(members, name) {
        problems.extend(read::<T>(value, &[name, entry]).err());
    }
}

/// Tries a step: its type, then each of its commands, then the rest of it.
fn step(id: &str, step: &Value, problems: &mut Vec<Problem>) {
    if let Some(refusal) = refused_type(step, executed::step_type) {
        problems.push(Problem::at(&["workflow", id, "type"], refusal));
        return;
    }
    let mut rest = step.clone();
    if let Some(Value::Array(commands)) = rest.get_mut("commands") {
        for (index, command) in commands.drain(..).enumerate() {
            let pointer = ["workflow", id, "commands", &index.to_string()];
            match refused_type(&command, executed::command_type) {
                Some(refusal) => {
                    problems.push(Problem::at(&[&pointer[..], &["type"]].concat(), refusal));
                }
                None => problems.extend(read::<Command>(&command, &pointer).err()),
            }
        }
    }
    problems.extend(read::<Step>(&rest, &["workflow", id]).err());
}

/// Why the object's type isn't executed; nothing when it is, or is missing.
fn refused_type(object: &Value, check: fn(&str) -> Result<(), String>) -> Option<String> {
    match object.get("type")? {
        Value::String(name) => check(name).err(),
        // serde would take a number for the place of a type among all of them.
        _ => Some(words::TYPE_IS_TEXT.to_owned()),
    }
}

/// Reads one object, and points at the member that is wrong.
fn read<T: DeserializeOwned>(value: &Value, pointer: &[&str]) -> Result<T, Problem> {
    let attempt = |value: Value| serde_json::from_value::<T>(value).map_err(|e| e.to_string());
    attempt(value.clone()).map_err(|message| {
        let sentence = words::sentence(&message);
        // serde doesn't say which member it was: it is the one without which the error is another.
        let is_wrong = |name: &&String| {
            let mut others = value.clone();
            others.as_object_mut().map(|members| members.remove(*name));
            attempt(others).err().as_ref() != Some(&message)
        };
        // The type comes last: without it, the error is another whatever is wrong.
        let (types, others): (Vec<_>, Vec<_>) =
            value.as_object().into_iter().flat_map(Map::keys).partition(|name| *name == "type");
        let mut names = others.into_iter().chain(types);
        let wrong = if message.starts_with("missing field") { None } else { names.find(is_wrong) };
        match wrong {
            Some(name) => Problem::at(&[pointer, &[name]].concat(), sentence),
            None => Problem::at(pointer, sentence),
        }
    })
}

/// Reports what `given` has and `known`, the same document as the model holds it, lacks: a
/// misspelt `on_failure` must not pass in silence.
fn unknown_members(
    given: &Value,
    known: &Value,
    pointer: &mut String,
    problems: &mut Vec<Problem>,
) {
    let below =
        |segment: &str, given: &Value, known: &Value, pointer: &mut String, problems: &mut _| {
            let length = pointer.len();
            push_segment(pointer, segment);
            unknown_members(given, known, pointer, problems);
            pointer.truncate(length);
        };
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given {
                let known = known.get(name).unwrap_or(&Value::Null);
                below(name, value, known, pointer, problems);
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (value, known)) in given.iter().zip(known).enumerate() {
                below(&index.to_string(), value, known, pointer, problems);
            }
        }
        (Value::Null, _) => {}
        (_, Value::Null) => {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            let message = format!(
                "`{name}` isn't a member that CACAO 2.0 has here; remove it or correct its name"
            );
            problems.push(Problem::new(pointer.clone(), message));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

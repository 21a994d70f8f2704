//! Playbooks for the tests of this module.

use serde_json::{Value, json};

use super::{Playbook, PlaybookError};

/// A playbook with two action steps: `action--1`, and `action--2` after its success.
pub(super) fn document() -> Value {
    json!({
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": "playbook--1",
        "name": "Close, then report",
        "created_by": "identity--1",
        "created": "2021-01-27T14:08:00.000Z",
        "modified": "2021-01-27T14:08:00.000Z",
        "playbook_variables": {
            "__numbers__": {"type": "dictionary", "value": "[\"7\"]", "external": true},
            "__count__": {"type": "integer", "external": true, "value": "3"},
            "__closed__": {"type": "integer"},
            "__error__": {"type": "string"},
            "__team__": {"type": "string", "value": "Blue", "constant": true}
        },
        "workflow_start": "start--1",
        "workflow": {
            "start--1": {"type": "start", "on_completion": "action--1"},
            "action--1": action(json!({
                "name": "Close",
                "commands": [command(json!({"Incident Numbers": "__numbers__:value"}))],
                "out_args": ["__closed__", "__error__"],
                "on_success": "action--2",
                "on_failure": "end--2"
            })),
            "action--2": action(json!({
                "commands": [command(json!({"Text": "__closed__:value closed: __error__:value"}))],
                "on_completion": "end--1"
            })),
            "end--1": {"type": "end", "name": "Done"},
            "end--2": {"type": "end", "name": "Look at the failures"}
        },
        "agent_definitions": {"soar-utility--1": {"type": "soar-utility", "name": "Playdock"}}
    })
}

/// An action step with these members.
pub(super) fn action(members: Value) -> Value {
    with(json!({"type": "action", "agent": "soar-utility--1"}), members)
}

/// A command with these parameters.
pub(super) fn command(parameters: Value) -> Value {
    json!({"type": "soar-utility", "version": "1.0", "command": "Do", "parameters": parameters})
}

fn with(mut object: Value, members: Value) -> Value {
    object.as_object_mut().unwrap().append(&mut members.as_object().unwrap().clone());
    object
}

/// The playbook, changed at pointers; null removes what is there.
pub(super) fn changed(changes: &[(&str, Value)]) -> Value {
    let mut document = document();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Object(members), Value::Null) => drop(members.remove(name)),
            (Value::Object(members), value) => drop(members.insert(name.into(), value.clone())),
            (parent, _) => panic!("{parent} has no members"),
        }
    }
    document
}

/// The changed playbook, which loads.
pub(super) fn loaded(changes: &[(&str, Value)]) -> Playbook {
    Playbook::load(changed(changes).to_string().as_bytes()).unwrap()
}

/// The lines that the changed playbook is refused with.
pub(super) fn refusal(changes: &[(&str, Value)]) -> Vec<String> {
    match Playbook::load(changed(changes).to_string().as_bytes()) {
        Err(PlaybookError::Refused(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the playbook was loaded"),
    }
}

/// Checks that the changed playbook is refused in one line.
#[track_caller]
pub(super) fn assert_refused(changes: &[(&str, Value)], line: &str) {
    assert_eq!(refusal(changes), [line]);
}

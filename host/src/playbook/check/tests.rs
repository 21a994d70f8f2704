//! Playbooks that are refused as a whole, and declarations of variables that are.

use serde_json::{Value, json};

use crate::playbook::Playbook;
use crate::playbook::fixture::{action, assert_refused, changed, command, loaded, refusal};

#[test]
fn the_fixture_loads() {
    loaded(&[]);
}

#[test]
fn the_workflow_begins_with_a_start_step() {
    assert_refused(
        &[("/workflow_start", "start--9".into())],
        "at /workflow_start: `start--9` isn't a step of the workflow; correct the id",
    );
    assert_refused(
        &[("/workflow_start", "action--1".into())],
        "at /workflow_start: `action--1` is a step of type `action`; name a `start` step",
    );
    assert_refused(
        &[("/workflow/start--1", Value::Null)],
        "at /workflow_start: `start--1` isn't a step of the workflow; correct the id",
    );
}

#[test]
fn the_exception_step_does_not_begin_anew() {
    assert_refused(
        &[("/workflow_exception", "start--1".into())],
        "at /workflow_exception: `start--1` begins the whole workflow anew; name another step",
    );
}

#[test]
fn variables_have_the_names_that_the_standard_allows() {
    let longest = format!("__{}__", "a".repeat(200));
    loaded(&[(&format!("/playbook_variables/{longest}"), json!({"type": "string"}))]);
    for name in ["plain", "____", "__1a__", "__a b__", "__é__", &format!("_{longest}")] {
        let lines = refusal(&[(&format!("/playbook_variables/{name}"), json!({"type": "string"}))]);
        assert!(lines[0].contains("can't be the name of a variable"), "{lines:?}");
    }
}

#[test]
fn variables_hold_values_of_known_types() {
    let lines = refusal(&[
        ("/playbook_variables/__a__", json!({"type": "list"})),
        ("/playbook_variables/__b__", json!({"type": "integer", "value": "x"})),
        ("/playbook_variables/__c__", json!({"type": "integer", "value": 5})),
    ]);
    assert_eq!(
        lines,
        [
            "at /playbook_variables/__a__: variable type `list` isn't one of CACAO 2.0, which are \
             `bool`, `dictionary`, `float`, `hash`, `hexstring`, `integer`, `ipv4-addr`, \
             `ipv6-addr`, `long`, `mac-addr`, `md5-hash`, `sha256-hash`, `string`, `uri`, `uuid`; a \
             list travels as a `dictionary`: its JSON as text",
            "at /playbook_variables/__b__: \"x\" isn't of type integer (a whole number)",
            "at /playbook_variables/__c__: a value is written as text; put it in quotation marks",
        ]
    );
}

#[test]
fn extensions_are_refused_save_those_that_only_draw() {
    assert_refused(
        &[("/workflow/end--1/step_extensions", json!({"extension-definition--1": {"x": 1}}))],
        "at /workflow/end--1/step_extensions/extension-definition--1: extension \
         `extension-definition--1` isn't executed here; remove it",
    );
    assert_refused(
        &[("/playbook_extensions", json!({"extension-definition--1": {"x": 1}}))],
        "at /playbook_extensions/extension-definition--1: extension `extension-definition--1` \
         isn't executed here; remove it",
    );
    let layout = json!({super::LAYOUT_EXTENSIONS[0]: {"type": "coordinates", "x": 1, "y": 2}});
    loaded(&[("/workflow/end--1/step_extensions", layout)]);
}

#[test]
fn a_revoked_playbook_is_refused() {
    assert_refused(
        &[("/revoked", true.into())],
        "at /revoked: the playbook is revoked; ask its author for one that is valid",
    );
}

#[test]
fn a_thousand_steps_are_executed_and_no_more() {
    let of_length = |count: usize| {
        let mut document = changed(&[("/workflow/action--2/on_completion", "step--4".into())]);
        // The fixture has five steps; its first end comes last.
        for index in 4..count - 1 {
            let next =
                if index == count - 2 { "end--1".into() } else { format!("step--{}", index + 1) };
            let step = action(json!({"commands": [command(json!({}))], "on_completion": next}));
            document["workflow"][format!("step--{index}")] = step;
        }
        assert_eq!(document["workflow"].as_object().unwrap().len(), count);
        Playbook::load(document.to_string().as_bytes())
    };
    of_length(1000).unwrap();
    assert_eq!(
        of_length(1001).unwrap_err().to_string(),
        "at /workflow: 1001 steps are too many; at most 1000 are executed here"
    );
}

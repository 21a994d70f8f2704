//! Uses of variables that are refused.

use serde_json::json;

use crate::playbook::fixture::{assert_refused, command, loaded, refusal};

#[test]
fn every_variable_that_is_used_is_declared() {
    let parameters = json!({"a/b": ["x", {"c": "to __nobody__:value"}]});
    assert_refused(
        &[("/workflow/action--2/commands", json!([command(parameters)]))],
        "at /workflow/action--2/commands/0/parameters/a~1b/1/c: variable `__nobody__` isn't \
         declared; declare it or correct its name",
    );
    assert_refused(
        &[("/workflow/action--2/in_args", json!(["__nobody__"]))],
        "at /workflow/action--2/in_args/0: variable `__nobody__` isn't declared; declare it or \
         correct its name",
    );
}

#[test]
fn a_step_sees_its_own_variables_and_no_other_steps() {
    let own = json!({"__own__": {"type": "string", "value": "x"}});
    let commands = json!([command(json!({"Text": "__own__:value"}))]);
    loaded(&[
        ("/workflow/action--2/step_variables", own.clone()),
        ("/workflow/action--2/commands", commands.clone()),
    ]);
    let lines = refusal(&[
        ("/workflow/action--1/step_variables", own),
        ("/workflow/action--2/commands", commands),
    ]);
    assert!(lines[0].contains("variable `__own__` isn't declared"), "{lines:?}");
}

#[test]
fn outputs_go_to_declared_variables_that_can_change() {
    let lines = refusal(&[
        ("/workflow/action--2/out_args", json!(["__team__", "__failed__"])),
        ("/playbook_variables/__contextData__", json!({"type": "string", "constant": true})),
        ("/workflow/action--1/out_args", json!(["__contextData__"])),
    ]);
    assert_eq!(
        lines,
        [
            "at /workflow/action--1/out_args/0: `__contextData__` is a constant and can't be \
             written; use another"
                .to_owned(),
            "at /workflow/action--2/out_args/0: `__team__` is a constant and can't be written; \
             use another"
                .to_owned(),
            "at /workflow/action--2/out_args/1: variable `__failed__` isn't declared; declare it \
             or correct its name"
                .to_owned(),
        ]
    );
}

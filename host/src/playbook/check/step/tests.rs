//! Steps that are refused.

use serde_json::{Value, json};

use crate::playbook::fixture::{assert_refused, refusal};

#[test]
fn a_soar_utility_command_has_a_name_and_nothing_foreign() {
    let foreign =
        json!([{"type": "soar-utility", "version": "2.0", "content": "x", "paramaters": {}}]);
    let lines = refusal(&[("/workflow/action--2/commands", foreign)]);
    let at = "at /workflow/action--2/commands/0";
    assert_eq!(
        lines,
        [
            format!("{at}/content: a `soar-utility` command has no `content`; remove it"),
            format!("{at}/paramaters: a `soar-utility` command has no `paramaters`; remove it"),
            format!("{at}/version: version \"2.0\" isn't executed here; only \"1.0\" is"),
            format!("{at}/command: the name of the command is missing; add it as `command`"),
        ]
    );
}

#[test]
fn an_action_has_a_command() {
    for none in [json!([]), Value::Null] {
        assert_refused(
            &[("/workflow/action--2/commands", none)],
            "at /workflow/action--2: the step has no command; add one to `commands`",
        );
    }
}

#[test]
fn links_lead_to_steps() {
    for member in ["on_success", "on_failure"] {
        let lines = refusal(&[(&format!("/workflow/action--1/{member}"), "end--9".into())]);
        assert!(
            lines.contains(&format!(
                "at /workflow/action--1/{member}: `end--9` isn't a step of the workflow; correct \
                 the id"
            )),
            "{lines:?}"
        );
    }
    assert_refused(
        &[("/workflow_exception", "end--9".into())],
        "at /workflow_exception: `end--9` isn't a step of the workflow; correct the id",
    );
}

#[test]
fn start_steps_do_not_branch() {
    assert_refused(
        &[("/workflow/start--1", json!({"type": "start", "on_success": "action--1"}))],
        "at /workflow/start--1: a `start` step has neither `on_success` nor `on_failure`; \
         use `on_completion`",
    );
    assert_refused(
        &[("/workflow/start--1", json!({"type": "start"}))],
        "at /workflow/start--1: a `start` step needs `on_completion`; add it",
    );
}

#[test]
fn end_steps_have_no_links() {
    for member in ["on_completion", "on_success", "on_failure"] {
        assert_refused(
            &[("/workflow/end--1", json!({"type": "end", member: "end--2"}))],
            "at /workflow/end--1: an `end` step links to no other step; remove its links",
        );
    }
}

#[test]
fn on_completion_excludes_the_branches() {
    for member in ["on_success", "on_failure"] {
        assert_refused(
            &[(&format!("/workflow/action--2/{member}"), "end--2".into())],
            "at /workflow/action--2: `on_completion` excludes `on_success` and `on_failure`; \
             remove one side",
        );
    }
}

#[test]
fn the_agent_is_defined() {
    assert_refused(
        &[("/workflow/action--2/agent", "soar-utility--2".into())],
        "at /workflow/action--2/agent: agent `soar-utility--2` isn't in `agent_definitions`; add \
         it or correct the id",
    );
    assert_refused(
        &[("/workflow/action--2/agent", Value::Null)],
        "at /workflow/action--2: the step has no `agent`; name one of `agent_definitions`",
    );
    assert_refused(
        &[("/workflow/action--2/targets", json!(["linux--1"]))],
        "at /workflow/action--2/targets/0: target `linux--1` isn't in `target_definitions`; \
         correct the id",
    );
}

#[test]
fn external_variables_belong_to_the_playbook_and_can_get_a_value() {
    assert_refused(
        &[(
            "/workflow/action--2/step_variables",
            json!({"__x__": {"type": "string", "external": true}}),
        )],
        "at /workflow/action--2/step_variables/__x__: only a variable of the playbook can be \
         external; declare it there",
    );
    assert_refused(
        &[(
            "/playbook_variables/__x__",
            json!({"type": "string", "external": true, "constant": true}),
        )],
        "at /playbook_variables/__x__: constant `__x__` is external and has no value, and nobody \
         can give it one; give it a value or make it no constant",
    );
}

#[test]
fn a_command_is_not_chosen_by_a_variable() {
    let commands = json!([{"type": "soar-utility", "command": "__team__:value"}]);
    assert_refused(
        &[("/workflow/action--2/commands", commands)],
        "at /workflow/action--2/commands/0/command: the name of a command can't come from a \
         variable; write it out",
    );
}

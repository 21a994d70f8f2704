//! Members that are missing or wrong, and types that aren't executed.

use serde_json::{Value, json};

use crate::playbook::fixture::{assert_refused, refusal};

/// The line that the member of a step is refused with, without its place.
fn refused_member(member: &str, value: Value) -> String {
    let pointer = format!("/workflow/action--1/{member}");
    let lines = refusal(&[(&pointer, value)]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let place = format!("at {pointer}: ");
    lines[0].strip_prefix(&place).expect(&lines[0]).to_owned()
}

#[test]
fn missing_and_wrong_members_are_reported_with_their_places() {
    assert_eq!(
        refusal(&[
            ("/name", json!(null)),
            ("/created_by", json!(null)),
            ("/workflow/action--1/delay", "soon".into()),
            ("/workflow/action--2/type", json!(null)),
            ("/agent_definitions/soar-utility--1/name", json!(null)),
            ("/playbook_variables/__team__/constant", "yes".into()),
        ]),
        [
            "in the playbook itself: `name` is missing; add it",
            "in the playbook itself: `created_by` is missing; add it",
            "at /workflow/action--1/delay: \"soon\" stands where a number of milliseconds, 0 or \
             more, belongs",
            "at /workflow/action--2: `type` is missing; add it",
            "at /playbook_variables/__team__/constant: \"yes\" stands where `true` or `false` belongs",
            "at /agent_definitions/soar-utility--1: `name` is missing; add it",
        ]
    );
    assert_refused(&[("/labels", 5.into())], "at /labels: `5` stands where a list belongs");
    assert_refused(
        &[("/workflow", json!([]))],
        "at /workflow: a list stands where an object belongs",
    );
    assert_refused(
        &[("/priority", 300.into())],
        "at /priority: `300` stands where a number from 0 to 100 belongs",
    );
    assert_refused(
        &[("/workflow/end--1", "end".into())],
        "at /workflow/end--1: \"end\" stands where an object belongs",
    );
    assert_refused(
        &[("/playbook_variables/__team__", "Blue".into())],
        "at /playbook_variables/__team__: \"Blue\" stands where an object belongs",
    );
    assert_refused(
        &[("/playbook_variables/__team__/type", 5.into())],
        "at /playbook_variables/__team__/type: a type is written as text; put it in quotation marks",
    );
}

#[test]
fn members_of_a_step_are_refused_in_words_of_the_standard() {
    let milliseconds = "stands where a number of milliseconds, 0 or more, belongs";
    assert_eq!(refused_member("timeout", json!(-5)), format!("`-5` {milliseconds}"));
    assert_eq!(refused_member("delay", json!(1.5)), format!("`1.5` {milliseconds}"));
    assert_eq!(
        refused_member("timeout", 0.into()),
        "a timeout of 0 leaves the step no time; write 1 or more milliseconds, or remove it"
    );
    for wrong in [json!(0), json!({})] {
        assert_eq!(
            refused_member("type", wrong),
            "a type is written as text; put it in quotation marks"
        );
    }
    assert_eq!(refused_member("name", json!({"en": "x"})), "an object stands where text belongs");
    assert_eq!(refused_member("commands", 5.into()), "`5` stands where a list belongs");
    assert_eq!(
        refused_member("out_args", json!(["__closed__", true])),
        "`true` stands where text belongs"
    );
    assert_eq!(
        refused_member("step_variables", json!("__x__")),
        "\"__x__\" stands where an object belongs"
    );
}

#[test]
fn the_wrong_one_of_a_step_s_commands_is_pointed_at() {
    let right = json!({"type": "soar-utility", "command": "Do"});
    let lines = refusal(&[(
        "/workflow/action--1/commands",
        json!([right, {"command": "Do"}, {"type": "soar-utility", "parameters": []}, "Do"]),
    )]);
    let at = "at /workflow/action--1/commands";
    assert_eq!(
        lines,
        [
            format!("{at}/1: `type` is missing; add it"),
            format!("{at}/2/parameters: a list stands where an object belongs"),
            format!("{at}/3: \"Do\" stands where an object belongs"),
        ]
    );
}

#[test]
fn a_step_s_type_is_looked_at_before_anything_else_of_it() {
    let kinds = [
        "playbook-action",
        "parallel",
        "if-condition",
        "while-condition",
        "switch-condition",
        "stop",
        "Action",
    ];
    for kind in kinds {
        let line = format!(
            "at /workflow/action--2/type: a step of type `{kind}` isn't executed here; `start`, \
             `action` and `end` are"
        );
        for odd in [json!({}), json!({"delay": "soon", "banana": 1})] {
            let mut step = odd;
            step["type"] = kind.into();
            assert_refused(&[("/workflow/action--2", step)], &line);
        }
    }
}

#[test]
fn a_whole_step_of_another_type_is_refused_for_its_type_too() {
    let step = json!({"type": "if-condition", "condition": "x", "on_true": "end--1"});
    assert_refused(
        &[("/workflow/action--2", step)],
        "at /workflow/action--2/type: a step of type `if-condition` isn't executed here; `start`, \
         `action` and `end` are",
    );
}

#[test]
fn a_command_s_type_is_looked_at_before_anything_else_of_it() {
    for kind in ["bash", "ssh", "manual", "http-api", "of-a-vendor"] {
        let command = json!({"type": kind, "command": 5, "headers": [], "odd": 1});
        assert_refused(
            &[("/workflow/action--2/commands", json!([command]))],
            &format!(
                "at /workflow/action--2/commands/0/type: a command of type `{kind}` isn't \
                 executed here; `soar-utility` is"
            ),
        );
    }
}

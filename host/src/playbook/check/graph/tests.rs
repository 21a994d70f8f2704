//! Workflows whose way is refused.

use serde_json::{Value, json};

use crate::playbook::fixture::{assert_refused, loaded, refusal};

#[test]
fn an_end_is_reached_from_every_step() {
    assert_refused(
        &[("/workflow/action--2/on_completion", Value::Null)],
        "at /workflow/action--2: the step has neither `on_completion` nor `on_success`, so \
         no `end` is reached from it; add one of them",
    );
}

#[test]
fn steps_that_lead_in_a_circle_are_named_in_order() {
    let lines = refusal(&[("/workflow/action--2/on_completion", "action--1".into())]);
    assert_eq!(
        lines[0],
        "at /workflow/action--1: these steps lead in a circle: `action--1` to `action--2` to \
         `action--1`; break it"
    );
    let lines = refusal(&[("/workflow/action--1/on_failure", "action--1".into())]);
    assert!(lines[0].ends_with("`action--1` to `action--1`; break it"), "{lines:?}");
}

#[test]
fn two_branches_that_meet_are_no_circle() {
    loaded(&[
        ("/workflow/action--1/on_failure", "action--2".into()),
        ("/workflow/end--2", Value::Null),
    ]);
}

#[test]
fn an_end_that_nothing_leads_to_is_refused() {
    assert_refused(
        &[("/workflow/end--3", json!({"type": "end"}))],
        "at /workflow/end--3: no step leads here; link to it or remove it",
    );
    loaded(&[
        ("/workflow/end--3", json!({"type": "end"})),
        ("/workflow_exception", "end--3".into()),
    ]);
}

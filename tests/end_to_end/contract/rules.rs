//! What keeps an incident open, and what lets it close.

use playdock_tests::{Playdock, in_postgres_too, incident, parameters, with};
use serde_json::{Value, json};

in_postgres_too!(
    a_required_task_blocks_unless_it_is_known_to_be_done,
    a_field_that_is_required_on_close_blocks_without_a_value,
    all_blockers_are_named_and_no_others,
    a_bypass_closes_the_incident_and_leaves_its_tasks_and_fields_as_they_are,
);

const TASKS: &str = "Bypass Required Pending Tasks";
const FIELDS: &str = "Bypass All Required Fields";

fn required_task(status: &str) -> Value {
    json!({"tasks": [{"title": "Reset password", "required": true, "status": status}]})
}

fn required_field(value: Value) -> Value {
    json!({"fields": [{"section": "Closure", "name": "Root cause", "required_on_close": true,
        "value": value}]})
}

/// Closes an incident for each case, with both bypasses off, and compares what is said of each.
#[track_caller]
fn assert_outcomes(cases: &[(Value, &str)]) {
    let numbers: Vec<String> = (1..=cases.len()).map(|number| number.to_string()).collect();
    let lines = numbers.iter().zip(cases);
    let playdock =
        Playdock::with_incidents(lines.map(|(number, (more, _))| incident(number, more.clone())));
    let finished = playdock.close(&parameters(&numbers), &[]);
    let outcomes = finished.outcomes();
    assert_eq!(outcomes.len(), cases.len(), "{finished:?}");
    for ((more, expected), (number, said)) in cases.iter().zip(outcomes) {
        assert_eq!(said, *expected, "{more}");
        let stored: String =
            playdock.value(&format!("SELECT status FROM incident WHERE number = '{number}'"));
        assert_eq!(stored == "Closed", said == "Successful", "{more}");
    }
}

#[test]
fn an_incident_closes_from_every_status() {
    let cases =
        ["Open", "In Progress", "On Hold"].map(|status| (json!({"status": status}), "Successful"));
    assert_outcomes(&cases);
}

#[test]
fn a_required_task_blocks_unless_it_is_known_to_be_done() {
    let blocks = "required-tasks-pending";
    assert_outcomes(&[
        (required_task("Pending"), blocks),
        (required_task("In Progress"), blocks),
        (required_task("Not Started"), blocks),
        (required_task(""), blocks),
        (required_task("a status that nobody thought of"), blocks),
        (required_task("Incomplete"), blocks),
        (required_task("Completed"), "Successful"),
        (required_task("Cancelled"), "Successful"),
        (required_task("Skipped"), "Successful"),
    ]);
}

#[test]
fn a_task_that_is_not_required_never_blocks() {
    let pending = json!({"title": "Tidy up", "status": "Pending"});
    let other = json!({"title": "Tidy up", "required": false, "status": "In Progress"});
    assert_outcomes(&[(json!({"tasks": [pending, other]}), "Successful")]);
}

#[test]
fn a_field_that_is_required_on_close_blocks_without_a_value() {
    let blocks = "required-fields-missing";
    assert_outcomes(&[
        (required_field(json!(null)), blocks),
        (required_field(json!("")), blocks),
        (required_field(json!(" \t\n")), blocks),
        (required_field(json!([])), blocks),
        (required_field(json!(false)), "Successful"),
        (required_field(json!(0)), "Successful"),
        (required_field(json!("0")), "Successful"),
        (required_field(json!(["phishing"])), "Successful"),
        (required_field(json!({"id": 7})), "Successful"),
    ]);
}

#[test]
fn fields_of_both_kinds_block_and_hidden_or_optional_ones_do_not() {
    let field = |more: Value| {
        let mut field = json!({"section": "Closure", "name": "Root cause"});
        let members = field.as_object_mut().expect("an object");
        members.append(&mut more.as_object().expect("an object").clone());
        field
    };
    let empty = |kind: &str| field(json!({"kind": kind, "required_on_close": true}));
    let filled = field(json!({"required_on_close": true, "value": "Macro"}));
    let hidden = field(json!({"required_on_close": true, "visible": false}));
    let blocks = "required-fields-missing";
    assert_outcomes(&[
        (json!({"fields": [empty("Activity")]}), blocks),
        (json!({"fields": [empty("Info Activity")]}), blocks),
        (json!({"fields": [field(json!({}))]}), "Successful"),
        (json!({"fields": [hidden]}), "Successful"),
        (json!({"fields": [filled, hidden]}), "Successful"),
        // Several instances of one field: each that is shown counts.
        (json!({"fields": [filled, empty("Activity")]}), blocks),
    ]);
}

#[test]
fn all_blockers_are_named_and_no_others() {
    let tasks = json!([
        {"title": "Reset password", "required": true},
        {"title": "Call the user", "required": true, "status": "In Progress"},
        {"title": "Collect the sample", "required": true, "status": "Completed"},
        {"title": "Tidy up"}
    ]);
    let fields = json!([
        {"section": "Closure", "name": "Root cause", "required_on_close": true},
        {"section": "Impact", "name": "Loss", "required_on_close": true, "value": 0},
        {"section": "Impact", "name": "Hosts", "required_on_close": true, "value": []}
    ]);
    let playdock =
        Playdock::with_incidents([incident("1", json!({"tasks": tasks, "fields": fields}))]);
    let (of_tasks, of_fields) =
        (["Reset password", "Call the user", TASKS], ["Root cause", "Hosts", FIELDS]);
    for (bypass_tasks, bypass_fields, reason, named, not_named) in [
        ("No", "No", "required-tasks-and-fields", [&of_tasks[..], &of_fields].concat(), vec![]),
        ("Yes", "No", "required-fields-missing", of_fields.to_vec(), of_tasks.to_vec()),
        ("No", "Yes", "required-tasks-pending", of_tasks.to_vec(), of_fields.to_vec()),
    ] {
        let parameters = with(parameters(&["1"]), TASKS, json!(bypass_tasks));
        let finished = playdock.close(&with(parameters, FIELDS, json!(bypass_fields)), &[]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let row = &finished.rows()[0];
        assert_eq!(row["Reason"], reason);
        let message = row["Error message"].to_string();
        for name in named {
            assert!(message.contains(name), "{name}: {message}");
        }
        for name in not_named.into_iter().chain(["Collect the sample", "Tidy up", "Loss"]) {
            assert!(!message.contains(name), "{name}: {message}");
        }
    }
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 0);
}

#[test]
fn a_bypass_closes_the_incident_and_leaves_its_tasks_and_fields_as_they_are() {
    let mut more = required_task("Pending");
    more["fields"] = required_field(json!(null))["fields"].take();
    let playdock = Playdock::with_incidents([incident("1", more), incident("2", json!({}))]);
    let tasks = "SELECT * FROM task";
    let fields = "SELECT * FROM field";
    let before = (playdock.rows(tasks), playdock.rows(fields));
    let parameters = with(parameters(&["1", "2"]), TASKS, json!("Yes"));
    let finished = playdock.close(&with(parameters, FIELDS, json!("Yes")), &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!((playdock.rows(tasks), playdock.rows(fields)), before);
    assert_eq!(before.0.len() + before.1.len(), 2);

    // The audit says what was waived, and by which bypass.
    let waived = playdock.rows("SELECT waived FROM audit ORDER BY incident");
    let waivers: Value = serde_json::from_str(&waived[0]).expect("what was waived is JSON");
    assert_eq!(
        waivers,
        json!([
            {"bypass": TASKS, "tasks": ["Reset password"], "fields": []},
            {"bypass": FIELDS, "tasks": [], "fields": ["Closure > Root cause"]}
        ])
    );
    assert_eq!(waived[1], "NULL");
}

#[test]
fn one_incident_that_is_blocked_does_not_stop_the_others() {
    assert_outcomes(&[
        (json!({}), "Successful"),
        (required_task("Pending"), "required-tasks-pending"),
        (json!({}), "Successful"),
        (required_field(json!(null)), "required-fields-missing"),
        (json!({}), "Successful"),
    ]);
}

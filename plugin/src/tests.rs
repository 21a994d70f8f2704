//! Unit tests of the command, over incidents in memory.

use crate::CloseIncidentInBulk;
use playdock_plugin_api::testing::{InMemoryIncidents, InvokeError, StaticPlugin, conformance};
use playdock_plugin_api::{ContextError, ExampleIncident, Finished, Outcome};
use serde_json::{Value, json};

fn close(incidents: &mut InMemoryIncidents, parameters: &Value) -> Result<Finished, InvokeError> {
    StaticPlugin::of::<CloseIncidentInBulk>().invoke(parameters, incidents)
}

fn parameters(numbers: &[&str], tasks: &str, fields: &str) -> Value {
    json!({
        "Incident Numbers": numbers,
        "Bypass Required Pending Tasks": tasks,
        "Bypass All Required Fields": fields,
        "Conclusion": "Closed <in bulk>.\nReally."
    })
}

fn codes(incidents: &InMemoryIncidents) -> Vec<(String, String)> {
    let code =
        |outcome: &Outcome| outcome.reason.as_ref().map(ToString::to_string).unwrap_or_default();
    incidents
        .outcomes()
        .into_iter()
        .map(|(number, outcome)| (number.to_owned(), code(outcome)))
        .collect()
}

fn blocked() -> ExampleIncident {
    ExampleIncident::new("1", "Open")
        .required_task("Reset password", "Pending")
        .required_task("Call the user", "Completed")
        .required_field("Closure", "Root cause", json!(" "))
        .required_field("Closure", "Loss", json!(0))
}

#[test]
fn the_command_conforms() {
    conformance::check::<CloseIncidentInBulk>().unwrap();
}

#[test]
fn all_blockers_are_named_with_the_bypass_that_lets_each_pass() {
    for (tasks, fields, reason, message) in [
        (
            "No",
            "No",
            "required-tasks-and-fields",
            "Required tasks are pending: Reset password. Fields that are required on close have no \
             value: Closure > Root cause. With \"Bypass Required Pending Tasks\" and \
             \"Bypass All Required Fields\" it would close.",
        ),
        (
            "No",
            "Yes",
            "required-tasks-pending",
            "Required tasks are pending: Reset password. With \"Bypass Required Pending Tasks\" it \
             would close.",
        ),
        (
            "Yes",
            "No",
            "required-fields-missing",
            "Fields that are required on close have no value: Closure > Root cause. With \
             \"Bypass All Required Fields\" it would close.",
        ),
    ] {
        let mut incidents = InMemoryIncidents::new([blocked()]);
        close(&mut incidents, &parameters(&["1"], tasks, fields)).unwrap();
        let (_, outcome) = incidents.outcomes()[0];
        assert_eq!(outcome.reason.as_ref().unwrap().as_str(), reason);
        assert_eq!(outcome.message.as_deref(), Some(message));
        assert_eq!(incidents.incident("1").unwrap().status, "Open");
    }
}

#[test]
fn what_a_bypass_waives_is_handed_over() {
    let mut incidents = InMemoryIncidents::new([blocked()]);
    let finished = close(&mut incidents, &parameters(&["1"], "yes", "TRUE")).unwrap();
    assert_eq!(finished.error, "");
    let incident = incidents.incident("1").unwrap();
    assert_eq!(incident.status, "Closed");
    assert_eq!(incident.closed_by.as_deref(), Some("admin user"));
    assert_eq!(incident.waived.len(), 2);
    assert_eq!((&incident.waived[0].tasks, &incident.waived[1].fields), (&vec![0], &vec![0]));
    assert_eq!(incident.tasks[0].status, "Pending", "closing completes no task");
}

#[test]
fn hidden_fields_and_tasks_that_are_not_required_do_not_block() {
    let incident = ExampleIncident::new("1", "On Hold")
        .other_task("Tidy up", "Pending")
        .hidden_field("Closure", "Root cause", json!(null))
        .required_field("Closure", "Confirmed", json!(false));
    let mut incidents = InMemoryIncidents::new([incident]);
    close(&mut incidents, &parameters(&["1"], "No", "No")).unwrap();
    assert_eq!(codes(&incidents), [("1".to_owned(), String::new())]);
}

#[test]
fn every_task_status_but_a_done_one_blocks() {
    for (status, blocks) in [
        ("Pending", true),
        ("In Progress", true),
        ("completed", true),
        ("Waiting for Godot", true),
        ("", true),
        ("Completed", false),
        ("Cancelled", false),
        ("Skipped", false),
    ] {
        let incident = ExampleIncident::new("1", "Open").required_task("Reset password", status);
        let mut incidents = InMemoryIncidents::new([incident]);
        close(&mut incidents, &parameters(&["1"], "No", "No")).unwrap();
        assert_eq!(incidents.incident("1").unwrap().status == "Open", blocks, "{status}");
    }
}

#[test]
fn the_conclusion_is_appended_as_an_escaped_paragraph() {
    let before = ExampleIncident::new("1", "Open").conclusion("<p>Earlier</p>");
    let mut incidents = InMemoryIncidents::new([before]);
    close(&mut incidents, &parameters(&["1"], "No", "No")).unwrap();
    let expected = "<p>Earlier</p><p>Closed &lt;in bulk&gt;.<br>Really.</p>";
    assert_eq!(incidents.incident("1").unwrap().conclusion, expected);
}

#[test]
fn a_closed_incident_stays_as_it_is_and_is_no_failure() {
    let mut incidents = InMemoryIncidents::new([ExampleIncident::new("1", "Closed")]);
    let before = incidents.incident("1").unwrap().clone();
    let finished = close(&mut incidents, &parameters(&["1"], "Yes", "Yes")).unwrap();
    assert_eq!(finished.error, "");
    assert_eq!(incidents.incident("1").unwrap(), &before);
    assert_eq!(codes(&incidents), [("1".to_owned(), "already-closed".to_owned())]);
}

#[test]
fn a_repeated_number_counts_once_at_its_first_place() {
    let open = |number| ExampleIncident::new(number, "Open");
    let mut incidents = InMemoryIncidents::new([open("1"), open("2")]);
    let finished = close(&mut incidents, &parameters(&["2", "1", " 2 "], "No", "No")).unwrap();
    assert_eq!(finished.error, "");
    assert_eq!(codes(&incidents).len(), 2);
    assert_eq!(codes(&incidents)[0].0, "2");
}

#[test]
fn an_incident_that_changed_meanwhile_is_judged_anew() {
    let mut times = 0;
    let mut incidents = InMemoryIncidents::new([ExampleIncident::new("1", "Open")]).meanwhile(
        "1",
        move |incident| {
            times += 1;
            if times == 1 {
                let task = ExampleIncident::new("", "").required_task("Added late", "Pending");
                incident.tasks = task.tasks;
            }
        },
    );
    close(&mut incidents, &parameters(&["1"], "No", "No")).unwrap();
    assert_eq!(codes(&incidents), [("1".to_owned(), "required-tasks-pending".to_owned())]);

    let mut restless =
        InMemoryIncidents::new([ExampleIncident::new("1", "Open")]).meanwhile("1", |_| {});
    let finished = close(&mut restless, &parameters(&["1"], "No", "No")).unwrap();
    assert_eq!(codes(&restless), [("1".to_owned(), "changed-meanwhile".to_owned())]);
    assert_eq!(finished.error, "1 of 1 incidents was not closed: 1 changed meanwhile");
}

#[test]
fn who_may_not_close_closes_nothing() {
    let incidents = [ExampleIncident::new("1", "Open"), ExampleIncident::new("2", "Closed")];
    let mut incidents = InMemoryIncidents::new(incidents).may_not_change();
    close(&mut incidents, &parameters(&["1", "2", "3"], "Yes", "Yes")).unwrap();
    let reasons: Vec<String> = codes(&incidents).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["not-permitted", "already-closed", "not-found"]);
}

#[test]
fn an_interrupted_execution_goes_on_where_it_was() {
    let open = |number: &str| ExampleIncident::new(number, "Open");
    let numbers = ["1", "2", "3", "4", "5", "6", "7"];
    let mut incidents =
        InMemoryIncidents::new(numbers.map(open)).fail_after(3, ContextError::Cancelled);
    let asked = parameters(&numbers, "No", "No");
    assert_eq!(close(&mut incidents, &asked), Err(InvokeError::Cancelled));
    assert_eq!(incidents.incident("3").unwrap().status, "Closed");
    assert_eq!(incidents.incident("4").unwrap().status, "Open");

    incidents.incident_mut("2").unwrap().status = "Open".to_owned();
    incidents.resume();
    let finished = close(&mut incidents, &asked).unwrap();
    assert_eq!(finished.error, "1 of 7 incidents was not closed: 1 was reopened since");
    assert_eq!(incidents.incident("2").unwrap().status, "Open");
    assert_eq!(codes(&incidents)[1].1, "reopened-since");
    assert_eq!(incidents.incident("1").unwrap().version, 2, "closed once");
}

#[test]
fn an_error_of_the_host_ends_the_command_with_its_words() {
    for calls in 0..4 {
        let error = ContextError::Host("The store is gone.".to_owned());
        let mut incidents =
            InMemoryIncidents::new([ExampleIncident::new("1", "Open")]).fail_after(calls, error);
        let failed = close(&mut incidents, &parameters(&["1"], "No", "No"));
        assert_eq!(failed, Err(InvokeError::Failed("The store is gone.".to_owned())), "{calls}");
    }
}

#[test]
fn a_bypass_that_is_neither_yes_nor_no_is_an_error_that_names_it() {
    for (name, value) in [
        ("Bypass Required Pending Tasks", json!(null)),
        ("Bypass Required Pending Tasks", json!("")),
        ("Bypass Required Pending Tasks", json!("1")),
        ("Bypass All Required Fields", json!(1)),
        ("Bypass All Required Fields", json!("y")),
    ] {
        let mut incidents = InMemoryIncidents::new([ExampleIncident::new("1", "Open")]);
        let mut asked = parameters(&["1"], "Yes", "Yes");
        asked[name] = value;
        let Err(InvokeError::Failed(sentence)) = close(&mut incidents, &asked) else {
            panic!("{asked} was accepted");
        };
        assert!(sentence.starts_with(&format!("Parameter \"{name}\": ")), "{sentence}");
        assert_eq!(incidents.incident("1").unwrap().status, "Open");
    }
}

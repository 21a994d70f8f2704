//! Assigning incidents to an owner, the change that came after version 1 was frozen: what holds for
//! closings holds for it, checked by the store's own invariants too.

use playdock_host::execution::{Cancellation, Ended, Progress};
use playdock_tests::{
    Finished, Playdock, SITE_AND_USER, answer_rows, in_postgres_too, incident, invocation, outcome,
};
use serde_json::{Value, json};
use std::sync::Arc;

in_postgres_too!(
    an_incident_is_assigned_with_its_audit_and_the_answer_is_repeated,
    only_an_active_user_of_the_site_is_assigned_to_and_others_are_told_alike,
    an_interrupted_assignment_goes_on_and_leaves_to_others_what_was_given_to_them_since,
);

/// A store with omar, who owns the incidents, jane, somebody who left, and somebody elsewhere.
fn store(count: usize) -> (Playdock, Vec<String>) {
    let playdock = Playdock::with_plugins(&["assigning", "close_incident_in_bulk"]);
    let numbers: Vec<String> = (0..count).map(|it| format!("INC-{it}")).collect();
    let lines = numbers.iter().map(|number| incident(number, json!({"owner": "omar"})));
    let others = r#"{"kind":"user","username":"omar","sites":["Security Operations"]}
        {"kind":"user","username":"jane","sites":["Security Operations"]}
        {"kind":"user","username":"left","sites":["Security Operations"],"active":false}
        {"kind":"site","name":"Client B"}
        {"kind":"user","username":"elsewhere","sites":["Client B"]}
        "#;
    playdock.import(&format!("{SITE_AND_USER}{others}{}", lines.collect::<String>()));
    (playdock, numbers)
}

fn asked(numbers: &[String], owner: &str) -> Value {
    json!({"Incident Numbers": numbers, "Owner": owner, "Username": "admin user"})
}

fn assign(playdock: &Playdock, numbers: &[String], owner: &str, id: &str) -> Finished {
    playdock.invoke("AssignOnce", &asked(numbers, owner), &["--execution-id", id])
}

fn holds(playdock: &Playdock) {
    let finished = playdock.run(&["db", "check"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn an_incident_is_assigned_with_its_audit_and_the_answer_is_repeated() {
    let (playdock, mut numbers) = store(2);
    playdock.import(&incident("INC-9", json!({"status": "Closed", "owner": "jane"})));
    playdock.import(&incident("INC-A", json!({"status": "Closed"})));
    numbers.extend(["INC-9", "INC-A", "missing"].map(str::to_owned));

    let before = playdock.dump();
    let preview = playdock.invoke("AssignOnce", &asked(&numbers, "jane"), &["--preview"]);
    assert_eq!(playdock.dump(), before);
    let reasons: Vec<String> = preview.outcomes().into_iter().map(|it| it.1).collect();
    let would = "would-assign";
    assert_eq!(reasons, [would, would, "already-assigned", would, "not-found"]);

    let first = assign(&playdock, &numbers, "jane", "assigning");
    assert_eq!(first.code, Some(3), "{first:?}");
    assert_eq!(
        playdock.rows("SELECT status || version || owner FROM incident ORDER BY number"),
        ["Open2jane", "Open2jane", "Closed1jane", "Closed2jane"]
    );
    assert_eq!(
        playdock.rows(
            "SELECT action || before_status || before_version || before_owner || '>' || owner
            || acting_user FROM audit ORDER BY incident"
        ),
        [
            "assignOpen1omar>janeadmin user",
            "assignOpen1omar>janeadmin user",
            "assignClosed1>janeadmin user"
        ]
    );
    assert_eq!(playdock.rows("SELECT outputs FROM execution"), [r#"{"assigned":4,"failed":1}"#]);
    let stored = playdock.dump();
    let again = assign(&playdock, &numbers, "jane", "assigning");
    assert_eq!((again.code, again.output), (first.code, first.output));
    assert_eq!(playdock.dump(), stored);
    holds(&playdock);

    let shown = playdock.run(&["executions", "show", "assigning", "--output", "json"]);
    let words = "\"change\":\"assign\",\"owner\":\"jane\"";
    assert!(shown.output.contains(words), "{}", shown.output);
    let shown = playdock.run(&["executions", "show", "assigning"]);
    assert!(shown.output.contains(" assign to jane"), "{}", shown.output);
    let shown = playdock.run(&["incidents", "show", "INC-0"]);
    assert!(shown.output.contains(" assign to jane"), "{}", shown.output);
    assert!(shown.output.contains(" omar's "), "{}", shown.output);
}

#[test]
fn only_an_active_user_of_the_site_is_assigned_to_and_others_are_told_alike() {
    let (playdock, numbers) = store(1);
    for owner in ["left", "elsewhere", "nobody"] {
        let refused = assign(&playdock, &numbers, owner, owner);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let row = &refused.answer()["contextData"][0];
        assert_eq!(row["Reason"], "unknown-owner");
        let sentence = format!("The site has no active user \"{owner}\".");
        assert_eq!(row["Error message"], sentence.as_str());
        let preview = playdock.invoke("AssignOnce", &asked(&numbers, owner), &["--preview"]);
        assert_eq!(preview.outcomes()[0].1, "unknown-owner");
    }
    let refused = assign(&playdock, &numbers, " ", "blank");
    assert_eq!(refused.answer()["error"], "Parameter \"Owner\": must not be blank.");
    assert_eq!(playdock.rows("SELECT owner || version FROM incident"), ["omar1"]);
}

#[test]
fn who_may_not_change_incidents_assigns_none_and_another_site_is_not_reached() {
    let (playdock, numbers) = store(1);
    playdock.write("UPDATE user SET may_close = 0");
    let refused = assign(&playdock, &numbers, "jane", "refused");
    assert_eq!(refused.outcomes()[0].1, "not-permitted");
    let renamed = "UPDATE site SET name = 'Client C' WHERE name = 'Security Operations'";
    playdock.write(&format!("UPDATE user SET may_close = 1; {renamed}"));
    playdock.import(SITE_AND_USER);
    let elsewhere = assign(&playdock, &numbers, "jane", "elsewhere");
    assert_eq!(elsewhere.outcomes()[0].1, "not-found");
    assert_eq!(playdock.rows("SELECT owner FROM incident"), ["omar"]);
}

#[test]
fn an_interrupted_assignment_goes_on_and_leaves_to_others_what_was_given_to_them_since() {
    let (playdock, numbers) = store(9000);
    let host = playdock.host();
    let mut first = invocation("AssignOnce", &asked(&numbers, "jane"), "assigning");
    let cancellation = Cancellation::default();
    first.cancellation = cancellation.clone();
    let cancel: Progress = Arc::new(move |_, _| cancellation.cancel());
    first.progress = Some(cancel);
    let interrupted = host.execute(&first).expect("there is an answer");
    assert_eq!(interrupted.ended, Ended::Cancelled);
    let assigned: i64 = playdock.value("SELECT count(*) FROM incident WHERE owner = 'jane'");
    assert!(0 < assigned && assigned < 9000, "{assigned}");
    assert_eq!(interrupted.outputs["assigned"], assigned);

    let again = playdock.rows("SELECT number FROM incident WHERE owner = 'jane' LIMIT 1");
    let back = invocation("AssignOnce", &asked(&again, "omar"), "back");
    host.execute(&back).expect("there is an answer");
    let second = invocation("AssignOnce", &asked(&numbers, "jane"), "assigning");
    let finished = host.execute(&second).expect("there is an answer");
    assert_eq!(finished.error, "1 of 9000 incidents failed");
    let outcomes = answer_rows(&finished);
    let failed: Vec<_> =
        outcomes.iter().map(outcome).filter(|(_, said)| said != "Successful").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1, "reassigned-since");
    let audited: i64 = playdock.value("SELECT count(*) FROM audit WHERE owner = 'jane'");
    assert_eq!(audited, 9000, "each was assigned once");
    holds(&playdock);
}

#[test]
fn an_incident_that_changes_between_look_and_change_is_not_assigned() {
    let (playdock, numbers) = store(1);
    playdock.write(
        "CREATE TRIGGER meddle AFTER UPDATE OF lease_until ON execution
         BEGIN UPDATE incident SET owner = 'left', version = version + 1; END",
    );
    let finished = assign(&playdock, &numbers, "jane", "assigning");
    assert_eq!(finished.outcomes()[0].1, "changed-meanwhile");
    assert_eq!(playdock.rows("SELECT owner FROM incident"), ["left"]);
    assert_eq!(playdock.rows("SELECT action FROM audit"), [""; 0]);
}

/// A playbook that assigns the incidents to jane, and says how many when it closes them.
fn playbook(output: &str) -> String {
    let action = |command: &str, parameters: Value| {
        json!({
            "type": "action",
            "agent": "soar-utility--54b95341-5659-4f5d-a577-eed53a7d6b6b",
            "commands": [{"type": "soar-utility", "command": command, "parameters": parameters}]
        })
    };
    let mut assign = action("AssignOnce", asked(&["INC-0".to_owned()], "jane"));
    assign["out_args"] = json!([output]);
    assign["on_completion"] = "action--1199ab04-4055-41ac-be8e-9dc56c3c7c0a".into();
    let mut close = json!({"Incident Numbers": "INC-0", "Bypass Required Pending Tasks": "Yes"});
    close["Username"] = "admin user".into();
    close["Conclusion"] = format!("{output}:value assigned").into();
    let mut close = action("CloseIncidentInBulk", close);
    close["on_completion"] = "end--77777d10-9a01-4088-bb82-0f1e76ae2034".into();
    json!({
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": "playbook--b1f1a2b0-41c0-4f1d-9a39-0a54e4b43c51",
        "name": "Assign, then close",
        "created_by": "identity--8fdcec34-dc7d-4200-baca-06f7929517a0",
        "created": "2021-01-27T14:08:00.000Z",
        "modified": "2021-01-27T14:08:00.000Z",
        "playbook_variables": {output: {"type": "integer"}},
        "workflow_start": "start--61543ef8-b0dd-43c0-b97c-a8089322830c",
        "workflow": {
            "start--61543ef8-b0dd-43c0-b97c-a8089322830c": {
                "type": "start",
                "on_completion": "action--207f8c27-f5ba-4f6e-bec5-498e376fa848"
            },
            "action--207f8c27-f5ba-4f6e-bec5-498e376fa848": assign,
            "action--1199ab04-4055-41ac-be8e-9dc56c3c7c0a": close,
            "end--77777d10-9a01-4088-bb82-0f1e76ae2034": {"type": "end"}
        },
        "agent_definitions": {
            "soar-utility--54b95341-5659-4f5d-a577-eed53a7d6b6b": {
                "type": "soar-utility",
                "name": "Playdock"
            }
        }
    })
    .to_string()
}

#[test]
fn a_playbook_takes_the_output_that_the_command_names_and_no_other() {
    let (playdock, _) = store(1);
    let run = |output: &str| {
        let file = playdock.file("assign.json", playbook(output));
        playdock.run(&["run", &file.to_string_lossy(), "--site", "Security Operations"])
    };
    let before = playdock.dump();
    let refused = run("__closed__");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let sentence = "at /workflow/action--207f8c27-f5ba-4f6e-bec5-498e376fa848/out_args/0: no output \
        goes to `__closed__`; the step's outputs go to `__returnData__`, `__error__`, `__failed__`, \
        `__contextData__`, `__assigned__`";
    assert!(refused.errors.contains(sentence), "{}", refused.errors);
    assert_eq!(playdock.dump(), before, "nothing was run");

    let misspelt = playbook("__assigned__").replace("Incident Numbers", "Incident Number");
    let file = playdock.file("misspelt.json", misspelt);
    let refused = playdock.run(&["run", &file.to_string_lossy(), "--site", "Security Operations"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for sentence in ["has no parameter `Incident Number`; it has", "requires the parameter `"] {
        assert!(refused.errors.contains(sentence), "{}", refused.errors);
    }
    assert_eq!(playdock.dump(), before, "nothing was run");

    let finished = run("__assigned__");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let conclusions = playdock.rows("SELECT conclusion FROM incident");
    assert_eq!(conclusions, ["<p>1 assigned</p>"]);
}

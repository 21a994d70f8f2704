//! The contract's request gives the contract's response, whichever way it comes in; what the
//! response looks like where it is a failure, in part or as a whole.

mod actors;
mod parameters;
mod rules;
mod traces;

use playdock_tests::{
    Finished, Playdock, SITE_AND_USER, in_postgres_too, incident, parameters, with,
};
use serde_json::{Value, json};
use std::path::Path;

in_postgres_too!(
    by_invoke,
    by_run_of_a_playbook,
    an_incident_that_was_closed_before_keeps_its_date_its_user_and_its_conclusion,
    a_failure_of_the_whole_has_an_error_and_nothing_else,
);

pub(crate) const RESPONSE: &str = r#"{"result":"<table class='cc-table'> <tr> <th>Incident Number</th> <th>Status</th> <th>Close Date</th> <th>Closed By</th> <th>Result</th> </tr> <tr> <td>20210127-198</td> <td>Closed</td> <td>Jan 27, 2021 06:08 AM PST</td> <td>admin user</td> <td>Successful</td> </tr> <tr> <td>20210127-197</td> <td>Closed</td> <td>Jan 27, 2021 06:08 AM PST</td> <td>admin user</td> <td>Successful</td> </tr> </table>","error":"","returnData":"Successful","contextData":[{"Incident Number":"20210127-198","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"},{"Incident Number":"20210127-197","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"}]}"#;

pub(crate) const CLOCK: [&str; 2] = ["--clock", "2021-01-27T14:08:00Z"];

/// The parameters of the contract's request.
fn request() -> Value {
    json!({
        "Incident Numbers": ["20210127-198", "20210127-197"],
        "Bypass Required Pending Tasks": "Yes",
        "Bypass All Required Fields": "Yes",
        "Username": "admin user",
        "Conclusion": "The incident was closed in bulk."
    })
}

fn two_open_incidents() -> Playdock {
    Playdock::with_incidents(
        ["20210127-198", "20210127-197"].map(|number| incident(number, json!({}))),
    )
}

/// The smallest playbook that closes incidents.
fn playbook(parameters: &Value) -> String {
    json!({
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": "playbook--b1f1a2b0-41c0-4f1d-9a39-0a54e4b43c51",
        "name": "Close",
        "created_by": "identity--8fdcec34-dc7d-4200-baca-06f7929517a0",
        "created": "2021-01-27T14:08:00.000Z",
        "modified": "2021-01-27T14:08:00.000Z",
        "workflow_start": "start--61543ef8-b0dd-43c0-b97c-a8089322830c",
        "workflow": {
            "start--61543ef8-b0dd-43c0-b97c-a8089322830c": {
                "type": "start",
                "on_completion": "action--207f8c27-f5ba-4f6e-bec5-498e376fa848"
            },
            "action--207f8c27-f5ba-4f6e-bec5-498e376fa848": {
                "type": "action",
                "agent": "soar-utility--54b95341-5659-4f5d-a577-eed53a7d6b6b",
                "commands": [{
                    "type": "soar-utility",
                    "version": "1.0",
                    "command": "CloseIncidentInBulk",
                    "parameters": parameters
                }],
                "on_completion": "end--77777d10-9a01-4088-bb82-0f1e76ae2034"
            },
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

fn run_playbook(playdock: &Playdock, playbook: &Path, more: &[&str]) -> Finished {
    let playbook = playbook.to_string_lossy();
    let mut arguments = vec!["run", &playbook, "--site", "Security Operations"];
    arguments.extend(["--output", "json"]);
    arguments.extend(more);
    playdock.run(&arguments)
}

#[test]
fn by_invoke() {
    let playdock = two_open_incidents();
    let finished = playdock.close(&request(), &CLOCK);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.output.trim_end(), RESPONSE);
}

#[test]
fn by_run_of_a_playbook() {
    let playdock = two_open_incidents();
    // Whatever an engine puts into a playbook's parameters is a text there: a list too.
    let numbers = json!("[\"20210127-198\", \"20210127-197\"]");
    let parameters = with(request(), "Incident Numbers", numbers);
    let playbook = playdock.file("close.json", playbook(&parameters));
    let more = [&CLOCK[..], &["--execution-id", "run-1"]].concat();
    let finished = run_playbook(&playdock, &playbook, &more);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let step = "action--207f8c27-f5ba-4f6e-bec5-498e376fa848";
    let before = format!(r#"{{"step":"{step}","execution":"run-1:{step}","#);
    assert_eq!(finished.output.trim_end(), RESPONSE.replacen('{', &before, 1));
}

#[test]
fn the_example_closes_its_incidents_once() {
    let playdock = Playdock::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/examples");
    let incidents = examples.join("incidents.jsonl");
    let run = |clock| {
        let import = incidents.to_string_lossy();
        let more = ["--import", &import, "--clock", clock];
        run_playbook(&playdock, &examples.join("close-in-bulk.json"), &more)
    };
    let first = run("2021-01-27T14:08:00Z");
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.answer()["returnData"], "Successful");
    let closed = |number: &str, said: &str| (number.to_owned(), said.to_owned());
    assert_eq!(
        first.outcomes(),
        [
            closed("20210127-198", "Successful"),
            closed("20210127-197", "Successful"),
            closed("20210126-031", "Successful"),
            closed("20210125-007", "Successful"),
            closed("20210122-114", "already-closed"),
        ]
    );
    let stored = "SELECT number, closed_at, closed_by, conclusion FROM incident ORDER BY id";
    let after_first = playdock.rows(stored);

    let second = run("2021-02-27T14:08:00Z");
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(second.answer()["error"], "");
    for (first, second) in first.rows().iter().zip(second.rows()) {
        assert_eq!(second["Reason"], "already-closed");
        for member in ["Incident Number", "Status", "Close Date", "Closed By"] {
            assert_eq!(first[member], second[member]);
        }
    }
    assert_eq!(second.rows().len(), 5);
    assert_eq!(playdock.rows(stored), after_first);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 4);
}

#[test]
fn every_way_out_has_its_exit_code() {
    let playdock = two_open_incidents();
    let close = |parameters: &Value, more: &[&str]| playdock.close(parameters, more).code;
    let numbers = |numbers: Value| with(request(), "Incident Numbers", numbers);
    assert_eq!(close(&numbers(json!(["20210127-198"])), &[]), Some(0));
    assert_eq!(close(&numbers(json!(["no such"])), &[]), Some(1));
    assert_eq!(close(&numbers(json!(null)), &[]), Some(1));
    let mixed = numbers(json!(["20210127-197", "no such"]));
    assert_eq!(close(&mixed, &[]), Some(3));
    assert_eq!(close(&request(), &["--execution-id", "two words"]), Some(2));
    assert_eq!(close(&request(), &["--no-such-option"]), Some(2));
    assert_eq!(playdock.invoke("NoSuchCommand", &request(), &[]).code, Some(2));
    let late = playdock.close(&request(), &["--timeout", "0.000001"]);
    assert_eq!(late.code, Some(6), "{late:?}");
    let missing = ["--db", "no/such/folder/playdock.db"];
    let no_store = playdock.close(&request(), &missing);
    assert_eq!(no_store.code, Some(5), "{no_store:?}");
    assert!(no_store.errors.contains("no/such/folder/playdock.db"));
}

#[test]
fn an_incident_that_was_closed_before_keeps_its_date_its_user_and_its_conclusion() {
    let closed = json!({"status": "Closed", "closed": "2021-01-22T16:45:00Z", "closed_by": "jane",
        "conclusion": "<p>Done.</p>"});
    let playdock = Playdock::with_incidents([incident("1", closed), incident("2", json!({}))]);
    let parameters = with(parameters(&["1", "2"]), "Conclusion", json!("Again."));
    let finished = playdock.close(&parameters, &CLOCK);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.error(), "");
    let message = &finished.rows()[0]["Error message"];
    assert!(message.to_string().contains("conclusion"), "{message}");
    let row = format!(
        r#""contextData":[{{"Incident Number":"1","Status":"Closed","Close Date":"01/22/2021 08:45 AM PST","Result":"Successful","Closed By":"jane","Reason":"already-closed","Error message":{message}}},{{"Incident Number":"2","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"}}]}}"#
    );
    assert!(finished.output.trim_end().ends_with(&row), "{finished:?}");
    let stored =
        "SELECT closed_at, closed_by, conclusion, version FROM incident WHERE number = '1'";
    assert_eq!(playdock.rows(stored), ["1611333900000|jane|<p>Done.</p>|1"]);
    let conclusion: String = playdock.value("SELECT conclusion FROM incident WHERE number = '2'");
    assert_eq!(conclusion, "<p>Again.</p>");
}

#[test]
fn a_failed_row_says_why_in_two_more_members() {
    let tasks = json!([{"title": "Reset <it>", "required": true}]);
    let fields = json!([{"section": "Closure", "name": "Root cause", "required_on_close": true}]);
    let playdock = Playdock::with_incidents([
        incident("1", json!({"status": "On Hold", "tasks": tasks, "fields": fields})),
        incident("2", json!({})),
    ]);
    let finished = playdock.close(&parameters(&["2", "3", "1"]), &CLOCK);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    let answer = finished.answer();
    assert_eq!(answer["returnData"], "Partially Successful");
    let missing = &answer["contextData"][1]["Error message"];
    let blocked = &answer["contextData"][2]["Error message"];
    for named in [
        "Reset <it>",
        "Closure",
        "Root cause",
        "Bypass Required Pending Tasks",
        "Bypass All Required Fields",
    ] {
        assert!(blocked.to_string().contains(named), "{blocked}");
    }
    let rows = format!(
        r#""contextData":[{{"Incident Number":"2","Status":"Closed","Close Date":"01/27/2021 06:08 AM PST","Result":"Successful","Closed By":"admin user"}},{{"Incident Number":"3","Status":"","Close Date":"","Result":"Failed","Closed By":"","Reason":"not-found","Error message":{missing}}},{{"Incident Number":"1","Status":"On Hold","Close Date":"","Result":"Failed","Closed By":"","Reason":"required-tasks-and-fields","Error message":{blocked}}}]}}"#
    );
    assert!(finished.output.trim_end().ends_with(&rows), "{finished:?}");
    let html = blocked.as_str().expect("a message is text");
    let html = html.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let cells = format!(
        " <tr> <td>1</td> <td>On Hold</td> <td></td> <td></td> <td>Failed: {html}</td> </tr> </table>"
    );
    let table = answer["result"].as_str().expect("result is text");
    assert!(table.ends_with(&cells), "{table}");
}

#[test]
fn the_error_counts_the_incidents_by_their_causes() {
    let tasks = json!([{"title": "Reset password", "required": true}]);
    let fields = json!([{"name": "Root cause", "required_on_close": true}]);
    let playdock = Playdock::with_incidents([
        incident("both", json!({"tasks": tasks, "fields": fields})),
        incident("tasks", json!({"tasks": tasks})),
        incident("fields", json!({"fields": fields})),
        incident("open", json!({})),
        incident("closed", json!({"status": "Closed"})),
    ]);
    for (numbers, return_data, error) in [
        (
            &["both", "tasks", "open", "closed", "missing"][..],
            "Partially Successful",
            "3 of 5 incidents were not closed: 2 have required tasks pending, 1 of them also lacks required fields, 1 does not exist",
        ),
        (
            &["fields", "missing", "gone"],
            "Failed",
            "3 of 3 incidents were not closed: 1 lacks required fields, 2 do not exist",
        ),
        (&["missing"], "Failed", "1 of 1 incidents was not closed: 1 does not exist"),
    ] {
        let finished = playdock.close(&parameters(numbers), &["--preview"]);
        assert_eq!(finished.answer()["returnData"], return_data);
        assert_eq!(finished.error(), error);
    }
}

#[test]
fn a_failure_of_the_whole_has_an_error_and_nothing_else() {
    let playdock = Playdock::new();
    playdock.import(SITE_AND_USER);
    let parameters = with(parameters(&["1"]), "Bypass Required Pending Tasks", json!("maybe"));
    let finished = playdock.close(&parameters, &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let error = finished.answer()["error"].to_string();
    assert!(error.contains("Bypass Required Pending Tasks"), "{error}");
    assert_eq!(
        finished.output.trim_end(),
        format!(r#"{{"result":"","error":{error},"returnData":"Failed","contextData":[]}}"#)
    );
}

//! The same execution id again, two at once, and what changes between look and close: whatever
//! happens, an incident is closed once or not at all, and the answer says which.

use playdock_host::execution::{Cancellation, Ended};
use playdock_tests::{
    Finished, Playdock, Random, WatchedStore, answer_rows, closing, incident, outcome, outcomes,
    parameters, with,
};
use serde_json::{Value, json};
use std::process::Child;

const ID: [&str; 2] = ["--execution-id", "nightly-1"];

fn open_incidents(count: usize) -> (Playdock, Vec<String>) {
    let numbers: Vec<String> = (0..count).map(|it| format!("INC-{it}")).collect();
    let lines = numbers.iter().map(|number| incident(number, json!({})));
    (Playdock::with_incidents(lines), numbers)
}

fn reopen(playdock: &Playdock, number: &str) {
    playdock.write(&format!(
        "UPDATE incident SET status = 'Open', closed_at = NULL, closed_by = NULL,
             closed_in = NULL, version = version + 1 WHERE number = '{number}'"
    ));
}

fn status(playdock: &Playdock, number: &str) -> String {
    playdock.value(&format!("SELECT status FROM incident WHERE number = '{number}'"))
}

fn audited(playdock: &Playdock) -> i64 {
    playdock.value("SELECT count(*) FROM audit")
}

fn finish(child: Child) -> Finished {
    let output = child.wait_with_output().expect("it can be waited for");
    Finished {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).expect("output is UTF-8"),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_finished_execution_repeats_its_answer_byte_for_byte() {
    let (playdock, _) = open_incidents(3);
    for (id, parameters, code) in [
        ("all", parameters(&["INC-0"]), 0),
        ("some", parameters(&["INC-1", "missing", "INC-0"]), 3),
        ("none", parameters(&["missing"]), 1),
        ("empty", parameters::<&str>(&[]), 0),
        ("wrong", with(parameters(&["INC-2"]), "Conclusion", json!(7)), 1),
        ("nobody", with(parameters(&["INC-2"]), "Username", json!("nobody")), 1),
    ] {
        let first = playdock.close(&parameters, &["--execution-id", id]);
        assert_eq!(first.code, Some(code), "{id}: {first:?}");
        let audited_then = audited(&playdock);
        // What changes in the meantime doesn't change what was answered.
        playdock.import(&incident("missing", json!({"status": "Closed"})));
        reopen(&playdock, "INC-0");
        let stored = playdock.dump();
        let again = playdock.close(&parameters, &["--execution-id", id]);
        assert_eq!((again.code, again.output), (first.code, first.output), "{id}");
        assert_eq!(playdock.dump(), stored, "{id}");
        assert_eq!(status(&playdock, "INC-0"), "Open");
        assert_eq!(audited(&playdock), audited_then);
        playdock.write("DELETE FROM incident WHERE number = 'missing'");
    }
}

#[test]
fn the_same_parameters_may_be_written_in_another_way() {
    let (playdock, _) = open_incidents(1);
    let first = playdock.close(&parameters(&["INC-0"]), &ID);
    let spaced = r#" { "Username" : "admin\u0020user", "Bypass Required Pending Tasks" : "No",
        "Incident Numbers" : [ "INC-0" ] } "#;
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", "-", "--output", "json"];
    arguments.extend(["--site", "Security Operations"]);
    arguments.extend(ID);
    let again = playdock.run_with_input(&arguments, spaced.as_bytes());
    assert_eq!((again.code, again.output), (Some(0), first.output));
}

#[test]
fn an_id_that_belongs_to_something_else_is_refused() {
    let (playdock, _) = open_incidents(2);
    playdock.import(
        "{\"kind\":\"site\",\"name\":\"Client B\"}
         {\"kind\":\"user\",\"username\":\"jane\",\"sites\":[\"Security Operations\"]}
         {\"kind\":\"user\",\"username\":\"john\",\"sites\":[\"Security Operations\"]}",
    );
    let parameters = parameters(&["INC-0"]);
    let manual = ["--manual", "--user", "jane", "--execution-id", "by-jane"];
    assert_eq!(playdock.close(&parameters, &ID).code, Some(0));
    assert_eq!(playdock.close(&parameters, &manual).code, Some(0));
    let before = playdock.dump();
    let refused = |finished: Finished, what: &str| {
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert_eq!(finished.output, "");
        assert!(finished.errors.contains("belongs to"), "{finished:?}");
        assert!(finished.errors.contains(what), "{finished:?}");
        assert_eq!(playdock.dump(), before);
    };
    let others = with(parameters.clone(), "Incident Numbers", json!(["INC-1"]));
    refused(playdock.close(&others, &ID), "other parameters");
    let by_john = ["--manual", "--user", "john", "--execution-id", "by-jane"];
    refused(playdock.close(&parameters, &by_john), "another user");
    let automatic = ["--execution-id", "by-jane"];
    refused(playdock.close(&parameters, &automatic), "another mode");

    let mut elsewhere = vec!["invoke", "CloseIncidentInBulk", "--params", "-"];
    elsewhere.extend(["--site", "Client B", "--execution-id", "nightly-1"]);
    let input = parameters.to_string();
    refused(playdock.run_with_input(&elsewhere, input.as_bytes()), "another site");

    playdock.write("UPDATE execution SET command = 'AnotherCommand'");
    let before = playdock.dump();
    let finished = playdock.close(&parameters, &ID);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.errors.contains("another command"), "{finished:?}");
    assert_eq!(playdock.dump(), before);
}

#[test]
fn a_cancelled_execution_says_what_it_did_and_the_same_id_does_the_rest() {
    let (playdock, mut numbers) = open_incidents(5000);
    Random::new(7).shuffle(&mut numbers);
    let parameters = parameters(&numbers);
    let mut invocation = closing(&parameters, "nightly-1");
    invocation.cancellation = Cancellation::default();
    let cancellation = invocation.cancellation.clone();
    // The first batch is written; there is no second.
    let store = WatchedStore::new(&playdock, move |_| cancellation.cancel());
    let answer = store.host().execute(&invocation).expect("there is an answer");
    drop(store);
    assert_eq!(answer.ended, Ended::Cancelled);
    assert_eq!(answer.return_data.as_str(), "Partially Successful");

    let closed: usize = playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'");
    assert!((1..numbers.len()).contains(&closed), "{closed}");
    assert!(answer.error.contains(&(numbers.len() - closed).to_string()), "{}", answer.error);
    let rows = answer_rows(&answer);
    assert_eq!(rows.len(), numbers.len());
    for (row, number) in rows.iter().zip(&numbers) {
        let (of, said) = outcome(row);
        assert_eq!(of, *number);
        match status(&playdock, number).as_str() {
            "Closed" => assert_eq!(said, "Successful", "{row}"),
            _ => assert_eq!((said.as_str(), &row["Status"]), ("not-attempted", &json!("Open"))),
        }
    }
    assert_eq!(playdock.rows("SELECT state FROM execution"), ["interrupted"]);
    playdock.assert_nothing_is_half_closed();

    let rest = playdock.close(&parameters, &ID);
    assert_eq!(rest.code, Some(0), "{}", rest.errors);
    let expected: Vec<_> = numbers.iter().map(|it| (it.clone(), "Successful".to_owned())).collect();
    assert!(rest.outcomes() == expected, "{}", rest.error());
    assert_eq!(audited(&playdock), 5000);
    playdock.assert_nothing_is_half_closed();
    let again = playdock.close(&parameters, &ID);
    assert!(again.output == rest.output, "the answer isn't repeated as it was");
}

#[test]
fn an_incident_that_was_reopened_during_an_interruption_stays_open() {
    let (playdock, numbers) = open_incidents(4200);
    let parameters = parameters(&numbers);
    let invocation = closing(&parameters, "nightly-1");
    let cancellation = invocation.cancellation.clone();
    let store = WatchedStore::new(&playdock, move |_| cancellation.cancel());
    store.host().execute(&invocation).expect("there is an answer");
    drop(store);
    assert_eq!(status(&playdock, "INC-7"), "Closed");
    assert_eq!(status(&playdock, "INC-4199"), "Open");
    reopen(&playdock, "INC-7");

    let rest = playdock.close(&parameters, &ID);
    assert_eq!(rest.code, Some(3), "{}", rest.errors);
    assert_eq!(rest.answer()["returnData"], "Partially Successful");
    assert!(rest.error().contains("1 of 4200"), "{}", rest.error());
    for (number, said) in rest.outcomes() {
        let expected = if number == "INC-7" { "reopened-since" } else { "Successful" };
        assert_eq!(said, expected, "{number}");
    }
    assert_eq!(rest.rows()[7]["Status"], "Open");
    assert_eq!(status(&playdock, "INC-7"), "Open");
    assert_eq!(audited(&playdock), 4200);
}

#[test]
fn two_processes_with_one_id_close_each_incident_once() {
    let (playdock, numbers) = open_incidents(2000);
    let parameters = playdock.file("parameters.json", parameters(&numbers).to_string());
    let file = parameters.to_string_lossy();
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", &file];
    arguments.extend(["--site", "Security Operations", "--output", "json"]);
    arguments.extend(ID);
    let both = [(); 2].map(|()| playdock.start(playdock.command(&arguments)));
    let both = both.map(finish);
    assert!(both.iter().any(|finished| finished.code == Some(0)), "{both:?}");
    for finished in &both {
        match finished.code {
            Some(0) => assert_eq!(finished.rows().len(), 2000),
            _ => assert!(finished.code == Some(2) && finished.errors.contains("running"), "{finished:?}"),
        }
    }
    assert_eq!(audited(&playdock), 2000);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn three_executions_of_the_same_incidents_close_each_once() {
    let (playdock, numbers) = open_incidents(2000);
    let ids = ["a", "b", "c"];
    let all = ids.map(|id| {
        let name = format!("{id}.json");
        let conclusion = with(parameters(&numbers), "Conclusion", json!(id));
        playdock.file(&name, conclusion.to_string());
        let arguments = ["invoke", "CloseIncidentInBulk", "--params", &name, "--output", "json",
            "--site", "Security Operations"];
        playdock.start(playdock.command(&arguments))
    });
    let answers = all.map(|child| finish(child).outcomes());
    for index in 0..numbers.len() {
        let mut said: Vec<&str> = answers.iter().map(|answer| answer[index].1.as_str()).collect();
        said.sort_unstable();
        assert_eq!(said, ["Successful", "already-closed", "already-closed"], "{index}");
    }
    assert_eq!(audited(&playdock), 2000);
    let conclusions: i64 = playdock.value("SELECT max(length(conclusion)) FROM incident");
    assert_eq!(conclusions, "<p>a</p>".len() as i64);
    playdock.assert_nothing_is_half_closed();
}

/// Closes INC-0, INC-1 and INC-2 while somebody writes into the store before each batch.
fn close_while(playdock: &Playdock, sql: &str, only_once: bool) -> Vec<Value> {
    let (path, sql) = (playdock.folder().join("playdock.db"), sql.to_owned());
    let meddle = move |batch| {
        if batch == 0 || !only_once {
            let store = rusqlite::Connection::open(&path).expect("the store can be opened");
            store.execute_batch(&sql).expect("the statement is right");
        }
    };
    let store = WatchedStore::new(playdock, meddle);
    let invocation = closing(&parameters(&["INC-0", "INC-1", "INC-2"]), "nightly-1");
    let answer = store.host().execute(&invocation).expect("there is an answer");
    assert_eq!(answer.ended, Ended::Finished, "{}", answer.error);
    answer_rows(&answer)
}

#[test]
fn what_changes_between_look_and_close_is_not_missed() {
    let id = "(SELECT id FROM incident WHERE number = 'INC-1')";
    for (sql, said, stored) in [
        (
            format!("INSERT INTO task VALUES ({id}, 9, 'Call the user', 1, 'Pending')"),
            "required-tasks-pending",
            "Open",
        ),
        (
            format!("INSERT INTO field VALUES ({id}, 9, 'Closure', 'Loss', 'Activity', 1, 1, 'null')"),
            "required-fields-missing",
            "Open",
        ),
        (
            "UPDATE incident SET status = 'Closed', closed_by = 'jane', version = version + 1
             WHERE number = 'INC-1'"
                .to_owned(),
            "already-closed",
            "Closed",
        ),
        // A change that blocks nothing: it is judged anew, and closes.
        (
            format!("INSERT INTO task VALUES ({id}, 9, 'Tidy up', 0, 'Pending')"),
            "Successful",
            "Closed",
        ),
    ] {
        let (playdock, _) = open_incidents(3);
        let rows = close_while(&playdock, &sql, true);
        let said_of_all: Vec<_> = rows.iter().map(outcome).collect();
        let expected = [("INC-0", "Successful"), ("INC-1", said), ("INC-2", "Successful")];
        assert_eq!(said_of_all, outcomes(&expected), "{sql}");
        assert_eq!(status(&playdock, "INC-1"), stored, "{sql}");
        let closed_here = rows.iter().filter(|row| outcome(row).1 == "Successful").count();
        assert_eq!(audited(&playdock), closed_here as i64, "{sql}");
    }
}

#[test]
fn an_incident_that_keeps_changing_is_left_open_and_the_others_close() {
    let (playdock, _) = open_incidents(3);
    let sql = "UPDATE incident SET version = version + 1 WHERE number = 'INC-1'";
    let rows = close_while(&playdock, sql, false);
    let said: Vec<_> = rows.iter().map(outcome).collect();
    let expected = [("INC-0", "Successful"), ("INC-1", "changed-meanwhile"), ("INC-2", "Successful")];
    assert_eq!(said, outcomes(&expected));
    assert_eq!(rows[1]["Status"], "Open");
    assert_eq!(status(&playdock, "INC-1"), "Open");
}

#[test]
fn an_incident_that_the_store_refuses_to_write_fails_alone() {
    for table in ["UPDATE ON incident", "INSERT ON audit"] {
        let (playdock, numbers) = open_incidents(50);
        let (incident, new) = match table {
            "INSERT ON audit" => ("NEW.incident", ""),
            _ => ("NEW.id", "NEW.status = 'Closed' AND "),
        };
        playdock.write(&format!(
            "CREATE TRIGGER refuse BEFORE {table}
             WHEN {new} {incident} = (SELECT id FROM incident WHERE number = 'INC-31')
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        ));
        let finished = playdock.close(&parameters(&numbers), &ID);
        assert_eq!(finished.code, Some(3), "{finished:?}");
        for (number, said) in finished.outcomes() {
            let expected = if number == "INC-31" { "store-error" } else { "Successful" };
            assert_eq!(said, expected, "{number}");
        }
        let row = &finished.rows()[31];
        assert!(row["Error message"].to_string().contains("not this one"), "{row}");
        assert_eq!(row["Status"], "Open");
        assert_eq!(status(&playdock, "INC-31"), "Open");
        assert_eq!(audited(&playdock), 49);
        playdock.assert_nothing_is_half_closed();
    }
}

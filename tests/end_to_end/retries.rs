//! The same execution id again: whatever happened before, an incident is closed once or not at
//! all, and the answer says which.

mod races;
mod stopped;

use playdock_host::execution::{Cancellation, Ended};
use playdock_tests::{
    Finished, Playdock, Random, WatchedStore, answer_rows, closing, in_postgres_too, incident,
    outcome, parameters, with,
};
use serde_json::json;

in_postgres_too!(
    a_finished_execution_repeats_its_answer_byte_for_byte,
    an_id_that_belongs_to_something_else_is_refused,
    a_cancelled_execution_says_what_it_did_and_the_same_id_does_the_rest,
    an_incident_that_was_reopened_during_an_interruption_stays_open,
);

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
    let (playdock, mut numbers) = open_incidents(9000);
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
    assert_eq!(audited(&playdock), 9000);
    playdock.assert_nothing_is_half_closed();
    let again = playdock.close(&parameters, &ID);
    assert!(again.output == rest.output, "the answer isn't repeated as it was");
}

#[test]
fn a_word_to_stop_that_comes_when_all_is_done_changes_nothing() {
    let (playdock, numbers) = open_incidents(3);
    let parameters = parameters(&numbers);
    let invocation = closing(&parameters, "nightly-1");
    let cancellation = invocation.cancellation.clone();
    let store = WatchedStore::new(&playdock, move |_| cancellation.cancel());
    let answer = store.host().execute(&invocation).expect("there is an answer");
    drop(store);
    assert_eq!((answer.return_data.as_str(), answer.error.as_str()), ("Successful", ""));
    assert_eq!(answer.ended, Ended::Finished);
    let again = playdock.close(&parameters, &ID);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.rows(), answer_rows(&answer));
}

#[test]
fn an_incident_that_was_reopened_during_an_interruption_stays_open() {
    let (playdock, numbers) = open_incidents(8300);
    let parameters = parameters(&numbers);
    let invocation = closing(&parameters, "nightly-1");
    let cancellation = invocation.cancellation.clone();
    let store = WatchedStore::new(&playdock, move |_| cancellation.cancel());
    store.host().execute(&invocation).expect("there is an answer");
    drop(store);
    assert_eq!(status(&playdock, "INC-7"), "Closed");
    assert_eq!(status(&playdock, "INC-8299"), "Open");
    reopen(&playdock, "INC-7");

    let rest = playdock.close(&parameters, &ID);
    assert_eq!(rest.code, Some(3), "{}", rest.errors);
    assert_eq!(rest.answer()["returnData"], "Partially Successful");
    assert!(rest.error().contains("1 of 8300"), "{}", rest.error());
    for (number, said) in rest.outcomes() {
        let expected = if number == "INC-7" { "reopened-since" } else { "Successful" };
        assert_eq!(said, expected, "{number}");
    }
    assert_eq!(rest.rows()[7]["Status"], "Open");
    assert_eq!(status(&playdock, "INC-7"), "Open");
    assert_eq!(audited(&playdock), 8300);
}

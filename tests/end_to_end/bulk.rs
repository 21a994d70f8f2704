//! A hundred thousand incidents in one call: each gets its right outcome, in the order of the
//! input, and the store is asked for each once.

use playdock_host::execution::Ended;
use playdock_tests::{
    Playdock, Random, WatchedStore, answer_rows, closing, incident, outcome, parameters,
};
use serde_json::{Value, json};

const INCIDENTS: usize = 100_000;

/// What blocks an incident: one in ten a task, one in seven a field.
fn blockers(number: usize) -> (bool, bool) {
    (number.is_multiple_of(10), number.is_multiple_of(7))
}

fn line(number: usize) -> String {
    let (task, field) = blockers(number);
    let mut more = json!({});
    if task {
        more["tasks"] = json!([{"title": "Reset password", "required": true}]);
    }
    if field {
        more["fields"] = json!([{"name": "Root cause", "required_on_close": true}]);
    }
    incident(&number.to_string(), more)
}

fn expected(number: usize) -> &'static str {
    match blockers(number) {
        (true, true) => "required-tasks-and-fields",
        (true, false) => "required-tasks-pending",
        (false, true) => "required-fields-missing",
        (false, false) => "Successful",
    }
}

fn count(what: &str) -> usize {
    (0..INCIDENTS)
        .filter(|number| expected(*number) == what)
        .count()
}

#[test]
fn a_hundred_thousand_incidents_in_one_call() {
    let playdock = Playdock::with_incidents((0..INCIDENTS).map(line));
    let mut numbers: Vec<usize> = (0..INCIDENTS).collect();
    Random::new(100_000).shuffle(&mut numbers);
    let texts: Vec<String> = numbers.iter().map(usize::to_string).collect();

    let store = WatchedStore::new(&playdock, |_| ());
    let invocation = closing(&parameters(&texts), "nightly-1");
    let answer = store
        .host()
        .execute(&invocation)
        .expect("there is an answer");
    assert_eq!(answer.ended, Ended::Finished, "{}", answer.error);
    assert_eq!(answer.return_data.as_str(), "Partially Successful");

    let rows: Vec<Value> = answer_rows(&answer);
    assert_eq!(rows.len(), INCIDENTS);
    for (row, number) in rows.iter().zip(&numbers) {
        let (of, said) = outcome(row);
        assert_eq!((of, said.as_str()), (number.to_string(), expected(*number)));
    }
    let (both, closed) = (count("required-tasks-and-fields"), count("Successful"));
    let tasks = count("required-tasks-pending") + both;
    let sentence = format!(
        "{} of {INCIDENTS} incidents were not closed: {tasks} have required tasks pending, \
         {both} of them also lack required fields, {} lack required fields",
        INCIDENTS - closed,
        count("required-fields-missing"),
    );
    assert_eq!(answer.error, sentence);

    let looks = store.looks();
    assert_eq!(looks.len(), INCIDENTS);
    let again = looks.iter().find(|(_, times)| **times != 1);
    assert_eq!(again, None, "an incident was not looked up once");

    playdock.assert_nothing_is_half_closed();
    let stored = playdock.rows("SELECT number, status FROM incident ORDER BY id");
    for (number, stored) in stored.iter().enumerate() {
        let status = if expected(number) == "Successful" {
            "Closed"
        } else {
            "Open"
        };
        assert_eq!(*stored, format!("{number}|{status}"));
    }
    let audited: usize = playdock.value("SELECT count(DISTINCT incident) FROM audit");
    assert_eq!(audited, closed);
    let noted: usize = playdock.value("SELECT count(DISTINCT position) FROM ledger");
    assert_eq!(noted, INCIDENTS);
}

//! `Prefer: respond-async`, and what can be asked of an execution.

use super::{
    ATTACK, CLOSE, ask_until, attacked_store, closing, closing_store, outcome, sleeping,
    start_sleeping,
};
use playdock_tests::in_postgres_too;
use std::io::Write;

in_postgres_too!(
    an_execution_shows_how_far_it_is_and_then_its_answer,
    an_execution_is_cancelled_by_its_key_alone,
);

const NOT_FOUND: (u16, &str) = (404, r#"{"Error":"Not found."}"#);

#[test]
fn an_execution_shows_how_far_it_is_and_then_its_answer() {
    let playdock = closing_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--namespace", "V"]);
    let headers = [("d3key", key.as_str()), ("prefer", "wait=5, Respond-Async; x")];
    let accepted =
        served.post("/V/api/Command/CloseIncidentInBulk", &headers, &closing(&["1", "2"]));
    // So little work may be done by then.
    let answer = match accepted.status {
        202 => {
            assert_eq!(accepted.header("preference-applied"), Some("respond-async"));
            let location = accepted.header("location").expect("it says where");
            let id = accepted.header("playdock-execution-id").expect("it has an id");
            assert_eq!(location, format!("/V/api/executions/{id}"));
            let ask = || served.get(location, &headers[..1]);
            let ended = ask_until(ask, |response| response.json()["state"] == "finished").json();
            assert_eq!(ended["id"], id);
            assert_eq!(ended["command"], "CloseIncidentInBulk");
            ended["answer"].clone()
        }
        _ => accepted.json(),
    };
    assert_eq!(answer["returnData"], "Successful");
    let again =
        served.post("/V/api/Command/CloseIncidentInBulk", &headers[..1], &closing(&["1", "2"]));
    let id = again.header("playdock-execution-id").expect("it has an id");
    let shown = served.get(&format!("/v/API/Executions/{id}"), &headers[..1]);
    assert_eq!(shown.json()["answer"], again.json());
    // The members of an answer keep their order here too.
    assert!(shown.body.contains(&again.body), "{shown:?}");
}

#[test]
fn an_execution_is_cancelled_by_its_key_alone() {
    let playdock = attacked_store(&["1", "2"]);
    let (key, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    let mut served = playdock.serve(&["--rate", "0"]);
    let location = start_sleeping(&served, &key, &[], &["1", "2"]);
    let (own, others) = ([("d3key", key.as_str())], [("d3key", other.as_str())]);
    let shown = served.get(&location, &own);
    assert_eq!((shown.status, shown.json()["state"].as_str()), (200, Some("running")));
    for headers in [&others[..], &[]] {
        let expected = if headers.is_empty() { 401 } else { 404 };
        assert_eq!(served.get(&location, headers).status, expected);
        assert_eq!(served.delete(&location, headers).status, expected);
    }
    assert_eq!(served.get(&location, &others).said(), NOT_FOUND);
    assert_eq!(served.get("/api/executions/none", &own).said(), NOT_FOUND);
    let closed = || playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'");
    ask_until(|| served.get(&location, &own), |_| closed() == 1);
    let cancelled = served.delete(&location, &own);
    assert_eq!((cancelled.status, cancelled.json()["state"].as_str()), (202, Some("running")));
    let ask = || served.get(&location, &own);
    let interrupted = ask_until(ask, |response| response.json()["state"] != "running");
    assert_eq!(interrupted.json()["state"], "interrupted");
    // What was done by then is there for who didn't wait for it.
    let answer = &interrupted.json()["answer"];
    assert_eq!(answer["returnData"], "Partially Successful");
    let error = answer["error"].as_str().expect("it is text");
    assert!(error.starts_with("The execution was cancelled. 1 of 2 incidents"), "{error}");
    let rows = answer["contextData"].as_array().expect("it has rows");
    assert_eq!((rows.len(), &rows[0]["Result"]), (1, &"Successful".into()));
    let ended = r#"{"Error":"The execution has ended; there is nothing to cancel."}"#;
    assert_eq!(served.delete(&location, &own).said(), (409, ended));
    assert_eq!(served.delete(&location, &others).said(), NOT_FOUND);
    assert_eq!(playdock.rows("SELECT status FROM incident ORDER BY number"), ["Closed", "Open"]);

    served.kill();
    let served = playdock.serve(&["--rate", "0"]);
    assert_eq!(served.get(&location, &own).status, 200);
    assert_eq!(served.get(&location, &others).said(), NOT_FOUND);
}

#[test]
fn an_execution_of_somebody_at_the_console_is_nobodys_key() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let by_hand = playdock.close(&playdock_tests::parameters(&["1"]), &["--execution-id", "mine"]);
    assert_eq!(by_hand.code, Some(0), "{by_hand:?}");
    let served = playdock.serve(&[]);
    assert_eq!(served.get("/api/executions/mine", &[("d3key", &key)]).said(), NOT_FOUND);
}

#[test]
fn a_client_that_leaves_does_not_end_its_execution() {
    let numbers: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let playdock = closing_store(&numbers);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let body = closing(&numbers);
    let mut stream = served.connect();
    let length = body.len();
    write!(
        stream,
        "POST {CLOSE} HTTP/1.1\r\nHost: x\r\nd3key: {key}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("it can be sent");
    let ask = || served.get("/healthz", &[]);
    let begun = || playdock.value::<usize>("SELECT count(*) FROM execution");
    ask_until(ask, |_| begun() == 1);
    drop(stream);
    served.line(|line| line.contains(r#""path":"/api/Command/CloseIncidentInBulk","status":499,"#));
    let closed =
        || playdock.value::<usize>("SELECT count(*) FROM incident WHERE status = 'Closed'");
    ask_until(ask, |_| closed() == numbers.len());
}

#[test]
fn what_a_plugin_does_wrong_is_said_without_places_and_files() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let crashing = sleeping(&["1", "2"]).replace("sleep", "crash");
    let response = served.post(ATTACK, &[("d3key", &key)], &crashing);
    let (result, error) = outcome(&response);
    assert_eq!(result, "Failed");
    assert_eq!(error, "The command broke before its end; contextData says what was done.");
    assert!(!response.body.contains("crashed"), "{response:?}");
    let rows = &response.json()["contextData"];
    assert_eq!(
        (&rows[0]["Result"], &rows[1]["Reason"]),
        (&"Successful".into(), &"not-attempted".into())
    );
    served.line(|line| line.contains("it crashed ("));
    // Others go on.
    let other = served.post(CLOSE, &[("d3key", &key)], &closing(&["2"]));
    assert_eq!(outcome(&other).0, "Successful");
}

#[test]
fn an_execution_has_its_time() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--timeout", "3"]);
    let (result, error) = outcome(&served.post(ATTACK, &[("d3key", &key)], &sleeping(&["1", "2"])));
    assert_eq!(result, "Partially Successful");
    assert!(error.contains("time was over"), "{error}");
}

//! `Idempotency-Key`: the same request again is the same execution.

use super::{
    ATTACK, CLOSE, ask_until, attacked_store, closing, closing_store, outcome, sleeping,
    start_sleeping,
};
use playdock_tests::{Served, in_postgres_too};

in_postgres_too!(
    a_repeated_request_has_the_same_answer_also_after_a_restart,
    requests_at_once_are_one_execution,
    a_repeated_request_that_does_not_wait_is_answered_as_one_that_does,
    a_request_that_joins_a_running_one_gets_its_answer_and_another_body_is_refused,
    what_was_cut_off_goes_on_with_the_same_key,
);

/// What is said where a key was used for another request, of which this differs: the answer of a
/// failure.
fn taken(what: &str) -> String {
    format!(
        r#"{{"result":"","error":"The Idempotency-Key was used before, with {what}.","returnData":"Failed","contextData":[]}}"#
    )
}

fn close(served: &Served, key: &str, own: &str, numbers: &[&str]) -> playdock_tests::Response {
    served.post(CLOSE, &[("d3key", key), ("Idempotency-Key", own)], &closing(numbers))
}

#[test]
fn a_repeated_request_that_does_not_wait_is_answered_as_one_that_does() {
    let playdock = closing_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let first = close(&served, &key, "a", &["1"]);
    let headers = [("d3key", &*key), ("Idempotency-Key", "a"), ("Prefer", "respond-async")];
    for _ in 0..20 {
        let again = served.post(CLOSE, &headers, &closing(&["1"]));
        assert_eq!(again.said(), first.said());
        let other = served.post(CLOSE, &headers, &closing(&["2"]));
        assert_eq!(other.said(), (200, &*taken("other parameters")));
    }
}

#[test]
fn a_repeated_request_has_the_same_answer_also_after_a_restart() {
    let playdock = closing_store(&["1", "2"]);
    let (key, other) = (playdock.key("one", &[]), playdock.key("other", &[]));
    let mut served = playdock.serve(&["--rate", "0"]);
    let first = close(&served, &key, "ticket 7", &["1"]);
    assert_eq!(outcome(&first).0, "Successful");
    let id = |response: &playdock_tests::Response| {
        response.header("playdock-execution-id").expect("it has one").to_owned()
    };
    let again = close(&served, &key, "ticket 7", &["1"]);
    assert_eq!((again.said(), id(&again)), (first.said(), id(&first)));
    // Another body, a part of it, or another account.
    assert_eq!(
        close(&served, &key, "ticket 7", &["1", "2"]).said(),
        (200, &*taken("other parameters"))
    );
    let by_jane = closing(&["1"]).replace("\"Admin\"", "\"jane\"");
    let headers = [("d3key", key.as_str()), ("Idempotency-Key", "ticket 7")];
    let account = taken("another account that asked for it");
    assert_eq!(served.post(CLOSE, &headers, &by_jane).said(), (200, &*account));
    // Another client's key of this name is its own.
    let others = close(&served, &other, "ticket 7", &["2"]);
    assert_eq!(outcome(&others).0, "Successful");
    assert_ne!(id(&others), id(&first));
    // Without one, each request is an execution.
    let alone = served.post(CLOSE, &[("d3key", &key)], &closing(&["1"]));
    assert_eq!(alone.json()["contextData"][0]["Reason"], "already-closed");

    served.kill();
    let served = playdock.serve(&["--rate", "0"]);
    let after = close(&served, &key, "ticket 7", &["1"]);
    assert_eq!((after.said(), id(&after)), (first.said(), id(&first)));
    assert_eq!(close(&served, &key, "ticket 7", &["2"]).said(), (200, &*taken("other parameters")));
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 2);
}

#[test]
fn requests_at_once_are_one_execution() {
    let numbers: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let playdock = closing_store(&numbers);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let answers: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..16).map(|_| scope.spawn(|| close(&served, &key, "a", &numbers))).collect();
        let answered = asking.into_iter().map(|asking| asking.join().expect("it is answered"));
        answered
            .map(|response| {
                assert_eq!(outcome(&response).0, "Successful");
                response.body
            })
            .collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM execution"), 1);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 500);
}

#[test]
fn a_request_that_joins_a_running_one_gets_its_answer_and_another_body_is_refused() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0", "--timeout", "4"]);
    let own = [("Idempotency-Key", "a")];
    let location = start_sleeping(&served, &key, &own, &["1", "2"]);
    let headers = [("d3key", key.as_str()), own[0]];
    let other = served.post(ATTACK, &headers, &sleeping(&["2"]));
    assert_eq!(other.said(), (200, &*taken("other parameters")));
    let again = start_sleeping(&served, &key, &own, &["1", "2"]);
    assert_eq!(again, location);
    let joined = served.post(ATTACK, &headers, &sleeping(&["1", "2"]));
    let (result, error) = outcome(&joined);
    assert_eq!(result, "Partially Successful");
    assert!(error.contains("time was over"), "{error}");
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM execution"), 1);
}

// Elsewhere, the lease of a server that was killed has to run out first.
#[cfg(target_os = "linux")]
#[test]
fn what_was_cut_off_goes_on_with_the_same_key() {
    let playdock = attacked_store(&["1", "2"]);
    let key = playdock.key("one", &[]);
    let mut served = playdock.serve(&["--rate", "0"]);
    let own = [("Idempotency-Key", "a")];
    let location = start_sleeping(&served, &key, &own, &["1", "2"]);
    let closed = || playdock.value::<i64>("SELECT count(*) FROM incident WHERE status = 'Closed'");
    let ask = || served.get(&location, &[("d3key", &key)]);
    ask_until(ask, |_| closed() == 1);
    served.kill();

    let served = playdock.serve(&["--rate", "0", "--timeout", "3"]);
    let ask = || served.get(&location, &[("d3key", &key)]);
    let interrupted = ask().json();
    assert_eq!(interrupted["state"], "interrupted");
    let answer = &interrupted["answer"];
    assert_eq!(answer["returnData"], "Partially Successful");
    assert_eq!(
        answer["error"],
        "The host stopped in the middle of it. What an earlier run recorded stands; the same \
         execution id goes on with the rest."
    );
    let listed = playdock.run(&["executions", "list", "--output", "json"]).answer();
    assert_eq!(listed[0]["state"], "interrupted");
    let headers = [("d3key", key.as_str()), own[0]];
    let resumed = served.post(ATTACK, &headers, &sleeping(&["1", "2"]));
    let rows = resumed.json()["contextData"].clone();
    assert_eq!(
        (&rows[0]["Result"], &rows[1]["Reason"]),
        (&"Successful".into(), &"not-attempted".into())
    );
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM execution"), 1);
    assert_eq!(playdock.value::<i64>("SELECT count(*) FROM audit"), 1);
}

#[test]
fn a_key_that_is_none_is_refused() {
    let playdock = closing_store(&["1"]);
    let key = playdock.key("one", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let long = "x".repeat(201);
    for own in ["", &long, "\u{e9}"] {
        let refused = close(&served, &key, own, &["1"]);
        assert_eq!(refused.status, 400, "{own}");
        assert!(refused.body.contains("Idempotency-Key must have"), "{refused:?}");
    }
    let headers = [("d3key", key.as_str()), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    assert_eq!(served.post(CLOSE, &headers, &closing(&["1"])).status, 400);
    assert_eq!(playdock.rows("SELECT status FROM incident"), ["Open"]);
}

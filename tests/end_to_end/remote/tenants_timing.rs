//! A key of one site learns nothing of another from how long an answer takes: for what is there and
//! for what isn't, the medians are within a factor that is far below an order of magnitude.

use super::{CLOSE, SITES_AND_USERS, body_in, closing_store, outcome};
use playdock_tests::{Served, incident, parameters, with};
use serde_json::json;
use std::time::{Duration, Instant};

const ROUNDS: usize = 60;
const FACTOR: u32 = 4;

/// Asks for both in turn and compares the medians.
fn assert_as_quick(what: &str, mut there: impl FnMut(), mut nowhere: impl FnMut()) {
    let mut took = [Vec::new(), Vec::new()];
    let timed = |ask: &mut dyn FnMut()| {
        let began = Instant::now();
        ask();
        began.elapsed()
    };
    for _ in 0..ROUNDS {
        took[0].push(timed(&mut there));
        took[1].push(timed(&mut nowhere));
    }
    let [there, nowhere] = took.map(|mut took| {
        took.sort();
        took[ROUNDS / 2]
    });
    // What is quicker than this is as quick, on a machine that does other things too.
    let least = Duration::from_millis(1);
    let (quick, slow) = (there.min(nowhere).max(least), there.max(nowhere));
    assert!(slow < quick * FACTOR, "{what}: {there:?} there, {nowhere:?} nowhere");
}

#[test]
fn what_another_site_has_takes_as_long_as_what_is_not_there() {
    let playdock = closing_store(&["mine"]);
    let numbers: Vec<String> = (0..10_000).map(|number| format!("theirs {number}")).collect();
    let lines = numbers.iter().map(|number| incident(number, json!({"site": "Other"})));
    playdock.import(&format!("{SITES_AND_USERS}{}", lines.collect::<String>()));
    let key = playdock.key("soc", &["--site", "Security Operations"]);
    let any = playdock.key("any", &[]);
    let served = playdock.serve(&["--rate", "0"]);
    let here = "Security Operations";
    let post = |body: &str| {
        assert_eq!(served.post(CLOSE, &[("d3key", &key)], body).status, 200);
    };
    let closes = |number: &str| body_in(here, &parameters(&[number]));
    let (there, nowhere) = (closes("theirs 1"), closes("nothing"));
    assert_as_quick("incidents", || post(&there), || post(&nowhere));
    let site = |site| body_in(site, &parameters(&["theirs 1"]));
    let (there, nowhere) = (site("Other"), site("Nowhere"));
    assert_as_quick("sites", || post(&there), || post(&nowhere));
    let by = |user: &str| body_in(here, &with(parameters(&["mine"]), "Username", json!(user)));
    let (there, nowhere) = (by("olga"), by("nobody"));
    assert_as_quick("users", || post(&there), || post(&nowhere));

    let id = their_execution(&served, &any, &numbers);
    let ask = |id: &str, delete: bool| {
        let (path, headers) = (format!("/api/executions/{id}"), [("d3key", key.as_str())]);
        let response =
            if delete { served.delete(&path, &headers) } else { served.get(&path, &headers) };
        assert_eq!(response.said(), (404, r#"{"Error":"Not found."}"#));
    };
    let none = "00000000-0000-0000-0000-000000000000";
    assert_as_quick("executions", || ask(&id, false), || ask(none, false));
    assert_as_quick("cancelling", || ask(&id, true), || ask(none, true));
}

/// Closes all of the other site's incidents, and says in which execution.
fn their_execution(served: &Served, key: &str, numbers: &[String]) -> String {
    let by_jane = with(parameters(numbers), "Username", json!("jane"));
    let body = body_in("Other", &by_jane).replace("\"Admin\"", "\"jane\"");
    let closed = served.post(CLOSE, &[("d3key", key)], &body);
    assert_eq!(outcome(&closed).0, "Successful");
    closed.header("playdock-execution-id").expect("it has an id").to_owned()
}

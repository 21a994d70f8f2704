//! The Remote Command API: the real server, over real connections.

mod again;
mod answers;
mod bounds;
mod contract;
mod documents;
#[cfg(target_os = "linux")]
mod elsewhere;
mod executions;
#[cfg(target_os = "linux")]
mod hostile;
mod keys;
// Many clients at once: elsewhere, each of their executions starts a process.
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod places;
mod refused_early;
#[cfg(unix)]
mod stopping;
mod tenants;
mod tenants_timing;
mod tls;
mod tokens;

use playdock_tests::{PATIENCE, Playdock, Response, Served, incident, parameters};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CLOSE: &str = "/api/Command/CloseIncidentInBulk";
const ATTACK: &str = "/api/Command/Attacks";

/// Two sites, and users of one, of the other, of both; one who is not active.
const SITES_AND_USERS: &str = r#"{"kind":"site","name":"Security Operations","time_zone":"America/Los_Angeles"}
{"kind":"site","name":"Other","time_zone":"UTC"}
{"kind":"user","username":"admin user","sites":["Security Operations"]}
{"kind":"user","username":"Admin","sites":["Security Operations"]}
{"kind":"user","username":"jane","sites":["Security Operations","Other"]}
{"kind":"user","username":"olga","sites":["Other"]}
{"kind":"user","username":"gone","sites":["Security Operations"],"active":false}
{"kind":"user","username":"gone from other","sites":["Other"],"active":false}
"#;

/// A store with two sites, users, and open incidents of these numbers in the first site.
fn store(plugins: &[&str], numbers: &[&str]) -> Playdock {
    let playdock = Playdock::with_plugins(plugins);
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITES_AND_USERS}{lines}"));
    playdock
}

fn closing_store(numbers: &[&str]) -> Playdock {
    store(&["close_incident_in_bulk"], numbers)
}

/// A store whose command `Attacks` closes the first incident and then does something wrong.
fn attacked_store(numbers: &[&str]) -> Playdock {
    store(&["close_incident_in_bulk", "hostile"], numbers)
}

/// A request to run a command in the first site.
fn body(parameters: &Value) -> String {
    body_in("Security Operations", parameters)
}

fn body_in(site: &str, parameters: &Value) -> String {
    json!({"Username": "Admin", "Site": site, "CommandParams": parameters}).to_string()
}

fn closing(numbers: &[&str]) -> String {
    body(&parameters(numbers))
}

/// Numbers that nobody has.
fn unknown(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("unknown-{number}")).collect()
}

/// A request that goes on for as long as it may.
fn sleeping(numbers: &[&str]) -> String {
    body(&json!({"Incident Numbers": numbers, "Attack": "sleep", "Username": "admin user"}))
}

/// Asks until something is true of the answer.
fn ask_until(ask: impl Fn() -> Response, good: impl Fn(&Response) -> bool) -> Response {
    let end = Instant::now() + PATIENCE;
    loop {
        let response = ask();
        if good(&response) {
            return response;
        }
        assert!(Instant::now() < end, "still {response:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts an execution that sleeps; returns where it can be asked for.
fn start_sleeping(served: &Served, key: &str, more: &[(&str, &str)], numbers: &[&str]) -> String {
    let headers = [&[("d3key", key), ("Prefer", "respond-async")], more].concat();
    let accepted = served.post(ATTACK, &headers, &sleeping(numbers));
    assert_eq!(accepted.status, 202, "{accepted:?}");
    accepted.header("location").expect("it says where").to_owned()
}

/// The answer's `returnData` and `error`.
fn outcome(response: &Response) -> (String, String) {
    assert_eq!(response.status, 200, "{response:?}");
    let answer = response.json();
    let text = |name: &str| answer[name].as_str().expect("it is text").to_owned();
    (text("returnData"), text("error"))
}

//! Who runs an execution, where that can't be seen: on another machine a dead host is known by its
//! lease, which runs out.
//!
//! A lease names the machine of its owner, so a host is moved to another one by writing that into
//! its lease; and time passes for a lease when its end is written.

use playdock_tests::{Finished, Playdock, in_postgres_too, incident, parameters};
use serde_json::{Value, json};
use std::process::Child;
use std::time::{Duration, Instant};

in_postgres_too!(
    a_dead_hosts_execution_is_taken_over_once_its_lease_ran_out,
    a_host_of_another_machine_that_lives_keeps_its_execution,
    a_host_that_lost_its_execution_writes_nothing_more,
);

const MANY: usize = 15_000;
const ID: [&str; 2] = ["--execution-id", "nightly-1"];

/// A store whose command closes the first incident and then goes on until it is stopped.
fn store() -> Playdock {
    let playdock = Playdock::with_plugins(&["close_incident_in_bulk", "hostile"]);
    let lines: String = ["1", "2"].map(|number| incident(number, json!({}))).concat();
    playdock.import(&format!("{}{lines}", playdock_tests::SITE_AND_USER));
    playdock
}

fn asked() -> Value {
    json!({"Incident Numbers": ["1", "2"], "Attack": "sleep", "Username": "admin user"})
}

/// Starts an execution, and waits until it has closed the first incident.
fn start(playdock: &Playdock) -> Child {
    playdock.file("parameters.json", asked().to_string());
    let arguments = ["invoke", "Attacks", "--params", "parameters.json", "--output", "json"];
    let site = ["--site", "Security Operations"];
    let child = playdock.start(playdock.command(&[&arguments[..], &site, &ID].concat()));
    let end = Instant::now() + playdock_tests::PATIENCE;
    while playdock.value::<usize>("SELECT count(*) FROM audit") == 0 {
        assert!(Instant::now() < end, "nothing was closed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn again(playdock: &Playdock) -> Finished {
    playdock.invoke("Attacks", &asked(), &[&ID[..], &["--timeout", "2"]].concat())
}

fn move_to_another_machine(playdock: &Playdock) {
    playdock.write("UPDATE execution SET lease_owner = 'machine-2' || lease_owner");
}

fn let_the_lease_run_out(playdock: &Playdock) {
    playdock.write("UPDATE execution SET lease_until = lease_until - 60000");
}

fn state(playdock: &Playdock) -> String {
    let shown = playdock.run(&["executions", "show", "nightly-1", "--output", "json"]);
    shown.answer()["state"].as_str().expect("it is text").to_owned()
}

fn kill(mut child: Child) {
    child.kill().expect("it can be killed");
    child.wait().expect("it can be waited for");
}

#[test]
fn a_dead_hosts_execution_is_taken_over_once_its_lease_ran_out() {
    let playdock = store();
    kill(start(&playdock));
    // Here it is seen that the process is gone.
    assert_eq!(state(&playdock), "interrupted");
    move_to_another_machine(&playdock);
    assert_eq!(state(&playdock), "running");
    let refused = again(&playdock);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.errors.contains("nightly-1"), "{refused:?}");

    let_the_lease_run_out(&playdock);
    assert_eq!(state(&playdock), "interrupted");
    let resumed = again(&playdock);
    let said: Vec<String> = resumed.outcomes().into_iter().map(|(_, said)| said).collect();
    assert_eq!(said, ["Successful", "not-attempted"], "{resumed:?}");
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), 1);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn a_host_of_another_machine_that_lives_keeps_its_execution() {
    let playdock = store();
    let child = start(&playdock);
    let before: i64 = playdock.value("SELECT lease_until FROM execution");
    for _ in 0..2 {
        let refused = again(&playdock);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert_eq!(state(&playdock), "running");
        // It would be told so from another machine, too: the lease is fresh.
        move_to_another_machine(&playdock);
    }
    assert!(playdock.value::<i64>("SELECT lease_until FROM execution") >= before);
    kill(child);
}

#[test]
fn a_host_that_lost_its_execution_writes_nothing_more() {
    // They take several batches.
    let numbers: Vec<String> = (0..MANY).map(|number| number.to_string()).collect();
    let playdock =
        Playdock::with_incidents(numbers.iter().map(|number| incident(number, json!({}))));
    let write = playdock.writer();
    // While a batch of the first host is judged, another one takes the execution over.
    let store = playdock_tests::WatchedStore::new(&playdock, move |batch| {
        if batch == 1 {
            write(
                "UPDATE execution SET lease_owner = 'another host', lease_until = lease_until + 9",
            );
        }
    });
    let answer = store.host().execute(&playdock_tests::closing(&parameters(&numbers), "e"));
    let answer = answer.expect("there is an answer");
    let rows = playdock_tests::answer_rows(&answer);
    let closed: usize = playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'");
    let said = rows.iter().filter(|row| row["Result"] == "Successful").count();
    assert_eq!(said, closed, "{}", answer.error);
    assert!((1..MANY).contains(&closed), "{closed}");
    assert!(answer.error.contains("taken over by another host"), "{}", answer.error);
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), closed);
    // Nor does it end what is no longer its own.
    assert_eq!(playdock.rows("SELECT state, lease_owner FROM execution"), ["running|another host"]);
    playdock.assert_nothing_is_half_closed();
}

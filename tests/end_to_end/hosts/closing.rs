//! Eight hosts that close random halves of the same incidents at the same moment.
//!
//! `PLAYDOCK_INCIDENTS` says how many incidents there are.

use super::{assert_closed_once, number_of, random};
use playdock_tests::{
    Finished, Playdock, Random, SITE_AND_USER, in_postgres_too, incident, parameters, with,
};
use serde_json::json;
use std::process::Child;

in_postgres_too!(of_hosts_that_close_overlapping_halves_one_closes_each_incident);

pub(super) const HOSTS: usize = 8;

/// Starts a host that closes incidents, whose numbers are in a file of its own.
pub(super) fn start(playdock: &Playdock, host: usize, numbers: &[String]) -> Child {
    let name = format!("parameters-{host}.json");
    let parameters = with(parameters(numbers), "Conclusion", json!("Closed in bulk."));
    playdock.file(&name, parameters.to_string());
    resume(playdock, host)
}

/// Starts a host that goes on with what [`start`] began.
pub(super) fn resume(playdock: &Playdock, host: usize) -> Child {
    let (parameters, id) = (format!("parameters-{host}.json"), format!("host-{host}"));
    let mut command = playdock.command(&[
        "invoke",
        "CloseIncidentInBulk",
        "--params",
        &parameters,
        "--site",
        "Security Operations",
        "--output",
        "json",
        "--execution-id",
        &id,
    ]);
    // Its answer goes into a file: a pipe would fill.
    let answer = |kind| playdock.file(&format!("host-{host}.{kind}"), "");
    let file = |kind| std::fs::File::create(answer(kind)).expect("a file can be made");
    command.stdout(file("answer")).stderr(file("errors"));
    command.spawn().expect("the program starts")
}

/// What a host said, once it ended.
pub(super) fn finish(playdock: &Playdock, host: usize, mut child: Child) -> Finished {
    let status = child.wait().expect("it can be waited for");
    let said = |kind| {
        let file = playdock.folder().join(format!("host-{host}.{kind}"));
        std::fs::read_to_string(file).expect("it can be read")
    };
    Finished { code: status.code(), output: said("answer"), errors: said("errors") }
}

/// Fills a store with so many open incidents; returns their numbers.
pub(super) fn fill(playdock: &Playdock, incidents: usize) -> Vec<String> {
    let numbers: Vec<String> = (0..incidents).map(|number| format!("INC-{number}")).collect();
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    numbers
}

/// For each host, half of all the incidents at random, and an eighth of them: nobody's is left out.
pub(super) fn halves(numbers: &[String], random: &mut Random) -> Vec<Vec<String>> {
    let half = |host| {
        let mut half = numbers.to_vec();
        random.shuffle(&mut half);
        half.truncate(numbers.len() / 2);
        half.extend(numbers.iter().skip(host).step_by(HOSTS).cloned());
        half
    };
    (0..HOSTS).map(half).collect()
}

#[test]
fn of_hosts_that_close_overlapping_halves_one_closes_each_incident() {
    let incidents = number_of("PLAYDOCK_INCIDENTS", 4000);
    let playdock = Playdock::new();
    let numbers = fill(&playdock, incidents);
    let halves = halves(&numbers, &mut random());
    let hosts: Vec<Child> =
        halves.iter().enumerate().map(|(host, half)| start(&playdock, host, half)).collect();
    let mut closed = 0;
    for (host, child) in hosts.into_iter().enumerate() {
        let finished = finish(&playdock, host, child);
        assert_eq!(finished.code, Some(0), "{host}: {} {}", finished.errors, finished.error());
        for (number, said) in finished.outcomes() {
            assert!(["Successful", "already-closed"].contains(&said.as_str()), "{number}: {said}");
            closed += usize::from(said == "Successful");
        }
    }
    assert_eq!(closed, incidents);
    assert_closed_once(&playdock, incidents);
}

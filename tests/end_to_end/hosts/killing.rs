//! Hosts that are killed and a server that is stopped as by a power cut, at random moments, while
//! eight hosts close random halves of the same incidents: each retry with its execution id ends
//! right, and nothing is lost or done twice.
//!
//! `PLAYDOCK_ROUNDS` says how often that is done, `PLAYDOCK_INCIDENTS` with how many incidents,
//! `PLAYDOCK_SEED` at which moments.

use super::closing::{HOSTS, fill, finish, halves, resume, start};
use super::{assert_closed_once, number_of, random};
use playdock_tests::{Playdock, PostgresServer, Random};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long a round may take: hosts wait for a database that went away, and for each other.
const LONGEST: Duration = Duration::from_secs(300);

#[test]
fn of_hosts_that_are_killed_and_a_server_that_is_restarted_nothing_is_lost_or_done_twice() {
    let mut random = random();
    let incidents = number_of("PLAYDOCK_INCIDENTS", 2000);
    let server = PostgresServer::start(&[]);
    for round in 0..number_of("PLAYDOCK_ROUNDS", 3) {
        let began = Instant::now();
        let playdock = Playdock::in_database(server.database());
        let numbers = fill(&playdock, incidents);
        let (killed, restarted) = close_under_fire(&playdock, &numbers, &mut random);
        println!(
            "round {round}: {killed} hosts killed, {restarted} restarts, {:?}",
            began.elapsed()
        );
        assert_closed_once(&playdock, incidents);
        let ledgers = playdock.rows(
            "SELECT execution, position FROM ledger GROUP BY 1, 2 HAVING count(*) > 1 LIMIT 5",
        );
        assert_eq!(ledgers, [""; 0]);
        assert_eq!(playdock.rows("SELECT DISTINCT state FROM execution"), ["finished"]);
        let conclusions = playdock.rows("SELECT DISTINCT conclusion FROM incident");
        assert_eq!(conclusions, ["<p>Closed in bulk.</p>"]);
    }
    assert!(!server.log().contains("PANIC"), "{}", server.log());
}

/// Runs eight hosts until each has ended its execution; says how many were killed, and how often the
/// server was restarted.
fn close_under_fire(
    playdock: &Playdock,
    numbers: &[String],
    random: &mut Random,
) -> (usize, usize) {
    let halves = halves(numbers, random);
    let mut hosts: Vec<Option<Child>> = Vec::new();
    for (host, half) in halves.iter().enumerate() {
        hosts.push(Some(start(playdock, host, half)));
    }
    let (mut killed, mut restarted) = (0, 0);
    // Read when all have ended: nobody would be killed while one is.
    let mut answers = Vec::new();
    let end = Instant::now() + LONGEST;
    let mut next = Instant::now() + Duration::from_millis(random.below(400) as u64);
    while hosts.iter().any(Option::is_some) {
        assert!(Instant::now() < end, "the hosts do not end");
        if Instant::now() >= next && killed + restarted < 12 {
            next = Instant::now() + Duration::from_millis(random.below(250) as u64);
            if random.below(4) == 0 {
                playdock.database().expect("it is in one").server().restart();
                restarted += 1;
            } else if let Some(child) = &mut hosts[random.below(HOSTS)] {
                child.kill().expect("it can be killed");
                killed += 1;
            }
        }
        for (host, running) in hosts.iter_mut().enumerate() {
            let Some(child) = running else { continue };
            if child.try_wait().expect("it can be asked").is_none() {
                continue;
            }
            let child = running.take().expect("it runs");
            let finished = finish(playdock, host, child);
            match finished.code {
                Some(0) => answers.push((host, finished)),
                // Killed, or its store could not be used for too long: the same id goes on.
                None | Some(5) => *running = Some(resume(playdock, host)),
                _ => panic!("{host}: {finished:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for (host, finished) in &answers {
        assert_answered(*host, finished, &halves[*host]);
    }
    (killed, restarted)
}

/// Checks that an answer has each incident that was asked for, closed by this execution or before.
fn assert_answered(host: usize, finished: &playdock_tests::Finished, asked: &[String]) {
    assert!(!finished.errors.contains("deadlock"), "{}", finished.errors);
    let outcomes = finished.outcomes();
    let mut rows = outcomes.iter();
    let mut seen = std::collections::HashSet::new();
    for number in asked.iter().filter(|number| seen.insert(number.as_str())) {
        let Some((of, said)) = rows.next() else { panic!("{host}: {number} has no row") };
        assert_eq!(of, number, "{host}");
        assert!(["Successful", "already-closed"].contains(&said.as_str()), "{number}: {said}");
    }
    assert_eq!(rows.next(), None);
}

//! A database that goes away, a table that somebody else holds, a disk that fills: what can't be done
//! is said in time, nothing is lost, and the same execution id does the rest.

use super::assert_closed_once;
use super::closing::{fill, finish, start};
use playdock_tests::{Finished, PATIENCE, Playdock, PostgresDatabase, PostgresServer};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const INCIDENTS: usize = 12_000;
/// How long an answer may take that says what can't be done.
const DEADLINE: Duration = Duration::from_secs(60);

fn in_database_of_its_own() -> Playdock {
    Playdock::in_database(PostgresServer::start(&[]).database())
}

fn server(playdock: &Playdock) -> &PostgresServer {
    playdock.database().expect("it is in one").server()
}

fn closed(playdock: &Playdock) -> usize {
    playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'")
}

/// Waits until some incidents are closed.
fn wait_for_some(playdock: &Playdock) {
    let end = Instant::now() + PATIENCE;
    while closed(playdock) == 0 {
        assert!(Instant::now() < end, "nothing was closed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Checks that an execution that could not use its store says of each incident what the store has.
fn assert_that_it_said_what_the_store_has(playdock: &Playdock, finished: &Finished, why: &str) {
    assert_eq!(finished.code, Some(5), "{}", finished.errors);
    assert!(finished.error().contains(why), "{}", finished.error());
    let closed = playdock.rows("SELECT number FROM incident WHERE status = 'Closed'");
    let closed: HashSet<String> = closed.into_iter().collect();
    let outcomes = finished.outcomes();
    assert_eq!(outcomes.len(), INCIDENTS);
    for (number, said) in &outcomes {
        match closed.contains(number) {
            true => assert_eq!(said, "Successful", "{number}"),
            false => assert!(["store-error", "not-attempted"].contains(&said.as_str()), "{number}"),
        }
    }
    playdock.assert_nothing_is_half_closed();
}

fn assert_that_it_does_the_rest(playdock: &Playdock, numbers: &[String]) {
    let finished = finish(playdock, 0, start(playdock, 0, numbers));
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert!(finished.outcomes().iter().all(|(_, said)| said == "Successful"));
    assert_closed_once(playdock, INCIDENTS);
}

#[test]
fn a_database_that_goes_away_for_ten_seconds_is_waited_for() {
    let playdock = in_database_of_its_own();
    let numbers = fill(&playdock, INCIDENTS);
    let host = start(&playdock, 0, &numbers);
    wait_for_some(&playdock);
    server(&playdock).stop();
    std::thread::sleep(Duration::from_secs(10));
    server(&playdock).begin();
    let finished = finish(&playdock, 0, host);
    assert_eq!(finished.code, Some(0), "{} {}", finished.errors, finished.error());
    assert!(finished.outcomes().iter().all(|(_, said)| said == "Successful"));
    assert_closed_once(&playdock, INCIDENTS);
}

#[test]
fn where_a_database_stays_away_it_is_said_and_the_same_id_does_the_rest_later() {
    let playdock = in_database_of_its_own();
    let numbers = fill(&playdock, INCIDENTS);
    let host = start(&playdock, 0, &numbers);
    wait_for_some(&playdock);
    server(&playdock).stop();
    let began = Instant::now();
    let stopped = finish(&playdock, 0, host);
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    // Nothing can be begun either.
    for arguments in [&["incidents", "list"][..], &["keys", "list"], &["serve"]] {
        let began = Instant::now();
        let refused = playdock.run(arguments);
        assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
        assert_eq!(refused.code, Some(5), "{refused:?}");
        assert!(refused.errors.contains("can't be reached"), "{refused:?}");
    }
    server(&playdock).begin();
    assert_that_it_said_what_the_store_has(&playdock, &stopped, "can't be reached");
    assert_that_it_does_the_rest(&playdock, &numbers);
}

#[test]
fn a_table_that_somebody_holds_is_waited_for_but_not_for_ever() {
    let playdock = in_database_of_its_own();
    let numbers = fill(&playdock, INCIDENTS);
    let mut somebody = playdock.database().expect("it is in one").client();
    somebody.batch_execute("BEGIN; LOCK TABLE incident IN SHARE MODE").expect("it can be locked");
    let began = Instant::now();
    let stopped = finish(&playdock, 0, start(&playdock, 0, &numbers));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    somebody.batch_execute("COMMIT").expect("it can be given back");
    assert_eq!(closed(&playdock), 0);
    assert_that_it_said_what_the_store_has(&playdock, &stopped, "locked the store");

    // As an import holds an incident until its last line.
    let held = "BEGIN; UPDATE incident SET title = 'T' WHERE number = 'INC-7'";
    somebody.batch_execute(held).expect("it can be locked");
    let began = Instant::now();
    let stopped = finish(&playdock, 0, start(&playdock, 0, &numbers));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    somebody.batch_execute("COMMIT").expect("it can be given back");
    assert_that_it_said_what_the_store_has(&playdock, &stopped, "locked the store");

    somebody.batch_execute("BEGIN; LOCK TABLE audit").expect("it can be locked");
    let host = start(&playdock, 0, &numbers);
    std::thread::sleep(Duration::from_secs(2));
    somebody.batch_execute("COMMIT").expect("it can be given back");
    let finished = finish(&playdock, 0, host);
    assert_eq!(finished.code, Some(0), "{} {}", finished.errors, finished.error());
    assert_closed_once(&playdock, INCIDENTS);
}

#[test]
fn on_a_full_disk_what_was_committed_is_whole_and_the_same_id_does_the_rest() {
    let Some(database) = PostgresDatabase::on_disk_of_its_own() else {
        eprintln!("not tested: only root can mount a file system in a namespace");
        return;
    };
    let server = database.server().clone();
    let playdock = Playdock::in_database(database);
    let numbers = fill(&playdock, INCIDENTS);
    server.leave_room(1500);
    let stopped = finish(&playdock, 0, start(&playdock, 0, &numbers));
    server.leave_room(200_000);
    assert_that_it_said_what_the_store_has(&playdock, &stopped, "is full: make room");
    assert_that_it_does_the_rest(&playdock, &numbers);
}

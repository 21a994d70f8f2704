//! Commits whose answer doesn't come, in PostgreSQL: what stands is found out, and what can't be found
//! out isn't said to be undone.
//!
//! A server that waits for a standby that there isn't has committed, and doesn't answer.

use super::{batch, begin_new, closing, entry, keys_of, record, words};
use playdock_host::incidents::{ExecutionKey, IncidentKey, Store, StoreError};
use playdock_tests::{Playdock, PostgresServer, SITE_AND_USER, in_postgres, incident};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const STANDBY: &str = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
const NO_STANDBY: &str = "ALTER SYSTEM RESET synchronous_standby_names";

/// A store on a server of its own, with open incidents of these numbers, and an execution.
fn store_of(numbers: &[&str]) -> (Playdock, Arc<dyn Store>, Vec<IncidentKey>, ExecutionKey) {
    let playdock = Playdock::in_database(PostgresServer::start(&[]).database());
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    playdock.import(&format!("{SITE_AND_USER}{lines}"));
    let store = playdock.open();
    let keys = keys_of(&*store, numbers);
    let execution = begin_new(&*store, "e");
    (playdock, store, keys, execution)
}

/// The server's own user, who waits for no standby.
fn superuser(playdock: &Playdock) -> postgres::Client {
    let database = playdock.database().expect("it is in one");
    let mut superuser = database.server().superuser(database.name());
    superuser.batch_execute("SET synchronous_commit TO off").expect("it can be set");
    superuser
}

/// Has the server wait for a standby, or for none.
fn set(superuser: &mut postgres::Client, standby: &str) {
    superuser.batch_execute(standby).expect("it can be set");
    superuser.batch_execute("SELECT pg_reload_conf()").expect("it can be read again");
    // Each of its processes reads it for itself.
    std::thread::sleep(Duration::from_millis(300));
}

fn closed(playdock: &Playdock) -> usize {
    playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'")
}

#[test]
fn where_the_answer_to_a_commit_is_lost_no_outcome_is() {
    in_postgres(|| {
        let (playdock, store, keys, execution) = store_of(&["1", "2", "3"]);
        // One incident can't be written, so that each is written on its own.
        playdock.write("ALTER TABLE incident ADD CHECK (number <> '2' OR status <> 'Closed')");
        let mut server = superuser(&playdock);
        set(&mut server, STANDBY);
        let killer = std::thread::spawn(move || {
            let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE wait_event = 'SyncRep' AND datname = current_database()";
            while server.query(waiting, &[]).expect("the server answers").is_empty() {
                std::thread::sleep(Duration::from_millis(20));
            }
            set(&mut server, NO_STANDBY);
        });
        let entries =
            (0..).zip(&keys).map(|(position, key)| entry(*key, position, Some(closing(1))));
        let outcomes = record(&*store, batch(execution, entries.collect()));
        killer.join().expect("it killed one");
        let outcomes = outcomes.expect("the store is back");
        assert_eq!(words(&outcomes), ["written", "failed", "written"]);
        assert_eq!(closed(&playdock), 2);
    });
}

#[test]
fn a_commit_that_gets_no_answer_is_not_said_to_be_undone() {
    in_postgres(|| {
        let (playdock, store, keys, execution) = store_of(&["1"]);
        let mut server = superuser(&playdock);
        set(&mut server, STANDBY);
        let entries = vec![entry(keys[0], 0, Some(closing(1)))];
        let recorded = record(&*store, batch(execution, entries));
        set(&mut server, NO_STANDBY);
        assert!(matches!(recorded, Err(StoreError::InDoubt(_))), "{recorded:?}");
        assert_eq!(closed(&playdock), 1);
    });
}

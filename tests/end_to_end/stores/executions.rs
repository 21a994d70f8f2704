//! The journal of executions: what was begun, what goes on, what is repeated, and whose it is.

use super::{SITE, batch, begin, begin_new, closing, entry, new_execution, record, store_of};
use playdock_host::incidents::{
    Begun, Conditions, Ending, ExecutionState, NewExecution, StoreError,
};
use playdock_plugin_api::{Mode, Timestamp};
use playdock_tests::{PATIENCE, in_postgres_too};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

in_postgres_too!(
    an_execution_is_remembered_as_it_was_begun_and_ended,
    what_is_interrupted_goes_on_under_its_key,
    an_id_belongs_to_one_execution,
    what_runs_is_run_by_one_alone,
    of_many_that_begin_the_same_at_once_one_does,
    the_latest_executions_come_first,
    whoever_has_no_lease_writes_nothing,
    a_lease_that_ran_out_is_still_that_of_a_process_that_lives,
    who_goes_on_with_an_execution_is_told_that_it_is_durable,
);

fn ending(state: ExecutionState) -> Ending {
    Ending {
        state,
        return_data: "Partially Successful".to_owned(),
        error: "1 of 2 — é".to_owned(),
        outputs: BTreeMap::from([("closed".to_owned(), json!({"b": [1, null], "a": 2.5}))]),
    }
}

#[test]
fn an_execution_is_remembered_as_it_was_begun_and_ended() {
    let (_playdock, store, _) = store_of(&[]);
    let new = NewExecution {
        conditions: Some(Conditions {
            trusted: "signed".to_owned(),
            signing_key: Some("CE9F91EF0E49089E".to_owned()),
            isolation: "worker".to_owned(),
            unprotected: "a\nb".to_owned(),
        }),
        mode: Mode::Manual,
        requested_by: Some("Admin".to_owned()),
        clock: Some(Timestamp::from_milliseconds(-1)),
        parameters: json!({"Incident Numbers": ["é", "\u{0}"]}).to_string(),
        ..new_execution("e")
    };
    let Begun::New(key) = begin(&*store, &new) else { panic!("it is new") };
    let (found, record) = store.execution("e").expect("the store answers").expect("it is there");
    assert_eq!((found, &record.begun, record.state), (key, &new, ExecutionState::Running));
    assert_eq!((record.finished_at, record.return_data, record.error), (None, None, None));

    store.renew(key).expect("it is ours");
    store.end(key, &ending(ExecutionState::Finished)).expect("it can end");
    let (_, record) = store.execution("e").expect("the store answers").expect("it is there");
    assert_eq!((&record.begun, record.state), (&new, ExecutionState::Finished));
    let expected = ending(ExecutionState::Finished);
    assert_eq!(record.return_data.as_ref(), Some(&expected.return_data));
    assert_eq!(
        (record.error.as_ref(), &record.outputs),
        (Some(&expected.error), &expected.outputs)
    );
    assert!(record.finished_at >= Some(record.started_at));
    assert_eq!(begin(&*store, &new), Begun::Finished(key, Box::new(record)));
    assert!(store.execution("E").expect("the store answers").is_none());
    assert!(store.commits() > 0);
}

#[test]
fn what_is_interrupted_goes_on_under_its_key() {
    let (_playdock, store, keys) = store_of(&["1", "2"]);
    let key = begin_new(&*store, "e");
    record(&*store, batch(key, vec![entry(keys[1], 1, Some(closing(1)))])).expect("written");
    store.end(key, &ending(ExecutionState::Interrupted)).expect("it can be interrupted");
    let (_, interrupted) = store.execution("e").expect("the store answers").expect("it is there");
    assert_eq!(interrupted.state, ExecutionState::Interrupted);

    let newer = NewExecution { plugin_version: "1.0.1".to_owned(), ..new_execution("e") };
    assert_eq!(begin(&*store, &newer), Begun::Resumed(key));
    let (_, resumed) = store.execution("e").expect("the store answers").expect("it is there");
    assert_eq!((resumed.state, resumed.begun), (ExecutionState::Running, newer));
    assert_eq!((resumed.error, resumed.finished_at), (None, None));
    assert!(resumed.outputs.is_empty());
    assert_eq!(store.ledger(key).expect("the store answers").len(), 1);
    record(&*store, batch(key, vec![entry(keys[0], 0, None)])).expect("it is ours");
    assert_eq!(store.ledger(key).expect("the store answers").len(), 2);
}

#[test]
fn an_id_belongs_to_one_execution() {
    let (_playdock, store, _) = store_of(&[]);
    let first = NewExecution { mode: Mode::Manual, ..new_execution("e") };
    let Begun::New(key) = begin(&*store, &first) else { panic!("it is new") };
    let text = |text: &str| text.to_owned();
    let same = first.clone();
    let others = [
        (NewExecution { command: text("Other"), ..same.clone() }, "another command"),
        (NewExecution { site: text("B"), ..same.clone() }, "another site"),
        (NewExecution { parameters_digest: text("f"), ..same.clone() }, "other parameters"),
        (NewExecution { mode: Mode::Automatic, ..same.clone() }, "another mode"),
        (NewExecution { acting_user: Some(text("eve")), ..same.clone() }, "another user"),
        (
            NewExecution { requested_by: Some(text("Admin")), ..same.clone() },
            "another account that asked for it",
        ),
    ];
    let while_it_can_go_on = [
        (NewExecution { clock: Some(Timestamp::now()), ..same.clone() }, "another clock"),
        (
            NewExecution { columns: text("[1]"), ..same.clone() },
            "another build of its plugin, whose rows have other columns",
        ),
    ];
    for (other, what) in others.iter().chain(&while_it_can_go_on) {
        assert_eq!(begin(&*store, other), Begun::Conflict(what));
    }
    assert_eq!(begin(&*store, &same), Begun::Running);
    store.end(key, &ending(ExecutionState::Finished)).expect("it can end");
    for (other, what) in &others {
        assert_eq!(begin(&*store, other), Begun::Conflict(what));
    }
    // What has ended is repeated, whatever its rows would look like now.
    for (other, _) in &while_it_can_go_on {
        assert!(matches!(begin(&*store, other), Begun::Finished(..)));
    }
}

#[test]
fn what_runs_is_run_by_one_alone() {
    let (playdock, store, _) = store_of(&[]);
    let key = begin_new(&*store, "e");
    let other = playdock.open();
    for store in [&store, &other] {
        assert_eq!(begin(&**store, &new_execution("e")), Begun::Running);
        let (_, record) = store.execution("e").expect("the store answers").expect("it is there");
        assert_eq!(record.state, ExecutionState::Running);
    }
    store.end(key, &ending(ExecutionState::Interrupted)).expect("it can be interrupted");
    assert_eq!(begin(&*other, &new_execution("e")), Begun::Resumed(key));
    assert_eq!(begin(&*store, &new_execution("e")), Begun::Running);
}

#[test]
fn of_many_that_begin_the_same_at_once_one_does() {
    let (playdock, store, _) = store_of(&[]);
    let stores = [store, playdock.open(), playdock.open()];
    for round in 0..20 {
        let id = format!("e-{round}");
        let begun: Vec<Begun> = std::thread::scope(|scope| {
            let begin = |index: usize| {
                let (store, new) = (&stores[index % stores.len()], new_execution(&id));
                scope.spawn(move || begin(&**store, &new))
            };
            let threads: Vec<_> = (0..6).map(begin).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
        });
        let new = begun.iter().filter(|begun| matches!(begun, Begun::New(_))).count();
        let running = begun.iter().filter(|begun| matches!(begun, Begun::Running)).count();
        assert_eq!((new, running), (1, 5), "{begun:?}");
    }
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM execution"), 20);
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM execution_parameters"), 20);
}

#[test]
fn the_latest_executions_come_first() {
    let (_playdock, store, _) = store_of(&[]);
    for id in ["a", "b", "c"] {
        let key = begin_new(&*store, id);
        store.end(key, &ending(ExecutionState::Finished)).expect("it can end");
    }
    let ids = |count| -> Vec<String> {
        let records = store.latest_executions(count).expect("the store answers");
        records.into_iter().map(|record| record.begun.id).collect()
    };
    assert_eq!(
        (ids(2), ids(9)),
        (vec!["c".into(), "b".into()], vec!["c".into(), "b".into(), "a".into()])
    );
    assert!(ids(0).is_empty());
}

#[test]
fn whoever_has_no_lease_writes_nothing() {
    let (playdock, store, keys) = store_of(&["1"]);
    let key = begin_new(&*store, "e");
    playdock.write("UPDATE execution SET lease_owner = 'another host'");
    let entries = vec![entry(keys[0], 0, Some(closing(1)))];
    let written = record(&*store, batch(key, entries.clone()));
    assert!(matches!(written, Err(StoreError::TakenOver)), "{written:?}");
    let ended = store.end(key, &ending(ExecutionState::Finished));
    assert!(matches!(ended, Err(StoreError::TakenOver)), "{ended:?}");
    let shown = &store.incident("1", Some(SITE)).expect("the store answers")[0];
    assert_eq!((shown.line.status.as_str(), shown.audit.len()), ("Open", 0));
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM ledger"), 0);
}

#[test]
fn a_lease_that_ran_out_is_still_that_of_a_process_that_lives() {
    let (playdock, store, _) = store_of(&[]);
    begin_new(&*store, "e");
    playdock.write("UPDATE execution SET lease_until = 1");
    assert_eq!(begin(&*store, &new_execution("e")), Begun::Running);
}

#[test]
fn who_goes_on_with_an_execution_is_told_that_it_is_durable() {
    let (_playdock, store, _) = store_of(&[]);
    let key = begin_new(&*store, "e");
    store.end(key, &ending(ExecutionState::Interrupted)).expect("it can be interrupted");
    let (told, durable) = channel();
    let tell = move || told.send(()).unwrap_or_default();
    let begun = store.begin(&new_execution("e"), Box::new(tell)).expect("it can be begun");
    assert_eq!(begun, Begun::Resumed(key));
    durable.recv_timeout(PATIENCE).expect("it is told");
}

#[test]
fn an_execution_whose_end_cannot_be_noted_can_be_gone_on_with() {
    let (playdock, store, _) = store_of(&[]);
    let interrupted = ending(ExecutionState::Interrupted);
    let key = begin_new(&*store, "one that may be known");
    let new = Arc::new(new_execution("a new one"));
    let begun = store.begin_new(&new, None).expect("SQLite begins them so");
    let other_key = begun.key().expect("it is written");

    let other = playdock.store();
    other.execute_batch("BEGIN IMMEDIATE").expect("the store can be locked");
    let ended = store.end(key, &interrupted);
    assert!(matches!(ended, Err(StoreError::Locked(_))), "{ended:?}");
    let (told, noted) = channel();
    begun.end(interrupted, Box::new(move |result| told.send(result).unwrap_or_default()));
    let ended = noted.recv_timeout(PATIENCE).expect("it is told");
    assert!(matches!(ended, Err(StoreError::Locked(_))), "{ended:?}");
    drop(begun);
    drop(other);

    let known = begin(&*store, &new_execution("one that may be known"));
    assert_eq!(known, Begun::Resumed(key));
    assert_eq!(begin(&*store, &new), Begun::Resumed(other_key));
}

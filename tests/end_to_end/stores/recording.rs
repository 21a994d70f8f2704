//! Recording outcomes: the change, the audit entry and the line of the ledger, together or not at
//! all.

use super::{SITE, batch, begin_new, closing, entry, new_execution, record, row, store_of, words};
use playdock_host::incidents::{Begun, ChangeToMake, LedgerEntry, RecordBatch};
use playdock_plugin_api::{ChangeKind, Status};
use playdock_tests::in_postgres_too;
use serde_json::json;

in_postgres_too!(
    a_closing_is_written_with_its_audit_and_its_line,
    an_incident_that_changed_meanwhile_is_left_and_the_others_are_written,
    a_task_that_is_added_between_changes_the_version,
    changes_of_each_kind_may_be_in_one_batch,
    a_conclusion_is_appended,
    a_ledger_is_in_the_order_of_the_input_and_lines_can_be_replaced,
    an_entry_that_cannot_be_written_leaves_the_others,
    batches_under_way_are_committed_in_their_order,
    nothing_is_written_for_an_execution_that_there_is_not,
);

#[test]
fn a_closing_is_written_with_its_audit_and_its_line() {
    let (playdock, store, keys) = store_of(&["1", "2", "3"]);
    let execution = begin_new(&*store, "e");
    let waived = json!([{"bypass": "B", "tasks": ["T"], "fields": []}]);
    let change = ChangeToMake { waived: Some(waived.to_string()), ..closing(1) };
    let absent = LedgerEntry {
        incident: None,
        number: Some("none".to_owned()),
        position: 1,
        row: 1,
        change: None,
        replaces: None,
    };
    let entries = vec![entry(keys[0], 2, Some(change.clone())), absent, entry(keys[1], 0, None)];
    let rows = vec![row("done"), row("none")];
    let outcomes = record(&*store, RecordBatch { rows, ..batch(execution, entries) });
    assert_eq!(words(&outcomes.expect("it can be written")), ["written"; 3]);

    let facts = store.look_up(&keys).expect("the store answers");
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    assert_eq!((&facts[0].status, facts[0].version), (&Status::Closed, 2));
    assert_eq!(facts[0].closed_at, Some(change.at));
    assert_eq!(facts[0].closed_by.as_deref(), Some("admin user"));
    assert_eq!((&facts[1].status, facts[1].version), (&Status::Open, 1));
    let shown = &store.incident("1", Some(SITE)).expect("the store answers")[0];
    assert_eq!(shown.closed_in.as_deref(), Some("e"));
    let audit = &shown.audit;
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].action.as_str(), audit[0].before_status.as_str()), ("close", "Open"));
    assert_eq!((audit[0].acting_user.as_str(), audit[0].execution.as_str()), ("admin user", "e"));
    assert_eq!((audit[0].at, &audit[0].waived), (change.at, &waived));
    assert!(store.incident("2", None).expect("the store answers")[0].audit.is_empty());

    let ledger = store.ledger(execution).expect("the store answers");
    let said: Vec<_> = ledger
        .iter()
        .map(|line| (line.number.as_str(), line.change, line.row.message.as_deref()))
        .collect();
    let close = Some(ChangeKind::Close);
    assert_eq!(
        said,
        [("2", None, Some("done")), ("none", None, Some("none")), ("1", close, Some("done"))]
    );
    assert_eq!((ledger[0].incident, ledger[1].incident), (Some(keys[1]), None));
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn an_incident_that_changed_meanwhile_is_left_and_the_others_are_written() {
    let (playdock, store, keys) = store_of(&["1", "2", "3"]);
    let execution = begin_new(&*store, "e");
    let at_version = |index: usize, version| {
        entry(keys[index], index.try_into().expect("small"), Some(closing(version)))
    };
    let entries = vec![at_version(0, 1), at_version(1, 7), at_version(2, u64::MAX)];
    let outcomes = record(&*store, batch(execution, entries)).expect("it can be written");
    assert_eq!(words(&outcomes), ["written", "changed meanwhile", "changed meanwhile"]);
    let ledger = store.ledger(execution).expect("the store answers");
    assert_eq!(ledger.iter().map(|line| line.number.as_str()).collect::<Vec<_>>(), ["1"]);
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), 1);

    // The one that was closed has another version now, whoever comes with the old one.
    let other = begin_new(&*store, "other");
    let entries = vec![at_version(0, 1), at_version(1, 1)];
    let outcomes = record(&*store, batch(other, entries)).expect("it can be written");
    assert_eq!(words(&outcomes), ["changed meanwhile", "written"]);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn a_task_that_is_added_between_changes_the_version() {
    let (playdock, store, keys) = store_of(&["1", "2", "3", "4"]);
    let execution = begin_new(&*store, "e");
    playdock.write(
        "INSERT INTO task (incident, position, title, required, status)
             SELECT id, 0, 'T', TRUE, 'Pending' FROM incident WHERE number IN ('1', '2');
         INSERT INTO field (incident, position, section, name, kind, required_on_close, visible,
                 value)
             SELECT id, 0, '', 'F', 'Activity', TRUE, TRUE, 'null' FROM incident
             WHERE number = '3';
         UPDATE task SET status = 'Completed'
             WHERE incident = (SELECT id FROM incident WHERE number = '2');
         DELETE FROM task WHERE incident = (SELECT id FROM incident WHERE number = '2')",
    );
    let facts = store.look_up(&keys).expect("the store answers");
    let versions: Vec<u64> = facts.into_iter().flatten().map(|facts| facts.version).collect();
    assert_eq!(versions, [2, 4, 2, 1]);
    let entries = (0..4).zip(&keys).map(|(place, key)| entry(*key, place, Some(closing(1))));
    let outcomes = record(&*store, batch(execution, entries.collect()));
    let changed = "changed meanwhile";
    assert_eq!(
        words(&outcomes.expect("it can be written")),
        [changed, changed, changed, "written"]
    );
}

#[test]
fn changes_of_each_kind_may_be_in_one_batch() {
    let (playdock, store, keys) = store_of(&["1", "2", "3"]);
    let first = begin_new(&*store, "first");
    record(&*store, batch(first, vec![entry(keys[0], 0, Some(closing(1)))])).expect("written");
    let second = begin_new(&*store, "second");
    let reopening =
        ChangeToMake { kind: ChangeKind::Reopen, status: Status::InProgress, ..closing(2) };
    let assigning = ChangeToMake {
        kind: ChangeKind::Assign,
        status: Status::Open,
        owner: Some("jane".to_owned()),
        ..closing(1)
    };
    let entries = vec![
        entry(keys[0], 0, Some(reopening)),
        entry(keys[1], 1, Some(assigning)),
        entry(keys[2], 2, Some(closing(1))),
    ];
    let outcomes = record(&*store, batch(second, entries)).expect("it can be written");
    assert_eq!(words(&outcomes), ["written"; 3]);
    let facts = store.look_up(&keys).expect("the store answers");
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    assert_eq!((&facts[0].status, facts[0].version), (&Status::InProgress, 3));
    assert_eq!((facts[0].closed_at, facts[0].closed_by.as_deref()), (None, None));
    assert_eq!((&facts[1].status, facts[1].owner.as_deref()), (&Status::Open, Some("jane")));
    assert_eq!(facts[2].status, Status::Closed);
    let audit = |number: &str| {
        let shown = store.incident(number, None).expect("the store answers");
        shown[0].audit.iter().map(|entry| entry.action.clone()).collect::<Vec<_>>()
    };
    assert_eq!(audit("1"), ["close", "reopen"]);
    assert_eq!((audit("2"), audit("3")), (vec!["assign".to_owned()], vec!["close".to_owned()]));
    let assigned = &store.incident("2", None).expect("the store answers")[0].audit[0];
    assert_eq!(
        (assigned.before_owner.as_deref(), assigned.owner.as_deref()),
        (Some(""), Some("jane"))
    );
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn a_conclusion_is_appended() {
    let (playdock, store, keys) = store_of(&["1", "2"]);
    playdock.write("UPDATE incident SET conclusion = '<p>é</p>' WHERE number = '1'");
    let execution = begin_new(&*store, "e");
    let entries = vec![entry(keys[0], 0, Some(closing(1))), entry(keys[1], 1, Some(closing(1)))];
    let conclusion = Some("<p>Done</p>".to_owned());
    record(&*store, RecordBatch { conclusion, ..batch(execution, entries) }).expect("written");
    let shown = |number| store.incident(number, None).expect("the store answers").remove(0);
    assert_eq!(shown("1").conclusion, "<p>é</p><p>Done</p>");
    assert_eq!(shown("2").conclusion, "<p>Done</p>");
    // Bytes, not characters.
    let began = playdock.rows("SELECT before_conclusion_bytes FROM audit ORDER BY incident");
    assert_eq!(began, ["9", "0"]);
}

#[test]
fn a_ledger_is_in_the_order_of_the_input_and_lines_can_be_replaced() {
    let (_playdock, store, keys) = store_of(&["1", "2", "3"]);
    let execution = begin_new(&*store, "e");
    let entries = vec![entry(keys[2], 0, None), entry(keys[0], 9, None)];
    record(&*store, batch(execution, entries)).expect("it can be written");
    let entries = vec![entry(keys[1], 4, None)];
    record(&*store, batch(execution, entries)).expect("it can be written");
    let positions = |ledger: &[playdock_host::incidents::LedgerRow]| -> Vec<u64> {
        ledger.iter().map(|line| line.position).collect()
    };
    let ledger = store.ledger(execution).expect("the store answers");
    assert_eq!(positions(&ledger), [0, 4, 9]);
    let sequences: std::collections::HashSet<u64> =
        ledger.iter().map(|line| line.sequence).collect();
    assert_eq!(sequences.len(), 3);

    let replacing =
        LedgerEntry { replaces: Some(ledger[2].sequence), ..entry(keys[0], 9, Some(closing(1))) };
    let rows = vec![row("at last")];
    record(&*store, RecordBatch { rows, ..batch(execution, vec![replacing]) }).expect("written");
    let ledger = store.ledger(execution).expect("the store answers");
    assert_eq!(positions(&ledger), [0, 4, 9]);
    let last = &ledger[2];
    assert_eq!(
        (last.change, last.row.message.as_deref()),
        (Some(ChangeKind::Close), Some("at last"))
    );
    assert_eq!(ledger[0].row.message.as_deref(), Some("done"));
    // Another execution has a ledger of its own.
    let other = begin_new(&*store, "other");
    assert!(store.ledger(other).expect("the store answers").is_empty());
}

#[test]
fn an_entry_that_cannot_be_written_leaves_the_others() {
    let (playdock, store, keys) = store_of(&["1", "2", "3"]);
    let execution = begin_new(&*store, "e");
    let wrong = ChangeToMake { status: Status::Other("Merged".to_owned()), ..closing(1) };
    let entries = vec![
        entry(keys[0], 0, Some(closing(1))),
        entry(keys[1], 1, Some(wrong)),
        entry(keys[2], 2, Some(closing(1))),
    ];
    let outcomes = record(&*store, batch(execution, entries)).expect("the others are written");
    assert_eq!(words(&outcomes), ["written", "failed", "written"]);
    let ledger = store.ledger(execution).expect("the store answers");
    assert_eq!(ledger.iter().map(|line| line.position).collect::<Vec<_>>(), [0, 2]);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn batches_under_way_are_committed_in_their_order() {
    let numbers: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (playdock, store, keys) = store_of(&numbers);
    let execution = begin_new(&*store, "e");
    let mut commits = Vec::new();
    for (position, key) in (0..).zip(&keys) {
        let entries = vec![entry(*key, position, Some(closing(1)))];
        let (outcomes, commit) = store.record(batch(execution, entries)).judged().expect("judged");
        assert_eq!(words(&outcomes), ["written"]);
        commits.push(commit);
    }
    // Waiting for the last is waiting for all.
    commits.pop().expect("there is one").wait().expect("it is written");
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), 40);
    for commit in commits {
        commit.wait().expect("it is written");
    }
    let ledger = store.ledger(execution).expect("the store answers");
    assert!(ledger.is_sorted_by_key(|line| line.sequence));
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn nothing_is_written_for_an_execution_that_there_is_not() {
    let (playdock, store, keys) = store_of(&["1"]);
    let Begun::New(real) = super::begin(&*store, &new_execution("e")) else { panic!("it is new") };
    let none = playdock_host::incidents::ExecutionKey(real.0 + 1000);
    let entries = vec![entry(keys[0], 0, Some(closing(1)))];
    let error = record(&*store, batch(none, entries)).expect_err("there is none");
    assert!(error.to_string().contains("taken over"), "{error}");
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM ledger"), 0);
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), 0);
}

//! What an import does to the owners of incidents that an execution assigned.

use super::super::{batch, begin_new, closing, entry, record};
use super::{facts, filled, import, incident};
use playdock_host::incidents::{ChangeToMake, Store};
use playdock_plugin_api::{ChangeKind, Status};
use playdock_tests::in_postgres_too;

in_postgres_too!(
    an_owner_whom_an_execution_assigned_stays,
    an_owner_of_before_the_last_assignment_does_not_come_back,
    an_owner_whom_nobody_assigned_is_that_of_the_file,
);

/// Assigns the incident 1, which has this version, in an execution.
fn assign(store: &dyn Store, owner: &str, version: u64) {
    let keys = store.resolve("A", &["1"]).expect("the store answers");
    let assignment = ChangeToMake {
        kind: ChangeKind::Assign,
        status: Status::Open,
        owner: Some(owner.to_owned()),
        ..closing(version)
    };
    let entries = vec![entry(keys[0].expect("it is there"), 0, Some(assignment))];
    record(store, batch(begin_new(store, owner), entries)).expect("it is written");
}

#[test]
fn an_owner_whom_an_execution_assigned_stays() {
    let (_playdock, store) = filled(&incident(r#""owner":"omar""#));
    assign(&*store, "jane", 1);
    let summary = import(&*store, &incident(r#""owner":"omar","title":"U","conclusion":"C""#));
    assert_eq!((summary.kept_changed.count, summary.kept_changed.examples), (1, vec!["1".into()]));
    assert_eq!(facts(&*store), "|U|Open||jane|-|-|-|C");
    let summary = import(&*store, &incident(r#""owner":"jane","title":"U""#));
    assert_eq!((summary.kept_changed.count, summary.incidents_unchanged), (0, 1));
    // A file that closes it has its way with the rest.
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","owner":"omar""#;
    assert_eq!(import(&*store, &incident(closed)).kept_changed.count, 1);
    assert_eq!(facts(&*store), "|U|Closed||jane|-|2000|-|C");
}

#[test]
fn an_owner_of_before_the_last_assignment_does_not_come_back() {
    let (_playdock, store) = filled(&incident(r#""owner":"omar""#));
    assign(&*store, "jane", 1);
    assign(&*store, "ann", 2);
    for owner in ["omar", "jane", "somebody", ""] {
        let summary = import(&*store, &incident(&format!(r#""owner":"{owner}""#)));
        assert_eq!(summary.kept_changed.count, 1, "{owner}");
    }
    assert_eq!(facts(&*store), "||Open||ann|-|-|-|");
}

#[test]
fn an_owner_whom_nobody_assigned_is_that_of_the_file() {
    let (playdock, store) = filled(&incident(r#""owner":"omar""#));
    assign(&*store, "jane", 1);
    playdock.write("UPDATE incident SET owner = 'omar'");
    let summary = import(&*store, &incident(r#""owner":"ann""#));
    assert_eq!((summary.kept_changed.count, summary.incidents_updated), (0, 1));
    assert_eq!(facts(&*store), "||Open||ann|-|-|-|");
}

//! What an import does to incidents that are closed in the store, by a file or by an execution.

use super::super::{batch, begin_new, closing, entry, record};
use super::{facts, filled, import, incident, rules, shown};
use playdock_host::incidents::{ChangeToMake, RecordBatch, Store};
use playdock_plugin_api::{ChangeKind, Status, Timestamp};
use playdock_tests::in_postgres_too;

in_postgres_too!(
    a_closed_incident_stays_closed_with_its_conclusion,
    what_an_execution_closed_is_left_alone,
    an_incident_reopened_since_is_updated_and_may_be_closed_by_a_file,
    what_an_execution_reopened_is_closed_only_by_a_file_with_a_later_date,
    what_an_execution_reopened_keeps_its_conclusion,
);

/// Closes the incident 1 in an execution.
fn close_in_execution(store: &dyn Store) {
    let keys = store.resolve("A", &["1"]).expect("the store answers");
    let (execution, key) = (begin_new(store, "e"), keys[0].expect("it is there"));
    let entries = vec![entry(key, 0, Some(closing(1)))];
    let conclusion = Some("<p>Done</p>".to_owned());
    record(store, RecordBatch { conclusion, ..batch(execution, entries) }).expect("it is written");
}

/// Closes the incident 1 in an execution and reopens it in another, at this instant.
fn reopen_in_execution(store: &dyn Store, at: i64) {
    close_in_execution(store);
    let keys = store.resolve("A", &["1"]).expect("the store answers");
    let reopening = ChangeToMake {
        kind: ChangeKind::Reopen,
        status: Status::OnHold,
        at: Timestamp::from_milliseconds(at),
        ..closing(2)
    };
    let entries = vec![entry(keys[0].expect("it is there"), 0, Some(reopening))];
    let batch = batch(begin_new(store, "reopening"), entries);
    let conclusion = Some("<p>Again</p>".to_owned());
    record(store, RecordBatch { conclusion, ..batch }).expect("it is written");
}

#[test]
fn a_closed_incident_stays_closed_with_its_conclusion() {
    let (_playdock, store) = filled(&incident(
        r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe","conclusion":"C""#,
    ));
    let text = incident(r#""status":"Open","title":"U","conclusion":"D","tasks":[{"title":"T"}]"#);
    let summary = import(&*store, &text);
    assert_eq!((summary.kept_closed.count, summary.incidents_updated), (1, 0));
    assert_eq!(summary.kept_closed.examples, ["1"]);
    assert_eq!(facts(&*store), "|U|Closed|||-|2000|joe|C");
    assert_eq!(rules(&*store), ["T false"]);
}

#[test]
fn what_an_execution_closed_is_left_alone() {
    let (_playdock, store) = filled(&incident("\"title\":\"T\""));
    close_in_execution(&*store);
    let before = shown(&*store);
    assert_eq!(before.closed_in.as_deref(), Some("e"));
    for status in ["Open", "Closed"] {
        let text =
            incident(&format!(r#""title":"U","status":"{status}","tasks":[{{"title":"T"}}]"#));
        let summary = import(&*store, &text);
        assert_eq!((summary.left_alone.count, summary.kept_closed.count), (1, 0));
    }
    assert_eq!(shown(&*store), before);
}

#[test]
fn an_incident_reopened_since_is_updated_and_may_be_closed_by_a_file() {
    let (playdock, store) = filled(&incident("\"title\":\"T\""));
    close_in_execution(&*store);
    playdock.write("UPDATE incident SET status = 'In Progress'");
    let summary = import(&*store, &incident("\"title\":\"U\""));
    assert_eq!(summary.incidents_updated, 1);
    let line = shown(&*store).line;
    assert_eq!((line.status.as_str(), line.title.as_str()), ("In Progress", "U"));
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    import(&*store, &incident(closed));
    assert_eq!(facts(&*store), "|U|Closed|||-|2000|joe|<p>Done</p>");
    assert_eq!(shown(&*store).closed_in, None);
}

#[test]
fn what_an_execution_reopened_is_closed_only_by_a_file_with_a_later_date() {
    let (_playdock, store) = filled(&incident("\"title\":\"T\""));
    reopen_in_execution(&*store, 3000);
    for closed in [r#""1970-01-01T00:00:02Z""#, r#""1970-01-01T00:00:03Z""#, "null"] {
        let members = format!(
            r#""status":"Closed","closed":{closed},"closed_by":"joe","title":"{}","conclusion":"C""#,
            closed.len()
        );
        let summary = import(&*store, &incident(&members).repeat(2));
        assert_eq!((summary.kept_changed.count, summary.repeated), (1, 1), "{closed}");
        assert_eq!((summary.incidents_updated, summary.incidents_unchanged), (0, 0));
        let title = closed.len();
        let kept = format!("|{title}|On Hold|||-|-|-|<p>Done</p><p>Again</p>");
        assert_eq!(facts(&*store), kept);
    }
    let later = r#""status":"Closed","closed":"1970-01-01T00:00:03.001Z","conclusion":"C""#;
    let summary = import(&*store, &incident(later));
    assert_eq!((summary.kept_changed.count, summary.incidents_updated), (0, 1));
    assert_eq!(facts(&*store), "|4|Closed|||-|3001|-|C");
    assert_eq!(import(&*store, &incident("\"status\":\"Open\"")).kept_closed.count, 1);
}

#[test]
fn what_an_execution_reopened_keeps_its_conclusion() {
    let (_playdock, store) = filled(&incident("\"title\":\"T\""));
    reopen_in_execution(&*store, 3000);
    let text = incident(r#""status":"In Progress","title":"U","conclusion":"""#);
    let summary = import(&*store, &text);
    assert_eq!((summary.kept_changed.count, summary.kept_changed.examples), (1, vec!["1".into()]));
    assert_eq!(facts(&*store), "|U|In Progress|||-|-|-|<p>Done</p><p>Again</p>");
    assert_eq!(import(&*store, &incident("\"title\":\"V\"")).incidents_updated, 1);
}

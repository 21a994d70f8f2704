//! What an import does to incidents that are closed in the store, by a file or by an execution.

use super::super::{batch, begin_new, closing, entry, record};
use super::{facts, filled, import, incident, rules, shown};
use playdock_host::incidents::{RecordBatch, Store};
use playdock_tests::in_postgres_too;

in_postgres_too!(
    a_closed_incident_stays_closed_with_its_conclusion,
    what_an_execution_closed_is_left_alone,
    an_incident_reopened_since_is_updated_and_may_be_closed_by_a_file,
);

/// Closes the incident 1 in an execution.
fn close_in_execution(store: &dyn Store) {
    let keys = store.resolve("A", &["1"]).expect("the store answers");
    let (execution, key) = (begin_new(store, "e"), keys[0].expect("it is there"));
    let entries = vec![entry(key, 0, Some(closing(1)))];
    let conclusion = Some("<p>Done</p>".to_owned());
    record(store, RecordBatch { conclusion, ..batch(execution, entries) }).expect("it is written");
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

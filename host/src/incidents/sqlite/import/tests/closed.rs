//! What an import does to incidents that are closed in the store, by a file or by an execution.

use super::*;

/// What an execution leaves behind of an incident that it closed.
fn close_in_execution(store: &Connection) {
    store
        .execute_batch(
            "INSERT INTO execution (id, execution_id, command, plugin, plugin_version,
                    plugin_digest, mode, site, parameters, parameters_digest, columns,
                    started_at, state)
             VALUES (7, 'e', 'c', 'p', '1', 'd', 'manual', 'A', '{}', 'd', '[]', 0, 'finished');
             UPDATE incident SET status = 'Closed', closed_at = 5, closed_by = 'u', closed_in = 7,
                    conclusion = '<p>Done</p>', version = version + 1",
        )
        .unwrap();
}

#[test]
fn a_closed_incident_stays_closed_with_its_conclusion() {
    let mut store = filled(&incident(
        r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe","conclusion":"C""#,
    ));
    let text = incident(r#""status":"Open","title":"U","conclusion":"D","tasks":[{"title":"T"}]"#);
    let summary = import_at(&mut store, &text, 9).unwrap();
    assert_eq!((summary.kept_closed.count, summary.incidents_updated), (1, 0));
    assert_eq!(summary.kept_closed.examples, ["1"]);
    let facts = "status || closed_at || closed_by || conclusion || title || imported_at";
    assert_eq!(value(&store, facts), "Closed2000joeCU9");
    assert_eq!(list(&store, "SELECT title FROM task"), ["T"]);
}

#[test]
fn what_an_execution_closed_is_left_alone() {
    let mut store = filled(&incident("\"title\":\"T\""));
    close_in_execution(&store);
    let all = "status || closed_at || closed_by || closed_in || conclusion || title || version
        || imported_at";
    let before = value(&store, all);
    for status in ["Open", "Closed"] {
        let text =
            incident(&format!(r#""title":"U","status":"{status}","tasks":[{{"title":"T"}}]"#));
        let summary = import_at(&mut store, &text, 9).unwrap();
        assert_eq!((summary.left_alone.count, summary.kept_closed.count), (1, 0));
    }
    assert_eq!(value(&store, all), before);
    assert!(list(&store, "SELECT title FROM task").is_empty());
}

#[test]
fn an_incident_reopened_since_is_updated_and_may_be_closed_by_a_file() {
    let mut store = filled(&incident("\"title\":\"T\""));
    close_in_execution(&store);
    store.execute_batch("UPDATE incident SET status = 'In Progress'").unwrap();
    let summary = import_at(&mut store, &incident("\"title\":\"U\""), 9).unwrap();
    assert_eq!(summary.incidents_updated, 1);
    assert_eq!(value(&store, "status || title"), "In ProgressU");
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    import_at(&mut store, &incident(closed), 9).unwrap();
    assert_eq!(value(&store, "status || closed_at || closed_by"), "Closed2000joe");
    assert_eq!(value(&store, "closed_in"), "NULL");
}

//! The example files that come with the project are imported as they are.

use super::{import, import_csv, store};
use playdock_host::incidents::IncidentFilter;
use playdock_tests::in_postgres_too;
use serde_json::{Value, json};

in_postgres_too!(the_rows_and_their_map_go_into_a_store_with_the_lines);

const ROWS: &str = include_str!("../../../../plugin/examples/incidents.csv");
const MAP: &str = include_str!("../../../../plugin/examples/incidents-map.toml");
const LINES: &str = include_str!("../../../../plugin/examples/incidents.jsonl");

#[test]
fn the_rows_and_their_map_go_into_a_store_with_the_lines() {
    let (_playdock, store) = store();
    assert_eq!(import(&*store, LINES).incidents_added, 5);
    let summary = import_csv(&*store, MAP, ROWS);
    assert_eq!((summary.incidents_added, summary.left_out), (6, 1));

    let all = IncidentFilter { limit: 99, ..IncidentFilter::default() };
    let listed = store.incidents(&all).expect("the store answers");
    let rows = &listed[5..];
    // Pacific time, and a text with a comma and a quote.
    let closed = rows.iter().find(|line| line.status == "Closed").expect("one is closed");
    assert_eq!(closed.number, "20210128-304");
    assert_eq!(closed.title, "Port scan from a \"guest\" network, reported twice");
    assert_eq!(closed.closed_by.as_deref(), Some("jane"));
    let json = serde_json::to_value(closed).expect("it is JSON");
    assert_eq!(json["closed_at"], json!("2021-01-28T23:30:00Z"));
    let mut numbers: Vec<&str> = rows.iter().map(|line| line.number.as_str()).collect();
    numbers.sort_unstable();
    let values: Vec<Value> = numbers
        .iter()
        .map(|number| store.incident(number, None).expect("the store answers").remove(0))
        .flat_map(|incident| incident.fields)
        .map(|field| {
            assert_eq!((field.section.as_str(), field.name.as_str()), ("Closure", "Root cause"));
            field.value
        })
        .collect();
    assert_eq!(values[..2], [json!("Phishing"), Value::Null]);
    for user in ["admin user", "jane", "trainee"] {
        assert!(store.user(user).expect("the store answers").is_some(), "{user}");
    }
}

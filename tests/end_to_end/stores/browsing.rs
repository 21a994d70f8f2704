//! Looking at incidents as people do.

use super::{SITE, store_with};
use playdock_host::incidents::IncidentFilter;
use playdock_tests::{SITE_AND_USER, in_postgres_too, incident};
use serde_json::json;

in_postgres_too!(
    all_that_a_filter_lets_through_are_counted_and_the_first_are_listed,
    an_incident_is_shown_whole_and_once_for_each_site,
);

#[test]
fn all_that_a_filter_lets_through_are_counted_and_the_first_are_listed() {
    let sites = "{\"kind\":\"site\",\"name\":\"a\"}\n{\"kind\":\"site\",\"name\":\"Z é\"}\n";
    let lines = [
        incident("9", json!({"status": "Closed", "site": "a"})),
        incident("10", json!({"status": "On Hold"})),
        incident("8", json!({"status": "Closed"})),
        incident("7", json!({"status": "Closed"})),
    ];
    let (_playdock, store) = store_with(&format!("{SITE_AND_USER}{sites}{}", lines.concat()));
    // As bytes go, whatever the language of the machine.
    assert_eq!(store.site_names().expect("the store answers"), [SITE, "Z é", "a"]);
    let filter = |site: Option<&str>, status: Option<&str>, limit| IncidentFilter {
        site: site.map(str::to_owned),
        status: status.map(str::to_owned),
        limit,
    };
    for (filter, count, listed) in [
        (filter(None, None, 3), 4, &["9", "10", "8"][..]),
        (filter(Some(SITE), Some("Closed"), 1), 2, &["8"]),
        (filter(Some("a"), None, 9), 1, &["9"]),
        (filter(Some("A"), None, 9), 0, &[]),
        (filter(None, Some("closed"), 9), 0, &[]),
        (filter(None, None, usize::MAX), 4, &["9", "10", "8", "7"]),
    ] {
        let found = store.incidents(&filter).expect("the store answers");
        let numbers: Vec<&str> = found.iter().map(|line| line.number.as_str()).collect();
        assert_eq!(numbers, listed, "{filter:?}");
        assert_eq!(store.count_incidents(&filter).expect("the store answers"), count, "{filter:?}");
    }
}

#[test]
fn an_incident_is_shown_whole_and_once_for_each_site() {
    let whole = json!({
        "status": "Closed", "closed": "1970-01-01T00:00:00Z", "closed_by": "joe",
        "type": "Phishing", "title": "T", "severity": "High", "owner": "jane",
        "created": "1969-12-31T23:59:59.999Z", "conclusion": "<p>é</p>",
        "tasks": [{"title": "Reset", "required": true}, {"title": "Call", "status": "Odd"}],
        "fields": [{"section": "S", "name": "F", "required_on_close": true,
            "value": {"b": [0.5, false], "a": null}}],
    });
    let lines = format!(
        "{SITE_AND_USER}{}\n{}{}",
        r#"{"kind":"site","name":"A"}"#,
        incident("1", whole),
        incident("1", json!({"site": "A"}))
    );
    let (_playdock, store) = store_with(&lines);
    let shown = store.incident("1", None).expect("the store answers");
    let sites: Vec<&str> = shown.iter().map(|it| it.line.site.as_str()).collect();
    assert_eq!(sites, ["A", SITE]);
    assert_eq!(store.incident("1", Some("B")).expect("the store answers"), []);
    assert_eq!(store.incident("2", None).expect("the store answers"), []);
    assert_eq!(store.incident("1", Some("A")).expect("the store answers")[..], shown[..1]);
    let mut json = serde_json::to_value(&shown[1]).expect("it is JSON");
    let imported = json["imported_at"].take();
    assert!(imported.as_str().is_some_and(|text| text.ends_with('Z')), "{imported}");
    // What it grows by while it is imported is the store's matter.
    assert!(json["version"].take().as_u64() > Some(0));
    assert_eq!(
        json,
        json!({
            "number": "1", "site": SITE, "status": "Closed", "severity": "High",
            "type": "Phishing", "title": "T", "owner": "jane",
            "closed_at": "1970-01-01T00:00:00Z", "closed_by": "joe",
            "version": null, "conclusion": "<p>é</p>", "created_at": "1969-12-31T23:59:59.999Z",
            "imported_at": null, "closed_in": null,
            "tasks": [
                {"title": "Reset", "required": true, "status": "Pending"},
                {"title": "Call", "required": false, "status": "Odd"},
            ],
            "fields": [{"section": "S", "name": "F", "kind": "Activity",
                "required_on_close": true, "visible": true,
                "value": {"b": [0.5, false], "a": null}}],
            "audit": [],
        })
    );
}

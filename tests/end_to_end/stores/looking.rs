//! Looking sites, users and incidents up.

use super::{SITE, store_with};
use playdock_host::incidents::{IncidentKey, SiteRecord, UserRecord};
use playdock_plugin_api::{Status, Timestamp};
use playdock_tests::{SITE_AND_USER, in_postgres_too, incident};
use serde_json::{Value, json};

in_postgres_too!(
    sites_and_users_are_found_by_exactly_their_names,
    numbers_are_found_in_any_order_near_each_other_and_far_apart,
    facts_are_those_of_the_incident_wherever_it_lies,
    facts_are_whole,
    what_no_store_could_hold_is_not_found,
);

#[test]
fn sites_and_users_are_found_by_exactly_their_names() {
    let users = r#"{"kind":"site","name":"A"}
{"kind":"user","username":"jané","sites":["Security Operations","A"],"may_close":false}
{"kind":"user","username":"gone","active":false}
"#;
    let (_playdock, store) = store_with(&format!("{SITE_AND_USER}{users}"));
    let zone = |name: &str| {
        let site = store.site(name).expect("the store answers");
        site.map(|SiteRecord { time_zone, .. }| time_zone)
    };
    assert_eq!(zone(SITE).as_deref(), Some("America/Los_Angeles"));
    assert_eq!(zone("A").as_deref(), Some("UTC"));
    assert_eq!((zone("a"), zone("A "), zone("")), (None, None, None));
    let user = |name: &str| store.user(name).expect("the store answers");
    let mut jane = user("jané").expect("it is there");
    jane.sites.sort();
    let sites = vec!["A".to_owned(), SITE.to_owned()];
    let username = "jané".to_owned();
    assert_eq!(jane, UserRecord { username, active: true, may_close: false, sites });
    assert_eq!(user("gone").map(|user| (user.active, user.sites.len())), Some((false, 0)));
    assert_eq!((user("Gone"), user("jane"), user("jane\u{301}")), (None, None, None));
}

/// Sixty incidents in two sites, of which every third has two required tasks and every fifth a
/// field.
fn sixty() -> String {
    let lines = (1..=60).map(|id| {
        let site = if id % 2 == 0 { SITE } else { "B" };
        let mut tasks = vec![json!({"title": "not required", "required": false})];
        if id % 3 == 0 {
            tasks.insert(0, json!({"title": "one", "required": true}));
            tasks.push(json!({"title": "two", "required": true}));
        }
        let field = json!({"section": "S", "name": "F", "required_on_close": true});
        let fields: Vec<Value> = if id % 5 == 0 { vec![field] } else { Vec::new() };
        incident(&format!("N{id:03}"), json!({"site": site, "tasks": tasks, "fields": fields}))
    });
    let lines: String = lines.collect();
    format!("{SITE_AND_USER}{}\n{lines}", r#"{"kind":"site","name":"B"}"#)
}

#[test]
fn numbers_are_found_in_any_order_near_each_other_and_far_apart() {
    let (_playdock, store) = store_with(&sixty());
    for step in [1, 2, 7, 25] {
        let mut numbers: Vec<String> =
            (0..=70).step_by(step).map(|id| format!("N{id:03}")).collect();
        numbers.extend(["M", "N0035", "n002", " N002", ""].map(str::to_owned));
        for _ in 0..2 {
            numbers.reverse();
            let asked: Vec<&str> = numbers.iter().map(String::as_str).collect();
            let found = store.resolve(SITE, &asked).expect("the store answers");
            assert_eq!(found.len(), asked.len());
            for (number, key) in asked.iter().zip(found) {
                let id = number.strip_prefix('N').filter(|id| id.len() == 3);
                let id: Option<u64> = id.and_then(|id| id.parse().ok());
                let here = id.is_some_and(|id| (1..=60).contains(&id) && id % 2 == 0);
                assert_eq!(key.is_some(), here, "{number}");
            }
        }
    }
    assert_eq!(store.resolve("C", &["N002"]).expect("the store answers"), [None]);
    assert_eq!(store.resolve(SITE, &[]).expect("the store answers"), []);
}

#[test]
fn facts_are_those_of_the_incident_wherever_it_lies() {
    let (_playdock, store) = store_with(&sixty());
    let ids: Vec<i64> = (1..=60).collect();
    let keys: Vec<IncidentKey> = ids
        .iter()
        .map(|id| {
            let (site, number) = (if id % 2 == 0 { SITE } else { "B" }, format!("N{id:03}"));
            let found = store.resolve(site, &[number.as_str()]).expect("the store answers");
            found[0].expect("it was imported")
        })
        .collect();
    for step in [1, 3, 25] {
        let mut asked: Vec<(Option<i64>, IncidentKey)> =
            ids.iter().zip(&keys).step_by(step).map(|(id, key)| (Some(*id), *key)).collect();
        asked.extend([-3, 0, i64::MAX].map(|key| (None, IncidentKey(key))));
        for _ in 0..2 {
            asked.reverse();
            let keys: Vec<IncidentKey> = asked.iter().map(|(_, key)| *key).collect();
            let found = store.look_up(&keys).expect("the store answers");
            assert_eq!(found.len(), keys.len());
            for ((id, key), facts) in asked.iter().zip(found) {
                assert_eq!(facts.is_some(), id.is_some(), "{key:?}");
                let Some((id, facts)) = id.zip(facts) else { continue };
                let titles: Vec<&str> =
                    facts.required_tasks.iter().map(|task| task.title.as_str()).collect();
                let expected: &[&str] = if id % 3 == 0 { &["one", "two"] } else { &[] };
                assert_eq!(titles, expected, "{id}");
                assert_eq!(facts.required_fields.len(), usize::from(id % 5 == 0));
            }
        }
    }
    assert_eq!(store.look_up(&[]).expect("the store answers"), []);
}

#[test]
fn facts_are_whole() {
    let line = incident(
        "1",
        json!({"status": "Closed", "closed": "1970-01-01T00:00:02Z", "closed_by": "joe",
        "owner": "jané",
        "tasks": [{"title": "Call", "required": true, "status": "Half done"}],
        "fields": [
            {"section": "S", "name": "hidden", "required_on_close": true, "visible": false},
            {"section": "", "name": "F", "required_on_close": true, "kind": "Info Activity",
                "value": ["é", 1.5, {"b": null, "a": "\u{0}"}]},
        ]}),
    );
    let (_playdock, store) = store_with(&format!("{SITE_AND_USER}{line}"));
    let keys = store.resolve(SITE, &["1"]).expect("the store answers");
    let found = store.look_up(&[keys[0].expect("it was imported")]).expect("the store answers");
    let facts = found.into_iter().next().flatten().expect("it is there");
    assert_eq!(facts.status, Status::Closed);
    assert_eq!(facts.closed_at, Some(Timestamp::from_milliseconds(2000)));
    assert_eq!((facts.closed_by.as_deref(), facts.owner.as_deref()), (Some("joe"), Some("jané")));
    let facts = serde_json::to_value(facts).expect("facts are JSON");
    let task = &facts["required_tasks"][0];
    assert_eq!((&task["title"], &task["status"]), (&json!("Call"), &json!("Half done")));
    let fields = &facts["required_fields"];
    let said = |index: usize| [&fields[index]["name"], &fields[index]["value"]];
    assert_eq!(fields.as_array().map(Vec::len), Some(2), "{fields}");
    assert_eq!(said(0), ["hidden", "null"]);
    assert_eq!(said(1), ["F", "present"]);
}

#[test]
fn what_no_store_could_hold_is_not_found() {
    let (_playdock, store) = store_with(SITE_AND_USER);
    let odd = "\u{0}";
    assert_eq!(store.site(odd).expect("the store answers"), None);
    assert_eq!(store.user(odd).expect("the store answers"), None);
    assert_eq!(store.resolve(SITE, &[odd, "a\u{0}b"]).expect("the store answers"), [None, None]);
    assert_eq!(store.resolve(odd, &["1"]).expect("the store answers"), [None]);
    assert!(store.execution(odd).expect("the store answers").is_none());
    assert_eq!(store.begun_by(odd).expect("the store answers"), None);
    assert!(store.incident(odd, Some(odd)).expect("the store answers").is_empty());
}

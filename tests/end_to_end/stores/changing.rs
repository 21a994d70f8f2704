//! Changes of a batch that are alike or each another, of incidents that lie close together or far
//! apart: each changes its incident, and is in the audit, as if it were alone.

use super::{batch, begin_new, closing, entry, record, store_of, words};
use playdock_host::incidents::{ChangeToMake, IncidentKey, LedgerEntry, RecordBatch};
use playdock_plugin_api::{ChangeKind, Status, Timestamp};
use playdock_tests::in_postgres_too;
use serde_json::json;

in_postgres_too!(
    changes_that_are_alike_and_others_are_made_near_each_other_and_far_apart,
    of_incidents_that_lie_close_one_that_changed_is_left_and_those_between_are_not_touched,
);

/// Incidents of a hundred: three that lie close together, or three that lie far apart.
const PLACES: [[usize; 3]; 2] = [[10, 11, 13], [0, 50, 99]];

fn hundred() -> Vec<String> {
    (0..100).map(|number| format!("{number:03}")).collect()
}

#[test]
fn changes_that_are_alike_and_others_are_made_near_each_other_and_far_apart() {
    let at = Timestamp::now();
    let millisecond_later = Timestamp::from_milliseconds(at.milliseconds() + 1);
    let waived = json!([{"bypass": "B", "tasks": ["T"], "fields": []}]).to_string();
    let alike = ChangeToMake { at, waived: Some(waived), ..closing(1) };
    let assigned = ChangeToMake {
        kind: ChangeKind::Assign,
        status: Status::Open,
        owner: Some("admin user".to_owned()),
        waived: None,
        ..alike.clone()
    };
    let later = ChangeToMake { at: millisecond_later, waived: None, ..alike.clone() };
    let audited = |change: &ChangeToMake| {
        let (action, at) = (change.kind.as_str(), change.at.milliseconds());
        format!("1:{action}:{at}:Open:{}", change.waived.as_deref().unwrap_or_default())
    };
    for places in PLACES {
        for changes in [[&alike, &alike, &alike], [&alike, &assigned, &later]] {
            let numbers = hundred();
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            let (playdock, store, keys) = store_of(&numbers);
            let execution = begin_new(&*store, "e");
            let each = places.iter().zip(changes).zip(0..);
            let entries =
                each.map(|((place, change), at)| entry(keys[*place], at, Some(change.clone())));
            let mut entries: Vec<LedgerEntry> = entries.collect();
            // Whatever their order.
            entries.reverse();
            let conclusion = Some("<p>C</p>".to_owned());
            let batch = RecordBatch { conclusion, ..batch(execution, entries) };
            let outcomes = record(&*store, batch).expect("it can be written");
            assert_eq!(words(&outcomes), ["written"; 3]);
            let audit = playdock.rows(
                "SELECT before_version || ':' || action || ':' || at || ':' || before_status || ':'
                     || coalesce(waived, '') FROM audit ORDER BY incident",
            );
            assert_eq!(audit, changes.map(audited), "{places:?}");
            let changed =
                playdock.rows("SELECT number FROM incident WHERE version = 2 ORDER BY number");
            assert_eq!(changed, places.map(|place| numbers[place].to_owned()));
            let concluded = "SELECT count(*) FROM incident WHERE conclusion = '<p>C</p>'";
            assert_eq!(playdock.value::<usize>(concluded), 3);
            playdock.assert_nothing_is_half_closed();
        }
    }
}

#[test]
fn of_incidents_that_lie_close_one_that_changed_is_left_and_those_between_are_not_touched() {
    for places in PLACES {
        let numbers = hundred();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let (playdock, store, keys) = store_of(&numbers);
        playdock.write(&format!(
            "UPDATE incident SET version = 5 WHERE number = '{}'",
            numbers[places[1]]
        ));
        let execution = begin_new(&*store, "e");
        let chosen: Vec<IncidentKey> = places.iter().map(|place| keys[*place]).collect();
        let facts = store.look_up(&chosen).expect("the store answers");
        let versions: Vec<u64> = facts.into_iter().flatten().map(|facts| facts.version).collect();
        assert_eq!(versions, [1, 5, 1]);
        let entries = chosen.iter().zip(0..).map(|(key, at)| entry(*key, at, Some(closing(1))));
        let outcomes = record(&*store, batch(execution, entries.collect()));
        let outcomes = outcomes.expect("it can be written");
        assert_eq!(words(&outcomes), ["written", "changed meanwhile", "written"]);
        let closed =
            playdock.rows("SELECT number FROM incident WHERE status = 'Closed' ORDER BY 1");
        assert_eq!(closed, [numbers[places[0]], numbers[places[2]]]);
        playdock.assert_nothing_is_half_closed();
    }
}

//! Batches of several hosts that overlap: each incident is changed once, and nobody is told of a
//! deadlock.

use super::{batch, begin_new, closing, entry, record, store_of};
use playdock_host::incidents::{EntryOutcome, IncidentKey};
use playdock_tests::{Random, in_postgres_too};

in_postgres_too!(of_batches_that_overlap_one_changes_each_incident);

#[test]
fn of_batches_that_overlap_one_changes_each_incident() {
    const HOSTS: u64 = 6;
    let numbers: Vec<String> = (0..300).map(|number| format!("{number:03}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (playdock, _, keys) = store_of(&numbers);
    let written: usize = std::thread::scope(|scope| {
        let closing_all = |host: u64| {
            let (playdock, keys) = (&playdock, &keys);
            scope.spawn(move || {
                let store = playdock.open();
                let mut random = Random::new(host);
                let mut order: Vec<IncidentKey> = keys.clone();
                let mut written = 0;
                for round in 0..12 {
                    let execution = begin_new(&*store, &format!("host-{host}-{round}"));
                    // Whatever the order of the entries, no two batches wait for each other.
                    random.shuffle(&mut order);
                    let some = order.iter().take(100).zip(0..);
                    let entries = some.map(|(key, at)| entry(*key, at, Some(closing(1))));
                    let outcomes = record(&*store, batch(execution, entries.collect()));
                    let outcomes = outcomes.unwrap_or_else(|error| panic!("{host}: {error}"));
                    let is_written = |it: &&EntryOutcome| matches!(it, EntryOutcome::Written);
                    written += outcomes.iter().filter(is_written).count();
                }
                written
            })
        };
        let hosts: Vec<_> = (0..HOSTS).map(closing_all).collect();
        hosts.into_iter().map(|host| host.join().expect("it ends")).sum()
    });
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), written);
    let closed = "SELECT count(*) FROM incident WHERE status = 'Closed'";
    assert_eq!(playdock.value::<usize>(closed), written);
    playdock.assert_nothing_is_half_closed();
}

//! The main job in PostgreSQL: one call over many incidents, beside one bare `UPDATE` of the same
//! incidents on a copy of the same database. Both are durable as the server is by default.

use crate::closing::close_in;
use crate::measure::{once, ratio, side_by_side};
use crate::stores::{Blockers, lines, number, parameters, shuffled};
use crate::table;
use playdock_host::execution::Isolation;
use playdock_host::incidents::StoreLocation;
use playdock_host::incidents::import::JsonLines;
use playdock_tests::{PostgresDatabase, PostgresServer};
use std::ffi::OsString;
use std::time::Duration;

/// The time that the bare closing bears, in milliseconds since 1970.
const AT: i64 = 1_611_756_480_000;

/// Measures and writes the table.
pub(crate) fn measure(most: usize) {
    let server = PostgresServer::shared();
    let mut rows = Vec::new();
    for count in [1000, 10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most) {
        for blockers in [Blockers::Some, Blockers::None] {
            let original = server.database();
            import(&original, &lines(count, blockers));
            let numbers: Vec<String> = (0..count).map(number).collect();
            rows.push(compare(&original, &numbers, blockers, "as created"));
            rows.push(compare(&original, &shuffled(numbers), blockers, "shuffled"));
        }
    }
    table::write(
        "One call over many incidents in PostgreSQL (limit: 2.5 x UPDATE)",
        &[
            "incidents",
            "blocked",
            "order",
            "UPDATE each",
            "in process each",
            "x UPDATE",
            "worker x in process",
        ],
        &rows,
    );
}

fn import(database: &PostgresDatabase, lines: &str) {
    let store = StoreLocation::parse(&OsString::from(database.url())).unwrap().open().unwrap();
    store.import(&mut JsonLines::new(lines.as_bytes(), &mut |_| ())).unwrap();
    // As the server itself does it sooner or later: not while something is measured.
    database.client().batch_execute("VACUUM ANALYZE").unwrap();
}

fn compare(
    original: &PostgresDatabase,
    numbers: &[String],
    blockers: Blockers,
    order: &str,
) -> Vec<String> {
    let parameters = parameters(numbers);
    let count = numbers.len();
    let rounds = if count >= 1_000_000 { 2 } else { 5 };
    let worker = Isolation::Worker { program: playdock_tests::program() };
    let [update, in_process, worker] = side_by_side(
        rounds,
        [
            &mut || bare_update(&original.copy(), numbers),
            &mut || close(&original.copy(), &parameters, &Isolation::InProcess),
            &mut || close(&original.copy(), &parameters, &worker),
        ],
    );
    let blocked = match blockers {
        Blockers::None => "none",
        Blockers::Some => "1 in 10, 1 in 7",
    };
    vec![
        count.to_string(),
        blocked.to_owned(),
        order.to_owned(),
        table::each(update, count),
        table::each(in_process, count),
        table::times(ratio(in_process, update)),
        table::times(ratio(worker, in_process)),
    ]
}

/// One statement that closes all incidents, in one transaction.
fn bare_update(database: &PostgresDatabase, numbers: &[String]) -> Duration {
    let mut client = database.client();
    let update = client
        .prepare(
            "UPDATE incident SET status = 'Closed', version = version + 1, closed_at = $1,
                 closed_by = $2, closed_in = $3, conclusion = conclusion || $4
             WHERE site = 1 AND number = ANY($5)",
        )
        .unwrap();
    once(|| {
        let changed =
            client.execute(&update, &[&AT, &"admin user", &1_i64, &"", &numbers]).unwrap();
        assert_eq!(changed, numbers.len() as u64);
    })
}

fn close(database: &PostgresDatabase, parameters: &[u8], isolation: &Isolation) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let (store, output) = (OsString::from(database.url()), folder.path().join("answer.json"));
    close_in(&store, &output, parameters, isolation)
}

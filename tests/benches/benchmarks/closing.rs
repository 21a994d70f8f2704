//! The main job: one call over many incidents, from the bytes of its parameters to both outputs in
//! a file, beside one bare `UPDATE` of the same incidents and the loop that one would write.

use crate::baselines::{bare_update, row_by_row};
use crate::measure::{once, ratio, side_by_side};
use crate::stores::{Blockers, Original, number, parameters, shuffled};
use crate::table;
use playdock_host::execution::{Host, Invocation, Isolation, Parameters};
use playdock_host::incidents::StoreLocation;
use playdock_host::plugins::Plugins;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

/// Measures and writes the table.
pub(crate) fn measure(most: usize) {
    let mut rows = Vec::new();
    for count in [1000, 10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most) {
        for blockers in [Blockers::Some, Blockers::None] {
            let original = Original::new(count, blockers);
            let numbers: Vec<String> = (0..count).map(number).collect();
            rows.push(compare(&original, &numbers, blockers, "as created"));
            rows.push(compare(&original, &shuffled(numbers), blockers, "shuffled"));
        }
    }
    table::write(
        "One call over many incidents (limits: 2.0 x UPDATE, 1.5 x loop, worker 1.15 x in process)",
        &[
            "incidents",
            "blocked",
            "order",
            "UPDATE each",
            "loop each",
            "in process each",
            "x UPDATE",
            "x loop",
            "worker x in process",
        ],
        &rows,
    );
}

fn compare(
    original: &Original,
    numbers: &[String],
    blockers: Blockers,
    order: &str,
) -> Vec<String> {
    let parameters = parameters(numbers);
    let count = numbers.len();
    let rounds = if count >= 1_000_000 { 2 } else { 5 };
    let worker = Isolation::Worker { program: playdock_tests::program() };
    let [update, row_by_row, in_process, worker] = side_by_side(
        rounds,
        [
            &mut || once(bare_update(&original.copy(), numbers)),
            &mut || once(row_by_row(&original.copy(), numbers)),
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
        table::each(row_by_row, count),
        table::each(in_process, count),
        table::times(ratio(in_process, update)),
        table::times(ratio(in_process, row_by_row)),
        table::times(ratio(worker, in_process)),
    ]
}

/// One execution on a host that is warm, from the bytes of its parameters to a file of its answer.
fn close(store: &Path, parameters: &[u8], isolation: &Isolation) -> Duration {
    let output = store.with_file_name("answer.json");
    close_in(store.as_os_str(), &output, parameters, isolation)
}

/// One execution on a host that is warm, over the store of this name.
pub(crate) fn close_in(
    store: &OsStr,
    output: &Path,
    parameters: &[u8],
    isolation: &Isolation,
) -> Duration {
    let mut plugins = Plugins::new();
    plugins.add(&playdock_tests::library("close_incident_in_bulk")).unwrap();
    let store = StoreLocation::parse(store).unwrap().open().unwrap();
    let host = Host::new(store.clone(), store, plugins, |_| isolation.clone());
    host.describe("CloseIncidentInBulk").unwrap();
    once(|| {
        let parameters = Parameters::from_json(parameters).unwrap();
        let invocation =
            Invocation::automatic("CloseIncidentInBulk", parameters, "Security Operations");
        let answer = host.execute(&invocation).unwrap();
        let mut output = BufWriter::new(File::create(output).unwrap());
        serde_json::to_writer(&mut output, &answer).unwrap();
        output.flush().unwrap();
        assert!(answer.report.is_some(), "{}", answer.error);
    })
}

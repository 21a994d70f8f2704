//! What it costs to load a plugin the first time: look at the file, keep its bytes, start a worker,
//! open the library in its sandbox, and ask it for its commands.

use crate::measure::{once, ratio, side_by_side};
use crate::stores::NoIncidents;
use crate::table;
use playdock_host::execution::{Host, Isolation};
use playdock_host::plugins::{PluginFile, Plugins, Trust};
use std::process::Command;
use std::sync::Arc;

/// Measures and writes the table.
pub(crate) fn measure() {
    let (library, program) =
        (playdock_tests::library("close_incident_in_bulk"), playdock_tests::program());
    let load = |isolation: Isolation| {
        let mut plugins = Plugins::new();
        plugins.add(&library).unwrap();
        let store = Arc::new(NoIncidents);
        let host = Host::new(store.clone(), store, plugins, |_| isolation.clone());
        host.describe("CloseIncidentInBulk").unwrap();
        host
    };
    let mut kept = Vec::new();
    let [process, look, in_process, worker] = side_by_side(
        15,
        [
            &mut || once(|| assert!(Command::new("true").status().unwrap().success())),
            &mut || once(|| drop(PluginFile::open(&library, &Trust::any()).unwrap())),
            &mut || once(|| drop(load(Isolation::InProcess))),
            &mut || {
                let isolation = Isolation::Worker { program: program.clone() };
                // Ending the worker is no part of it.
                once(|| kept.push(load(isolation)))
            },
        ],
    );
    let row = |name: &str, time, limit: &str| {
        let times = table::times(ratio(time, process));
        vec![name.to_owned(), table::time(time), times, limit.to_owned()]
    };
    table::write(
        "Loading a plugin the first time",
        &["way", "time", "x process", "limit"],
        &[
            row("starting a process that does nothing, and waiting for its end", process, ""),
            row("looking at the file", look, ""),
            row("looking, loading in process, describing", in_process, ""),
            row("looking, loading in a worker, describing", worker, "20 x process"),
        ],
    );
}

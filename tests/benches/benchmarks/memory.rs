//! The most memory that one call takes: the program with its input and output in files, and its
//! worker.

use crate::stores::{Blockers, Original, number, parameters};
use crate::table;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Measures and writes the table.
pub(crate) fn measure(most: usize) {
    let counts = [0, 1000, 10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most);
    let rows: Vec<Vec<String>> = counts.map(measure_one).collect();
    table::write(
        "The most memory of one call, host and worker together (limit: 600 bytes an incident over \
         the output's own size)",
        &["incidents", "host", "worker", "output", "bytes an incident"],
        &rows,
    );
}

fn measure_one(count: usize) -> Vec<String> {
    let original = Original::new(count, Blockers::Some);
    let store = original.copy();
    let numbers: Vec<String> = (0..count).map(number).collect();
    let input = store.with_file_name("parameters.json");
    let output = store.with_file_name("answer.json");
    std::fs::write(&input, parameters(&numbers)).unwrap();
    let (host, worker) = most_memory(&store, &input, &output);
    let written = std::fs::metadata(&output).unwrap().len();
    assert!(written > 0, "there is no answer");
    let each = match count {
        0 => String::new(),
        _ => ((host + worker) / count as u64).to_string(),
    };
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let sizes = [host, worker, written].map(megabytes);
    let [host, worker, written] = sizes;
    vec![count.to_string(), host, worker, written, each]
}

/// Runs the program, and looks at the peaks of it and its worker until it ends. They need not fall
/// together, so their sum is no less than the truth.
fn most_memory(store: &Path, input: &Path, output: &Path) -> (u64, u64) {
    let mut command = Command::new(playdock_tests::program());
    command.arg("--db").arg(store).args(["--policy", "any", "--output", "json", "--plugin"]);
    command.arg(playdock_tests::library("close_incident_in_bulk"));
    command.args(["invoke", "CloseIncidentInBulk", "--site", "Security Operations", "--params"]);
    command.arg(input).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(File::create(output).unwrap());
    let mut child = command.spawn().unwrap();
    let (mut host, mut worker) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        host = peak(child.id()).unwrap_or(0).max(host);
        let workers = children(child.id());
        worker = workers.into_iter().filter_map(peak).max().unwrap_or(0).max(worker);
        std::thread::sleep(Duration::from_millis(1));
    }
    (host, worker)
}

/// The most memory that a process has had, in bytes.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The processes that the threads of a process have started.
fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let children = threads.flatten().filter_map(|thread| {
        let children = std::fs::read_to_string(thread.path().join("children")).ok()?;
        Some(children.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
    });
    children.flatten().collect()
}

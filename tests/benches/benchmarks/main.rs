//! What Playdock costs, beside what the bare work costs: tables of ratios, each of which compares
//! things that were measured in turns in the same run. Absolute times say little on a machine that
//! others use too.
//!
//! `cargo bench -p playdock-tests` measures everything, up to a million incidents;
//! `cargo bench -p playdock-tests -- calls closing --most 100000` a part of it. With
//! `--features wasmtime` the calls are compared with those of a WebAssembly guest, too; wasmtime takes
//! minutes to build.

#![allow(clippy::unwrap_used, reason = "a benchmark that can't go on panics")]

mod baselines;
mod calls;
mod closing;
#[cfg(target_os = "linux")]
mod closing_in_postgres;
mod http_client;
mod importing;
mod loading;
mod measure;
mod memory;
mod other_process;
mod serving;
mod stores;
mod table;
#[cfg(feature = "wasmtime")]
mod wasm_guest;

/// Measures one subject, with so many incidents at most, and writes its table.
type Measure = fn(usize);

/// What there is to measure, by name.
const SUBJECTS: &[(&str, Measure)] = &[
    ("calls", |_| calls::measure()),
    ("loading", |_| loading::measure()),
    ("importing", importing::measure),
    ("closing", closing::measure),
    #[cfg(target_os = "linux")]
    ("closing-in-postgres", closing_in_postgres::measure),
    ("memory", memory::measure),
    ("serving", |_| serving::measure()),
];

fn main() {
    if other_process::serve() {
        return;
    }
    let mut most = 1_000_000;
    let mut chosen = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--most" => most = arguments.next().and_then(|count| count.parse().ok()).unwrap(),
            name => chosen.push(name.to_owned()),
        }
    }
    let unknown =
        chosen.iter().find(|name| SUBJECTS.iter().all(|(subject, _)| *subject != name.as_str()));
    if let Some(unknown) = unknown {
        let names: Vec<&str> = SUBJECTS.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        eprintln!("There is no benchmark {unknown}; there are {names}.");
        std::process::exit(2);
    }
    for (name, measure) in SUBJECTS {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            measure(most);
        }
    }
}

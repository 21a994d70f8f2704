//! Cases over what a command leaves in its process: threads, memory, and text that isn't its own.

use super::bench::Bench;
use super::catalogue::{BOTH, OwnCase, STANDARD_OUTPUT};
use super::messages::Place;
use playdock_plugin_api::testing::conformance::Unmet;
use std::time::{Duration, Instant};

/// How long a thread may take to end after the command has returned.
const TIME_TO_END: Duration = Duration::from_millis(500);
/// How many KiB a process may grow in half of the calls; the allocator keeps some for itself.
const MOST_GROWTH: u64 = 512;

pub(super) const CASES: &[OwnCase] = &[
    OwnCase {
        id: "no-thread-left",
        description: "No thread goes on when the command has returned",
        advice: "Join the threads that the command starts, or use std::thread::scope.",
        of_commands: true,
        places: BOTH,
        ask: no_thread_left,
    },
    OwnCase {
        id: "no-memory-growth",
        description: "The process doesn't grow over thousands of calls",
        advice: "Look for statics that collect, leaked boxes, and threads that hold on to something.",
        of_commands: true,
        places: BOTH,
        ask: no_memory_growth,
    },
    OwnCase {
        id: STANDARD_OUTPUT,
        description: "The command writes nothing to standard output",
        advice: "Use the log crate in place of println!.",
        of_commands: true,
        places: &[Place::InProcess],
        ask: nothing_on_standard_output,
    },
];

/// Runs all examples, in turn, so many times together. What they answer is other cases' concern.
fn run(bench: &Bench, times: usize) -> Result<(), Unmet> {
    let trial = bench.trial()?;
    let examples = trial.examples()?;
    for index in 0..times {
        let example = &examples[index % examples.len()];
        if trial.run_example(example).is_err() {
            return Err(Unmet::skipped("Its examples don't come to their end."));
        }
    }
    Ok(())
}

fn no_thread_left(bench: &Bench) -> Result<(), Unmet> {
    // What is started once for good is no more than what the library is described with.
    bench.trial()?;
    let (before, _) = bench.threads_and_memory()?;
    run(bench, 10)?;
    let began = Instant::now();
    loop {
        let (now, _) = bench.threads_and_memory()?;
        if now <= before {
            return Ok(());
        }
        if began.elapsed() > TIME_TO_END {
            let happened = format!("after 10 runs there are {now}");
            return Err(Unmet::failed(format!("{before} threads, as before"), happened));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn no_memory_growth(bench: &Bench) -> Result<(), Unmet> {
    let calls = bench.job.amount.calls;
    let memory = || bench.threads_and_memory().map(|(_, memory)| memory);
    run(bench, calls / 10)?;
    let before = memory()?;
    run(bench, calls / 2)?;
    let between = memory()?;
    run(bench, calls / 2)?;
    let after = memory()?;
    // What grows once, a cache say, isn't what grows for ever.
    let grows = |from: u64, to: u64| to.saturating_sub(from) > MOST_GROWTH;
    if grows(before, between) && grows(between, after) {
        let happened = format!(
            "it had {before} KiB, {between} KiB after {} calls and {after} KiB after {calls}",
            calls / 2
        );
        return Err(Unmet::failed("a process that stays as large as it is", happened));
    }
    Ok(())
}

fn nothing_on_standard_output(bench: &Bench) -> Result<(), Unmet> {
    run(bench, 10)?;
    let output = bench.output();
    match output.is_empty() {
        true => Ok(()),
        false => Err(Unmet::failed("nothing on standard output", format!("it wrote {output:?}"))),
    }
}

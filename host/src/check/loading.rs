//! Cases over loading a library.

use super::bench::Bench;
use super::catalogue::{BOTH, LOADS, OwnCase};
use super::messages::Place;
use super::subject::{InProcess, Notes};
use playdock_plugin_api::messages::{self, CommandDescription, Request, Response};
use playdock_plugin_api::testing::TestHost;
use playdock_plugin_api::testing::conformance::{Subject, Unmet};
use std::sync::{Arc, RwLock};
use std::thread::ScopedJoinHandle;

/// The stack of a thread that loads; loading itself takes another thread.
const STACK: usize = 256 << 10;

pub(super) const CASES: &[OwnCase] = &[
    OwnCase {
        id: LOADS,
        description: "The library loads, with nothing but what a worker has",
        advice: "Build it as a cdylib with a matching playdock-plugin-api; let constructors do \
                 nothing that needs files, the network or other processes.",
        of_commands: false,
        places: BOTH,
        ask: |bench| bench.subject().map(|_| ()),
    },
    OwnCase {
        id: "loads-twice",
        description: "A second copy of the library loads beside the first, and describes the same",
        advice: "Keep no note in the process, its environment say, that the library was loaded.",
        of_commands: false,
        places: &[Place::InProcess],
        ask: loads_twice,
    },
    OwnCase {
        id: "loads-at-once",
        description: "The library loads and describes itself many times at once",
        advice: "Make statics by OnceLock, and let nothing in text(), columns() and examples() need \
                 to be alone.",
        of_commands: false,
        places: &[Place::InProcess],
        ask: loads_at_once,
    },
    OwnCase {
        id: "identity-agrees",
        description: "The commands that the file names are those that its code describes",
        advice: "Export the library with export_plugin!, which writes both.",
        of_commands: false,
        places: BOTH,
        ask: identity_agrees,
    },
];

/// The names of the commands that a library describes.
fn described(subject: &dyn Subject) -> Result<Vec<CommandDescription>, String> {
    let request = messages::write(&Request::Describe { must_understand: Vec::new() });
    let response = subject.ask(&request, Arc::new(TestHost::default()))?;
    match messages::read(&response) {
        Ok(Response::Described { commands, .. }) => Ok(commands),
        Ok(Response::Panicked { message }) => Err(format!("it panicked: {message}")),
        Ok(_) => Err("it answered something else".to_owned()),
        Err(error) => Err(format!("its answer is {error}")),
    }
}

/// Loads a copy and asks it for its commands, as JSON.
fn load(bench: &Bench, index: usize) -> Result<serde_json::Value, String> {
    let notes: Notes = Arc::new(|_| {});
    let subject = InProcess { library: bench.open_copy(index)?, notes };
    described(&subject).map(|commands| serde_json::json!(commands))
}

fn loads_twice(bench: &Bench) -> Result<(), Unmet> {
    let expected = "the same description of both copies";
    let first = load(bench, 0).map_err(|cause| Unmet::failed(expected, cause))?;
    let second = load(bench, 1);
    let second =
        second.map_err(|cause| Unmet::failed(expected, format!("the second did not: {cause}")))?;
    match first == second {
        true => Ok(()),
        false => Err(Unmet::failed(expected, "they differ")),
    }
}

fn loads_at_once(bench: &Bench) -> Result<(), Unmet> {
    let count = bench.job.amount.loads;
    let start = RwLock::new(());
    let loaded: Vec<Result<serde_json::Value, String>> = std::thread::scope(|scope| {
        let held = start.write();
        let load = |index: usize| {
            let start = &start;
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                // All go on when the last of them is there.
                drop(start.read());
                load(bench, index)
            })
        };
        let threads: Vec<_> = (0..count).map(load).collect();
        drop(held);
        let joined = threads.into_iter().map(|thread| match thread.map(ScopedJoinHandle::join) {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) => Err("loading it panicked".to_owned()),
            Err(error) => Err(format!("no thread could be started: {error}")),
        });
        joined.collect()
    });
    let expected = "the same description of all";
    let mut first = None;
    for (index, loaded) in loaded.into_iter().enumerate() {
        let loaded = loaded.map_err(|cause| {
            Unmet::failed(expected, format!("{} of {count}: {cause}", index + 1))
        })?;
        if *first.get_or_insert_with(|| loaded.clone()) != loaded {
            return Err(Unmet::failed(expected, "they differ"));
        }
    }
    Ok(())
}

fn identity_agrees(bench: &Bench) -> Result<(), Unmet> {
    let named = &bench.job.commands;
    let expected = format!("the commands {}, as the file names them", named.join(", "));
    let described = described(bench.subject()?).map_err(|cause| Unmet::failed(&expected, cause))?;
    let described: Vec<String> = described.into_iter().map(|command| command.name).collect();
    match described == *named {
        true => Ok(()),
        false => Err(Unmet::failed(expected, format!("its code has {}", described.join(", ")))),
    }
}

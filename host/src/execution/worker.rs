//! Running a library in worker processes: a pool of them, kept warm, one execution a worker at a
//! time.
//!
//! A worker is this program in a hidden role (`role.rs`), on Linux inside a sandbox (`sandbox.rs`).
//! It gets nothing but a line to the host, on which requests and calls travel as frames
//! (`frames.rs`), and the library's sealed bytes. Whatever it does to itself, the host goes on: a
//! worker that ends, hangs or breaks the protocol is gone, and the next execution gets another.

mod exit_words;
mod frames;
#[cfg(target_os = "linux")]
mod lone;
mod patience;
mod process;
mod protection;
mod role;
#[cfg(target_os = "linux")]
mod sandbox;

#[cfg(target_os = "linux")]
pub(crate) use exit_words::describe as how_it_ended;
#[cfg(target_os = "linux")]
pub(crate) use lone::LoneWorker;
pub use protection::Protection;
pub use role::serve;
#[cfg(target_os = "linux")]
pub(crate) use sandbox::enter as enter_sandbox;

use super::executor::{Executor, NoResponse, Watch};
use super::invocation::Cancellation;
use crate::plugins::{
    HostServices, InspectedFile, KeptFile, NoServices, PluginError, PluginFile, describe_request,
    read_description,
};
use playdock_plugin_api::messages::CommandDescription;
use process::Worker;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Idle workers that are kept for each plugin: as many as a server keeps busy.
const MOST_IDLE: usize = 64;
/// How long the pool waits before it starts a worker after so many crashes in a row.
const LONGEST_BACK_OFF: Duration = Duration::from_millis(200);

/// Describing is quick; a library of which it isn't is of no use.
const TIME_TO_DESCRIBE: Duration = Duration::from_secs(10);

/// Starts a worker without a library, to see what protects the host from those of `program`.
///
/// # Errors
///
/// Why it could not be started: a sentence without its end.
pub(super) fn probe(program: &Path) -> Result<Protection, String> {
    Worker::probe(program, &quickly())
}

fn quickly() -> Watch {
    Watch { deadline: Instant::now() + TIME_TO_DESCRIBE, cancellation: Cancellation::default() }
}

/// The workers of one plugin.
pub(super) struct WorkerPool {
    file: Arc<PluginFile>,
    program: PathBuf,
    state: Mutex<PoolState>,
}

/// For whom a worker works: the site and the acting user; `None` for a description.
type Scope = Option<(String, String)>;

#[derive(Default)]
struct PoolState {
    /// Those that wait for work, each with the site and the user that it has worked for: what a
    /// plugin remembers of one must not reach another.
    idle: Vec<(Scope, Worker)>,
    /// How many workers in a row ended before they gave a response.
    crashes: u32,
    /// How many ever did.
    lost: u64,
}

impl WorkerPool {
    /// A pool of workers, each of which is `program` in its hidden role.
    pub(super) fn new(file: Arc<PluginFile>, program: PathBuf) -> WorkerPool {
        WorkerPool { file, program, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        // The state is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that waits for work, or a new one.
    fn take(&self, scope: &Scope, watch: &Watch) -> Result<Worker, NoResponse> {
        let crashes = {
            let mut state = self.state();
            let fits = |(before, _): &(Scope, Worker)| before.is_none() || before == scope;
            while let Some(index) = state.idle.iter().rposition(fits) {
                let (_, mut worker) = state.idle.swap_remove(index);
                if worker.is_alive() {
                    return Ok(worker);
                }
            }
            state.crashes
        };
        if crashes > 3 {
            let back_off = Duration::from_millis(1) * 2_u32.saturating_pow(crashes.min(12));
            std::thread::sleep(back_off.min(LONGEST_BACK_OFF));
        }
        let (sealed, name) = (self.file.kept().sealed(), self.file.path());
        let started = Worker::start(&self.program, sealed, name, watch);
        if started.is_err() {
            self.state().crashes += 1;
        }
        started
    }
}

/// Asks a library for its commands that nobody trusts, in a worker of its own; `None` and what is
/// missing where the sandbox isn't whole, in which case none of its code runs.
pub(super) fn describe_in_whole_sandbox(
    program: &Path,
    file: &KeptFile,
) -> Result<Result<Vec<CommandDescription>, Protection>, PluginError> {
    let watch = quickly();
    let asked = Worker::start_in_whole_sandbox(program, file, &watch).and_then(|started| {
        let request = describe_request();
        let invoke = |mut worker: Worker| worker.invoke(&request, &NoServices::new(), &watch);
        started.map(invoke).map_or_else(|missing| Ok(Err(missing)), |answer| answer.map(Ok))
    });
    match described(file.inspected(), asked)? {
        Ok(response) => read_description(file.inspected(), &response).map(Ok),
        Err(missing) => Ok(Err(missing)),
    }
}

/// Why a library was not described, where it gave no response.
fn described<T>(file: &InspectedFile, answer: Result<T, NoResponse>) -> Result<T, PluginError> {
    let not_described = |cause| PluginError::NotDescribed { path: file.path().to_owned(), cause };
    answer.map_err(|error| match error {
        NoResponse::NotStarted(error) => error,
        NoResponse::Ended(cause) => not_described(cause),
        NoResponse::Killed => not_described("it took too long".to_owned()),
    })
}

impl Executor for WorkerPool {
    fn describe(&self) -> Result<Vec<CommandDescription>, PluginError> {
        let answer = self.invoke(&describe_request(), Arc::new(NoServices::new()), &quickly());
        let response = described(self.file.inspected(), answer)?;
        read_description(self.file.inspected(), &response)
    }

    fn invoke(
        &self,
        request: &[u8],
        services: Arc<dyn HostServices>,
        watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse> {
        let scope = services.scope();
        let mut worker = self.take(&scope, watch)?;
        let response = worker.invoke(request, &*services, watch);
        let threads_left = worker.has_threads_left();
        // Where that can't be told, it may have some.
        let keep = response.is_ok() && threads_left == Some(false) && worker.is_quiet();
        if response.is_ok() && threads_left == Some(true) {
            let plugin = &self.file.identity().name;
            log::warn!(
                "{plugin}: a thread went on after the command had returned; its worker is ended"
            );
        }
        let mut state = self.state();
        match response {
            Ok(_) => state.crashes = 0,
            Err(NoResponse::Ended(_)) => {
                state.crashes = state.crashes.saturating_add(1);
                state.lost += 1;
            }
            // It was asked to stop and didn't: no sign that the next one will crash.
            Err(_) => state.lost += 1,
        }
        let dropped = match keep {
            true => {
                state.idle.push((scope, worker));
                // The one that has waited longest makes room.
                (state.idle.len() > MOST_IDLE).then(|| state.idle.remove(0).1)
            }
            false => Some(worker),
        };
        // Ending a process takes a moment, for which nobody needs to wait.
        drop(state);
        drop(dropped);
        response
    }

    fn workers_lost(&self) -> u64 {
        self.state().lost
    }
}

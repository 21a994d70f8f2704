//! Running a library in worker processes: a pool of them, kept warm, one execution a worker at a
//! time.
//!
//! A worker is this program in a hidden role (`role.rs`), on Linux inside a sandbox (`sandbox.rs`).
//! It gets nothing but a line to the host, on which requests and calls travel as frames
//! (`frames.rs`), and the library's sealed bytes. Whatever it does to itself, the host goes on: a
//! worker that ends, hangs or breaks the protocol is gone, and the next execution gets another.

mod exit_words;
mod frames;
mod patience;
mod process;
mod protection;
mod role;
#[cfg(target_os = "linux")]
mod sandbox;

pub use protection::Protection;
pub use role::serve;

use super::executor::{Executor, NoResponse, Watch};
use super::invocation::Cancellation;
use crate::plugins::{
    HostServices, NoServices, PluginError, PluginFile, describe_request, read_description,
};
use playdock_plugin_api::messages::CommandDescription;
use process::Worker;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Idle workers that are kept for each plugin.
const MOST_IDLE: usize = 8;
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
        let started = Worker::start(&self.program, &self.file, watch);
        if started.is_err() {
            self.state().crashes += 1;
        }
        started
    }
}

impl Executor for WorkerPool {
    fn describe(&self) -> Result<Vec<CommandDescription>, PluginError> {
        let watch = quickly();
        let not_described =
            |cause| PluginError::NotDescribed { path: self.file.path().to_owned(), cause };
        match self.invoke(&describe_request(), Arc::new(NoServices::new()), &watch) {
            Ok(response) => read_description(&self.file, &response),
            Err(NoResponse::NotStarted(error)) => Err(error),
            Err(NoResponse::Ended(cause)) => Err(not_described(cause)),
            Err(NoResponse::Killed) => Err(not_described("it took too long".to_owned())),
        }
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
        let keep = response.is_ok() && worker.is_as_before();
        if response.is_ok() && !keep {
            let plugin = &self.file.identity().name;
            log::warn!(
                "{plugin}: a thread went on after the command had returned; its worker is ended"
            );
        }
        let mut state = self.state();
        match response {
            Ok(_) => state.crashes = 0,
            Err(NoResponse::Ended(_)) => state.crashes = state.crashes.saturating_add(1),
            // It was asked to stop and didn't: no sign that the next one will crash.
            Err(_) => {}
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
}

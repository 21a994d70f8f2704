//! Where a command's code runs: in this process or in a worker. Both are fed the same bytes.

use super::invocation::Cancellation;
use crate::plugins::{
    HostServices, Library, PluginError, PluginFile, describe_request, read_description,
};
use once_cell::sync::OnceCell;
use playdock_plugin_api::messages::{self, CommandDescription, Reply};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the code of a plugin runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// In processes of its own, inside a sandbox: what a plugin does to them ends its execution and
    /// nothing else.
    #[cfg(target_os = "linux")]
    Worker {
        /// The program that becomes a worker: one whose `main` calls
        /// [`serve_as_worker`](super::serve_as_worker) first.
        program: std::path::PathBuf,
    },
    /// In the host's process, with all that the host may do: for code that is trusted as one's own.
    /// It can be asked to stop, and not be made to.
    InProcess,
}

/// The executor of a plugin.
pub(super) fn executor(file: Arc<PluginFile>, isolation: Isolation) -> Box<dyn Executor> {
    match isolation {
        #[cfg(target_os = "linux")]
        Isolation::Worker { program } => Box::new(super::worker::WorkerPool::new(file, program)),
        Isolation::InProcess => Box::new(InProcess::new(file)),
    }
}

/// How long an invocation may go on.
pub(super) struct Watch {
    /// When it is asked to stop.
    pub(super) deadline: Instant,
    /// Asks it to stop before.
    pub(super) cancellation: Cancellation,
}

/// How long a command that was asked to stop may take before its worker is killed.
#[cfg(target_os = "linux")]
pub(super) const GRACE: Duration = Duration::from_millis(350);

impl Watch {
    /// Whether the command is asked to stop by now.
    pub(super) fn is_over(&self) -> bool {
        self.cancellation.is_cancelled() || Instant::now() >= self.deadline
    }
}

/// Why a library gave no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoResponse {
    /// It was asked to stop, did not, and was killed.
    Killed,
    /// Its process ended: a sentence without its end, "it crashed (segmentation fault)" say.
    Ended(String),
    /// It could not be started.
    NotStarted(PluginError),
}

/// Runs the code of one library.
pub(super) trait Executor: Send + Sync {
    /// Hands a request to the library and returns its response.
    fn invoke(
        &self,
        request: &[u8],
        services: Arc<dyn HostServices>,
        watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse>;
}

/// A plugin, the executor that runs it, and the descriptions of its commands, once they are known.
pub(super) struct PreparedPlugin {
    pub(super) file: Arc<PluginFile>,
    executor: Box<dyn Executor>,
    commands: OnceCell<Vec<CommandDescription>>,
}

impl PreparedPlugin {
    pub(super) fn new(file: Arc<PluginFile>, executor: Box<dyn Executor>) -> PreparedPlugin {
        PreparedPlugin { file, executor, commands: OnceCell::new() }
    }

    pub(super) fn executor(&self) -> &dyn Executor {
        &*self.executor
    }

    /// The descriptions of its commands; the first time, the library's code runs for them.
    pub(super) fn commands(&self) -> Result<&[CommandDescription], PluginError> {
        /// Describing is quick; a library that isn't is of no use.
        const TIME_TO_DESCRIBE: Duration = Duration::from_secs(10);
        let describe = || {
            let watch = Watch {
                deadline: Instant::now() + TIME_TO_DESCRIBE,
                cancellation: Cancellation::default(),
            };
            let path = self.file.path().to_owned();
            let not_described = |cause: String| PluginError::NotDescribed { path, cause };
            match self.executor.invoke(&describe_request(), Arc::new(NoServices), &watch) {
                Ok(response) => read_description(&self.file, &response),
                Err(NoResponse::NotStarted(error)) => Err(error),
                Err(NoResponse::Ended(cause)) => Err(not_described(cause)),
                Err(NoResponse::Killed) => {
                    Err(not_described("it took too long and was ended".to_owned()))
                }
            }
        };
        self.commands.get_or_try_init(describe).map(Vec::as_slice)
    }
}

/// Runs a library in this process.
pub(super) struct InProcess {
    file: Arc<PluginFile>,
    library: OnceCell<Library>,
}

impl InProcess {
    pub(super) fn new(file: Arc<PluginFile>) -> InProcess {
        InProcess { file, library: OnceCell::new() }
    }
}

impl Executor for InProcess {
    fn invoke(
        &self,
        request: &[u8],
        services: Arc<dyn HostServices>,
        _watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse> {
        let open = || Library::open(self.file.sealed(), self.file.path());
        let library = self.library.get_or_try_init(open).map_err(NoResponse::NotStarted)?;
        Ok(library.invoke(request, services).into_vec())
    }
}

/// For a request in which a command has nothing to ask for.
struct NoServices;

impl HostServices for NoServices {
    fn call(&self, _request: &[u8]) -> Vec<u8> {
        messages::write(&Reply::Failed { error: "There is no execution.".to_owned() })
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        log::log!(target: target, level, "{message}");
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

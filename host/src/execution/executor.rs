//! Where a command's code runs: in this process or in a worker. Both are fed the same bytes.

use super::invocation::Cancellation;
use super::worker::{self, Protection, WorkerPool};
use crate::incidents::Conditions;
use crate::plugins::{HostServices, PluginError, PluginFile};
use once_cell::sync::OnceCell;
use playdock_plugin_api::Columns;
use playdock_plugin_api::messages::CommandDescription;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the code of a plugin runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// In processes of its own, on Linux inside a sandbox: what a plugin does to them ends its
    /// execution and nothing else.
    Worker {
        /// The program that becomes a worker: one whose `main` calls
        /// [`serve_as_worker`](super::serve_as_worker) first.
        program: PathBuf,
    },
    /// In the host's process, with all that the host may do: for code that is trusted as one's own.
    /// It can be asked to stop, and not be made to.
    InProcess,
}

impl Isolation {
    /// The word for it: `worker` or `in-process`.
    pub fn word(&self) -> &'static str {
        match self {
            Isolation::Worker { .. } => "worker",
            Isolation::InProcess => "in-process",
        }
    }

    /// What protects the host from plugins that run so: `None` in its own process, where nothing
    /// does. For workers, one is started without a plugin, and reports.
    ///
    /// # Errors
    ///
    /// Why no worker could be started.
    pub fn protection(&self) -> Result<Option<Protection>, NotProbed> {
        match self {
            Isolation::Worker { program } => worker::probe(program)
                .map(Some)
                .map_err(|cause| NotProbed { program: program.clone(), cause }),
            Isolation::InProcess => Ok(None),
        }
    }
}

/// Why it isn't known what protects the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no worker could be started from {}: {cause}", program.display())]
pub struct NotProbed {
    program: PathBuf,
    cause: String,
}

/// How long an invocation may go on.
pub(super) struct Watch {
    /// When it is asked to stop.
    pub(super) deadline: Instant,
    /// Asks it to stop before.
    pub(super) cancellation: Cancellation,
}

/// How long a command that was asked to stop may take before its worker is killed.
pub(super) const GRACE: Duration = Duration::from_millis(300);

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
    /// What the library says of its commands; the first time, its code runs for them.
    fn describe(&self) -> Result<Vec<CommandDescription>, PluginError>;

    /// Hands a request to the library and returns its response.
    fn invoke(
        &self,
        request: &[u8],
        services: Arc<dyn HostServices>,
        watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse>;

    /// How many of its processes ended before they had answered.
    fn workers_lost(&self) -> u64 {
        0
    }
}

/// A command, and what every execution of it shares.
pub(super) struct PreparedCommand {
    pub(super) description: CommandDescription,
    /// Those of the description, for answers, which live longer than what borrows it.
    pub(super) columns: Arc<Columns>,
    /// The same as the journal keeps them.
    pub(super) columns_json: String,
}

/// A plugin, the executor that runs it, and its commands, once it has described them.
pub(super) struct PreparedPlugin {
    pub(super) file: Arc<PluginFile>,
    isolation: Isolation,
    executor: Box<dyn Executor>,
    commands: OnceCell<Vec<PreparedCommand>>,
}

impl PreparedPlugin {
    pub(super) fn new(file: Arc<PluginFile>, isolation: Isolation) -> PreparedPlugin {
        let executor: Box<dyn Executor> = match &isolation {
            Isolation::Worker { program } => {
                Box::new(WorkerPool::new(file.clone(), program.clone()))
            }
            Isolation::InProcess => Box::new(InProcess { file: file.clone() }),
        };
        PreparedPlugin { file, isolation, executor, commands: OnceCell::new() }
    }

    /// Under which conditions its code runs. What the system lacks is known once the plugin has
    /// described its commands.
    pub(super) fn conditions(&self) -> Conditions {
        let trusted = self.file.trusted();
        Conditions {
            trusted: trusted.word().to_owned(),
            signing_key: trusted.key().map(|key| key.to_string()),
            isolation: self.isolation.word().to_owned(),
            unprotected: self.unprotected(),
        }
    }

    /// The parts of a worker's sandbox that the system lacks. In this process there is none.
    fn unprotected(&self) -> String {
        match self.isolation {
            Isolation::Worker { .. } => Protection::of_this_process().missing(),
            Isolation::InProcess => String::new(),
        }
    }

    pub(super) fn executor(&self) -> &dyn Executor {
        &*self.executor
    }

    /// Its commands; the first time, its code runs for them.
    pub(super) fn commands(&self) -> Result<&[PreparedCommand], PluginError> {
        let prepare = |description: CommandDescription| {
            let columns = Arc::new(description.columns.clone());
            let columns_json = serde_json::to_string(&*columns).map_err(|error| {
                let path = self.file.path().to_owned();
                PluginError::NotDescribed { path, cause: error.to_string() }
            })?;
            Ok(PreparedCommand { description, columns, columns_json })
        };
        let describe = || self.executor.describe()?.into_iter().map(prepare).collect();
        self.commands.get_or_try_init(describe).map(Vec::as_slice)
    }
}

/// Runs a library in this process.
struct InProcess {
    file: Arc<PluginFile>,
}

impl Executor for InProcess {
    fn describe(&self) -> Result<Vec<CommandDescription>, PluginError> {
        self.file.load().map(|library| library.commands().to_vec())
    }

    fn invoke(
        &self,
        request: &[u8],
        services: Arc<dyn HostServices>,
        _watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse> {
        let library = self.file.load().map_err(NoResponse::NotStarted)?;
        Ok(library.invoke(request, services).into_vec())
    }
}

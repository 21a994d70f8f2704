//! What a face asks for: one run of a command.

use super::parameters::Parameters;
use crate::incidents::{ApiKey, Notice};
use playdock_plugin_api::{Intent, Mode, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long an execution may take where nobody says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// One run of a command, as a face asks for it.
#[derive(Clone)]
pub struct Invocation {
    /// The name of the command.
    pub command: String,
    /// Its parameters.
    pub parameters: Parameters,
    /// The site that it works in.
    pub site: String,
    /// Who asks for it, and so in whose name it acts.
    pub requester: Requester,
    /// The key that a remote request came with: it bounds the sites and the users.
    pub api_key: Option<Arc<ApiKey>>,
    /// Whether it is to change anything. A preview is not journaled: it leaves the store as it is.
    pub intent: Intent,
    /// Its id; the same id again resumes an interrupted execution or repeats the answer of one that
    /// has ended. A new one, where there is none.
    pub execution_id: Option<String>,
    /// Whether the id was made for this invocation, by [`Host::new_id`](super::Host::new_id): then
    /// nobody can have used it, and it isn't looked for in the journal.
    pub id_is_new: bool,
    /// How long it may take; then it is asked to stop.
    pub timeout: Duration,
    /// A fixed clock, for rehearsals and tests.
    pub clock: Option<Timestamp>,
    /// The way to cancel it from another thread.
    pub cancellation: Cancellation,
    /// Who is told that it is in the journal, from where it can be resumed.
    pub begun: Option<Notice>,
    /// Who is told how far it is.
    pub progress: Option<Progress>,
}

impl Invocation {
    /// An automatic run that changes what it is asked to, within ten minutes.
    pub fn automatic(command: &str, parameters: Parameters, site: &str) -> Invocation {
        Invocation {
            command: command.to_owned(),
            parameters,
            site: site.to_owned(),
            requester: Requester::Automatic { requested_by: None },
            api_key: None,
            intent: Intent::Apply,
            execution_id: None,
            id_is_new: false,
            timeout: DEFAULT_TIMEOUT,
            clock: None,
            cancellation: Cancellation::default(),
            begun: None,
            progress: None,
        }
    }
}

/// Who asks for an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A playbook or a remote client: it acts as the user of its `Username` parameter.
    Automatic {
        /// The account that a remote request came from.
        requested_by: Option<String>,
    },
    /// A person, as whom it acts; its `Username` parameter is ignored.
    Person {
        /// The username.
        username: String,
    },
}

impl Requester {
    /// Whether a person or a playbook runs it.
    pub(super) fn mode(&self) -> Mode {
        match self {
            Requester::Automatic { .. } => Mode::Automatic,
            Requester::Person { .. } => Mode::Manual,
        }
    }

    /// The account that a remote request came from.
    pub(crate) fn requested_by(&self) -> Option<String> {
        match self {
            Requester::Automatic { requested_by } => requested_by.clone(),
            Requester::Person { .. } => None,
        }
    }
}

/// Told how many incidents are done, of how many.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Cancels an execution from another thread: it is asked to stop, and what it had committed stays.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks the execution to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The clock of an execution: the machine's, or one that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    /// A clock that stands at `fixed`, or the machine's.
    pub fn new(fixed: Option<Timestamp>) -> Clock {
        Clock { fixed }
    }

    /// This moment.
    pub fn now(self) -> Timestamp {
        self.fixed.unwrap_or_else(Timestamp::now)
    }
}

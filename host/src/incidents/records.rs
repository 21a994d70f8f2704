//! The host's own records: which executions there were, and what each made of its incidents.

use super::error::StoreError;
use super::keys::ApiKeyId;
use playdock_plugin_api::{Mode, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The store's own key of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExecutionKey(pub i64);

/// An execution that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExecution {
    /// Its id, as people and clients see it.
    pub id: String,
    /// The command.
    pub command: String,
    /// The name of the plugin.
    pub plugin: String,
    /// The version of the plugin.
    pub plugin_version: String,
    /// The SHA-256 of the plugin's file, in hexadecimal.
    pub plugin_digest: String,
    /// Under which conditions its code runs; `None` where an earlier version of the host, which
    /// didn't note them, began it.
    pub conditions: Option<Conditions>,
    /// How it is started.
    pub mode: Mode,
    /// The site.
    pub site: String,
    /// The account that asked for it, where one did.
    pub requested_by: Option<String>,
    /// The key that the request for it came with, if it was a remote one.
    pub api_key: Option<ApiKeyId>,
    /// In whose name it acts, where that could be resolved.
    pub acting_user: Option<String>,
    /// The parameters, as they were given.
    pub parameters: String,
    /// The SHA-256 of the parameters' canonical form, in hexadecimal.
    pub parameters_digest: String,
    /// The fixed clock that it runs under, if any.
    pub clock: Option<Timestamp>,
    /// The columns of the command's rows, as JSON: those of the stored answer.
    pub columns: String,
}

impl NewExecution {
    /// What it asks for that the execution that was begun under its id didn't: then it is another
    /// request, whose answer is none for this one.
    pub(super) fn asks_otherwise_than(&self, before: &NewExecution) -> Option<&'static str> {
        let same_user = self.mode == Mode::Automatic || self.acting_user == before.acting_user;
        first_that_differs([
            (self.command == before.command, "another command"),
            (self.site == before.site, "another site"),
            (self.parameters_digest == before.parameters_digest, "other parameters"),
            (self.mode == before.mode, "another mode"),
            (same_user, "another user"),
            (self.requested_by == before.requested_by, "another account that asked for it"),
            (self.api_key == before.api_key, "another API key"),
        ])
    }

    /// What it would go on under that the execution that was begun under its id didn't: what was
    /// done and what is left would not fit together.
    pub(super) fn runs_otherwise_than(&self, before: &NewExecution) -> Option<&'static str> {
        first_that_differs([
            (self.clock == before.clock, "another clock"),
            (
                self.columns == before.columns,
                "another build of its plugin, whose rows have other columns",
            ),
        ])
    }
}

fn first_that_differs<const COUNT: usize>(
    all: [(bool, &'static str); COUNT],
) -> Option<&'static str> {
    all.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}

/// Under which conditions the code of a plugin runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// Why it may run, in a word: `signed`, `locked`, `dev`, `beside the program` or `any`.
    pub trusted: String,
    /// The id of the key whose signature it is trusted for, if it is.
    pub signing_key: Option<String>,
    /// Where it runs: `worker` or `in-process`.
    pub isolation: String,
    /// The parts of a worker's sandbox that the system lacks, one a line; empty where it lacks none.
    pub unprotected: String,
}

/// How far an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionState {
    /// A host runs it, or died while it did.
    Running,
    /// It stopped before its end and can be resumed.
    Interrupted,
    /// It ended; running it again repeats its answer.
    Finished,
}

impl ExecutionState {
    /// The state in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            ExecutionState::Running => "running",
            ExecutionState::Interrupted => "interrupted",
            ExecutionState::Finished => "finished",
        }
    }
}

/// What came of beginning an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It is new.
    New(ExecutionKey),
    /// It was interrupted earlier, and goes on.
    Resumed(ExecutionKey),
    /// It has ended already.
    Finished(ExecutionKey, Box<ExecutionRecord>),
    /// Another host runs it at this moment.
    Running,
    /// The id belongs to another execution: this differs.
    Conflict(&'static str),
}

/// How an execution ended, or stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Whether it ended or was interrupted.
    pub state: ExecutionState,
    /// `Successful`, `Partially Successful` or `Failed`.
    pub return_data: String,
    /// The answer's `error`.
    pub error: String,
    /// The command's outputs.
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// An execution as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionRecord {
    /// What was known when it began.
    pub begun: NewExecution,
    /// When it began, by the real clock.
    pub started_at: Timestamp,
    /// When it ended or stopped, by the real clock.
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    pub state: ExecutionState,
    /// `Successful`, `Partially Successful` or `Failed`, once it is known.
    pub return_data: Option<String>,
    /// The answer's `error`, once it is known.
    pub error: Option<String>,
    /// The command's outputs.
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// Told that something has come about.
pub type Notice = Arc<dyn Fn() + Send + Sync>;

/// Told whether something is durable, on a thread that has other things to do: it must be quick.
pub type Noted = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// An execution that was begun, and may not be written yet.
pub trait BegunExecution: Send + Sync {
    /// Its key, under which outcomes are recorded; waits until its beginning is written.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: its beginning could not be written.
    fn key(&self) -> Result<ExecutionKey, StoreError>;

    /// Notes how it ended, and gives its lease back. `noted` is told once that is durable, or why
    /// it is not; it may be dropped instead if the store breaks down.
    fn end(&self, ending: Ending, noted: Noted);

    /// Why its beginning was not written, if that is known: then nothing of it was.
    fn lost(&self) -> Option<StoreError>;
}

/// The host's own records.
///
/// Methods may be called from several threads at once.
pub trait ExecutionRecords: Send + Sync {
    /// Begins an execution, or finds out that its id was begun before. One that another host ran
    /// and died with is taken over.
    ///
    /// One that is [new](Begun::New) need not be durable yet: it is so before anything is that is
    /// recorded for it, and before its [end](ExecutionRecords::end) is. If it is lost, recording
    /// and ending fail. `durable` is called as soon as it is new, or resumed, and durable, if that
    /// comes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn begin(
        &self,
        execution: &NewExecution,
        durable: Box<dyn FnOnce() + Send>,
    ) -> Result<Begun, StoreError>;

    /// Begins an execution under an id that nobody can have used before, and doesn't wait for it:
    /// one that ends soon may be written at its end alone. `durable` is called once its beginning
    /// is durable while it runs.
    ///
    /// `None` where the store has no quicker way than [`begin`](ExecutionRecords::begin).
    fn begin_new(
        &self,
        _execution: &Arc<NewExecution>,
        _durable: Option<&Notice>,
    ) -> Option<Box<dyn BegunExecution>> {
        None
    }

    /// An execution will begin soon: until what this gives is dropped, a commit may wait a moment
    /// for what it is going to write.
    fn expect(&self) -> Option<Box<dyn Send>> {
        None
    }

    /// Notes how an execution ended, and gives its lease back.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn end(&self, execution: ExecutionKey, ending: &Ending) -> Result<(), StoreError>;

    /// The same without waiting, where the store can.
    fn end_and_tell(&self, execution: ExecutionKey, ending: Ending, noted: Noted) {
        noted(self.end(execution, &ending));
    }

    /// How many commits were made since the store was opened, of whatever was written.
    fn commits(&self) -> u64;

    /// Renews the lease of an execution; the host calls it after every batch.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn renew(&self, execution: ExecutionKey) -> Result<(), StoreError>;

    /// An execution by its id. One whose host died while it ran is interrupted.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn execution(&self, id: &str) -> Result<Option<(ExecutionKey, ExecutionRecord)>, StoreError>;

    /// The API key that began an execution; `None` where there is no such execution, or no API key
    /// began it. This takes as long for any execution, however much it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn begun_by(&self, id: &str) -> Result<Option<ApiKeyId>, StoreError>;

    /// The latest executions, the latest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn latest_executions(&self, count: usize) -> Result<Vec<ExecutionRecord>, StoreError>;
}

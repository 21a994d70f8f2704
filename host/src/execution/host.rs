//! The host: a store and plugins, and the way from an invocation to its answer.

use super::actor;
use super::answer::{Answer, Ended, ReturnData};
use super::ending::{self, RunEnd};
use super::error::ExecutionError;
use super::executor::{Isolation, PreparedCommand, PreparedPlugin, Watch};
use super::invocation::{Clock, Invocation};
use super::journal::{self, OpenExecution, Performed};
use super::report::{NumberedRows, Report};
use super::session::{Session, SessionSetup};
use super::turns::Turns;
use crate::incidents::{
    ApiKeyId, Begun, ExecutionKey, ExecutionRecord, ExecutionRecords, ExecutionState,
    IncidentStore, LedgerRow, NewExecution, Notice, StoreError,
};
use crate::plugins::{PluginFile, Plugins};
use jiff::tz::TimeZone;
use playdock_plugin_api::messages::{self, CommandDescription, Request};
use playdock_plugin_api::{Actor, Execution, Intent, Site};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many stored answers are read at once: a long one takes much memory until its rows are shared.
const READ_AT_ONCE: usize = 4;

/// A store and plugins: what it takes to run commands.
pub struct Host {
    incidents: Arc<dyn IncidentStore>,
    records: Arc<dyn ExecutionRecords>,
    plugins: Vec<PreparedPlugin>,
    reading: Turns,
}

/// An invocation, and what was found out for it.
pub(super) struct Prepared<'a> {
    pub(super) invocation: &'a Invocation,
    pub(super) execution_id: String,
    pub(super) plugin: &'a PreparedPlugin,
    pub(super) command: &'a PreparedCommand,
}

/// What came of beginning an execution.
enum Beginning {
    /// It is open, and goes on from these lines.
    Open(Arc<OpenExecution>, Vec<LedgerRow>),
    /// It had ended before, with this.
    Answered(Answer),
}

impl Host {
    /// A host of these plugins, over a store of incidents and one of its own records; both may be
    /// the same. `isolation` says where the code of each plugin runs.
    pub fn new(
        incidents: Arc<dyn IncidentStore>,
        records: Arc<dyn ExecutionRecords>,
        plugins: Plugins,
        isolation: impl Fn(&PluginFile) -> Isolation,
    ) -> Host {
        let prepare = |file: &Arc<PluginFile>| PreparedPlugin::new(file.clone(), isolation(file));
        let plugins = plugins.files().iter().map(prepare).collect();
        Host { incidents, records, plugins, reading: Turns::new(READ_AT_ONCE) }
    }

    /// The names of all commands.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.plugins
            .iter()
            .flat_map(|plugin| plugin.file.identity().commands.iter().map(String::as_str))
    }

    /// What is known of a command: its parameters, its columns, its examples. The code of its
    /// plugin runs for it, the first time.
    ///
    /// # Errors
    ///
    /// [`ExecutionError`]: there is no such command, or its plugin can't be loaded.
    pub fn describe(&self, command: &str) -> Result<&CommandDescription, ExecutionError> {
        self.command(command).map(|(_, command)| &command.description)
    }

    /// Runs a command, or goes on with one, or repeats the answer of one that has ended.
    ///
    /// # Errors
    ///
    /// [`ExecutionError`], where there is no answer at all. What the command or its user did wrong
    /// is an [`Answer`] that says so.
    pub fn execute(&self, invocation: &Invocation) -> Result<Answer, ExecutionError> {
        Ok(self.perform(invocation, None)?.wait()?)
    }

    /// An id that nobody has used.
    ///
    /// It begins with the time, so that the journal finds its place for it beside the latest ones.
    pub fn new_id() -> String {
        uuid::Uuid::now_v7().to_string()
    }

    /// Says that an execution is about to begin: who waits for the disk may wait for it too, until
    /// what this gives is dropped or [performed](Host::perform).
    pub(crate) fn expect(&self) -> Option<Box<dyn Send>> {
        self.records.expect()
    }

    /// As [`execute`](Host::execute), but for the end of the execution, which is not noted yet.
    pub(crate) fn perform(
        &self,
        invocation: &Invocation,
        expected: Option<Box<dyn Send>>,
    ) -> Result<Performed, ExecutionError> {
        let (plugin, command) = self.command(&invocation.command)?;
        let (execution_id, is_new) = match &invocation.execution_id {
            Some(id) => (journal::checked_id(id)?, invocation.id_is_new),
            None => (Host::new_id(), true),
        };
        let prepared = Prepared { invocation, execution_id, plugin, command };
        let resolved = actor::resolve(invocation, &command.description, &*self.incidents)?;
        if invocation.intent == Intent::Preview {
            let answer = match resolved {
                Ok((actor, site)) => self.run(&prepared, None, Vec::new(), actor, site),
                Err(sentence) => {
                    prepared.answer(ending::failed_as_a_whole(sentence), TimeZone::UTC)
                }
            };
            return Ok(Performed::new(answer, None));
        }
        let acting_user = resolved.as_ref().ok().map(|(actor, _)| actor.username.clone());
        let new = Arc::new(journal::entry(&prepared, acting_user));
        // From now on it is counted as one that runs.
        drop(expected);
        let (open, earlier) = match self.begin(&new, is_new, invocation.begun.as_ref())? {
            Beginning::Open(open, earlier) => (open, earlier),
            Beginning::Answered(answer) => return Ok(Performed::new(answer, None)),
        };
        log::info!("execution {} of {} begins", prepared.execution_id, invocation.command);
        let answer = match resolved {
            Ok((actor, site)) => self.run(&prepared, Some(open.clone()), earlier, actor, site),
            Err(sentence) => {
                let zone = self.zone(&invocation.site)?;
                prepared.answer(ending::not_resumed(sentence, earlier), zone)
            }
        };
        log::info!("execution {} ended: {}", prepared.execution_id, answer.return_data);
        Ok(Performed::new(answer, Some(open)))
    }

    fn begin(
        &self,
        new: &Arc<NewExecution>,
        is_new: bool,
        begun: Option<&Notice>,
    ) -> Result<Beginning, ExecutionError> {
        if is_new && let Some(begun) = self.records.begin_new(new, begun) {
            return Ok(Beginning::Open(OpenExecution::new(begun), Vec::new()));
        }
        let begun = begun.cloned();
        let durable = Box::new(move || begun.iter().for_each(|begun| begun()));
        let (key, resumed) = match self.records.begin(new, durable)? {
            Begun::New(key) => (key, false),
            Begun::Resumed(key) => (key, true),
            Begun::Finished(key, record) => {
                return Ok(Beginning::Answered(self.stored_answer(key, &record)?));
            }
            Begun::Running => return Err(ExecutionError::Running(new.id.clone())),
            Begun::Conflict(what) => {
                return Err(ExecutionError::IdTaken { id: new.id.clone(), what });
            }
        };
        let open = OpenExecution::known(self.records.clone(), key);
        let earlier = if resumed { self.incidents.ledger(key)? } else { Vec::new() };
        Ok(Beginning::Open(open, earlier))
    }

    /// An execution that this API key began, as the journal has it, and its answer, if that is
    /// wanted, unless it runs: of one that was interrupted, what had been recorded by then. Whether
    /// another key began it makes no difference, not even in how long it takes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub fn stored(
        &self,
        execution_id: &str,
        api_key: ApiKeyId,
        with_answer: bool,
    ) -> Result<Option<(ExecutionRecord, Option<Answer>)>, StoreError> {
        if self.records.begun_by(execution_id)? != Some(api_key) {
            return Ok(None);
        }
        let Some((key, record)) = self.records.execution(execution_id)? else { return Ok(None) };
        let answer = match record.state {
            ExecutionState::Finished | ExecutionState::Interrupted if with_answer => {
                Some(self.stored_answer(key, &record)?)
            }
            _ => None,
        };
        Ok(Some((record, answer)))
    }

    /// How many workers ended before they had answered, and were replaced.
    pub fn workers_lost(&self) -> u64 {
        self.plugins.iter().map(|plugin| plugin.executor().workers_lost()).sum()
    }

    /// How many commits its records made since they were opened.
    pub fn commits(&self) -> u64 {
        self.records.commits()
    }

    fn command(
        &self,
        command: &str,
    ) -> Result<(&PreparedPlugin, &PreparedCommand), ExecutionError> {
        let unknown = || ExecutionError::UnknownCommand {
            command: command.to_owned(),
            known: match self.commands().collect::<Vec<_>>() {
                names if names.is_empty() => "no plugin is given".to_owned(),
                names => format!("the plugins have {}", names.join(", ")),
            },
        };
        let has = |plugin: &&PreparedPlugin| plugin.file.identity().has_command(command);
        let plugin = self.plugins.iter().find(has).ok_or_else(unknown)?;
        let is_it = |prepared: &&PreparedCommand| prepared.description.name == command;
        Ok((plugin, plugin.commands()?.iter().find(is_it).ok_or_else(unknown)?))
    }

    fn run(
        &self,
        prepared: &Prepared<'_>,
        journal: Option<Arc<OpenExecution>>,
        earlier: Vec<LedgerRow>,
        actor: Actor,
        site: Site,
    ) -> Answer {
        let invocation = prepared.invocation;
        let zone = TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC);
        let mut execution = Execution::new(prepared.execution_id.clone(), site, actor);
        execution.mode = invocation.requester.mode();
        execution.intent = invocation.intent;
        execution.requested_by = invocation.requester.requested_by();
        let request = messages::write(&Request::Invoke(messages::Invocation {
            must_understand: vec!["execution".to_owned()],
            command: Cow::Borrowed(&invocation.command),
            execution: execution.clone(),
            parameters: invocation.parameters.json(),
            log_level: Some(log::max_level().as_str().to_lowercase()),
        }));
        let watch = Watch {
            deadline: deadline(invocation.timeout),
            cancellation: invocation.cancellation.clone(),
        };
        let session = Arc::new(Session::new(SessionSetup {
            store: self.incidents.clone(),
            records: self.records.clone(),
            execution,
            journal,
            command: invocation.command.clone(),
            columns: prepared.command.columns.clone(),
            plugin: prepared.plugin.file.identity().name.clone(),
            clock: Clock::new(invocation.clock),
            cancellation: invocation.cancellation.clone(),
            deadline: watch.deadline,
            progress: invocation.progress.clone(),
            earlier,
        }));
        let response = prepared.plugin.executor().invoke(&request, session.clone(), &watch);
        let response = response.as_deref().map_err(Clone::clone);
        prepared.answer(ending::end(&session, &invocation.command, response), zone)
    }

    /// The time zone of a site.
    fn zone(&self, site: &str) -> Result<TimeZone, StoreError> {
        let zone = self.incidents.site(site)?.and_then(|it| TimeZone::get(&it.time_zone).ok());
        Ok(zone.unwrap_or(TimeZone::UTC))
    }

    /// The stored answer of an execution that has ended, or was interrupted.
    fn stored_answer(
        &self,
        key: ExecutionKey,
        record: &ExecutionRecord,
    ) -> Result<Answer, StoreError> {
        let _turn = self.reading.take();
        let ledger = self.incidents.ledger(key)?;
        let finished = record.state == ExecutionState::Finished;
        let error = record.error.clone().unwrap_or_else(|| match finished {
            true => String::new(),
            false => ending::HOST_STOPPED.to_owned(),
        });
        let ended = match finished {
            true => Ended::Finished,
            false => ending::of_interrupted(&error),
        };
        let (return_data, error) = match ended {
            Ended::HostStopped => ending::of_stopped(&ledger),
            _ => (ReturnData::parse(record.return_data.as_deref().unwrap_or_default()), error),
        };
        // A failure of the whole has no rows; a success over no incidents has none either.
        let has_rows = !ledger.is_empty() || return_data == ReturnData::Successful;
        let report = match has_rows {
            true => Some(self.stored_report(record, ledger)?),
            false => None,
        };
        Ok(Answer {
            execution_id: Some(record.begun.id.clone()),
            return_data,
            ended,
            error,
            outputs: record.outputs.clone(),
            report,
            replayed: true,
        })
    }

    fn stored_report(
        &self,
        record: &ExecutionRecord,
        ledger: Vec<LedgerRow>,
    ) -> Result<Report, StoreError> {
        let zone = self.zone(&record.begun.site)?;
        // The columns that its rows were made for; the plugin's may have changed since.
        let columns = serde_json::from_str(&record.begun.columns).map_err(|error| {
            StoreError::Unreadable { what: "an execution's columns", cause: error.to_string() }
        })?;
        Ok(Report::new(Arc::new(columns), zone, NumberedRows::from(ledger)))
    }
}

impl Prepared<'_> {
    fn answer(&self, end: RunEnd, time_zone: TimeZone) -> Answer {
        let columns = self.command.columns.clone();
        let journaled = self.invocation.intent == Intent::Apply;
        let outputs = end.outputs(&self.command.description.succeeded);
        Answer {
            execution_id: journaled.then(|| self.execution_id.clone()),
            return_data: end.return_data,
            error: end.error,
            outputs,
            report: end.rows.map(|rows| Report::new(columns, time_zone, rows)),
            ended: end.ended,
            replayed: false,
        }
    }
}

/// The end of a time that begins now; a century is as good as for ever.
fn deadline(timeout: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(3_155_760_000);
    Instant::now() + timeout.min(CENTURY)
}

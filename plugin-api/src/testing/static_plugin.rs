//! A command called as a host calls a library, by bytes, but linked into the test.

use super::in_memory::InMemoryIncidents;
use crate::command::UtilityCommand;
use crate::context::{ContextError, IncidentContext, IncidentPage, Recording};
use crate::host_link::HostLink;
use crate::messages::{
    self, Call, CommandDescription, Finished, Invocation, MessageError, Reply, Request, Response,
};
use crate::parameters::TextList;
use crate::serve::{CommandEntry, serve};
use abi_stable::std_types::RVec;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

/// A library of one command, without a file.
pub struct StaticPlugin {
    command: &'static str,
    commands: [CommandEntry; 1],
}

/// How an invocation failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The command answered that it failed.
    #[error("{0}")]
    Failed(String),
    /// It stopped since it was told to.
    #[error("cancelled")]
    Cancelled,
    /// It panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// What it answered is no answer to the request.
    #[error("the answer is no answer to the request: {0}")]
    NoAnswer(String),
}

impl StaticPlugin {
    /// The library of this command.
    pub fn of<C: UtilityCommand>() -> StaticPlugin {
        StaticPlugin { command: C::NAME, commands: [CommandEntry::of::<C>()] }
    }

    /// Runs the command on the incidents.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]
    pub fn invoke(
        &self,
        parameters: &serde_json::Value,
        incidents: &mut InMemoryIncidents,
    ) -> Result<Finished, InvokeError> {
        let parameters = serde_json::value::to_raw_value(parameters)
            .map_err(|error| InvokeError::Failed(error.to_string()))?;
        let request = messages::write(&Request::Invoke(Invocation {
            must_understand: Vec::new(),
            command: Cow::Borrowed(self.command),
            execution: incidents.execution().clone(),
            parameters: &parameters,
            log_level: None,
        }));
        match self.ask(&request, incidents)? {
            Response::Finished(finished) => Ok(finished),
            Response::Failed { error } => Err(InvokeError::Failed(error)),
            Response::Cancelled {} => Err(InvokeError::Cancelled),
            Response::Panicked { message } => Err(InvokeError::Panicked(message)),
            other => Err(InvokeError::NoAnswer(format!("{other:?}"))),
        }
    }

    /// The command's description, as a host gets it.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]
    pub fn describe(&self) -> Result<CommandDescription, InvokeError> {
        let request = messages::write(&Request::Describe { must_understand: Vec::new() });
        match self.ask(&request, &mut InMemoryIncidents::default())? {
            Response::Described { mut commands } if commands.len() == 1 => Ok(commands.remove(0)),
            Response::Panicked { message } => Err(InvokeError::Panicked(message)),
            other => Err(InvokeError::NoAnswer(format!("{other:?}"))),
        }
    }

    fn ask(
        &self,
        request: &[u8],
        incidents: &mut InMemoryIncidents,
    ) -> Result<Response, InvokeError> {
        let host = Arc::new(TestHost { state: Mutex::new(TestState::default()) });
        std::mem::swap(&mut host.lock().incidents, incidents);
        let response = serve(&self.commands, request, host.clone());
        std::mem::swap(&mut host.lock().incidents, incidents);
        messages::read(&response).map_err(|error| InvokeError::NoAnswer(error.to_string()))
    }
}

/// Answers a command's calls from incidents in memory.
struct TestHost {
    state: Mutex<TestState>,
}

#[derive(Default)]
struct TestState {
    incidents: InMemoryIncidents,
    numbers: Vec<String>,
}

impl TestHost {
    fn lock(&self) -> std::sync::MutexGuard<'_, TestState> {
        // A test that panicked in here has failed already; what it left may still be looked at.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostLink for TestHost {
    fn call(&self, request: &[u8]) -> RVec<u8> {
        let reply = match messages::read(request) {
            Ok(call) => self.lock().answer(call),
            Err(MessageError::Unsupported(what)) => Reply::Unsupported { what },
            Err(error) => Reply::Failed { error: error.to_string() },
        };
        messages::write(&reply).into()
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        log::log!(target: target, level, "{message}");
    }

    fn is_cancelled(&self) -> bool {
        self.lock().incidents.is_cancelled()
    }
}

impl TestState {
    fn answer(&mut self, call: Call<'_>) -> Reply {
        let answered = match call {
            Call::Select { numbers, more, .. } => {
                self.numbers.extend(numbers.into_iter().map(|number| number.0.into_owned()));
                if more {
                    Ok(Reply::Selected { count: self.numbers.len() as u64 })
                } else {
                    let list: TextList<'_> =
                        std::mem::take(&mut self.numbers).into_iter().collect();
                    self.incidents.select(&list).map(|count| Reply::Selected { count })
                }
            }
            Call::NextIncidents {} => self.incidents.next_page().map(|page| {
                let at_the_end = IncidentPage {
                    as_of: crate::Timestamp::from_milliseconds(0),
                    incidents: Vec::new(),
                };
                let IncidentPage { as_of, incidents } = page.unwrap_or(at_the_end);
                Reply::Incidents { as_of, incidents, must_understand: Vec::new() }
            }),
            Call::Record { conclusion, rows, outcomes, .. } => {
                let no_row = || ContextError::Host("An outcome has no row.".to_owned());
                messages::unpack(&rows, outcomes).ok_or_else(no_row).and_then(|outcomes| {
                    let conclusion = conclusion.as_deref();
                    let recorded =
                        self.incidents.record(&Recording { conclusion, outcomes: &outcomes });
                    recorded.map(|refused| Reply::Recorded { refused })
                })
            }
            Call::Progress { done, total } => {
                self.incidents.progress(done, total).map(|()| Reply::Done {})
            }
        };
        answered.unwrap_or_else(|error| match error {
            ContextError::Cancelled => Reply::Cancelled {},
            ContextError::Unsupported(what) => Reply::Unsupported { what },
            ContextError::Host(error) => Reply::Failed { error },
        })
    }
}

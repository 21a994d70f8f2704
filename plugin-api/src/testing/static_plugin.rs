//! A command called as a host calls a library, by bytes, but linked into the test.

use super::conformance::Subject;
use super::in_memory::InMemoryIncidents;
use super::test_host::TestHost;
use crate::command::UtilityCommand;
use crate::context::IncidentContext;
use crate::messages::{self, CommandDescription, Finished, Invocation, Request, Response};
use crate::serve::{CommandEntry, serve};
use std::borrow::Cow;
use std::sync::Arc;

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
        let host = Arc::new(TestHost::new(InMemoryIncidents::default()));
        host.swap(incidents);
        let response = serve(&self.commands, request, Arc::new(host.clone()));
        host.swap(incidents);
        messages::read(&response).map_err(|error| InvokeError::NoAnswer(error.to_string()))
    }
}

impl Subject for StaticPlugin {
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String> {
        Ok(serve(&self.commands, request, Arc::new(host)))
    }
}

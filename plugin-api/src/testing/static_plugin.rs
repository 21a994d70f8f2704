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
///
/// ```
/// # mod command {
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/show_status/command.rs"));
/// # }
/// # use command::ShowStatus;
/// use playdock_plugin_api::ExampleIncident;
/// use playdock_plugin_api::testing::{InMemoryIncidents, StaticPlugin};
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")]);
/// let parameters = serde_json::json!({ "Incident Numbers": "INC-1" });
/// let finished = StaticPlugin::of::<ShowStatus>().invoke(&parameters, &mut incidents).unwrap();
/// assert_eq!(finished.error, "");
/// ```
pub struct StaticPlugin {
    command: &'static str,
    commands: [CommandEntry; 1],
}

/// How an invocation failed as a whole.
///
/// ```
/// # mod command {
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/show_status/command.rs"));
/// # }
/// # use command::ShowStatus;
/// use playdock_plugin_api::testing::{InMemoryIncidents, InvokeError, StaticPlugin};
/// let parameters = serde_json::json!({});
/// let refused =
///     StaticPlugin::of::<ShowStatus>().invoke(&parameters, &mut InMemoryIncidents::default());
/// let sentence = "Parameter \"Incident Numbers\" is required.";
/// assert_eq!(refused.unwrap_err(), InvokeError::Failed(sentence.to_owned()));
/// ```
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
        invoke(self, self.command, parameters, incidents)
    }

    /// The command's description, as a host gets it.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]
    pub fn describe(&self) -> Result<CommandDescription, InvokeError> {
        let request = messages::write(&Request::Describe { must_understand: Vec::new() });
        match ask(self, &request, &mut InMemoryIncidents::default())? {
            Response::Described { mut commands, .. } if commands.len() == 1 => {
                Ok(commands.remove(0))
            }
            Response::Panicked { message } => Err(InvokeError::Panicked(message)),
            other => Err(InvokeError::NoAnswer(format!("{other:?}"))),
        }
    }
}

impl Subject for StaticPlugin {
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String> {
        Ok(serve(&self.commands, request, Arc::new(host)))
    }
}

/// Asks a library to run a command on the incidents.
pub(super) fn invoke(
    library: &dyn Subject,
    command: &str,
    parameters: &serde_json::Value,
    incidents: &mut InMemoryIncidents,
) -> Result<Finished, InvokeError> {
    let parameters = serde_json::value::to_raw_value(parameters)
        .map_err(|error| InvokeError::Failed(error.to_string()))?;
    let request = messages::write(&Request::Invoke(Invocation {
        must_understand: Vec::new(),
        command: Cow::Borrowed(command),
        execution: incidents.execution().clone(),
        parameters: &parameters,
        log_level: None,
    }));
    match ask(library, &request, incidents)? {
        Response::Finished(finished) => Ok(finished),
        Response::Failed { error } => Err(InvokeError::Failed(error)),
        Response::Cancelled {} => Err(InvokeError::Cancelled),
        Response::Panicked { message } => Err(InvokeError::Panicked(message)),
        other => Err(InvokeError::NoAnswer(format!("{other:?}"))),
    }
}

fn ask(
    library: &dyn Subject,
    request: &[u8],
    incidents: &mut InMemoryIncidents,
) -> Result<Response, InvokeError> {
    let host = Arc::new(TestHost::default());
    host.swap(incidents);
    let response = library.ask(request, host.clone());
    host.swap(incidents);
    let response = response.map_err(InvokeError::NoAnswer)?;
    messages::read(&response).map_err(|error| InvokeError::NoAnswer(error.to_string()))
}

//! What an author writes: a command.

use crate::columns::Columns;
use crate::context::{ContextError, IncidentContext};
use crate::example::Example;
use crate::messages::Finished;
use schemars::JsonSchema;
use serde::Deserialize;

/// A utility command: what D3 calls a command that works in the platform itself, here on incidents.
///
/// The whole of a small one, which says of each incident whether it is closed:
///
/// ```
/// use playdock_plugin_api::parameters::TextList;
/// use playdock_plugin_api::{
///     Columns, CommandError, CommandText, Example, ExampleIncident, ExampleOutcome, Finished,
///     Incident, IncidentContext, Outcome, Reason, Recording, UtilityCommand, testing,
/// };
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Parameters<'request> {
///     /// The incidents to look at.
///     #[serde(rename = "Incident Numbers", borrow)]
///     incident_numbers: TextList<'request>,
/// }
///
/// struct ShowStatus;
///
/// impl UtilityCommand for ShowStatus {
///     const NAME: &'static str = "ShowStatus";
///     type Parameters<'request> = Parameters<'request>;
///
///     fn text() -> CommandText {
///         CommandText {
///             title: "Show Status",
///             description: "Says whether incidents are closed.",
///             category: "System Utility",
///             tags: &["Incident"],
///         }
///     }
///
///     fn columns() -> Columns {
///         Columns::new().incident_number("Incident Number").status("Status").result("Result")
///     }
///
///     fn examples() -> Vec<Example> {
///         vec![Example {
///             title: "One open incident".to_owned(),
///             incidents: vec![ExampleIncident::new("INC-1", "Open")],
///             parameters: serde_json::json!({ "Incident Numbers": ["INC-1"] }),
///             outcomes: vec![ExampleOutcome::unchanged("INC-1", Reason::new("looked-up"))],
///             ..Example::default()
///         }]
///     }
///
///     fn run(
///         parameters: Parameters<'_>,
///         context: &mut dyn IncidentContext,
///     ) -> Result<Finished, CommandError> {
///         context.select(&parameters.incident_numbers)?;
///         let mut unknown = 0;
///         while let Some(page) = context.next_page()? {
///             unknown += page.incidents.iter().filter(|incident| incident.facts.is_none()).count();
///             // What an interrupted run of the same execution has recorded stands.
///             let new = page.incidents.iter().filter(|incident| incident.earlier.is_none());
///             let outcomes: Vec<Outcome> = new.map(outcome).collect();
///             context.record(&Recording::of(&outcomes))?;
///         }
///         let error = match unknown {
///             0 => String::new(),
///             _ => format!("{unknown} incidents do not exist."),
///         };
///         Ok(Finished { error, ..Finished::default() })
///     }
/// }
///
/// fn outcome(incident: &Incident) -> Outcome {
///     match &incident.facts {
///         Some(facts) => {
///             let status = facts.status.as_str().to_owned();
///             Outcome::unchanged(incident, Reason::new("looked-up"), "", vec![status.into()])
///         }
///         None => {
///             let message = "The site has no incident of this number.";
///             Outcome::failed(incident, Reason::NOT_FOUND, message, vec!["".into()])
///         }
///     }
/// }
///
/// testing::conformance::check::<ShowStatus>().unwrap();
/// ```
///
/// [`export_plugin!`](crate::export_plugin) makes a library of it.
pub trait UtilityCommand: 'static {
    /// Its name, as requests and playbooks use it: letters, digits, `-`, `_` and `.`.
    const NAME: &'static str;

    /// The output that counts the incidents that succeeded: a word for what became of them. The host
    /// counts it, and `failed` beside it; a playbook takes it into a variable.
    const SUCCEEDED: &'static str = "succeeded";

    /// The names of the outputs that it returns itself, in [`Finished::outputs`]: a playbook can take
    /// those into variables, and no others.
    const OUTPUTS: &'static [&'static str] = &[];

    /// Its parameters. The comment on a field becomes the parameter's description; a field without
    /// a default is required; a name that is no field is an error.
    type Parameters<'request>: Deserialize<'request> + JsonSchema;

    /// What people read of it.
    fn text() -> CommandText;

    /// The columns of its answer.
    fn columns() -> Columns;

    /// Examples of its use, which are its tests too.
    fn examples() -> Vec<Example>;

    /// Runs it: every selected incident gets an outcome.
    ///
    /// It may be called again with the same execution when an earlier run was interrupted;
    /// [`Incident::earlier`](crate::Incident::earlier) says what that run had recorded.
    ///
    /// # Errors
    ///
    /// The command as a whole failed, or was cancelled. What it had recorded stays.
    fn run(
        parameters: Self::Parameters<'_>,
        context: &mut dyn IncidentContext,
    ) -> Result<Finished, CommandError>;
}

/// What people read of a command.
///
/// ```
/// use playdock_plugin_api::CommandText;
/// let text = CommandText {
///     title: "Show Status",
///     description: "Says whether incidents are closed.",
///     category: "System Utility",
///     tags: &["Incident"],
/// };
/// assert!(text.description.ends_with('.'));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CommandText {
    /// Its name as people read it.
    pub title: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// D3's command category: `System Utility`, say.
    pub category: &'static str,
    /// Its tags.
    pub tags: &'static [&'static str],
}

/// Why a command as a whole failed.
///
/// ```
/// use playdock_plugin_api::{CommandError, ContextError};
/// let failed = CommandError::Failed("The list of owners is empty.".to_owned());
/// assert_eq!(failed.to_string(), "The list of owners is empty.");
/// // What the context says passes through with `?`.
/// assert_eq!(CommandError::from(ContextError::Cancelled).to_string(), "the execution was cancelled");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Something that it found out itself, as a sentence.
    #[error("{0}")]
    Failed(String),
    /// The context did not do what it was asked.
    #[error(transparent)]
    Context(#[from] ContextError),
}

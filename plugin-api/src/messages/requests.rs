//! What the host asks of a library, and what the library answers.

use super::Message;
use crate::columns::Columns;
use crate::context::Execution;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the host asks of a library.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Request<'a> {
    /// To describe its commands.
    Describe {
        /// The members that must be understood.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// To run one of them.
    #[serde(borrow)]
    Invoke(Invocation<'a>),
}

/// One run of a command.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Invocation<'a> {
    /// The members that must be understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_understand: Vec<String>,
    /// The name of the command.
    #[serde(borrow)]
    pub command: Cow<'a, str>,
    /// Which execution it is.
    pub execution: Execution,
    /// The parameters as the user gave them.
    #[serde(borrow)]
    #[cfg_attr(test, schemars(with = "serde_json::Value"))]
    pub parameters: &'a RawValue,
    /// The most detailed level that the host wants logged, as the `log` crate names it.
    #[serde(default)]
    pub log_level: Option<String>,
}

/// What a library answers.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Its commands.
    Described {
        /// One description for each command.
        commands: Vec<CommandDescription>,
        /// The members that must be understood; those of a command as `commands.parameters`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        must_understand: Vec<String>,
    },
    /// The command ran to its end; every selected incident has an outcome.
    Finished(Finished),
    /// The command as a whole failed: a wrong parameter, say.
    Failed {
        /// Why, as a sentence.
        error: String,
    },
    /// The command stopped since it was told to.
    Cancelled {},
    /// The command's code panicked.
    Panicked {
        /// The panic's message, with its place where that is known.
        message: String,
    },
    /// The library doesn't know the request, or something in it that must be understood.
    Unsupported {
        /// What it doesn't know.
        what: String,
    },
}

/// How a command ended.
///
/// ```
/// use playdock_plugin_api::Finished;
/// // A playbook's step can take it into a variable, if the command's OUTPUTS name it.
/// let mut finished = Finished { error: String::new(), ..Finished::default() };
/// finished.outputs.insert("open".to_owned(), 3.into());
/// assert_eq!(finished.outputs["open"], 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finished {
    /// Empty if every incident succeeded; else one sentence with totals and causes.
    pub error: String,
    /// What else a playbook can use: name to value. The command names them in its
    /// [`OUTPUTS`](crate::UtilityCommand::OUTPUTS). The host adds how many incidents succeeded and how
    /// many failed.
    #[serde(default)]
    pub outputs: BTreeMap<String, serde_json::Value>,
}

/// What there is to know of a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CommandDescription {
    /// Its name, as requests and playbooks use it.
    pub name: String,
    /// The output that counts the incidents that succeeded.
    #[serde(default = "succeeded")]
    pub succeeded: String,
    /// The names of the outputs that it returns itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// Its name as people read it.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// D3's command category.
    pub category: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The JSON Schema of its parameters.
    pub parameters: serde_json::Value,
    /// The columns of its answer.
    pub columns: Columns,
    /// Examples of its use: each an [`Example`](crate::Example). What a newer library puts there is
    /// no reason not to load it.
    #[serde(default)]
    pub examples: Vec<serde_json::Value>,
}

fn succeeded() -> String {
    "succeeded".to_owned()
}

impl CommandDescription {
    /// The outputs that every command has, which the host makes.
    pub const OUTPUTS_OF_ALL: [&str; 4] = ["returnData", "error", "failed", "contextData"];

    /// The names of all outputs that a playbook can take into variables.
    pub fn all_outputs(&self) -> impl Iterator<Item = &str> {
        let own = self.outputs.iter().map(String::as_str);
        Self::OUTPUTS_OF_ALL.into_iter().chain([self.succeeded.as_str()]).chain(own)
    }
}

impl Message for Request<'_> {
    const NAMES: &'static [&'static str] = &["describe", "invoke"];

    const KNOWN: &'static [&'static str] = &[
        "command",
        "execution",
        "execution.mode",
        "execution.intent",
        "execution.site",
        "execution.actor",
        "execution.actor.may_close",
        "execution.actor.may_reopen",
        "execution.actor.may_assign",
        "parameters",
        "log_level",
    ];

    fn must_understand(&self) -> &[String] {
        match self {
            Request::Describe { must_understand } => must_understand,
            Request::Invoke(invocation) => &invocation.must_understand,
        }
    }
}

impl Message for Response {
    const NAMES: &'static [&'static str] =
        &["described", "finished", "failed", "cancelled", "panicked", "unsupported"];

    const KNOWN: &'static [&'static str] = &[
        "commands",
        "commands.succeeded",
        "commands.outputs",
        "commands.parameters",
        "commands.columns",
        "commands.columns.table",
        "commands.examples",
    ];

    fn must_understand(&self) -> &[String] {
        match self {
            Response::Described { must_understand, .. } => must_understand,
            _ => &[],
        }
    }
}

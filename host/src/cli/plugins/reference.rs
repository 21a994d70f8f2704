//! The reference of a command: what its description says, in the words and the order of D3's pages.
//! How it is written is for `text` and `markdown`.

pub(super) mod markdown;
mod schema;
pub(super) mod text;

use playdock_plugin_api::messages::CommandDescription;
use playdock_plugin_api::{ColumnKind, Example, OutcomeResult};
use serde_json::Value;

/// The reference of a command.
pub(super) struct Reference<'a> {
    pub(super) description: &'a CommandDescription,
    pub(super) parameters: Vec<Parameter<'a>>,
    /// The examples that this version can read.
    pub(super) examples: Vec<Example>,
}

/// One parameter.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) need: Need,
    /// What kind of value it has: `Array of text`, say.
    pub(super) kind: String,
    /// The values to choose from; none where there is no such list.
    pub(super) options: Vec<String>,
    pub(super) default: Option<String>,
    pub(super) description: &'a str,
    /// The value that the first example has which has one.
    pub(super) sample: Option<String>,
}

/// Whether a parameter has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// It names who acts, where no person does.
    RequiredForAutomaticRuns,
    Optional,
}

impl Need {
    pub(super) fn word(self) -> &'static str {
        match self {
            Need::Required => "Required",
            Need::RequiredForAutomaticRuns => "Required for automatic runs",
            Need::Optional => "Optional",
        }
    }
}

/// The parameter that names who acts in an automatic run.
const ACTING_USER: &str = "Username";

impl<'a> Reference<'a> {
    pub(super) fn of(description: &'a CommandDescription) -> Reference<'a> {
        let read = |example: &Value| serde_json::from_value::<Example>(example.clone()).ok();
        let examples: Vec<Example> = description.examples.iter().filter_map(read).collect();
        let schema = &description.parameters;
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        let parameter = |(name, schema): (&'a String, &'a Value)| Parameter {
            name,
            need: match name.as_str() {
                name if is_required(name) => Need::Required,
                ACTING_USER => Need::RequiredForAutomaticRuns,
                _ => Need::Optional,
            },
            kind: schema::kind(schema),
            options: schema::options(schema),
            default: schema.get("default").filter(|value| !value.is_null()).map(shown),
            description: schema.get("description").and_then(Value::as_str).unwrap_or_default(),
            sample: examples.iter().find_map(|it| it.parameters.get(name.as_str())).map(shown),
        };
        let parameters = properties.into_iter().flatten().map(parameter).collect();
        Reference { description, parameters, examples }
    }

    /// Each reason that the examples have, with the result that it comes with, in their order.
    pub(super) fn reasons(&self) -> Vec<(String, OutcomeResult)> {
        let mut reasons = Vec::new();
        for outcome in self.examples.iter().flat_map(|example| &example.outcomes) {
            let Some(reason) = &outcome.reason else { continue };
            let seen = (reason.as_str().to_owned(), outcome.result);
            if !reasons.contains(&seen) {
                reasons.push(seen);
            }
        }
        reasons
    }
}

/// A value as a user would give it: text as it is, everything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What stands in a column of this kind.
fn column_kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::IncidentNumber => "the incident's number",
        ColumnKind::Result => "Successful or Failed",
        ColumnKind::Status => "the incident's status",
        ColumnKind::Text => "text",
        ColumnKind::Number => "a number",
        ColumnKind::Instant => "a date and time",
    }
}

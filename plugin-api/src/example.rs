//! Examples of a command's use: documentation, and tests that run as they stand.

use crate::context::Mode;
use crate::outcome::{OutcomeResult, Reason};
use serde::{Deserialize, Serialize};

/// An example: incidents, the parameters of a run, and what becomes of each incident.
///
/// [`testing::check_examples`](crate::testing::check_examples) runs a command's examples. One
/// that ends with `..Example::default()` stays right when a later version adds a member.
///
/// ```
/// use playdock_plugin_api::{Example, ExampleIncident, ExampleOutcome, Mode, Reason};
/// let example = Example {
///     title: "One incident is open, and one doesn't exist".to_owned(),
///     incidents: vec![ExampleIncident::new("INC-1", "Open")],
///     parameters: serde_json::json!({ "Incident Numbers": ["INC-1", "INC-2"] }),
///     outcomes: vec![
///         ExampleOutcome::unchanged("INC-1", Reason::new("looked-up")),
///         ExampleOutcome::failed("INC-2", Reason::NOT_FOUND),
///     ],
///     error: "1 of 2 incidents does not exist".to_owned(),
///     ..Example::default()
/// };
/// assert_eq!(example.mode, Mode::Automatic);
/// assert_eq!(example.outcomes.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// Whether a person or a playbook runs it.
    pub mode: Mode,
    /// The incidents that there are before.
    pub incidents: Vec<ExampleIncident>,
    /// The parameters, as a user would give them.
    pub parameters: serde_json::Value,
    /// The outcomes, in the order of the input.
    pub outcomes: Vec<ExampleOutcome>,
    /// The answer's `error`.
    pub error: String,
}

/// An incident as an example or a test sets it up.
///
/// ```
/// use playdock_plugin_api::ExampleIncident;
/// use serde_json::json;
/// let incident = ExampleIncident::new("20210127-198", "Open")
///     .required_task("Reset password", "Pending")
///     .required_field("Closure", "Root cause", json!(null));
/// assert_eq!(incident.tasks[0].title, "Reset password");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExampleIncident {
    /// Its number.
    pub number: String,
    /// Its status.
    pub status: String,
    /// The username of its owner, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its conclusion, as rich text.
    #[serde(default)]
    pub conclusion: String,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<ExampleTask>,
    /// Its fields that are marked Required on Close.
    #[serde(default)]
    pub fields: Vec<ExampleField>,
}

/// A task of an example's incident.
///
/// ```
/// use playdock_plugin_api::ExampleIncident;
/// let incident = ExampleIncident::new("INC-1", "Open").other_task("Tidy up", "Pending");
/// assert!(!incident.tasks[0].required);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExampleTask {
    /// Its title.
    pub title: String,
    /// Whether it must be done before the incident closes.
    pub required: bool,
    /// Its status.
    pub status: String,
}

/// A field, marked Required on Close, of an example's incident.
///
/// ```
/// use playdock_plugin_api::ExampleIncident;
/// use serde_json::json;
/// let incident = ExampleIncident::new("INC-1", "Open").hidden_field("Closure", "Cost", json!(null));
/// assert!(!incident.fields[0].visible);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExampleField {
    /// The section of the form that it stands in.
    pub section: String,
    /// Its name.
    pub name: String,
    /// Whether the form shows it.
    pub visible: bool,
    /// Its value.
    pub value: serde_json::Value,
}

/// What an example expects of one incident.
///
/// ```
/// use playdock_plugin_api::{ExampleOutcome, OutcomeResult, Reason};
/// assert_eq!(ExampleOutcome::successful("INC-1").reason, None);
/// let failed = ExampleOutcome::failed("INC-2", Reason::NOT_FOUND);
/// assert_eq!(failed.result, OutcomeResult::Failed);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExampleOutcome {
    /// The number that was asked for.
    pub number: String,
    /// Whether it succeeds.
    pub result: OutcomeResult,
    /// The reason, if one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl ExampleIncident {
    /// An incident without an owner, tasks and fields.
    pub fn new(number: &str, status: &str) -> ExampleIncident {
        ExampleIncident {
            number: number.to_owned(),
            status: status.to_owned(),
            owner: None,
            conclusion: String::new(),
            tasks: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// With an owner.
    pub fn owner(mut self, username: &str) -> ExampleIncident {
        self.owner = Some(username.to_owned());
        self
    }

    /// With rich text in its Conclusion section.
    pub fn conclusion(mut self, html: &str) -> ExampleIncident {
        self.conclusion = html.to_owned();
        self
    }

    /// With a task that must be done before it closes.
    pub fn required_task(self, title: &str, status: &str) -> ExampleIncident {
        self.task(title, status, true)
    }

    /// With a task that need not be done before it closes.
    pub fn other_task(self, title: &str, status: &str) -> ExampleIncident {
        self.task(title, status, false)
    }

    /// With a field that must have a value before it closes.
    pub fn required_field(
        self,
        section: &str,
        name: &str,
        value: serde_json::Value,
    ) -> ExampleIncident {
        self.field(section, name, value, true)
    }

    /// With such a field that the form hides.
    pub fn hidden_field(
        self,
        section: &str,
        name: &str,
        value: serde_json::Value,
    ) -> ExampleIncident {
        self.field(section, name, value, false)
    }

    fn task(mut self, title: &str, status: &str, required: bool) -> ExampleIncident {
        let (title, status) = (title.to_owned(), status.to_owned());
        self.tasks.push(ExampleTask { title, required, status });
        self
    }

    fn field(
        mut self,
        section: &str,
        name: &str,
        value: serde_json::Value,
        visible: bool,
    ) -> ExampleIncident {
        let (section, name) = (section.to_owned(), name.to_owned());
        self.fields.push(ExampleField { section, name, visible, value });
        self
    }
}

impl ExampleOutcome {
    /// An incident for which the command simply does what it is asked.
    pub fn successful(number: &str) -> ExampleOutcome {
        let number = number.to_owned();
        ExampleOutcome { number, result: OutcomeResult::Successful, reason: None }
    }

    /// An incident for which what is asked held already.
    pub fn unchanged(number: &str, reason: Reason) -> ExampleOutcome {
        ExampleOutcome { reason: Some(reason), ..ExampleOutcome::successful(number) }
    }

    /// An incident that fails.
    pub fn failed(number: &str, reason: Reason) -> ExampleOutcome {
        ExampleOutcome {
            result: OutcomeResult::Failed,
            ..ExampleOutcome::unchanged(number, reason)
        }
    }
}

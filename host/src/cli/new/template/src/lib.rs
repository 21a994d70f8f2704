//! TemplateCommand: says which status incidents have.

#[cfg(test)]
mod tests;

use playdock_plugin_api::parameters::{ActingUser, TextList};
use playdock_plugin_api::{
    Cell, Columns, CommandError, CommandText, Example, ExampleIncident, ExampleOutcome, Facts,
    Finished, Incident, IncidentContext, Outcome, Reason, Rules, Timestamp, UtilityCommand,
    judge_each,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

playdock_plugin_api::export_plugin!(TemplateCommand);

/// What a user gives. The comment on a field is the parameter's description.
#[derive(Deserialize, JsonSchema)]
struct Parameters<'request> {
    /// The numbers of the incidents to look at.
    #[serde(rename = "Incident Numbers", borrow)]
    incident_numbers: TextList<'request>,

    /// The user in whose name the command runs when a playbook runs it.
    #[serde(rename = "Username", default)]
    #[allow(dead_code, reason = "the host reads it, to decide who acts")]
    username: ActingUser,
}

/// The command.
struct TemplateCommand;

/// The incident's status was read.
const READ: Reason = Reason::new("read");

impl UtilityCommand for TemplateCommand {
    const NAME: &'static str = "TemplateCommand";
    /// The output for playbooks that counts the incidents that succeeded.
    const SUCCEEDED: &'static str = "read";
    type Parameters<'request> = Parameters<'request>;

    fn text() -> CommandText {
        CommandText {
            title: "Template Command",
            description: "Says which status incidents have.",
            category: "System Utility",
            tags: &["Incident"],
        }
    }

    fn columns() -> Columns {
        Columns::new()
            .incident_number("Incident Number")
            .status("Status")
            .result("Result")
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            title: "One incident is open, and one doesn't exist".to_owned(),
            incidents: vec![ExampleIncident::new("20210127-198", "Open")],
            parameters: json!({
                "Incident Numbers": ["20210127-198", "20210127-1"],
                "Username": "admin user"
            }),
            outcomes: vec![
                ExampleOutcome::unchanged("20210127-198", READ),
                ExampleOutcome::failed("20210127-1", Reason::NOT_FOUND),
            ],
            error: "1 of 2 incidents does not exist".to_owned(),
            ..Example::default()
        }]
    }

    fn run(
        parameters: Parameters<'_>,
        context: &mut dyn IncidentContext,
    ) -> Result<Finished, CommandError> {
        let tally = judge_each(context, &parameters.incident_numbers, &Reading)?;
        Ok(Finished {
            error: tally.error("does not exist", "do not exist"),
            ..Finished::default()
        })
    }
}

/// What is the same for all incidents of a run; parameters go here that `judge` needs.
struct Reading;

impl Rules for Reading {
    /// What becomes of one incident: one row of the answer, and a change if there is one.
    fn judge(&self, incident: &Incident, facts: &Facts, _as_of: Timestamp) -> Outcome {
        let message = format!("The incident is {}.", facts.status);
        Outcome::unchanged(incident, READ, message, self.cells(incident))
    }

    /// The cells of an incident as it stands, for the columns of text, number and instant.
    fn cells(&self, incident: &Incident) -> Vec<Cell> {
        let status = incident
            .facts
            .as_ref()
            .map(|facts| facts.status.to_string());
        vec![status.into()]
    }
}

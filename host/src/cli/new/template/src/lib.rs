//! TemplateCommand: says which status incidents have.

#[cfg(test)]
mod tests;

use playdock_plugin_api::parameters::{ActingUser, TextList};
use playdock_plugin_api::{
    Columns, CommandError, CommandText, Example, ExampleIncident, ExampleOutcome, Finished,
    Incident, IncidentContext, Mode, Outcome, OutcomeResult, Reason, Recording, UtilityCommand,
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
            mode: Mode::Automatic,
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
        }]
    }

    fn run(
        parameters: Parameters<'_>,
        context: &mut dyn IncidentContext,
    ) -> Result<Finished, CommandError> {
        let total = context.select(&parameters.incident_numbers)?;
        let mut missing = 0;
        while let Some(page) = context.next_page()? {
            // An incident has an outcome already where this execution was interrupted before.
            let (done, new): (Vec<_>, Vec<_>) = page
                .incidents
                .iter()
                .partition(|incident| incident.earlier.is_some());
            let outcomes: Vec<Outcome> = new.into_iter().map(outcome).collect();
            context.record(&Recording {
                conclusion: None,
                outcomes: &outcomes,
            })?;
            let earlier = done
                .iter()
                .filter_map(|it| it.earlier.as_ref())
                .map(|it| it.result);
            let results = outcomes.iter().map(|it| it.result).chain(earlier);
            missing += results
                .filter(|result| *result == OutcomeResult::Failed)
                .count();
        }
        Ok(Finished {
            error: sentence(missing, total),
            ..Finished::default()
        })
    }
}

/// What becomes of one incident: one row of the answer.
fn outcome(incident: &Incident) -> Outcome {
    match &incident.facts {
        Some(facts) => {
            let status = facts.status.as_str().to_owned();
            Outcome::unchanged(incident, READ, "The status was read.", vec![status.into()])
        }
        None => {
            let message = "The site has no incident of this number.";
            Outcome::failed(incident, Reason::NOT_FOUND, message, vec!["".into()])
        }
    }
}

/// The answer's `error`: empty where every incident succeeded.
fn sentence(missing: usize, total: u64) -> String {
    match missing {
        0 => String::new(),
        1 => format!("1 of {total} incidents does not exist"),
        _ => format!("{missing} of {total} incidents do not exist"),
    }
}

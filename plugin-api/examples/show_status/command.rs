// The command, in a file that examples in the documentation include too.

use playdock_plugin_api::parameters::TextList;
use playdock_plugin_api::{
    Columns, CommandError, CommandText, Example, ExampleIncident, ExampleOutcome, Finished,
    Incident, IncidentContext, Outcome, Reason, Recording, UtilityCommand,
};

/// What a user gives.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Parameters<'request> {
    /// The incidents to look at.
    #[serde(rename = "Incident Numbers", borrow)]
    incident_numbers: TextList<'request>,
}

/// The command.
pub struct ShowStatus;

impl UtilityCommand for ShowStatus {
    const NAME: &'static str = "ShowStatus";
    type Parameters<'request> = Parameters<'request>;

    fn text() -> CommandText {
        CommandText {
            title: "Show Status",
            description: "Says whether incidents are closed.",
            category: "System Utility",
            tags: &["Incident"],
        }
    }

    fn columns() -> Columns {
        Columns::new().incident_number("Incident Number").status("Status").result("Result")
    }

    fn examples() -> Vec<Example> {
        vec![Example {
            title: "One open incident".to_owned(),
            incidents: vec![ExampleIncident::new("INC-1", "Open")],
            parameters: serde_json::json!({ "Incident Numbers": ["INC-1"] }),
            outcomes: vec![ExampleOutcome::unchanged("INC-1", Reason::new("looked-up"))],
            ..Example::default()
        }]
    }

    fn run(
        parameters: Parameters<'_>,
        context: &mut dyn IncidentContext,
    ) -> Result<Finished, CommandError> {
        context.select(&parameters.incident_numbers)?;
        while let Some(page) = context.next_page()? {
            let outcomes: Vec<Outcome> = page.incidents.iter().map(outcome).collect();
            context.record(&Recording::of(&outcomes))?;
        }
        Ok(Finished::default())
    }
}

fn outcome(incident: &Incident) -> Outcome {
    match &incident.facts {
        Some(facts) => {
            let status = facts.status.as_str().to_owned();
            Outcome::unchanged(incident, Reason::new("looked-up"), "", vec![status.into()])
        }
        None => {
            let message = "The site has no incident of this number.";
            Outcome::failed(incident, Reason::NOT_FOUND, message, vec!["".into()])
        }
    }
}

//! Examples of CloseIncidentInBulk: what its documentation shows, and its first tests.

use crate::ALREADY_CLOSED;
use playdock_plugin_api::{Example, ExampleIncident, ExampleOutcome, Reason};
use serde_json::json;

pub(crate) fn all() -> Vec<Example> {
    vec![
        Example {
            title: "Two open incidents are closed".to_owned(),
            incidents: vec![
                ExampleIncident::new("20210127-198", "Open"),
                ExampleIncident::new("20210127-197", "In Progress"),
            ],
            parameters: json!({
                "Incident Numbers": ["20210127-198", "20210127-197"],
                "Bypass Required Pending Tasks": "Yes",
                "Bypass All Required Fields": "Yes",
                "Username": "admin user",
                "Conclusion": "The incident was closed in bulk."
            }),
            outcomes: vec![
                ExampleOutcome::successful("20210127-198"),
                ExampleOutcome::successful("20210127-197"),
            ],
            ..Example::default()
        },
        Example {
            title: "What blocks an incident is named, and the others are closed".to_owned(),
            incidents: vec![
                ExampleIncident::new("20210127-198", "Open")
                    .required_task("Reset password", "Pending")
                    .required_field("Closure", "Root cause", json!(null)),
                ExampleIncident::new("20210127-197", "Open")
                    .required_task("Call the user", "In Progress"),
                ExampleIncident::new("20210127-196", "Open")
                    .other_task("Tidy up", "Pending")
                    .required_task("Reset password", "Completed"),
                ExampleIncident::new("20210127-195", "Closed"),
            ],
            parameters: json!({
                "Incident Numbers": "20210127-198, 20210127-197, 20210127-196, 20210127-195, 20210127-1",
                "Bypass Required Pending Tasks": "No",
                "Username": "admin user"
            }),
            outcomes: vec![
                ExampleOutcome::failed("20210127-198", Reason::new("required-tasks-and-fields")),
                ExampleOutcome::failed("20210127-197", Reason::new("required-tasks-pending")),
                ExampleOutcome::successful("20210127-196"),
                ExampleOutcome::unchanged("20210127-195", ALREADY_CLOSED),
                ExampleOutcome::failed("20210127-1", Reason::NOT_FOUND),
            ],
            error: "3 of 5 incidents were not closed: 2 have required tasks pending, \
                    1 of them also lacks required fields, 1 does not exist"
                .to_owned(),
            ..Example::default()
        },
        Example {
            title: "A required field without a value keeps an incident open".to_owned(),
            incidents: vec![
                ExampleIncident::new("20210127-198", "On Hold")
                    .required_task("Reset password", "Pending")
                    .required_field("Closure", "Root cause", json!("phishing")),
                ExampleIncident::new("20210127-197", "Open").required_field(
                    "Closure",
                    "Root cause",
                    json!(""),
                ),
            ],
            parameters: json!({
                "Incident Numbers": ["20210127-198", "20210127-197"],
                "Bypass Required Pending Tasks": "Yes",
                "Bypass All Required Fields": "No",
                "Username": "admin user"
            }),
            outcomes: vec![
                ExampleOutcome::successful("20210127-198"),
                ExampleOutcome::failed("20210127-197", Reason::new("required-fields-missing")),
            ],
            error: "1 of 2 incidents was not closed: 1 lacks required fields".to_owned(),
            ..Example::default()
        },
    ]
}

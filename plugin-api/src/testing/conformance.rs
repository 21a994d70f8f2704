//! What is asked of every command, as cases that run wherever its code runs.
//!
//! An author calls [`check`] in a test; the host's `playdock check FILE` runs the same cases on a
//! library, in process and in a worker, and more of its own that need a file or a process.
//!
//! ```
//! # use playdock_plugin_api::parameters::TextList;
//! # use playdock_plugin_api::*;
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Parameters<'request> {
//! #     /// The incidents to look at.
//! #     #[serde(rename = "Incident Numbers", borrow)]
//! #     incident_numbers: TextList<'request>,
//! # }
//! # struct ShowStatus;
//! # impl UtilityCommand for ShowStatus {
//! #     const NAME: &'static str = "ShowStatus";
//! #     type Parameters<'request> = Parameters<'request>;
//! #     fn text() -> CommandText {
//! #         let description = "Says whether incidents are closed.";
//! #         CommandText { title: "Show Status", description, category: "System Utility", tags: &[] }
//! #     }
//! #     fn columns() -> Columns { Columns::new().incident_number("Incident Number") }
//! #     fn examples() -> Vec<Example> {
//! #         vec![Example {
//! #             title: "One open incident".to_owned(),
//! #             incidents: vec![ExampleIncident::new("INC-1", "Open")],
//! #             parameters: serde_json::json!({ "Incident Numbers": ["INC-1"] }),
//! #             outcomes: vec![ExampleOutcome::unchanged("INC-1", Reason::new("looked-up"))],
//! #             ..Example::default()
//! #         }]
//! #     }
//! #     fn run(
//! #         parameters: Parameters<'_>,
//! #         context: &mut dyn IncidentContext,
//! #     ) -> Result<Finished, CommandError> {
//! #         context.select(&parameters.incident_numbers)?;
//! #         while let Some(page) = context.next_page()? {
//! #             let new = page.incidents.iter().filter(|incident| incident.earlier.is_none());
//! #             let looked_up =
//! #                 |it| Outcome::unchanged(it, Reason::new("looked-up"), "", Vec::new());
//! #             let outcomes: Vec<Outcome> = new.map(looked_up).collect();
//! #             context.record(&Recording::of(&outcomes))?;
//! #         }
//! #         Ok(Finished::default())
//! #     }
//! # }
//! # fn the_command_conforms() {
//! use playdock_plugin_api::testing::conformance;
//!
//! conformance::check::<ShowStatus>().unwrap();
//! # }
//! # the_command_conforms();
//! ```
//!
//! Valid parameters come from the command's own examples, wrong ones from those and the JSON Schema
//! of its parameters; so an example of every parameter makes the check a better one. Fuzzed values
//! follow from a seed, which a failure names and [`check_with`] takes.

mod case;
mod conduct;
mod description;
mod fuzz;
mod interruptions;
mod outcomes;
mod parameters;
mod ran;
mod requests;
mod schema;
mod summary;
mod trial;

pub use case::{Case, Effort, Finding, Unmet, Verdict};
pub use ran::{Answer, Ran};
pub use summary::{Checked, Failures};
pub use trial::{Subject, Trial};

use super::StaticPlugin;
use crate::command::UtilityCommand;

/// All cases, in the order in which they are best read.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [
        requests::CASES,
        description::CASES,
        parameters::CASES,
        fuzz::CASES,
        outcomes::CASES,
        conduct::CASES,
        interruptions::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Checks a command in a test of its own crate: always with the same seed.
///
/// # Errors
///
/// The cases that failed, each with what was expected, what happened and what to mend; `unwrap`
/// shows them as they are to be read.
pub fn check<C: UtilityCommand>() -> Result<Checked, Failures> {
    check_with::<C>(Effort::default())
}

/// Checks a command with a seed, that of a failure to replay say, and as much fuzzing as it says.
///
/// # Errors
///
/// As [`check`].
pub fn check_with<C: UtilityCommand>(effort: Effort) -> Result<Checked, Failures> {
    check_those::<C>(effort, |_| true)
}

/// Runs the examples of a command alone, through the bytes that a library would get.
///
/// # Errors
///
/// What differs, with the title of the example; or that the command has no example.
pub fn check_examples<C: UtilityCommand>() -> Result<(), Failures> {
    let over_examples = ["has-examples", "examples-hold", "cells-fit-columns"];
    check_those::<C>(Effort::default(), |case| over_examples.contains(&case.id)).map(|_| ())
}

fn check_those<C: UtilityCommand>(
    effort: Effort,
    are_meant: impl Fn(&Case) -> bool,
) -> Result<Checked, Failures> {
    let plugin = StaticPlugin::of::<C>();
    let meant = cases().filter(|case| are_meant(case));
    let verdicts = meant.map(|case| (case, case.run(&plugin, C::NAME, effort)));
    summary::sum_up(C::NAME, effort, verdicts)
}

//! Running a command's own examples.

use super::{InMemoryIncidents, StaticPlugin};
use crate::command::UtilityCommand;
use crate::example::{Example, ExampleOutcome};

/// Runs the examples of a command, through the bytes that a library would get.
///
/// # Errors
///
/// What differs, with the title of the example; or that the command has no example, or that its
/// description can't be read.
pub fn check_examples<C: UtilityCommand>() -> Result<(), String> {
    let plugin = StaticPlugin::of::<C>();
    let description = plugin.describe().map_err(|error| format!("{}: {error}", C::NAME))?;
    if description.examples.is_empty() {
        return Err(format!("{}: has no example", C::NAME));
    }
    let cells = description.columns.cells();
    for example in &C::examples() {
        check(&plugin, example, cells)
            .map_err(|problem| format!("{}: {problem}", example.title))?;
    }
    Ok(())
}

fn check(plugin: &StaticPlugin, example: &Example, cells: usize) -> Result<(), String> {
    let mut incidents = InMemoryIncidents::of(example);
    let finished =
        plugin.invoke(&example.parameters, &mut incidents).map_err(|error| error.to_string())?;
    let outcomes: Vec<ExampleOutcome> = incidents
        .outcomes()
        .into_iter()
        .map(|(number, outcome)| ExampleOutcome {
            number: number.to_owned(),
            result: outcome.result,
            reason: outcome.reason.clone(),
        })
        .collect();
    if outcomes != example.outcomes {
        return Err(format!("the outcomes are {outcomes:?}, not {:?}", example.outcomes));
    }
    if finished.error != example.error {
        return Err(format!("the error is {:?}, not {:?}", finished.error, example.error));
    }
    match incidents.outcomes().iter().find(|(_, outcome)| outcome.cells.len() != cells) {
        Some((number, outcome)) => {
            Err(format!("the row of {number} has {} cells, not {cells}", outcome.cells.len()))
        }
        None => Ok(()),
    }
}

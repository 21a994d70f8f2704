//! Cases over what a command says of itself.

use super::case::{Asks, Case, Unmet};
use super::trial::Trial;
use crate::example::Example;
use crate::messages::CommandDescription;
use serde_json::Value;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "described-in-full",
        description: "The command and each parameter, column and output are described",
        advice: "Write what text() lacks, a comment on each field of the parameters struct, and \
                 one column and one output of each name.",
        asks: Asks::Command(described_in_full),
    },
    Case {
        id: "has-examples",
        description: "The command has examples that name known parameters alone",
        advice: "Add an example to examples(): it is documentation, and valid input for the other \
                 cases.",
        asks: Asks::Command(has_examples),
    },
    Case {
        id: "examples-hold",
        description: "What the examples say becomes of each incident is what becomes of it",
        advice: "Mend the example, or the command.",
        asks: Asks::Command(examples_hold),
    },
];

fn described_in_full(trial: &Trial<'_>) -> Result<(), Unmet> {
    let description = trial.description();
    let lacks = |what: &str| Err(Unmet::failed("a description in full", format!("{what} lacks")));
    for (what, text) in [
        ("its title", &description.title),
        ("its description", &description.description),
        ("its category", &description.category),
    ] {
        if text.trim().is_empty() {
            return lacks(what);
        }
    }
    let Some(Value::Object(parameters)) = description.parameters.get("properties") else {
        let happened = "it has no list of them";
        return Err(Unmet::failed("a JSON Schema of its parameters, an object", happened));
    };
    for (name, parameter) in parameters {
        // That one is the host's, which describes it where the command doesn't.
        let text = parameter.get("description").and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return lacks(&format!("a description of the parameter \"{name}\""));
        }
    }
    let columns = &description.columns;
    let names: Vec<&str> = columns.context.iter().map(|column| &*column.name).collect();
    let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    if let Some((_, name)) = twice {
        let happened = format!("it has two columns \"{name}\"");
        return Err(Unmet::failed("one column of each name", happened));
    }
    if let Some(index) = columns.table.iter().find(|index| **index >= names.len()) {
        let happened = format!("it names column {index} of {}", names.len());
        return Err(Unmet::failed("a table of its own columns", happened));
    }
    outputs(description)
}

/// Each output has a name of its own that a variable of a playbook can have.
fn outputs(description: &CommandDescription) -> Result<(), Unmet> {
    let names: Vec<&str> = description.all_outputs().collect();
    for (index, name) in names.iter().enumerate() {
        let others = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !name.bytes().all(others)
        {
            let expected = "outputs that are named by a letter, letters, digits, `-` and `_`";
            return Err(Unmet::failed(expected, format!("one is named {name:?}")));
        }
        if names[..index].contains(name) {
            let happened = format!("there are two of {name:?}, with those that every command has");
            return Err(Unmet::failed("one output of each name", happened));
        }
    }
    Ok(())
}

fn has_examples(trial: &Trial<'_>) -> Result<(), Unmet> {
    let description = trial.description();
    if description.examples.is_empty() {
        return Err(Unmet::failed("an example at least", "it has none"));
    }
    for example in &description.examples {
        let example: Example = serde_json::from_value(example.clone()).map_err(|error| {
            Unmet::failed("examples that can be read", format!("one can't be: {error}"))
        })?;
        let known = |name: &str| description.parameters["properties"].get(name).is_some();
        let Value::Object(parameters) = &example.parameters else {
            let happened = format!("those of \"{}\" are none", example.title);
            return Err(Unmet::failed("an object of parameters", happened));
        };
        if let Some(name) = parameters.keys().find(|name| !known(name)) {
            let happened = format!("\"{}\" has \"{name}\"", example.title);
            return Err(Unmet::failed("known parameters alone", happened));
        }
    }
    Ok(())
}

fn examples_hold(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let ran = trial.run_example(example)?;
        let expected: Vec<_> = example
            .outcomes
            .iter()
            .map(|outcome| (outcome.number.clone(), outcome.result, outcome.reason.clone()))
            .collect();
        let outcomes: Vec<_> = ran
            .outcomes()
            .into_iter()
            .map(|(number, outcome)| (number, outcome.result, outcome.reason))
            .collect();
        if outcomes != expected {
            return Err(ran.unmet(format!("the outcomes {expected:?}"), format!("{outcomes:?}")));
        }
        let finished = ran.finished()?;
        let error = &finished.error;
        if *error != example.error {
            return Err(ran.unmet(format!("the error {:?}", example.error), format!("{error:?}")));
        }
        let declared = &trial.description().outputs;
        if let Some(output) = finished.outputs.keys().find(|output| !declared.contains(output)) {
            let happened = format!("it returned {output:?}");
            return Err(ran.unmet(format!("the outputs {declared:?} of OUTPUTS alone"), happened));
        }
    }
    Ok(())
}

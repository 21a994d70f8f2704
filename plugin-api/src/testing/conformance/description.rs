//! Cases over what a command says of itself.

use super::case::{Asks, Case, Unmet};
use super::trial::Trial;
use crate::example::Example;
use serde_json::Value;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "described-in-full",
        description: "The command, each parameter and each column are described",
        advice: "Write what text() lacks, a comment on each field of the parameters struct, and \
                 one column of each name.",
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
    match columns.table.iter().find(|index| **index >= names.len()) {
        Some(index) => {
            let happened = format!("it names column {index} of {}", names.len());
            Err(Unmet::failed("a table of its own columns", happened))
        }
        None => Ok(()),
    }
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
        let error = &ran.finished()?.error;
        if *error != example.error {
            return Err(ran.unmet(format!("the error {:?}", example.error), format!("{error:?}")));
        }
    }
    Ok(())
}

//! Cases over wrong and unusual parameters, made out of those of the examples.

use super::case::{Asks, Case, Unmet};
use super::ran::{Answer, Ran, clip};
use super::schema::{self, THE_HOSTS};
use super::trial::Trial;
use crate::example::Example;
use crate::testing::{InMemoryIncidents, TestHost};
use serde_json::{Map, Value, json};

/// How many bytes of a huge text stand for an element of a huge list.
const ELEMENT: usize = 256;
/// How many incidents of a huge selection are handed out at once.
const PAGE: usize = 1_000;
/// How deep a deep value is nested.
const DEEP: usize = 50_000;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "missing-parameter",
        description: "Without a required parameter the command fails, names it and changes nothing",
        advice: "Let the field have no default if the command needs it, and one if it doesn't.",
        asks: Asks::Command(missing),
    },
    Case {
        id: "unknown-parameter",
        description: "A parameter that the command doesn't have is refused by name",
        advice: "Let the SDK read the parameters struct: no map, no #[serde(flatten)], no wrapper.",
        asks: Asks::Command(unknown),
    },
    Case {
        id: "wrong-type",
        description: "A value of a type that the schema doesn't have is refused by its name",
        advice: "Let the field's type read what its schema says, and nothing else.",
        asks: Asks::Command(wrong_type),
    },
    Case {
        id: "not-an-object",
        description: "Parameters that are no object are refused",
        advice: "Let the SDK read the parameters struct.",
        asks: Asks::Command(not_an_object),
    },
    Case {
        id: "empty-parameters",
        description: "Empty values are taken or refused, and refused ones change nothing",
        advice: "Decide what blank text and empty lists mean (see parameters::blank_as_absent), \
                 before the first incident is touched.",
        asks: Asks::Command(empty),
    },
    Case {
        id: "huge-parameters",
        description: "A text of megabytes and a list of thousands are taken or refused, in few words",
        advice: "Clip what an error repeats of a value, and keep no copies of one.",
        asks: Asks::Command(huge),
    },
    Case {
        id: "deep-parameters",
        description: "A value that is nested 50,000 deep is taken or refused",
        advice: "Don't walk nested values by recursion, or count how deep it goes.",
        asks: Asks::Command(deep),
    },
    Case {
        id: "duplicate-parameter",
        description: "A parameter that is given twice is refused by its name",
        advice: "Let the SDK read the parameters struct.",
        asks: Asks::Command(duplicate),
    },
    Case {
        id: "invalid-utf8",
        description: "A text that is no UTF-8 is refused",
        advice: "Export the library with export_plugin!, and read the request by no other way.",
        asks: Asks::Command(invalid_utf8),
    },
];

/// An example, and its parameters as an object.
type Given = (Example, Map<String, Value>);

/// The examples with their parameters.
pub(super) fn given(trial: &Trial<'_>) -> Result<Vec<Given>, Unmet> {
    let with_parameters = |example: Example| match &example.parameters {
        Value::Object(parameters) => Some((example.clone(), parameters.clone())),
        _ => None,
    };
    Ok(trial.examples()?.into_iter().filter_map(with_parameters).collect())
}

/// The first example, which stands for all where each would say the same.
fn first(trial: &Trial<'_>) -> Result<Given, Unmet> {
    given(trial)?.into_iter().next().ok_or_else(|| Unmet::skipped("It has no example."))
}

/// The parameters with one of them set, as JSON.
fn with(parameters: &Map<String, Value>, name: &str, value: Value) -> String {
    let mut changed = parameters.clone();
    changed.insert(name.to_owned(), value);
    Value::Object(changed).to_string()
}

/// A run that failed before it did anything, with a sentence that names the parameter.
fn refused(ran: &Ran, name: &str, why: &str) -> Result<(), Unmet> {
    let error = ran.failed_untouched(why)?;
    match error.contains(name) {
        true => Ok(()),
        false => {
            let happened = format!("its error is: {}", clip(error));
            Err(ran.unmet(format!("an error that names \"{name}\""), happened))
        }
    }
}

fn missing(trial: &Trial<'_>) -> Result<(), Unmet> {
    let schema = &trial.description().parameters;
    let mut tried = false;
    for (example, parameters) in given(trial)? {
        for name in schema::required(schema) {
            let mut without = parameters.clone();
            without.shift_remove(name);
            let ran = trial.with_parameters(&example, &Value::Object(without).to_string())?;
            refused(&ran, name, &format!("without \"{name}\", which its schema requires"))?;
            tried = true;
        }
    }
    match tried {
        true => Ok(()),
        false => Err(Unmet::skipped("It requires no parameter.")),
    }
}

fn unknown(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, parameters) = first(trial)?;
    let close_to_known = parameters.keys().next().map(|name| format!("{name}s"));
    for name in ["No Such Parameter".to_owned()].into_iter().chain(close_to_known) {
        if schema::properties(&trial.description().parameters).any(|(known, _)| *known == name) {
            continue;
        }
        let ran = trial.with_parameters(&example, &with(&parameters, &name, json!("a")))?;
        refused(&ran, &name, "for a parameter that it doesn't have")?;
    }
    Ok(())
}

fn wrong_type(trial: &Trial<'_>) -> Result<(), Unmet> {
    let candidates = [
        json!(null),
        json!(true),
        json!(-7),
        json!(0.5),
        json!("no such value"),
        json!([]),
        json!([7]),
        json!([null]),
        json!({}),
        json!({ "a": 1 }),
    ];
    let (example, parameters) = first(trial)?;
    let schema = trial.description().parameters.clone();
    for (name, property) in schema::properties(&schema).filter(|(name, _)| *name != THE_HOSTS) {
        for value in candidates.iter().filter(|value| schema::rejects(property, value)) {
            let ran = trial.with_parameters(&example, &with(&parameters, name, value.clone()))?;
            refused(&ran, name, "for a value that its schema doesn't have")?;
        }
    }
    Ok(())
}

fn not_an_object(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, _) = first(trial)?;
    for parameters in ["null", "[]", "7", "true", "\"{}\""] {
        let ran = trial.with_parameters(&example, parameters)?;
        ran.failed_untouched("for parameters that are no object")?;
    }
    Ok(())
}

fn empty(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, parameters) = first(trial)?;
    unbroken(&trial.with_parameters(&example, "{}")?)?;
    for name in parameters.keys() {
        for value in [json!(""), json!(" \t\n"), json!([]), json!([""]), json!({}), json!(null)] {
            unbroken(&trial.with_parameters(&example, &with(&parameters, name, value))?)?;
        }
    }
    Ok(())
}

/// Taken, or refused before anything was done.
fn unbroken(ran: &Ran) -> Result<(), Unmet> {
    match &ran.answer {
        Answer::Finished(_) => ran.all_have_outcomes(),
        Answer::Failed(_) => ran.failed_untouched("before it does anything").map(|_| ()),
        Answer::Cancelled => {
            Err(ran.unmet("an end or a failure", "it stopped, though nobody told it to"))
        }
    }
}

fn huge(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, parameters) = first(trial)?;
    for name in parameters.keys() {
        let text = "x".repeat(trial.effort.huge);
        let list = (0..trial.effort.huge / ELEMENT)
            .map(|index| format!("HUGE-{index}"))
            .collect::<Value>();
        for value in [Value::String(text), list] {
            let host = TestHost::new(InMemoryIncidents::of(&example).in_pages_of(PAGE));
            let json = with(&parameters, name, value);
            let request = trial.request(&host, &json)?;
            let input = format!("the parameter \"{name}\" of {} bytes", json.len());
            unbroken(&trial.ask(&request, host, input)?)?;
        }
    }
    Ok(())
}

fn deep(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, parameters) = first(trial)?;
    for name in parameters.keys() {
        let host = TestHost::new(InMemoryIncidents::of(&example));
        let hole = with(&parameters, name, json!("HOLE"));
        let nested = format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP));
        let request = trial.request(&host, &hole.replacen("\"HOLE\"", &nested, 1))?;
        let input = format!("the parameter \"{name}\", nested {DEEP} deep");
        unbroken(&trial.ask(&request, host, input)?)?;
    }
    Ok(())
}

fn duplicate(trial: &Trial<'_>) -> Result<(), Unmet> {
    let (example, parameters) = first(trial)?;
    let whole = Value::Object(parameters.clone()).to_string();
    for (name, value) in &parameters {
        let again = format!("{},{}:{value}}}", &whole[..whole.len() - 1], json!(name));
        let ran = trial.with_parameters(&example, &again)?;
        refused(&ran, name, &format!("for \"{name}\", which is given twice"))?;
    }
    Ok(())
}

fn invalid_utf8(trial: &Trial<'_>) -> Result<(), Unmet> {
    const HOLE: &[u8] = b"HOLE";
    let (example, parameters) = first(trial)?;
    for name in parameters.keys() {
        for broken in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"a\xf0\x9f"] {
            let host = TestHost::new(InMemoryIncidents::of(&example));
            let mut request = trial.request(&host, &with(&parameters, name, json!("HOLE")))?;
            if let Some(place) = request.windows(HOLE.len()).position(|bytes| bytes == HOLE) {
                request.splice(place..place + HOLE.len(), broken.iter().copied());
            }
            let input = format!("the parameter \"{name}\" with the bytes {broken:02x?}");
            let ran = trial.ask(&request, host, input)?;
            ran.failed_untouched("for text that is no UTF-8")?;
        }
    }
    Ok(())
}

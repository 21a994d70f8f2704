//! Parameters at random, from the schema of the command.

use super::case::{Asks, Case, Unmet};
use super::parameters::given;
use super::ran::Answer;
use super::schema;
use super::trial::Trial;
use fastrand::Rng;
use serde_json::{Map, Value};

pub(super) const CASES: &[Case] = &[Case {
    id: "fuzzed-parameters",
    description: "Random parameters are taken or refused; those that the schema rejects change nothing",
    advice: "Run the case again with the seed, and see what the command makes of that input.",
    asks: Asks::Command(fuzzed),
}];

fn fuzzed(trial: &Trial<'_>) -> Result<(), Unmet> {
    let given = given(trial)?;
    let schema = &trial.description().parameters;
    let mut random = Rng::with_seed(trial.effort.seed);
    for _ in 0..trial.effort.inputs {
        let Some((example, parameters)) = random.choice(&given) else { break };
        let parameters = Value::Object(mutated(&mut random, schema, parameters));
        let ran = trial.with_parameters(example, &parameters.to_string())?;
        match &ran.answer {
            // The host's parameter is nothing to the command.
            _ if rejected(schema, &parameters) => {
                ran.failed_untouched("for parameters that its schema rejects")?;
            }
            Answer::Finished(_) => ran.all_have_outcomes()?,
            Answer::Failed(_) => {
                ran.failed_untouched("before it does anything")?;
            }
            Answer::Cancelled => {
                return Err(
                    ran.unmet("an end or a failure", "it stopped, though nobody told it to")
                );
            }
        }
    }
    Ok(())
}

fn rejected(schema: &Value, parameters: &Value) -> bool {
    let mut parameters = parameters.clone();
    if let Some(members) = parameters.as_object_mut() {
        members.shift_remove(schema::THE_HOSTS);
    }
    schema::rejects(schema, &parameters)
}

/// The parameters of an example, some of them left out or with random values.
fn mutated(random: &mut Rng, schema: &Value, given: &Map<String, Value>) -> Map<String, Value> {
    let mut parameters = given.clone();
    for (name, property) in schema::properties(schema) {
        match random.u32(0..20) {
            0 => {
                parameters.shift_remove(name);
            }
            1 | 2 => {
                parameters.insert(name.clone(), schema::any(random));
            }
            3..=10 => {
                parameters.insert(name.clone(), schema::value(random, property));
            }
            _ => {}
        }
    }
    if random.u32(0..20) == 0 {
        parameters.insert("Other".to_owned(), schema::any(random));
    }
    parameters
}

//! Cases over how a command goes about its work: twice, as a preview, and where things change.

use super::case::{Asks, Case, Unmet};
use super::ran::Ran;
use super::trial::Trial;
use crate::testing::InMemoryIncidents;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "runs-alike",
        description: "The same parameters on the same incidents give the same answer again",
        advice: "Keep nothing from one execution to the next: no statics, no clock, no randomness.",
        asks: Asks::Command(runs_alike),
    },
    Case {
        id: "preview",
        description: "A preview records what a run would, and changes nothing",
        advice: "Record the same outcomes whatever the intent is: the host sees to it that a preview \
                 changes nothing.",
        asks: Asks::Command(preview),
    },
    Case {
        id: "changed-meanwhile",
        description: "An incident that changes each time it is looked at still gets an outcome",
        advice: "Judge anew what record() refuses, a few times, and record it as failed then.",
        asks: Asks::Command(changed_meanwhile),
    },
    Case {
        id: "not-permitted",
        description: "In the name of a user who may not change anything, each incident still gets an outcome",
        advice: "Look at what the actor may do, or record what was refused as failed.",
        asks: Asks::Command(not_permitted),
    },
];

/// Two runs gave the same.
fn alike(one: &Ran, other: &Ran, expected: &str) -> Result<(), Unmet> {
    if one.answer != other.answer {
        let happened = format!("the answers are {:?} and {:?}", one.answer, other.answer);
        return Err(other.unmet(expected, happened));
    }
    let (first, second) = (one.outcomes(), other.outcomes());
    if first.len() != second.len() {
        let happened = format!("there were {} outcomes, and {}", first.len(), second.len());
        return Err(other.unmet(expected, happened));
    }
    match first.iter().zip(&second).find(|(first, second)| first != second) {
        Some(((number, _), _)) => {
            Err(other.unmet(expected, format!("the outcomes of {number} differ")))
        }
        None => Ok(()),
    }
}

fn runs_alike(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let (one, other) = (trial.run_example(example)?, trial.run_example(example)?);
        alike(&one, &other, "the same answer and outcomes again")?;
    }
    Ok(())
}

fn preview(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let preview = trial.run(example, InMemoryIncidents::of(example).preview())?;
        let before = InMemoryIncidents::of(example);
        if preview.incidents() != *before.all() {
            return Err(preview.unmet("incidents as they were", "one has changed"));
        }
        alike(&trial.run_example(example)?, &preview, "a preview to answer as a run would")?;
    }
    Ok(())
}

fn changed_meanwhile(trial: &Trial<'_>) -> Result<(), Unmet> {
    let mut tried = false;
    for example in &trial.examples()? {
        let outcomes = trial.run_example(example)?.outcomes();
        let changed = outcomes.iter().filter(|(_, outcome)| outcome.change.is_some());
        for (number, _) in changed {
            // It changes each time that the command looks at it.
            let ran =
                trial.run(example, InMemoryIncidents::of(example).meanwhile(number, |_| {}))?;
            ran.finished()?;
            ran.all_have_outcomes()?;
            tried = true;
        }
    }
    match tried {
        true => Ok(()),
        false => Err(Unmet::skipped("None of its examples changes an incident.")),
    }
}

fn not_permitted(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let ran = trial.run(example, InMemoryIncidents::of(example).may_not_change())?;
        ran.finished()?;
        ran.all_have_outcomes()?;
    }
    Ok(())
}

//! Cases over what a command records: rows, and why something failed.

use super::case::{Asks, Case, Unmet};
use super::ran::{Answer, Ran};
use super::trial::Trial;
use crate::columns::ColumnKind;
use crate::outcome::{Cell, OutcomeResult};
use crate::testing::InMemoryIncidents;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "an-outcome-for-each",
        description: "Every incident that is selected has an outcome at the end",
        advice: "Record an outcome for each incident of each page, those without facts too.",
        asks: Asks::Command(an_outcome_for_each),
    },
    Case {
        id: "row-order",
        description: "Each row is that of its incident, in whatever order the host hands them out",
        advice: "Take an outcome's position from its incident, and don't count them yourself.",
        asks: Asks::Command(row_order),
    },
    Case {
        id: "cells-fit-columns",
        description: "Each row has a cell for each column, of the column's kind",
        advice: "Give each outcome the cells that columns() declares, in that order; \
                 Cell::Empty where there is nothing.",
        asks: Asks::Command(cells_fit_columns),
    },
    Case {
        id: "failures-say-why",
        description: "What failed has a reason and a message, and the answer an error; what succeeded has none",
        advice: "Give each failed outcome a reason in kebab case and a message, and Finished::error \
                 a sentence exactly if one failed.",
        asks: Asks::Command(failures_say_why),
    },
];

/// A run of each example, and one of each where the site knows none of its incidents.
fn runs(trial: &Trial<'_>) -> Result<Vec<Ran>, Unmet> {
    let mut runs = Vec::new();
    for example in &trial.examples()? {
        runs.push(trial.run_example(example)?);
        let ran = trial.run(example, InMemoryIncidents::default())?;
        if matches!(ran.answer, Answer::Finished(_)) {
            runs.push(ran);
        }
    }
    Ok(runs)
}

fn an_outcome_for_each(trial: &Trial<'_>) -> Result<(), Unmet> {
    runs(trial)?.iter().try_for_each(Ran::all_have_outcomes)
}

fn row_order(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let expected = trial.run_example(example)?.outcomes();
        let ran = trial.run(example, InMemoryIncidents::of(example).handed_out_in_reverse())?;
        ran.finished()?;
        let outcomes = ran.outcomes();
        let differs = expected.iter().zip(&outcomes).find(|(expected, other)| expected != other);
        if let Some(((number, _), _)) = differs {
            let expected = "the same rows when the host hands the incidents out in reverse";
            return Err(ran.unmet(expected, format!("that of {number} was another")));
        }
        if outcomes.len() != expected.len() {
            let happened = format!("there were {} of {}", outcomes.len(), expected.len());
            return Err(ran.unmet("as many rows in another order", happened));
        }
    }
    Ok(())
}

fn cells_fit_columns(trial: &Trial<'_>) -> Result<(), Unmet> {
    let columns = &trial.description().columns;
    let columns: Vec<_> = columns.context.iter().filter(|it| it.kind.has_cell()).collect();
    for ran in &runs(trial)? {
        for (number, outcome) in ran.outcomes() {
            if outcome.cells.len() != columns.len() {
                let happened = format!("the row of {number} has {}", outcome.cells.len());
                return Err(ran.unmet(format!("{} cells a row", columns.len()), happened));
            }
            for (cell, column) in outcome.cells.iter().zip(&columns) {
                if !fits(cell, column.kind) {
                    let expected = format!("{:?} in the column \"{}\"", column.kind, column.name);
                    return Err(ran.unmet(expected, format!("the row of {number} has {cell:?}")));
                }
            }
        }
    }
    Ok(())
}

fn fits(cell: &Cell, kind: ColumnKind) -> bool {
    match cell {
        Cell::Empty => true,
        Cell::Text(_) => matches!(kind, ColumnKind::Text | ColumnKind::Status),
        Cell::Number(_) => kind == ColumnKind::Number,
        Cell::Instant(_) => kind == ColumnKind::Instant,
    }
}

fn failures_say_why(trial: &Trial<'_>) -> Result<(), Unmet> {
    for ran in &runs(trial)? {
        let outcomes = ran.outcomes();
        let failed = outcomes.iter().filter(|(_, it)| it.result == OutcomeResult::Failed);
        for (number, outcome) in failed.clone() {
            let reason = outcome.reason.as_ref().map_or("", |reason| reason.as_str());
            if !is_kebab_case(reason) {
                let happened = format!("that of {number} is {reason:?}");
                return Err(ran.unmet("a reason in kebab case for each failure", happened));
            }
            if outcome.message.as_ref().is_none_or(|message| message.trim().is_empty()) {
                let happened = format!("that of {number} is blank");
                return Err(ran.unmet("a message for each failure", happened));
            }
        }
        let (failed, error) = (failed.count(), &ran.finished()?.error);
        if (failed > 0) == error.trim().is_empty() {
            let expected = match failed {
                0 => "no error where nothing failed".to_owned(),
                _ => format!("an error where {failed} of {} failed", outcomes.len()),
            };
            return Err(ran.unmet(expected, format!("it is {error:?}")));
        }
    }
    Ok(())
}

fn is_kebab_case(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split('-').all(is_word)
}

//! Outcomes as a message carries them: most incidents of an execution end alike, so what outcomes
//! have in common, their row, crosses once.

use crate::change::Change;
use crate::outcome::{Cell, Outcome, OutcomeResult, Reason};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What outcomes have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// Whether what was asked for holds.
    #[serde(default, skip_serializing_if = "OutcomeResult::is_successful")]
    pub result: OutcomeResult,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The values of the command's columns of text, number and instant, in their order.
    pub cells: Vec<Cell>,
}

/// The outcome of one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RowOutcome {
    /// The position of the incident.
    pub position: u64,
    /// Its row: an index into the message's rows, from 0.
    pub row: usize,
    /// What is to be changed, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// Outcomes that are made ready for a message.
#[derive(Default)]
pub(crate) struct Packed {
    pub(crate) rows: Vec<Row>,
    pub(crate) outcomes: Vec<RowOutcome>,
}

impl Packed {
    /// As many of the outcomes as fit into a message of so many bytes, and at least one; returns
    /// the others too.
    pub(crate) fn of(outcomes: &[Outcome], bytes: usize) -> (Packed, &[Outcome]) {
        let mut packed = Packed::default();
        let mut known: HashMap<u64, usize> = HashMap::new();
        let mut size = 0;
        for (index, outcome) in outcomes.iter().enumerate() {
            let row = match packed.outcomes.last() {
                // Neighbours often end alike.
                Some(last) if packed.rows[last.row].is_of(outcome) => Some(last.row),
                _ => {
                    let row = known.get(&hash(outcome)).copied();
                    row.filter(|row| packed.rows[*row].is_of(outcome))
                }
            };
            size += LENGTH_OF_OUTCOME + row.map_or_else(|| length_of_row(outcome), |_| 0);
            if size > bytes && index > 0 {
                return (packed, &outcomes[index..]);
            }
            let row = row.unwrap_or_else(|| {
                known.insert(hash(outcome), packed.rows.len());
                packed.rows.push(Row::of(outcome));
                packed.rows.len() - 1
            });
            let (position, change) = (outcome.position, outcome.change.clone());
            packed.outcomes.push(RowOutcome { position, row, change });
        }
        (packed, &[])
    }
}

/// The outcomes of a message; none where one names a row that it doesn't have.
pub(crate) fn unpack(rows: &[Row], outcomes: Vec<RowOutcome>) -> Option<Vec<Outcome>> {
    let unpack = |outcome: RowOutcome| {
        let Row { result, reason, message, cells } = rows.get(outcome.row)?.clone();
        let RowOutcome { position, change, .. } = outcome;
        Some(Outcome { position, change, result, reason, message, cells })
    };
    outcomes.into_iter().map(unpack).collect()
}

impl Row {
    fn of(outcome: &Outcome) -> Row {
        Row {
            result: outcome.result,
            reason: outcome.reason.clone(),
            message: outcome.message.clone(),
            cells: outcome.cells.clone(),
        }
    }

    fn is_of(&self, outcome: &Outcome) -> bool {
        self.result == outcome.result
            && self.reason == outcome.reason
            && self.message == outcome.message
            && self.cells == outcome.cells
    }
}

/// Equal for outcomes of one row, and seldom for others.
fn hash(outcome: &Outcome) -> u64 {
    let mut hasher = DefaultHasher::new();
    (outcome.result == OutcomeResult::Successful).hash(&mut hasher);
    (&outcome.reason, &outcome.message).hash(&mut hasher);
    for cell in &outcome.cells {
        match cell {
            Cell::Empty => 0.hash(&mut hasher),
            Cell::Instant(instant) => instant.hash(&mut hasher),
            Cell::Number(number) => number.to_bits().hash(&mut hasher),
            Cell::Text(text) => text.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// About how many bytes an outcome takes beside its row.
const LENGTH_OF_OUTCOME: usize = 80;

/// About how many bytes a row takes: its texts, and the names around them.
fn length_of_row(outcome: &Outcome) -> usize {
    const NAMES: usize = 80;
    let cells = outcome.cells.iter().map(|cell| match cell {
        Cell::Text(text) => text.len() + 3,
        _ => 16,
    });
    NAMES + outcome.message.as_ref().map_or(0, String::len) + cells.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(position: u64, message: &str) -> Outcome {
        Outcome {
            position,
            change: None,
            result: OutcomeResult::Failed,
            reason: None,
            message: Some(message.to_owned()),
            cells: vec!["Open".into(), Cell::Empty, Cell::Number(0.5)],
        }
    }

    #[test]
    fn outcomes_that_are_alike_share_a_row_and_come_out_as_they_went_in() {
        let outcomes = ["a", "b", "a", "a", "c", "b"].map(|message| outcome(7, message));
        let (packed, rest) = Packed::of(&outcomes, 1 << 20);
        assert!(rest.is_empty());
        let rows: Vec<usize> = packed.outcomes.iter().map(|it| it.row).collect();
        assert_eq!((packed.rows.len(), rows), (3, vec![0, 1, 0, 0, 2, 1]));
        assert_eq!(unpack(&packed.rows, packed.outcomes).unwrap(), outcomes);
    }

    #[test]
    fn a_message_takes_what_fits_and_at_least_one() {
        let outcomes: Vec<Outcome> = (0..9).map(|it| outcome(it, &"x".repeat(1000))).collect();
        let (packed, rest) = Packed::of(&outcomes, 1600);
        assert_eq!((packed.outcomes.len(), rest.len()), (6, 3));
        let (packed, rest) = Packed::of(&outcomes, 1);
        assert_eq!((packed.outcomes.len(), rest.len()), (1, 8));
    }

    #[test]
    fn a_row_that_there_is_not_is_no_outcome() {
        assert_eq!(unpack(&[], vec![RowOutcome { position: 0, row: 0, change: None }]), None);
    }
}

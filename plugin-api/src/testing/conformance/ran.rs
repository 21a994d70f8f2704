//! What came of running a command.

use super::case::Unmet;
use crate::messages::Finished;
use crate::outcome::Outcome;
use crate::testing::{InMemoryIncident, InMemoryIncidents, TestHost};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much of an input is shown.
pub(super) const SHOWN: usize = 300;

/// What a command answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It came to its end.
    Finished(Finished),
    /// It failed as a whole.
    Failed(String),
    /// It stopped, as it was told to.
    Cancelled,
}

/// A run of a command.
pub struct Ran {
    /// What it answered.
    pub answer: Answer,
    pub(super) host: Arc<TestHost>,
    pub(super) input: String,
}

impl Ran {
    /// The answer of a command that came to its end.
    ///
    /// # Errors
    ///
    /// It did not.
    pub fn finished(&self) -> Result<&Finished, Unmet> {
        match &self.answer {
            Answer::Finished(finished) => Ok(finished),
            other => Err(self.unmet("it to come to its end", in_words(other))),
        }
    }

    /// The sentence of a command that failed as a whole, and left everything as it was.
    pub(super) fn failed_untouched(&self, why: &str) -> Result<&str, Unmet> {
        let Answer::Failed(error) = &self.answer else {
            return Err(self.unmet(format!("it to fail {why}"), in_words(&self.answer)));
        };
        match self.outcomes().len() {
            0 => Ok(error),
            recorded => {
                let happened = format!("it recorded {recorded} outcomes and failed then");
                Err(self.unmet(format!("it to fail {why} before it does anything"), happened))
            }
        }
    }

    /// A failure of the case on this run.
    pub(super) fn unmet(&self, expected: impl Into<String>, happened: impl Into<String>) -> Unmet {
        Unmet::failed(expected, happened).on(self.input.clone())
    }

    /// The outcomes, each with the number of its incident, in the order of the input.
    pub(super) fn outcomes(&self) -> Vec<(String, Outcome)> {
        self.host.look(|incidents| {
            let owned = |(number, outcome): (&str, &Outcome)| (number.to_owned(), outcome.clone());
            incidents.outcomes().into_iter().map(owned).collect()
        })
    }

    /// How many incidents the command selected.
    pub(super) fn selected(&self) -> usize {
        self.host.look(|incidents| incidents.selected().len())
    }

    /// The incidents as they stand after the run.
    pub(super) fn incidents(&self) -> BTreeMap<String, InMemoryIncident> {
        self.host.look(|incidents| incidents.all().clone())
    }

    /// Takes the incidents out, for another run of the same execution.
    pub(super) fn into_incidents(self) -> InMemoryIncidents {
        let mut incidents = InMemoryIncidents::default();
        self.host.swap(&mut incidents);
        incidents
    }

    /// Every incident that was selected has an outcome.
    pub(super) fn all_have_outcomes(&self) -> Result<(), Unmet> {
        let (selected, recorded) = (self.selected(), self.outcomes().len());
        match recorded == selected {
            true => Ok(()),
            false => Err(self.unmet(
                "an outcome for every incident that it selected",
                format!("it recorded {recorded} for {selected} incidents"),
            )),
        }
    }
}

/// An answer in words that continue a sentence.
pub(super) fn in_words(answer: &Answer) -> String {
    match answer {
        Answer::Finished(_) => "it came to its end".to_owned(),
        Answer::Failed(error) => format!("it failed: {}", clip(error)),
        Answer::Cancelled => "it answered that it was cancelled".to_owned(),
    }
}

/// The beginning of a text.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

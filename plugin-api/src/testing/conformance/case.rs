//! A case, and what comes of one.

use super::trial::{Subject, Trial};
use serde::{Deserialize, Serialize};

/// One thing that is asked of every plugin.
#[derive(Debug)]
pub struct Case {
    /// Its id, in kebab case.
    pub id: &'static str,
    /// What must hold.
    pub description: &'static str,
    /// What to mend where it doesn't.
    pub advice: &'static str,
    pub(super) asks: Asks,
}

/// Of whom something is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asks {
    /// The library as a whole.
    Library(fn(&dyn Subject) -> Result<(), Unmet>),
    /// Each of its commands.
    Command(fn(&Trial<'_>) -> Result<(), Unmet>),
}

/// How much is tried, and with which random values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// The same seed gives the same values.
    pub seed: u64,
    /// How many fuzzed inputs a command gets.
    pub inputs: usize,
    /// How many bytes a huge text has; a huge list has an element for each 256 of them.
    pub huge: usize,
}

impl Default for Effort {
    /// 200 inputs from the seed 0, and texts of 128 KiB.
    fn default() -> Effort {
        Effort { seed: 0, inputs: 200, huge: 128 << 10 }
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It doesn't.
    Failed(Finding),
    /// It could not be tried: a sentence.
    Skipped(String),
}

/// How a case failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Finding {
    /// What was expected.
    pub expected: String,
    /// What happened.
    pub happened: String,
    /// On which input, shortened; empty where there was none.
    pub input: String,
}

/// Why a case didn't come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// It can't be tried: a sentence.
    Skipped(String),
    /// It failed.
    Failed(Finding),
}

impl Unmet {
    /// A case that can't be tried: a sentence.
    pub fn skipped(why: impl Into<String>) -> Unmet {
        Unmet::Skipped(why.into())
    }

    /// A case that failed without an input.
    pub fn failed(expected: impl Into<String>, happened: impl Into<String>) -> Unmet {
        let (expected, happened) = (expected.into(), happened.into());
        Unmet::Failed(Finding { expected, happened, input: String::new() })
    }

    /// The same, on an input.
    pub fn on(self, input: impl Into<String>) -> Unmet {
        match self {
            Unmet::Failed(finding) => Unmet::Failed(Finding { input: input.into(), ..finding }),
            skipped @ Unmet::Skipped(_) => skipped,
        }
    }
}

impl From<Unmet> for Verdict {
    fn from(unmet: Unmet) -> Verdict {
        match unmet {
            Unmet::Skipped(why) => Verdict::Skipped(why),
            Unmet::Failed(finding) => Verdict::Failed(finding),
        }
    }
}

impl From<Result<(), Unmet>> for Verdict {
    fn from(tried: Result<(), Unmet>) -> Verdict {
        tried.map_or_else(Verdict::from, |()| Verdict::Passed)
    }
}

impl Case {
    /// Whether it is asked of each command; else it is asked of the library as a whole.
    pub fn is_of_commands(&self) -> bool {
        matches!(self.asks, Asks::Command(_))
    }

    /// Tries it. The command is passed over where it is asked of the library.
    pub fn run(&self, subject: &dyn Subject, command: &str, effort: Effort) -> Verdict {
        match self.asks {
            Asks::Library(ask) => ask(subject),
            Asks::Command(ask) => Trial::of(subject, command, effort).and_then(|it| ask(&it)),
        }
        .into()
    }
}

//! The cases of one command summed up, for the author's own tests.

use super::case::{Case, Effort, Finding, Verdict};
use std::fmt;

/// How many cases were tried, and all held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// How many passed.
    pub passed: usize,
    /// How many could not be tried.
    pub skipped: usize,
}

/// The cases that failed.
pub struct Failures {
    command: &'static str,
    seed: u64,
    failed: Vec<(&'static Case, Finding)>,
}

impl Failures {
    /// The ids of the cases that failed.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.failed.iter().map(|(case, _)| case.id)
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (command, count) = (self.command, self.failed.len());
        writeln!(formatter, "{command} does not conform (seed {}), cases: {count}", self.seed)?;
        for (case, finding) in &self.failed {
            writeln!(formatter, "\n{}: {}", case.id, case.description)?;
            writeln!(formatter, "  expected  {}", finding.expected)?;
            writeln!(formatter, "  happened  {}", finding.happened)?;
            if !finding.input.is_empty() {
                writeln!(formatter, "  input     {}", finding.input)?;
            }
            writeln!(formatter, "  mend      {}", case.advice)?;
        }
        Ok(())
    }
}

/// As `Display`: a test's `unwrap` shows it, and is to be read.
impl fmt::Debug for Failures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Failures {}

/// Sums up the verdicts on a command.
pub(super) fn sum_up(
    command: &'static str,
    effort: Effort,
    verdicts: impl Iterator<Item = (&'static Case, Verdict)>,
) -> Result<Checked, Failures> {
    let mut checked = Checked { passed: 0, skipped: 0 };
    let mut failed = Vec::new();
    for (case, verdict) in verdicts {
        match verdict {
            Verdict::Passed => checked.passed += 1,
            Verdict::Skipped(_) => checked.skipped += 1,
            Verdict::Failed(finding) => failed.push((case, finding)),
        }
    }
    match failed.is_empty() {
        true => Ok(checked),
        false => Err(Failures { command, seed: effort.seed, failed }),
    }
}

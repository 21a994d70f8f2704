//! Counting what became of the incidents, and saying it in one sentence.

use playdock_plugin_api::{Incident, Outcome, OutcomeResult, Reason, Refusal};
use std::collections::{BTreeMap, HashSet};

/// How many incidents have which outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    closed: u64,
    failed: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts outcomes that were recorded: those that were not refused.
    pub(crate) fn count(&mut self, outcomes: &[Outcome], refused: &[Refusal]) {
        let refused: HashSet<u64> = refused.iter().map(|it| it.incident.position).collect();
        for outcome in outcomes.iter().filter(|outcome| !refused.contains(&outcome.position)) {
            self.count_one(outcome.result, outcome.reason.as_ref());
        }
    }

    /// Counts incidents whose outcomes were recorded before an interruption, and stand.
    pub(crate) fn count_earlier(&mut self, incidents: &[Incident]) {
        let earlier = incidents.iter().filter_map(|incident| incident.earlier.as_ref());
        for earlier in earlier.filter(|earlier| !earlier.undone) {
            self.count_one(earlier.result, earlier.reason.as_ref());
        }
    }

    fn count_one(&mut self, result: OutcomeResult, reason: Option<&Reason>) {
        match result {
            OutcomeResult::Successful => self.closed += 1,
            OutcomeResult::Failed => {
                let reason = reason.map_or("", Reason::as_str);
                *self.failed.entry(reason.to_owned()).or_default() += 1;
            }
        }
    }

    /// How many incidents there were.
    pub(crate) fn total(&self) -> u64 {
        self.closed + self.failed_in_all()
    }

    /// Empty if all are closed, else totals and causes.
    pub(crate) fn sentence(&self) -> String {
        let failed = self.failed_in_all();
        if failed == 0 {
            return String::new();
        }
        let both = self.of("required-tasks-and-fields");
        let tasks = self.of("required-tasks-pending") + both;
        let mut causes = Vec::new();
        let mut cause = |count: u64, one: &str, many: &str| {
            if count > 0 {
                causes.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        cause(tasks, "has required tasks pending", "have required tasks pending");
        if tasks == 1 {
            cause(both, "also lacks required fields", "");
        } else {
            cause(both, "of them also lacks required fields", "of them also lack required fields");
        }
        cause(self.of("required-fields-missing"), "lacks required fields", "lack required fields");
        cause(self.of("not-found"), "does not exist", "do not exist");
        cause(
            self.of("not-permitted"),
            "may not be closed by this user",
            "may not be closed by this user",
        );
        cause(self.of("changed-meanwhile"), "changed meanwhile", "changed meanwhile");
        cause(self.of("reopened-since"), "was reopened since", "were reopened since");
        cause(self.of("store-error"), "could not be written", "could not be written");
        let were = if failed == 1 { "was" } else { "were" };
        format!("{failed} of {} incidents {were} not closed: {}", self.total(), causes.join(", "))
    }

    fn of(&self, reason: &str) -> u64 {
        self.failed.get(reason).copied().unwrap_or_default()
    }

    fn failed_in_all(&self) -> u64 {
        self.failed.values().sum()
    }
}

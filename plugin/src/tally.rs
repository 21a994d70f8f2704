//! Counting what became of the incidents, and saying it in one sentence.

use playdock_plugin_api::{Earlier, OutcomeResult, Reason};
use std::collections::BTreeMap;

/// How many incidents have which outcome.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    closed: u64,
    failed: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts an incident that is closed, now or before.
    pub(crate) fn count_closed(&mut self) {
        self.closed += 1;
    }

    /// Takes back what was counted as closed and then refused by the host.
    pub(crate) fn withdraw_closed(&mut self, count: usize) {
        self.closed = self.closed.saturating_sub(count as u64);
    }

    /// Counts an incident that failed.
    pub(crate) fn count(&mut self, reason: Option<&Reason>) {
        let reason = reason.map_or("", Reason::as_str);
        *self.failed.entry(reason.to_owned()).or_default() += 1;
    }

    /// Counts an incident whose outcome was recorded before an interruption.
    pub(crate) fn count_earlier(&mut self, earlier: &Earlier) {
        match earlier.result {
            OutcomeResult::Successful => self.count_closed(),
            OutcomeResult::Failed => self.count(earlier.reason.as_ref()),
        }
    }

    /// How many incidents there were.
    pub(crate) fn total(&self) -> u64 {
        self.closed + self.failed_in_all()
    }

    /// What a playbook can use: `closed` counts the incidents that are closed now, by this
    /// execution or before; `failed` the others.
    pub(crate) fn outputs(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([
            ("closed".to_owned(), self.closed),
            ("failed".to_owned(), self.failed_in_all()),
        ])
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
        cause(
            tasks,
            "has required tasks pending",
            "have required tasks pending",
        );
        if tasks == 1 {
            cause(both, "also lacks required fields", "");
        } else {
            cause(
                both,
                "of them also lacks required fields",
                "of them also lack required fields",
            );
        }
        cause(
            self.of("required-fields-missing"),
            "lacks required fields",
            "lack required fields",
        );
        cause(self.of("not-found"), "does not exist", "do not exist");
        cause(
            self.of("not-permitted"),
            "may not be closed by this user",
            "may not be closed by this user",
        );
        cause(
            self.of("changed-meanwhile"),
            "changed meanwhile",
            "changed meanwhile",
        );
        cause(
            self.of("reopened-since"),
            "was reopened since",
            "were reopened since",
        );
        cause(
            self.of("store-error"),
            "could not be written",
            "could not be written",
        );
        let were = if failed == 1 { "was" } else { "were" };
        format!(
            "{failed} of {} incidents {were} not closed: {}",
            self.total(),
            causes.join(", ")
        )
    }

    fn of(&self, reason: &str) -> u64 {
        self.failed.get(reason).copied().unwrap_or_default()
    }

    fn failed_in_all(&self) -> u64 {
        self.failed.values().sum()
    }
}

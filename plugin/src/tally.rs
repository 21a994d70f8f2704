//! Saying what became of the incidents in one sentence.

use playdock_plugin_api::{Reason, Tally};

/// Empty if all are closed, else totals and causes.
pub(crate) fn sentence(tally: &Tally) -> String {
    let failed = tally.failed();
    if failed == 0 {
        return String::new();
    }
    let of = |reason| tally.failed_for(&Reason::new(reason));
    let both = of("required-tasks-and-fields");
    let tasks = of("required-tasks-pending") + both;
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
    cause(of("required-fields-missing"), "lacks required fields", "lack required fields");
    cause(of("not-found"), "does not exist", "do not exist");
    cause(of("not-permitted"), "may not be closed by this user", "may not be closed by this user");
    cause(of("changed-meanwhile"), "changed meanwhile", "changed meanwhile");
    cause(of("reopened-since"), "was reopened since", "were reopened since");
    cause(of("store-error"), "could not be written", "could not be written");
    let were = if failed == 1 { "was" } else { "were" };
    format!("{failed} of {} incidents {were} not closed: {}", tally.total(), causes.join(", "))
}

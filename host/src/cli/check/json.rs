//! What was checked, for programs.

use super::Checked;
use crate::check::{Listed, Place};
use playdock_plugin_api::testing::conformance::Verdict;
use serde::Serialize;

/// A case of the list.
#[derive(Serialize)]
pub(super) struct ListedLine {
    id: &'static str,
    description: &'static str,
    mend: &'static str,
    asked_of: &'static str,
    places: Vec<&'static str>,
}

/// What was checked.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    plugin: &'a str,
    version: &'a str,
    file: String,
    sha256: &'a str,
    seed: u64,
    passed: usize,
    failed: usize,
    skipped: usize,
    cases: Vec<CaseLine<'a>>,
}

#[derive(Serialize)]
struct CaseLine<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place>,
    verdict: &'static str,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    happened: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

pub(super) fn list(cases: &[Listed]) -> Vec<ListedLine> {
    let line = |case: &Listed| ListedLine {
        id: case.id,
        description: case.description,
        mend: case.advice,
        asked_of: if case.of_commands { "command" } else { "library" },
        places: case.places.iter().map(|place| place.name()).collect(),
    };
    cases.iter().map(line).collect()
}

pub(super) fn report<'a>(checked: &'a Checked<'a>) -> Report<'a> {
    let mut report = Report {
        plugin: &checked.file.identity().name,
        version: &checked.file.identity().version,
        file: checked.file.path().display().to_string(),
        sha256: checked.file.digest(),
        seed: checked.plan.amount.effort.seed,
        passed: 0,
        failed: 0,
        skipped: 0,
        cases: Vec::new(),
    };
    for tried in checked.tried {
        let case = checked.case(tried);
        let mut line = CaseLine {
            id: case.id,
            command: &tried.command,
            place: tried.place,
            verdict: "passed",
            seconds: tried.took.as_secs_f64(),
            expected: None,
            happened: None,
            input: None,
            mend: None,
            again: None,
            reason: None,
        };
        match &tried.verdict {
            Verdict::Passed => report.passed += 1,
            Verdict::Skipped(why) => {
                report.skipped += 1;
                (line.verdict, line.reason) = ("skipped", Some(why.as_str()));
            }
            Verdict::Failed(finding) => {
                report.failed += 1;
                line.verdict = "failed";
                line.expected = Some(&finding.expected);
                line.happened = Some(&finding.happened);
                line.input = Some(finding.input.as_str()).filter(|input| !input.is_empty());
                (line.mend, line.again) = (Some(case.advice), Some(checked.replay(tried)));
            }
        }
        report.cases.push(line);
    }
    report
}

//! The end of a run: what went wrong without an answer that says so, and where and why it ended.

use crate::cli::arguments::Output;
use crate::cli::exit::Failure;
use crate::cli::{output, terminal};
use crate::playbook::{Ending, RunReport, StepReport};
use serde::Serialize;
use std::io::{self, Write};

/// A line of the JSON output for a failure of the run itself: the members that an answer has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureLine<'a> {
    step: &'a str,
    execution: Option<&'a str>,
    result: &'a str,
    error: &'a str,
    return_data: &'a str,
    context_data: [(); 0],
}

/// A run that is over.
pub(super) struct End<'a> {
    pub(super) report: &'a RunReport,
    pub(super) run_id: &'a str,
    /// Whether the same id can go on with it, if it did not come to its end.
    pub(super) goes_on: bool,
    /// Whether a task was interrupted.
    pub(super) interrupted: bool,
    /// Tells whether a command of the step was run.
    pub(super) was_run: &'a dyn Fn(&str) -> bool,
}

impl End<'_> {
    /// Writes what of the run has not been written with its answers.
    pub(super) fn write(&self, form: Output) -> Result<(), Failure> {
        output::write(|out| match form {
            Output::Text | Output::Junit | Output::Markdown => self.text(out),
            Output::Json => self.failures().try_for_each(|step| {
                let line = FailureLine {
                    step: &step.step_id,
                    execution: None,
                    result: "",
                    error: step.error.as_deref().unwrap_or_default(),
                    return_data: step.result.as_str(),
                    context_data: [],
                };
                output::json_line(out, &line)
            }),
        })
    }

    /// The failures of the run itself, which no command answered.
    fn failures(&self) -> impl Iterator<Item = &StepReport> {
        self.report.steps.iter().filter(|step| step.command.is_none())
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for step in self.failures() {
            let name = terminal::safe(step.step_name.as_deref().unwrap_or(&step.step_id));
            let error = terminal::safe(step.error.as_deref().unwrap_or_default());
            let how = if (self.was_run)(&step.step_id) { "" } else { " was not run" };
            writeln!(out, "{name}{how}: {error}")?;
        }
        let (report, run_id) = (self.report, terminal::safe(self.run_id));
        let at = terminal::safe(report.ended_at_name.as_deref().unwrap_or(&report.ended_at));
        let (result, why) = (report.result, report.ending);
        match why {
            Ending::End if self.interrupted => writeln!(
                out,
                "Run {run_id}: {result}, ended at \"{at}\"; a task was interrupted, and \
                 --execution-id {run_id} goes on with it"
            ),
            Ending::End => writeln!(out, "Run {run_id}: {result}, ended at \"{at}\""),
            Ending::Cancelled | Ending::Stopped if self.goes_on => writeln!(
                out,
                "Run {run_id}: {result}, stopped at \"{at}\": {why}; --execution-id {run_id} goes \
                 on with it"
            ),
            _ => writeln!(out, "Run {run_id}: {result}, stopped at \"{at}\": {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::ReturnData;

    fn shown(ending: Ending, was_run: bool) -> String {
        let step = |command: Option<&str>, error: Option<&str>| StepReport {
            step_id: "action--1".to_owned(),
            step_name: Some("Close B".to_owned()),
            command: command.map(str::to_owned),
            result: ReturnData::Failed,
            error: error.map(str::to_owned),
        };
        let report = RunReport {
            steps: vec![step(Some("C"), Some("of the command")), step(None, Some("of the run"))],
            result: ReturnData::Failed,
            ended_at: "end--1".to_owned(),
            ended_at_name: None,
            ending,
        };
        let mut out = Vec::new();
        let end = End {
            report: &report,
            run_id: "R",
            goes_on: true,
            interrupted: false,
            was_run: &|_| was_run,
        };
        end.text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn failures_that_no_answer_tells_are_told() {
        let end = "Run R: Failed, ended at \"end--1\"\n";
        let (never, partly) = (shown(Ending::End, false), shown(Ending::End, true));
        assert_eq!(never, format!("Close B was not run: of the run\n{end}"));
        assert_eq!(partly, format!("Close B: of the run\n{end}"));
    }

    #[test]
    fn a_run_that_was_cancelled_can_go_on() {
        let shown = shown(Ending::Cancelled, false);
        assert!(shown.ends_with("the run was cancelled; --execution-id R goes on with it\n"));
    }
}

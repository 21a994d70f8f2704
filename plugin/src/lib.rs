//! CloseIncidentInBulk: closes incidents via their incident numbers.
//!
//! The command is D3 SOAR's [*Close Incidents In Bulk*][page], and this crate is laid out as
//! others may be: `parameters` is what a user gives, `rules` is what keeps an incident open, `tally`
//! says what became of them, and this file puts the three to work.
//!
//! [page]: https://docs.d3security.com/utility-command-docs/working-version/close-incidents-in-bulk

mod examples;
#[cfg(test)]
mod memory_tests;
mod parameters;
mod rules;
mod tally;
#[cfg(test)]
mod tests;

use parameters::Parameters;
use playdock_plugin_api::{
    Cell, Change, Columns, CommandError, CommandText, Example, Facts, Finished, Incident,
    IncidentContext, Outcome, Reason, Rules, Status, Timestamp, UtilityCommand, judge_each,
};
use rules::{Bypasses, Verdict};

playdock_plugin_api::export_plugin!(CloseIncidentInBulk);

/// The command.
struct CloseIncidentInBulk;

/// The incident was closed before this execution came to it.
const ALREADY_CLOSED: Reason = Reason::new("already-closed");
/// This execution closed it, was interrupted, and somebody reopened it since.
const REOPENED_SINCE: Reason = Reason::new("reopened-since");

impl UtilityCommand for CloseIncidentInBulk {
    const NAME: &'static str = "CloseIncidentInBulk";
    const SUCCEEDED: &'static str = "closed";
    type Parameters<'request> = Parameters<'request>;

    fn text() -> CommandText {
        CommandText {
            title: "Close Incidents In Bulk",
            description: "Closes incidents via their incident numbers.",
            category: "System Utility",
            tags: &["Incident"],
        }
    }

    fn columns() -> Columns {
        Columns::new()
            .incident_number("Incident Number")
            .status("Status")
            .instant("Close Date")
            .result("Result")
            .text("Closed By")
            .table_order(&["Incident Number", "Status", "Close Date", "Closed By", "Result"])
    }

    fn examples() -> Vec<Example> {
        examples::all()
    }

    fn run(
        parameters: Parameters<'_>,
        context: &mut dyn IncidentContext,
    ) -> Result<Finished, CommandError> {
        let actor = context.execution().actor.clone();
        let closing = Closing {
            bypasses: parameters.bypasses(),
            closed_by: actor.username,
            may_close: actor.may_close,
            conclusion: parameters.conclusion,
        };
        let tally = judge_each(context, &parameters.incident_numbers, &closing)?;
        Ok(Finished { error: tally::sentence(&tally), ..Finished::default() })
    }
}

/// What is the same for all incidents of an execution.
struct Closing {
    bypasses: Bypasses,
    closed_by: String,
    may_close: bool,
    conclusion: Option<String>,
}

impl Rules for Closing {
    fn judge(&self, incident: &Incident, facts: &Facts, as_of: Timestamp) -> Outcome {
        let failed =
            |reason, message| Outcome::failed(incident, reason, message, self.cells(incident));
        if facts.status == Status::Closed {
            return already_closed(incident, facts);
        }
        if !self.may_close {
            let message = format!("{} may not close incidents.", self.closed_by);
            return failed(Reason::NOT_PERMITTED, message);
        }
        match rules::judge(facts, self.bypasses) {
            Verdict::Closes { waived } => {
                let change = Change::Close { version: facts.version, waived };
                let cells = vec!["Closed".into(), as_of.into(), self.closed_by.clone().into()];
                Outcome::changed(incident, change, cells)
            }
            Verdict::Blocked { reason, message } => failed(reason, message),
        }
    }

    /// The present status, and neither date nor user.
    fn cells(&self, incident: &Incident) -> Vec<Cell> {
        let status = incident.facts.as_ref().map(|facts| facts.status.as_str().to_owned());
        vec![status.into(), Cell::Empty, Cell::Empty]
    }

    fn conclusion(&self) -> Option<&str> {
        self.conclusion.as_deref()
    }

    fn undone(&self) -> (Reason, &str) {
        let message =
            "This execution had closed the incident, and it was reopened since: it stays open.";
        (REOPENED_SINCE, message)
    }
}

/// What was asked for holds, so it succeeds; its date, its user and its conclusion stay.
fn already_closed(incident: &Incident, facts: &Facts) -> Outcome {
    let cells = vec!["Closed".into(), facts.closed_at.into(), facts.closed_by.clone().into()];
    let message =
        "The incident was closed already; nothing was changed and no conclusion appended.";
    Outcome::unchanged(incident, ALREADY_CLOSED, message, cells)
}

//! CloseIncidentInBulk: closes incidents via their incident numbers.
//!
//! The command is D3 SOAR's [*Close Incidents In Bulk*][page], and this crate is laid out as
//! others may be: `parameters` is what a user gives, `rules` is what keeps an incident open, `tally`
//! counts what became of them, and this file puts the three to work.
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
    IncidentContext, Outcome, Reason, Recording, Refusal, Status, Timestamp, UtilityCommand,
};
use rules::{Bypasses, Verdict};
use tally::Tally;

playdock_plugin_api::export_plugin!(CloseIncidentInBulk);

/// The command.
struct CloseIncidentInBulk;

/// The incident was closed before this execution came to it.
const ALREADY_CLOSED: Reason = Reason::new("already-closed");
/// This execution closed it, was interrupted, and somebody reopened it since.
const REOPENED_SINCE: Reason = Reason::new("reopened-since");

/// How often an incident is judged anew when it changes between look and change.
const ATTEMPTS: usize = 5;

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
        };
        let total = context.select(&parameters.incident_numbers)?;
        let conclusion = parameters.conclusion.as_deref();
        let mut tally = Tally::default();
        while let Some(page) = context.next_page()? {
            let judge = |incident: &_| closing.judge(incident, page.as_of);
            tally.count_earlier(&page.incidents);
            let mut outcomes: Vec<Outcome> = page.incidents.iter().filter_map(judge).collect();
            let mut attempt = 0;
            while !outcomes.is_empty() {
                let refused = context.record(&Recording { conclusion, outcomes: &outcomes })?;
                tally.count(&outcomes, &refused);
                attempt += 1;
                if attempt > ATTEMPTS && !refused.is_empty() {
                    let error = "The host refuses even to record that incidents failed.";
                    return Err(CommandError::Failed(error.to_owned()));
                }
                let again = |refusal: &Refusal| match refusal.reason == Reason::CHANGED_MEANWHILE {
                    true if attempt < ATTEMPTS => judge(&refusal.incident),
                    _ => Some(refused_outcome(refusal)),
                };
                outcomes = refused.iter().filter_map(again).collect();
            }
            context.progress(tally.total(), total)?;
        }
        Ok(Finished { error: tally.sentence(), ..Finished::default() })
    }
}

/// What is the same for all incidents of an execution.
struct Closing {
    bypasses: Bypasses,
    closed_by: String,
    may_close: bool,
}

impl Closing {
    /// What becomes of one incident; none where its outcome stands from before an interruption.
    fn judge(&self, incident: &Incident, now: Timestamp) -> Option<Outcome> {
        let failed = |reason: Reason, message: String| {
            Some(Outcome::failed(incident, reason, message, as_it_stands(incident)))
        };
        match &incident.earlier {
            Some(earlier) if !earlier.undone => return None,
            Some(_) => {
                let message = "This execution had closed the incident, and it was reopened since: it stays open.";
                return failed(REOPENED_SINCE, message.to_owned());
            }
            None => {}
        }
        let Some(facts) = &incident.facts else {
            let message = "The site has no incident of this number.";
            return failed(Reason::NOT_FOUND, message.to_owned());
        };
        if facts.status == Status::Closed {
            return Some(already_closed(incident, facts));
        }
        if !self.may_close {
            let message = format!("{} may not close incidents.", self.closed_by);
            return failed(Reason::NOT_PERMITTED, message);
        }
        match rules::judge(facts, self.bypasses) {
            Verdict::Closes { waived } => {
                let change = Change::Close { version: facts.version, waived };
                let cells = vec!["Closed".into(), now.into(), self.closed_by.clone().into()];
                Some(Outcome::changed(incident, change, cells))
            }
            Verdict::Blocked { reason, message } => failed(reason, message),
        }
    }
}

/// What was asked for holds, so it succeeds; its date, its user and its conclusion stay.
fn already_closed(incident: &Incident, facts: &Facts) -> Outcome {
    let cells = vec!["Closed".into(), facts.closed_at.into(), facts.closed_by.clone().into()];
    let message =
        "The incident was closed already; nothing was changed and no conclusion appended.";
    Outcome::unchanged(incident, ALREADY_CLOSED, message, cells)
}

/// The outcome of an incident for which the host refused another one.
fn refused_outcome(refusal: &Refusal) -> Outcome {
    let (reason, message) = (refusal.reason.clone(), refusal.message.clone());
    Outcome::failed(&refusal.incident, reason, message, as_it_stands(&refusal.incident))
}

/// The cells of an incident that fails: its present status, and neither date nor user.
fn as_it_stands(incident: &Incident) -> Vec<Cell> {
    let status = incident.facts.as_ref().map(|facts| facts.status.as_str().to_owned());
    vec![status.into(), Cell::Empty, Cell::Empty]
}

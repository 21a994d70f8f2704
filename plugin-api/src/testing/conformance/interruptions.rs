//! Cases over a host that fails, an execution that is to stop, and one that goes on later.

use super::case::{Asks, Case, Unmet};
use super::ran::{Answer, Ran, in_words};
use super::trial::Trial;
use crate::outcome::OutcomeResult;
use crate::testing::test_host::Stop;
use crate::testing::{InMemoryIncidents, TestHost};
use std::time::{Duration, Instant};

/// At how many calls of an example something is injected at most.
const MOST_PLACES: usize = 50;
/// After how long the deadline of a run without end passes.
const TIME: Duration = Duration::from_millis(100);
/// How long a command may take to stop; a host ends its worker then.
const GRACE: Duration = Duration::from_millis(300);
/// How often a command may try to keep a deadline: the machine may be busy.
const ATTEMPTS: usize = 5;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "host-error-at-each-call",
        description: "Where the host fails, at whichever call, the command fails and says why",
        advice: "Pass the errors of the context on with `?`.",
        asks: Asks::Command(host_error),
    },
    Case {
        id: "cancelled-before",
        description: "A command that is cancelled before it begins does nothing",
        advice: "Pass ContextError::Cancelled on with `?`.",
        asks: Asks::Command(cancelled_before),
    },
    Case {
        id: "cancelled-during",
        description: "A command that is cancelled, at whichever call, answers that it was",
        advice: "Pass ContextError::Cancelled on with `?`; make no failure of your own of it.",
        asks: Asks::Command(cancelled_during),
    },
    Case {
        id: "cancelled-after",
        description: "What was cancelled after its last call came to its end or stopped, and the next execution runs as ever",
        advice: "Keep no note of a cancellation beyond its execution.",
        asks: Asks::Command(cancelled_after),
    },
    Case {
        id: "deadline",
        description: "A command whose time is over stops within 0.3 seconds",
        advice: "Ask context.is_cancelled() in work that goes on long between two calls, and pass \
                 ContextError::Cancelled on with `?`.",
        asks: Asks::Command(deadline),
    },
    Case {
        id: "same-execution-again",
        description: "An interrupted execution goes on: each incident has one outcome, as if nothing had been",
        advice: "Record nothing for an incident whose Incident::earlier stands; count it as it was.",
        asks: Asks::Command(same_execution_again),
    },
];

/// Where in a run of so many calls something is injected.
fn places(calls: usize) -> impl Iterator<Item = usize> {
    (0..calls).step_by(calls.div_ceil(MOST_PLACES).max(1))
}

fn host_error(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let calls = trial.run_example(example)?.host.calls();
        for place in places(calls.len()) {
            let incidents = InMemoryIncidents::of(example);
            let ran = trial.stop(example, incidents, Stop::FailsAt(place))?;
            // Whoever couldn't show how far it was may go on.
            let may_go_on = calls[place] == "progress" && place + 1 == calls.len();
            match &ran.answer {
                Answer::Failed(_) => {}
                Answer::Finished(_) if may_go_on => {}
                other => {
                    let expected = format!("it to fail as the host does ({})", at(&calls, place));
                    return Err(ran.unmet(expected, in_words(other)));
                }
            }
        }
    }
    Ok(())
}

/// A call in words.
fn at(calls: &[&str], place: usize) -> String {
    format!("at call {} of {}, {}", place + 1, calls.len(), calls[place])
}

fn cancelled_before(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let ran = trial.stop(example, InMemoryIncidents::of(example), Stop::CancelledAt(0))?;
        let uses_the_host = !trial.run_example(example)?.host.calls().is_empty();
        if uses_the_host && ran.answer != Answer::Cancelled {
            return Err(ran.unmet("the answer that it was cancelled", in_words(&ran.answer)));
        }
    }
    Ok(())
}

fn cancelled_during(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let calls = trial.run_example(example)?.host.calls();
        for place in places(calls.len()).skip(1) {
            let incidents = InMemoryIncidents::of(example);
            let ran = trial.stop(example, incidents, Stop::CancelledAt(place))?;
            if ran.answer != Answer::Cancelled {
                let expected = format!("the answer that it was cancelled ({})", at(&calls, place));
                return Err(ran.unmet(expected, in_words(&ran.answer)));
            }
        }
    }
    Ok(())
}

fn cancelled_after(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let before = trial.run_example(example)?;
        let calls = before.host.calls().len();
        let ran = trial.stop(example, InMemoryIncidents::of(example), Stop::CancelledAt(calls))?;
        if let Answer::Failed(_) = &ran.answer {
            return Err(ran.unmet("it to end or to stop", in_words(&ran.answer)));
        }
        ran.all_have_outcomes()?;
        let next = trial.run(example, InMemoryIncidents::of(example))?;
        if next.answer != before.answer || next.outcomes() != before.outcomes() {
            let expected = "the next execution to run as before one was cancelled";
            return Err(next.unmet(expected, in_words(&next.answer)));
        }
    }
    Ok(())
}

fn deadline(trial: &Trial<'_>) -> Result<(), Unmet> {
    // What is endless is alike for all of them.
    let example = trial.examples()?.remove(0);
    let mut attempt = 1;
    loop {
        match keeps_deadline(trial, &example) {
            Err(Unmet::Failed(_)) if attempt < ATTEMPTS => attempt += 1,
            kept => return kept,
        }
    }
}

fn keeps_deadline(trial: &Trial<'_>, example: &crate::example::Example) -> Result<(), Unmet> {
    let deadline = Instant::now() + TIME;
    let host = TestHost::new(InMemoryIncidents::of(example)).endless();
    let ran = trial.run_on(example, host.stopping(Stop::At(deadline)))?;
    let late = Instant::now().saturating_duration_since(deadline);
    if late > GRACE {
        let expected = format!("it to stop within {} ms after its deadline", GRACE.as_millis());
        return Err(ran.unmet(expected, format!("it took {} ms", late.as_millis())));
    }
    match &ran.answer {
        Answer::Failed(_) => Err(ran.unmet("it to end or to stop", in_words(&ran.answer))),
        _ => Ok(()),
    }
}

fn same_execution_again(trial: &Trial<'_>) -> Result<(), Unmet> {
    for example in &trial.examples()? {
        let whole = trial.run_example(example)?;
        let expected = results(&whole);
        let calls = whole.host.calls().len();
        for place in places(calls + 1) {
            let incidents = InMemoryIncidents::of(example);
            let mut incidents =
                trial.stop(example, incidents, Stop::CancelledAt(place))?.into_incidents();
            incidents.resume();
            let ran = trial.run(example, incidents)?;
            ran.finished()?;
            ran.all_have_outcomes()?;
            if results(&ran) != expected {
                let wanted = format!("the outcomes {expected:?} after an interruption");
                return Err(ran.unmet(wanted, format!("{:?}", results(&ran))));
            }
            let failed = expected.iter().any(|(_, result, _)| *result == OutcomeResult::Failed);
            if failed == ran.finished()?.error.is_empty() {
                let happened = format!("the error is {:?}", ran.finished()?.error);
                return Err(ran.unmet("an error exactly if one failed, earlier too", happened));
            }
        }
    }
    Ok(())
}

/// What became of each incident.
fn results(ran: &Ran) -> Vec<(String, OutcomeResult, String)> {
    let result = |(number, outcome): (String, crate::outcome::Outcome)| {
        (number, outcome.result, outcome.reason.map(|it| it.to_string()).unwrap_or_default())
    };
    ran.outcomes().into_iter().map(result).collect()
}

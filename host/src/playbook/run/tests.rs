//! The way through playbooks, with a runner that is told what to answer.

mod example;
mod outputs;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::playbook::fixture::{action, command, loaded};

/// Answers with what it was given, then always with success; notes what it was asked.
#[derive(Default)]
struct Runner {
    answers: Vec<TaskOutcome>,
    tasks: Vec<(String, Value, Option<Duration>)>,
    waits: Vec<Duration>,
    cancelled: bool,
}

impl TaskRunner for Runner {
    fn run_task(&mut self, task: &Task<'_>) -> TaskOutcome {
        let parameters = Value::Object(task.parameters.clone());
        self.tasks.push((task.step_id.to_owned(), parameters, task.timeout));
        if self.answers.is_empty() {
            return answer(ReturnData::Successful, &[]);
        }
        self.answers.remove(0)
    }

    fn wait(&mut self, delay: Duration) -> bool {
        self.waits.push(delay);
        !self.cancelled
    }
}

fn answer(result: ReturnData, outputs: &[(&str, &str)]) -> TaskOutcome {
    let outputs = outputs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    TaskOutcome { result, outputs: outputs.collect(), stop: false }
}

/// Runs the fixture with these changes.
fn run(changes: &[(&str, Value)], runner: &mut Runner) -> RunReport {
    loaded(changes).prepare(&BTreeMap::new()).unwrap().run(runner)
}

fn asked_steps(runner: &Runner) -> Vec<&str> {
    runner.tasks.iter().map(|(step, ..)| step.as_str()).collect()
}

#[test]
fn values_of_the_caller_reach_the_command() {
    let supplied = [("__numbers__".to_owned(), "[\"8\", \"9\"]".to_owned())].into();
    let playbook = loaded(&[]);
    let mut runner = Runner::default();
    playbook.prepare(&supplied).unwrap().run(&mut runner);
    assert_eq!(runner.tasks[0].1, json!({"Incident Numbers": ["8", "9"]}));
}

#[test]
fn partial_success_and_failure_take_on_failure() {
    for result in [ReturnData::PartiallySuccessful, ReturnData::Failed] {
        let mut runner = Runner::default();
        runner.answers.push(answer(result, &[("error", "2 of 5 were not closed")]));
        let report = run(&[], &mut runner);
        assert_eq!(asked_steps(&runner), ["action--1"]);
        assert_eq!((report.ended_at.as_str(), report.ending), ("end--2", Ending::End));
        assert_eq!(report.result, result);
        assert_eq!(report.steps[0].error.as_deref(), Some("2 of 5 were not closed"));
    }
}

#[test]
fn on_completion_is_not_taken_after_a_failure() {
    for result in [ReturnData::PartiallySuccessful, ReturnData::Failed] {
        let outputs = [("closed", "1"), ("error", "")];
        let first = answer(ReturnData::Successful, &outputs);
        let mut runner = Runner { answers: vec![first, answer(result, &[])], ..Runner::default() };
        let report = run(&[], &mut runner);
        assert_eq!(asked_steps(&runner), ["action--1", "action--2"]);
        assert_eq!(report.ended_at, "action--2");
        assert_eq!(report.ending, Ending::FailureWithoutBranch);
        assert_eq!(report.result, result);
    }
}

/// The exception step `action--9`, which `end--9` follows.
fn exception() -> [(&'static str, Value); 3] {
    let step = json!({
        "commands": [command(json!({"Text": "__error__:value"}))],
        "on_completion": "end--9"
    });
    [
        ("/workflow_exception", "action--9".into()),
        ("/workflow/action--9", action(step)),
        ("/workflow/end--9", json!({"type": "end"})),
    ]
}

#[test]
fn the_exception_step_is_taken_where_no_on_failure_is() {
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "1")]));
    let report = run(&exception(), &mut runner);
    // `action--2` fails because `__error__` is null, and so would not be called.
    assert_eq!(asked_steps(&runner), ["action--1", "action--9"]);
    assert_eq!((report.ended_at.as_str(), report.ending), ("end--9", Ending::End));
    assert_eq!(report.result, ReturnData::Failed);

    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Failed, &[]));
    assert_eq!(run(&exception(), &mut runner).ended_at, "end--2", "on_failure comes first");
}

#[test]
fn the_exception_step_is_taken_once() {
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "1"), ("error", "")]));
    runner.answers.push(answer(ReturnData::Failed, &[]));
    runner.answers.push(answer(ReturnData::Failed, &[]));
    let report = run(&exception(), &mut runner);
    assert_eq!(asked_steps(&runner), ["action--1", "action--2", "action--9"]);
    assert_eq!(report.ended_at, "action--9");
    assert_eq!(report.ending, Ending::FailureWithoutBranch);
}

#[test]
fn delays_are_waited_before_steps_and_timeouts_are_handed_on() {
    let changes = [
        ("/workflow/action--1/delay", 1500.into()),
        ("/workflow/action--1/timeout", 2000.into()),
        ("/workflow/end--2/delay", 7.into()),
    ];
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Failed, &[]));
    run(&changes, &mut runner);
    assert_eq!(runner.waits, [Duration::from_millis(1500), Duration::from_millis(7)]);
    assert_eq!(runner.tasks[0].2, Some(Duration::from_secs(2)));
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_has_failed() {
    let mut runner = Runner { cancelled: true, ..Runner::default() };
    let report = run(&[("/workflow/action--2/delay", 5.into())], &mut runner);
    assert_eq!(asked_steps(&runner), ["action--1"]);
    assert_eq!((report.ended_at.as_str(), report.ending), ("action--2", Ending::Cancelled));
    assert_eq!(report.result, ReturnData::Failed);
    assert_eq!(report.steps[1].command, None);
}

#[test]
fn a_run_that_is_stopped_takes_no_branch() {
    let mut runner = Runner::default();
    runner.answers.push(TaskOutcome { stop: true, ..answer(ReturnData::Failed, &[]) });
    let report = run(&[], &mut runner);
    assert_eq!((report.ended_at.as_str(), report.ending), ("action--1", Ending::Stopped));
}

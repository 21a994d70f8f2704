//! What becomes of the outputs of commands.

use super::*;

#[test]
fn success_leads_to_the_end_and_outputs_to_the_next_step() {
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "1"), ("error", "")]));
    let report = run(&[], &mut runner);
    assert_eq!(
        runner.tasks,
        [
            ("action--1".to_owned(), json!({"Incident Numbers": ["7"]}), None),
            ("action--2".to_owned(), json!({"Text": "1 closed: "}), None),
        ]
    );
    assert_eq!(report.result, ReturnData::Successful);
    assert_eq!((report.ended_at.as_str(), report.ending), ("end--1", Ending::End));
    assert_eq!(report.ended_at_name.as_deref(), Some("Done"));
    assert_eq!(
        report.steps[0],
        StepReport {
            step_id: "action--1".to_owned(),
            step_name: Some("Close".to_owned()),
            command: Some("Do".to_owned()),
            result: ReturnData::Successful,
            error: None,
        }
    );
}

#[test]
fn commands_run_in_order_up_to_the_first_that_is_not_successful() {
    let commands = [json!({"n": 1}), json!({"n": 2}), json!({"n": 3})].map(command);
    let changes = [("/workflow/action--1/commands", json!(commands))];
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "1")]));
    runner.answers.push(answer(ReturnData::PartiallySuccessful, &[("closed", "2")]));
    let report = run(&changes, &mut runner);
    let parameters: Vec<_> = runner.tasks.iter().map(|(_, parameters, _)| parameters).collect();
    assert_eq!(parameters, [&json!({"n": 1}), &json!({"n": 2})]);
    assert_eq!(report.steps.len(), 2);
    assert_eq!(report.result, ReturnData::PartiallySuccessful);
}

#[test]
fn the_outputs_are_those_of_the_last_command() {
    let commands = [json!({}), json!({})].map(command);
    let next = action(json!({
        "commands": [command(json!({"closed": "__closed__:value", "error": "__error__:value"}))],
        "on_completion": "end--1"
    }));
    let changes =
        [("/workflow/action--1/commands", json!(commands)), ("/workflow/action--2", next)];
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "1"), ("error", "x")]));
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "2")]));
    run(&changes, &mut runner);
    assert_eq!(runner.tasks[2].1, json!({"closed": 2, "error": null}));
}

#[test]
fn an_output_goes_to_the_step_s_own_variable_where_there_is_one() {
    let own = json!({"__closed__": {"type": "integer", "value": "0"}});
    let next = action(json!({
        "commands": [command(json!({"closed": "__closed__:value"}))],
        "on_completion": "end--1"
    }));
    let changes = [("/workflow/action--1/step_variables", own), ("/workflow/action--2", next)];
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "2")]));
    run(&changes, &mut runner);
    assert_eq!(runner.tasks[1].1, json!({"closed": null}), "the playbook's was not written");
}

#[test]
fn an_output_that_does_not_fit_its_variable_fails_the_step() {
    let mut runner = Runner::default();
    runner.answers.push(answer(ReturnData::Successful, &[("closed", "some")]));
    let report = run(&[], &mut runner);
    assert_eq!(report.ended_at, "end--2");
    assert_eq!(
        (report.steps[0].result, &report.steps[0].error),
        (ReturnData::Successful, &None),
        "the command itself went well"
    );
    assert_eq!((report.result, &report.steps[1].command), (ReturnData::Failed, &None));
    assert_eq!(
        report.steps[1].error.as_deref(),
        Some(
            "the output for variable `__closed__` doesn't fit: \"some\" isn't of type integer \
             (a whole number)"
        )
    );
}

#[test]
fn a_failed_substitution_fails_the_step_without_a_call_and_says_why() {
    let commands = json!([command(json!({"Text": "<__closed__:value>"}))]);
    let report_step = action(json!({
        "commands": [command(json!({"Text": "__error__:value"}))],
        "on_completion": "end--2"
    }));
    let changes = [
        ("/workflow/action--1/commands", commands),
        ("/workflow/action--1/on_failure", "action--9".into()),
        ("/workflow/action--9", report_step),
    ];
    let mut runner = Runner::default();
    let report = run(&changes, &mut runner);
    let error = "`Do` wasn't called: variable `__closed__` has no value to put into a text; give it \
                 one before this step";
    assert_eq!(report.steps[0].error.as_deref(), Some(error));
    assert_eq!((report.steps[0].result, &report.steps[0].command), (ReturnData::Failed, &None));
    assert_eq!(asked_steps(&runner), ["action--9"]);
    assert_eq!(runner.tasks[0].1, json!({"Text": error}));
}

#[test]
fn a_failed_substitution_names_the_step_that_left_the_variable_without_a_value() {
    let reason = |first: TaskOutcome| {
        let mut runner = Runner::default();
        runner.answers.push(first);
        let changes = [("/workflow/action--1/on_failure", "action--2".into())];
        let removed = [("/workflow/end--2", Value::Null)];
        let report = run(&[&changes[..], &removed].concat(), &mut runner);
        assert_eq!(report.ending, Ending::FailureWithoutBranch);
        report.steps.last().unwrap().error.clone().unwrap()
    };
    let sentence = |since: &str| {
        format!(
            "`Do` wasn't called: variable `__closed__` has no value to put into a text, since \
             {since}; give it one before this step"
        )
    };
    assert_eq!(
        reason(answer(ReturnData::Failed, &[("error", "x")])),
        sentence("step \"Close\" returned no output `closed`")
    );
    assert_eq!(
        reason(answer(ReturnData::Failed, &[("closed", "some")])),
        sentence("the output `closed` of step \"Close\" didn't fit")
    );
}

#[test]
fn an_output_that_a_command_did_not_return_leaves_no_older_value() {
    let next = action(json!({
        "commands": [command(json!({"closed": "__closed__:value"}))],
        "on_completion": "end--1"
    }));
    let changes = [
        ("/playbook_variables/__closed__", json!({"type": "integer", "value": "9"})),
        ("/workflow/action--2", next),
    ];
    let mut runner = Runner::default();
    run(&changes, &mut runner);
    assert_eq!(runner.tasks[1].1, json!({"closed": null}));
}

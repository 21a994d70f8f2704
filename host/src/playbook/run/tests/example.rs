//! The example that is shipped beside the plugin.

use super::*;
use crate::playbook::Playbook;

const EXAMPLE: &[u8] = include_bytes!("../../../../../plugin/examples/close-in-bulk.json");

/// Runs the example as it is shipped, with this answer to its only task.
fn run_example(result: ReturnData, runner: &mut Runner) -> RunReport {
    runner.answers.push(answer(result, &[("error", "")]));
    let playbook = Playbook::load(EXAMPLE).unwrap();
    let commands: Vec<_> = playbook.commands().map(|(_, command)| command).collect();
    assert_eq!(commands, ["CloseIncidentInBulk"]);
    playbook.prepare(&BTreeMap::new()).unwrap().run(runner)
}

#[test]
fn its_one_task_has_the_parameters_of_the_contract() {
    let mut runner = Runner::default();
    let report = run_example(ReturnData::Successful, &mut runner);
    let numbers = ["20210127-198", "20210127-197", "20210126-031", "20210125-007", "20210122-114"];
    assert_eq!(
        runner.tasks,
        [(
            "action--207f8c27-f5ba-4f6e-bec5-498e376fa848".to_owned(),
            json!({
                "Incident Numbers": numbers,
                "Bypass Required Pending Tasks": "Yes",
                "Bypass All Required Fields": "Yes",
                "Username": "admin user",
                "Conclusion": "The incident was closed in bulk."
            }),
            None
        )]
    );
    assert_eq!(report.steps[0].step_name.as_deref(), Some("Close the incidents"));
}

#[test]
fn each_of_its_branches_ends_at_its_own_step() {
    let ends = [
        (ReturnData::Successful, "Done"),
        (ReturnData::PartiallySuccessful, "Look at the failures"),
        (ReturnData::Failed, "Look at the failures"),
    ];
    for (result, end) in ends {
        let report = run_example(result, &mut Runner::default());
        assert_eq!(
            (report.result, report.ending, report.ended_at_name.as_deref()),
            (result, Ending::End, Some(end))
        );
    }
}

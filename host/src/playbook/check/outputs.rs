//! Checks that the outputs which action steps take are outputs of their commands. Only whoever has
//! the plugins knows those, so this comes after all other checks.

use crate::playbook::plan::{Plan, PlannedAction, PlannedStep, Work, output_for};
use crate::playbook::problem::Problem;

/// Looks at every action step; `outputs` tells what a command has.
pub(in crate::playbook) fn check(
    plan: &Plan,
    outputs: &dyn Fn(&str) -> Vec<String>,
) -> Vec<Problem> {
    let actions = plan.steps.iter().filter_map(|step| match &step.work {
        Work::Action(action) => Some((step, action)),
        Work::Start(_) | Work::End => None,
    });
    actions.flat_map(|(step, action)| of_step(step, action, outputs)).collect()
}

fn of_step(
    step: &PlannedStep,
    action: &PlannedAction,
    outputs: &dyn Fn(&str) -> Vec<String>,
) -> Vec<Problem> {
    let mut known: Vec<String> = Vec::new();
    // Those of any command may be the step's: the last that runs need not be the last of all.
    for output in action.commands.iter().flat_map(|command| outputs(&command.command)) {
        if !known.contains(&output) {
            known.push(output);
        }
    }
    let is_known =
        |name: &str| output_for(name).is_some_and(|name| known.iter().any(|it| it == name));
    let unknown = action.out_args.iter().enumerate().filter(|(_, name)| !is_known(name));
    unknown
        .map(|(index, name)| {
            let known: Vec<String> = known.iter().map(|it| format!("`__{it}__`")).collect();
            let known = known.join(", ");
            let message = format!("no output goes to `{name}`; the step's outputs go to {known}");
            Problem::at(&["workflow", &step.id, "out_args", &index.to_string()], message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::playbook::fixture::{command, loaded};
    use serde_json::json;

    fn outputs(command: &str) -> Vec<String> {
        let own = if command == "Do" { "done" } else { "closed" };
        ["error", "failed", own].map(str::to_owned).into()
    }

    #[test]
    fn a_step_takes_what_its_commands_return_and_nothing_else() {
        let refused = loaded(&[]).check_outputs(outputs).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "at /workflow/action--1/out_args/0: no output goes to `__closed__`; the step's outputs \
             go to `__error__`, `__failed__`, `__done__`"
        );
        let mut close = command(json!({"Incident Numbers": "__numbers__:value"}));
        close["command"] = "Close".into();
        let both = json!([command(json!({})), close]);
        loaded(&[("/workflow/action--1/commands", both)]).check_outputs(outputs).unwrap();
    }
}

//! Checks that the parameters which commands are given are theirs, and that none is missing which
//! they require. Only whoever has the plugins knows those. Whether a value is right is for the
//! command to say, since variables come into it.

use crate::playbook::plan::{Plan, PlannedCommand, PlannedStep, Work};
use crate::playbook::problem::Problem;
use serde_json::Value;

/// Looks at every command of every action step; `schema` tells the JSON Schema of a command's
/// parameters.
pub(in crate::playbook) fn check<'a>(
    plan: &Plan,
    schema: &dyn Fn(&str) -> Option<&'a Value>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for step in &plan.steps {
        let Work::Action(action) = &step.work else { continue };
        for (index, command) in action.commands.iter().enumerate() {
            if let Some(schema) = schema(&command.command) {
                of_command(step, index, command, schema, &mut problems);
            }
        }
    }
    problems
}

fn of_command(
    step: &PlannedStep,
    index: usize,
    command: &PlannedCommand,
    schema: &Value,
    problems: &mut Vec<Problem>,
) {
    let index = index.to_string();
    let at = ["workflow", &step.id, "commands", &index, "parameters"];
    if let Some(known) = schema["properties"].as_object() {
        for name in command.parameters.keys().filter(|name| !known.contains_key(*name)) {
            let known: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "{} has no parameter `{name}`; it has {}",
                command.command,
                known.join(", ")
            );
            problems.push(Problem::at(&[&at[..], &[name]].concat(), message));
        }
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !command.parameters.contains_key(*name)) {
        let message = format!("{} requires the parameter `{name}`", command.command);
        problems.push(Problem::at(&at, message));
    }
}

#[cfg(test)]
mod tests {
    use crate::playbook::fixture::{command, loaded};
    use serde_json::json;

    #[test]
    fn a_command_is_given_its_own_parameters_and_all_that_it_requires() {
        let schema = json!({
            "properties": {"Incident Numbers": {}, "Text": {}},
            "required": ["Incident Numbers"]
        });
        let playbook = |parameters| {
            loaded(&[(
                "/workflow/action--2/commands",
                json!([command(json!({"Incident Numbers": []})), command(parameters)]),
            )])
        };
        let check = |parameters| playbook(parameters).check_parameters(|_| Some(&schema));
        check(json!({"Incident Numbers": "7", "Text": "__count__:value"})).unwrap();
        let refused = |parameters| check(parameters).unwrap_err().to_string();
        assert_eq!(
            refused(json!({"Incident Numbers": "7", "text": "x"})),
            "at /workflow/action--2/commands/1/parameters/text: Do has no parameter `text`; it has \
             `Incident Numbers`, `Text`"
        );
        assert_eq!(
            refused(json!({"Text": "x"})),
            "at /workflow/action--2/commands/1/parameters: Do requires the parameter `Incident \
             Numbers`"
        );
        playbook(json!({"text": "x"})).check_parameters(|_| None).unwrap();
    }
}

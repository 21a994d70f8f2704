//! What keeps an incident open: its pending required tasks and its missing required fields.

use playdock_plugin_api::{Facts, FieldValue, Reason, RequiredField, RequiredTask, Waiver};

const TASKS_PENDING: Reason = Reason::new("required-tasks-pending");
const FIELDS_MISSING: Reason = Reason::new("required-fields-missing");
const TASKS_AND_FIELDS: Reason = Reason::new("required-tasks-and-fields");

const BYPASS_TASKS: &str = "Bypass Required Pending Tasks";
const BYPASS_FIELDS: &str = "Bypass All Required Fields";

/// The statuses of a task that is done. Any other one blocks, a status that nobody thought of too.
const DONE: [&str; 3] = ["Completed", "Cancelled", "Skipped"];

/// Which rules the user lets incidents pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bypasses {
    pub(crate) tasks: bool,
    pub(crate) fields: bool,
}

/// What the rules say of an incident.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It closes, by way of these bypasses.
    Closes { waived: Vec<Waiver> },
    /// It stays as it is.
    Blocked { reason: Reason, message: String },
}

/// Judges an incident that is not closed.
pub(crate) fn judge(facts: &Facts, bypasses: Bypasses) -> Verdict {
    let pending = indexes(&facts.required_tasks, is_pending);
    let missing = indexes(&facts.required_fields, lacks_value);
    let tasks_block = !pending.is_empty() && !bypasses.tasks;
    let fields_block = !missing.is_empty() && !bypasses.fields;
    let reason = match (tasks_block, fields_block) {
        (false, false) => {
            return Verdict::Closes { waived: waivers(pending, missing) };
        }
        (true, false) => TASKS_PENDING,
        (false, true) => FIELDS_MISSING,
        (true, true) => TASKS_AND_FIELDS,
    };
    let mut causes = Vec::new();
    let mut bypass = Vec::new();
    if tasks_block {
        let titles = pending.iter().map(|index| facts.required_tasks[*index].title.clone());
        causes.push(named("Required tasks are pending", titles));
        bypass.push(format!("\"{BYPASS_TASKS}\""));
    }
    if fields_block {
        let names = missing.iter().map(|index| {
            let field = &facts.required_fields[*index];
            format!("{} > {}", field.section, field.name)
        });
        causes.push(named("Fields that are required on close have no value", names));
        bypass.push(format!("\"{BYPASS_FIELDS}\""));
    }
    let (causes, bypass) = (causes.join(". "), bypass.join(" and "));
    let message = format!("{causes}. With {bypass} it would close.");
    Verdict::Blocked { reason, message }
}

fn is_pending(task: &RequiredTask) -> bool {
    !DONE.contains(&task.status.as_str())
}

/// A field that the form hides doesn't block; `false` and `0` are values.
fn lacks_value(field: &RequiredField) -> bool {
    field.visible && field.value != FieldValue::Present
}

fn indexes<T>(facts: &[T], holds: impl Fn(&T) -> bool) -> Vec<usize> {
    facts.iter().enumerate().filter(|(_, fact)| holds(fact)).map(|(index, _)| index).collect()
}

fn waivers(tasks: Vec<usize>, fields: Vec<usize>) -> Vec<Waiver> {
    let mut waived = Vec::new();
    if !tasks.is_empty() {
        waived.push(Waiver { bypass: BYPASS_TASKS.into(), tasks, fields: Vec::new() });
    }
    if !fields.is_empty() {
        waived.push(Waiver { bypass: BYPASS_FIELDS.into(), tasks: Vec::new(), fields });
    }
    waived
}

fn named(what: &str, names: impl Iterator<Item = String>) -> String {
    format!("{what}: {}", names.collect::<Vec<_>>().join(", "))
}

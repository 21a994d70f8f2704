//! What a bypass let through, as the audit keeps it.

use playdock_plugin_api::{Facts, Waiver};
use serde::Serialize;

/// What was waived, by name, for the audit.
pub(super) fn json(facts: &Facts, waived: &[Waiver]) -> Result<Option<String>, String> {
    #[derive(Serialize)]
    struct Waived<'a> {
        bypass: &'a str,
        tasks: Vec<&'a str>,
        fields: Vec<String>,
    }
    if waived.is_empty() {
        return Ok(None);
    }
    // The indexes were checked before.
    let task = |index: &usize| Some(facts.required_tasks.get(*index)?.title.as_str());
    let field = |index: &usize| {
        let field = facts.required_fields.get(*index)?;
        Some(format!("{} > {}", field.section, field.name))
    };
    let named: Vec<Waived<'_>> = waived
        .iter()
        .map(|waiver| Waived {
            bypass: &waiver.bypass,
            tasks: waiver.tasks.iter().filter_map(task).collect(),
            fields: waiver.fields.iter().filter_map(field).collect(),
        })
        .collect();
    serde_json::to_string(&named).map(Some).map_err(|error| error.to_string())
}

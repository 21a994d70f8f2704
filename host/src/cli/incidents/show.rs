//! One incident with all that the store has of it, as people read it.

use crate::cli::instant::{age, utc};
use crate::cli::{table, terminal};
use crate::incidents::{AuditEntry, FieldDetail, IncidentDetail, TaskDetail};
use serde_json::Value;
use std::io::{self, Write};

/// Writes the incidents of one number, one for each site that has it.
pub(super) fn details(out: &mut dyn Write, found: &[IncidentDetail]) -> io::Result<()> {
    for (index, incident) in found.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        detail(out, incident)?;
    }
    Ok(())
}

fn detail(out: &mut dyn Write, incident: &IncidentDetail) -> io::Result<()> {
    let title = format!("{} ({})", incident.line.number, incident.line.site);
    writeln!(out, "{}", terminal::safe(&title))?;
    for (name, value) in facts(incident) {
        if !value.is_empty() {
            writeln!(out, "  {name:<17} {}", terminal::safe(&value))?;
        }
    }
    if !incident.tasks.is_empty() {
        writeln!(out)?;
        let headings = ["Task", "Required", "Status"];
        table::write(out, &headings, incident.tasks.iter().map(task))?;
    }
    if !incident.fields.is_empty() {
        writeln!(out)?;
        let headings = ["Field", "Kind", "Required on Close", "Visible", "Value"];
        table::write(out, &headings, incident.fields.iter().map(field))?;
    }
    if !incident.audit.is_empty() {
        writeln!(out)?;
        let headings = ["At (UTC)", "Action", "By", "Was", "Waived", "Execution"];
        table::write(out, &headings, incident.audit.iter().map(audit))?;
    }
    Ok(())
}

fn facts(incident: &IncidentDetail) -> [(&'static str, String); 12] {
    let line = &incident.line;
    let in_utc = |instant| format!("{} UTC", utc(instant));
    let imported = format!("{} ({})", in_utc(incident.imported_at), age(incident.imported_at));
    [
        ("Title", line.title.clone()),
        ("Type", line.incident_type.clone()),
        ("Status", line.status.clone()),
        ("Severity", line.severity.clone()),
        ("Owner", line.owner.clone()),
        ("Created", incident.created_at.map(in_utc).unwrap_or_default()),
        ("Closed", line.closed_at.map(in_utc).unwrap_or_default()),
        ("Closed by", line.closed_by.clone().unwrap_or_default()),
        ("Closed in", incident.closed_in.clone().unwrap_or_default()),
        ("Conclusion (HTML)", incident.conclusion.clone()),
        ("Version", incident.version.to_string()),
        ("Facts as of", imported),
    ]
}

fn task(task: &TaskDetail) -> Vec<String> {
    vec![task.title.clone(), yes_no(task.required), task.status.clone()]
}

fn field(field: &FieldDetail) -> Vec<String> {
    let name = match field.section.is_empty() {
        true => field.name.clone(),
        false => format!("{} > {}", field.section, field.name),
    };
    let (required, visible) = (yes_no(field.required_on_close), yes_no(field.visible));
    vec![name, field.kind.clone(), required, visible, field.value.to_string()]
}

fn audit(entry: &AuditEntry) -> Vec<String> {
    let at = match entry.clock {
        Some(_) => format!("{} (fixed clock)", utc(entry.at)),
        None => utc(entry.at),
    };
    let (action, before) = match &entry.owner {
        Some(owner) => (format!("{} to {owner}", entry.action), owner_before(entry)),
        None => (entry.action.clone(), entry.before_status.clone()),
    };
    let (user, execution) = (entry.acting_user.clone(), entry.execution.clone());
    vec![at, action, user, before, waived(&entry.waived), execution]
}

fn owner_before(entry: &AuditEntry) -> String {
    match entry.before_owner.as_deref() {
        None | Some("") => "nobody's".to_owned(),
        Some(owner) => format!("{owner}'s"),
    }
}

/// What was waived, by name: "Reset password (Bypass Required Pending Tasks)".
fn waived(waived: &Value) -> String {
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let Some(waivers) = waived.as_array() else {
        return "nothing".to_owned();
    };
    let waivers = waivers.iter().map(|waiver| {
        let names = [texts(&waiver["tasks"]), texts(&waiver["fields"])].concat().join(", ");
        format!("{names} ({})", waiver["bypass"].as_str().unwrap_or_default())
    });
    waivers.collect::<Vec<_>>().join("; ")
}

fn yes_no(value: bool) -> String {
    if value { "Yes" } else { "No" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::IncidentLine;
    use playdock_plugin_api::Timestamp;

    #[test]
    fn an_incident_is_shown_with_its_zone_its_markup_and_the_clock_of_its_audit() {
        let at = Timestamp::from_milliseconds(1_611_756_480_000);
        let text = |text: &str| text.to_owned();
        let entry = |action: &str, owner: Option<&str>| AuditEntry {
            action: text(action),
            at,
            clock: Some(at),
            acting_user: text("jane"),
            requested_by: None,
            execution: text("E"),
            before_status: text("On Hold"),
            before_owner: owner.map(|_| text("joe")),
            owner: owner.map(text),
            waived: serde_json::json!([{"bypass": "B", "tasks": ["T"], "fields": ["F"]}]),
        };
        let incident = IncidentDetail {
            line: IncidentLine {
                number: text("1\u{1b}[2J"),
                site: text("A"),
                status: text("Closed"),
                severity: String::new(),
                incident_type: String::new(),
                title: String::new(),
                owner: String::new(),
                closed_at: Some(at),
                closed_by: None,
            },
            version: 2,
            conclusion: text("<p>Done</p>"),
            created_at: None,
            imported_at: at,
            closed_in: None,
            tasks: Vec::new(),
            fields: Vec::new(),
            audit: vec![
                entry("close", None),
                entry("assign", Some("omar")),
                AuditEntry { before_owner: Some(String::new()), ..entry("assign", Some("jane")) },
            ],
        };
        let mut out = Vec::new();
        details(&mut out, &[incident]).unwrap();
        let shown = String::from_utf8(out).unwrap();
        for part in [
            "1\u{fffd}[2J (A)\n",
            "  Closed            2021-01-27 14:08:00 UTC\n",
            "  Conclusion (HTML) <p>Done</p>\n",
            "\n\n  At (UTC)",
            "2021-01-27 14:08:00 (fixed clock)",
            "T, F (B)",
            "close            jane   On Hold ",
            "assign to omar   jane   joe's ",
            "assign to jane   jane   nobody's ",
        ] {
            assert!(shown.contains(part), "{part:?} in {shown}");
        }
    }
}

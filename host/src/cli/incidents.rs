//! `playdock incidents`: importing them, listing them, showing one.

use super::arguments::{Common, Incidents, IncidentsAction, Output};
use super::exit::{self, Failure};
use super::{present, progress, setup, terminal};
use crate::incidents::import::{CsvRows, ImportError, ImportSummary, JsonLines, Map};
use crate::incidents::{IncidentDetail, IncidentFilter, IncidentLine, SqliteStore};
use playdock_plugin_api::Timestamp;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn incidents(common: &Common, arguments: &Incidents) -> Result<ExitCode, Failure> {
    let store = setup::store(common)?;
    match &arguments.action {
        IncidentsAction::Import { file, map } => {
            let summary = import_file(&store, file, map.as_deref())?;
            writeln!(io::stdout(), "{summary}").map_err(Failure::output)?;
        }
        IncidentsAction::List {
            site,
            status,
            limit,
        } => {
            let filter = IncidentFilter {
                site: site.clone(),
                status: status.clone(),
                limit: *limit,
            };
            let incidents = store.incidents(&filter)?;
            write_list(common, &incidents).map_err(Failure::output)?;
        }
        IncidentsAction::Show { number, site } => {
            let found = store.incident(number, site.as_deref())?;
            if found.is_empty() {
                let message = format!("the store has no incident {number}");
                return Err(Failure {
                    code: exit::FAILED,
                    message,
                });
            }
            write_details(common, &found).map_err(Failure::output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Imports a file, with a progress bar if it is long.
pub(super) fn import_file(
    store: &SqliteStore,
    file: &Path,
    map: Option<&Path>,
) -> Result<ImportSummary, Failure> {
    let unreadable = |path: &Path, error: io::Error| {
        Failure::usage(format!("{} can't be read: {error}", path.display()))
    };
    let opened = File::open(file).map_err(|error| unreadable(file, error))?;
    let size = opened
        .metadata()
        .map_err(|error| unreadable(file, error))?
        .len();
    let bar = progress::bytes(size);
    let mut progress = |bytes| bar.set_position(bytes);
    let imported = match map {
        None => store.import(JsonLines::new(BufReader::new(opened), &mut progress)),
        Some(map_file) => {
            let text =
                std::fs::read_to_string(map_file).map_err(|error| unreadable(map_file, error))?;
            let map = Map::parse(&text)
                .map_err(|error| Failure::usage(format!("{}: {error}", map_file.display())))?;
            CsvRows::new(BufReader::new(opened), &map, &mut progress)
                .and_then(|rows| store.import(rows))
        }
    };
    bar.finish_and_clear();
    imported.map_err(|error: ImportError| {
        let failure = Failure::from(error);
        Failure {
            message: format!("{}: {}", file.display(), failure.message),
            ..failure
        }
    })
}

fn write_list(common: &Common, incidents: &[IncidentLine]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        serde_json::to_writer(&mut out, incidents)?;
        return writeln!(out);
    }
    let rows = incidents.iter().map(|it| {
        vec![
            it.number.clone(),
            it.site.clone(),
            it.status.clone(),
            it.severity.clone(),
            it.title.clone(),
            it.owner.clone(),
            it.closed_at.map(utc).unwrap_or_default(),
            it.closed_by.clone().unwrap_or_default(),
        ]
    });
    let headings = [
        "Number",
        "Site",
        "Status",
        "Severity",
        "Title",
        "Owner",
        "Closed (UTC)",
        "Closed by",
    ];
    writeln!(out, "{}", present::table(&headings, rows))
}

fn write_details(common: &Common, found: &[IncidentDetail]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        serde_json::to_writer(&mut out, found)?;
        return writeln!(out);
    }
    for incident in found {
        write_detail(&mut out, incident)?;
    }
    Ok(())
}

fn write_detail(out: &mut impl Write, incident: &IncidentDetail) -> io::Result<()> {
    let line = &incident.line;
    writeln!(
        out,
        "{} ({})",
        terminal::safe(&line.number),
        terminal::safe(&line.site)
    )?;
    let age = age(incident.imported_at);
    for (name, value) in [
        ("Title", line.title.clone()),
        ("Type", line.incident_type.clone()),
        ("Status", line.status.clone()),
        ("Severity", line.severity.clone()),
        ("Owner", line.owner.clone()),
        ("Created", incident.created_at.map(utc).unwrap_or_default()),
        ("Closed", line.closed_at.map(utc).unwrap_or_default()),
        ("Closed by", line.closed_by.clone().unwrap_or_default()),
        ("Closed in", incident.closed_in.clone().unwrap_or_default()),
        ("Conclusion", incident.conclusion.clone()),
        ("Version", incident.version.to_string()),
        (
            "Facts as of",
            format!("{} ({age})", utc(incident.imported_at)),
        ),
    ] {
        if !value.is_empty() {
            writeln!(out, "  {name:<12} {}", terminal::safe(&value))?;
        }
    }
    if !incident.tasks.is_empty() {
        let rows = incident.tasks.iter().map(|task| {
            vec![
                task.title.clone(),
                yes_no(task.required),
                task.status.clone(),
            ]
        });
        writeln!(
            out,
            "{}",
            present::table(&["Task", "Required", "Status"], rows)
        )?;
    }
    if !incident.fields.is_empty() {
        let rows = incident.fields.iter().map(|field| {
            let name = format!("{} > {}", field.section, field.name);
            let (required, visible) = (yes_no(field.required_on_close), yes_no(field.visible));
            vec![
                name,
                field.kind.clone(),
                required,
                visible,
                field.value.to_string(),
            ]
        });
        let headings = ["Field", "Kind", "Required on Close", "Visible", "Value"];
        writeln!(out, "{}", present::table(&headings, rows))?;
    }
    if !incident.audit.is_empty() {
        let rows = incident.audit.iter().map(|entry| {
            let waived = match &entry.waived {
                serde_json::Value::Null => "nothing".to_owned(),
                waived => describe_waived(waived),
            };
            let (action, before) = (entry.action.clone(), entry.before_status.clone());
            let (user, execution) = (entry.acting_user.clone(), entry.execution.clone());
            vec![utc(entry.at), action, user, before, waived, execution]
        });
        let headings = ["At (UTC)", "Action", "By", "Was", "Waived", "Execution"];
        writeln!(out, "{}", present::table(&headings, rows))?;
    }
    Ok(())
}

/// What was waived, by name: "Reset password (Bypass Required Pending Tasks)".
fn describe_waived(waived: &serde_json::Value) -> String {
    let texts = |value: &serde_json::Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten();
        texts
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let waivers = waived.as_array().into_iter().flatten().map(|waiver| {
        let names = [texts(&waiver["tasks"]), texts(&waiver["fields"])]
            .concat()
            .join(", ");
        format!(
            "{names} ({})",
            waiver["bypass"].as_str().unwrap_or_default()
        )
    });
    waivers.collect::<Vec<_>>().join("; ")
}

fn yes_no(value: bool) -> String {
    if value { "Yes" } else { "No" }.to_owned()
}

/// An instant in UTC, to the second.
pub(super) fn utc(instant: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(instant.milliseconds())
        .map(|instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// How long ago an instant was, to the largest unit.
fn age(instant: Timestamp) -> String {
    let seconds = (Timestamp::now().milliseconds() - instant.milliseconds()).max(0) / 1000;
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} old", if count == 1 { "" } else { "s" })
}

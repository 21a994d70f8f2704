//! `playdock executions`: what was run, by whom, and what became of each incident.

use super::arguments::{Common, Executions, ExecutionsAction, Output};
use super::exit::{self, Failure};
use super::incidents::utc;
use super::{present, setup, terminal};
use crate::incidents::{ExecutionRecord, ExecutionRecords, LedgerRow};
use playdock_plugin_api::{Mode, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

pub(super) fn executions(common: &Common, arguments: &Executions) -> Result<ExitCode, Failure> {
    let store = setup::store(common)?;
    match &arguments.action {
        ExecutionsAction::List { limit } => {
            let records = store.latest_executions(*limit)?;
            write_list(common, &records).map_err(Failure::output)?;
        }
        ExecutionsAction::Show { id } => {
            let Some((key, record)) = store.execution(id)? else {
                let message = format!("the store has no execution {id}");
                return Err(Failure {
                    code: exit::FAILED,
                    message,
                });
            };
            let ledger = store.ledger(key)?;
            write_one(common, &record, &ledger).map_err(Failure::output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An execution, for programs.
#[derive(Serialize)]
struct ExecutionLine<'a> {
    id: &'a str,
    command: &'a str,
    plugin: &'a str,
    plugin_version: &'a str,
    plugin_digest: &'a str,
    mode: Mode,
    site: &'a str,
    requested_by: Option<&'a str>,
    acting_user: Option<&'a str>,
    clock: Option<Timestamp>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    state: &'a str,
    return_data: Option<&'a str>,
    error: Option<&'a str>,
    outputs: &'a BTreeMap<String, u64>,
}

impl<'a> From<&'a ExecutionRecord> for ExecutionLine<'a> {
    fn from(record: &'a ExecutionRecord) -> ExecutionLine<'a> {
        let begun = &record.begun;
        ExecutionLine {
            id: &begun.id,
            command: &begun.command,
            plugin: &begun.plugin,
            plugin_version: &begun.plugin_version,
            plugin_digest: &begun.plugin_digest,
            mode: begun.mode,
            site: &begun.site,
            requested_by: begun.requested_by.as_deref(),
            acting_user: begun.acting_user.as_deref(),
            clock: begun.clock,
            started_at: record.started_at,
            finished_at: record.finished_at,
            state: record.state.as_str(),
            return_data: record.return_data.as_deref(),
            error: record.error.as_deref(),
            outputs: &record.outputs,
        }
    }
}

fn write_list(common: &Common, records: &[ExecutionRecord]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        let lines: Vec<ExecutionLine<'_>> = records.iter().map(ExecutionLine::from).collect();
        serde_json::to_writer(&mut out, &lines)?;
        return writeln!(out);
    }
    let rows = records.iter().map(|record| {
        let begun = &record.begun;
        vec![
            utc(record.started_at),
            begun.id.clone(),
            begun.command.clone(),
            begun.site.clone(),
            begun.acting_user.clone().unwrap_or_default(),
            record.state.as_str().to_owned(),
            record.return_data.clone().unwrap_or_default(),
        ]
    });
    let headings = [
        "Started (UTC)",
        "Execution",
        "Command",
        "Site",
        "By",
        "State",
        "Result",
    ];
    writeln!(out, "{}", present::table(&headings, rows))
}

fn write_one(common: &Common, record: &ExecutionRecord, ledger: &[LedgerRow]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if common.output == Output::Json {
        #[derive(Serialize)]
        struct Shown<'a> {
            #[serde(flatten)]
            execution: ExecutionLine<'a>,
            incidents: Vec<LedgerLine<'a>>,
        }
        let incidents = ledger.iter().map(LedgerLine::from).collect();
        serde_json::to_writer(
            &mut out,
            &Shown {
                execution: record.into(),
                incidents,
            },
        )?;
        return writeln!(out);
    }
    let begun = &record.begun;
    writeln!(out, "{}", terminal::safe(&begun.id))?;
    for (name, value) in [
        ("Command", begun.command.clone()),
        (
            "Plugin",
            format!(
                "{} {} (sha256 {})",
                begun.plugin, begun.plugin_version, begun.plugin_digest
            ),
        ),
        (
            "Mode",
            if begun.mode == Mode::Manual {
                "manual"
            } else {
                "automatic"
            }
            .to_owned(),
        ),
        ("Site", begun.site.clone()),
        (
            "Requested by",
            begun.requested_by.clone().unwrap_or_default(),
        ),
        ("Acting user", begun.acting_user.clone().unwrap_or_default()),
        (
            "Clock",
            begun
                .clock
                .map(|clock| format!("stood at {} UTC", utc(clock)))
                .unwrap_or_default(),
        ),
        ("Started", format!("{} UTC", utc(record.started_at))),
        (
            "Ended",
            record
                .finished_at
                .map(|at| format!("{} UTC", utc(at)))
                .unwrap_or_default(),
        ),
        ("State", record.state.as_str().to_owned()),
        ("Result", record.return_data.clone().unwrap_or_default()),
        ("Error", record.error.clone().unwrap_or_default()),
        ("Parameters", terminal::clipped(&begun.parameters, 400)),
    ] {
        if !value.is_empty() {
            writeln!(out, "  {name:<13} {}", terminal::safe(&value))?;
        }
    }
    let rows = ledger.iter().map(|row| {
        vec![
            row.number.clone(),
            row.result.as_str().to_owned(),
            yes_no(row.changed),
            row.reason
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            row.message.clone().unwrap_or_default(),
        ]
    });
    if !ledger.is_empty() {
        let headings = ["Incident", "Result", "Changed", "Reason", "Message"];
        writeln!(out, "{}", present::table(&headings, rows))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct LedgerLine<'a> {
    number: &'a str,
    result: &'a str,
    changed: bool,
    reason: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> From<&'a LedgerRow> for LedgerLine<'a> {
    fn from(row: &'a LedgerRow) -> LedgerLine<'a> {
        LedgerLine {
            number: &row.number,
            result: row.result.as_str(),
            changed: row.changed,
            reason: row.reason.as_ref().map(playdock_plugin_api::Reason::as_str),
            message: row.message.as_deref(),
        }
    }
}

fn yes_no(value: bool) -> String {
    if value { "Yes" } else { "No" }.to_owned()
}

//! `playdock executions`: what was run, by whom, and what became of each incident.

use super::arguments::{Common, Executions, ExecutionsAction, Output};
use super::exit::{self, Failure};
use super::instant::{rfc3339, utc};
use super::{output, setup, table, terminal};
use crate::incidents::{Conditions, ExecutionRecord, LedgerRow};
use playdock_plugin_api::{ChangeKind, Mode};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(super) fn executions(common: &Common, arguments: &Executions) -> Result<ExitCode, Failure> {
    let store = setup::store_that_is_there(common)?;
    match &arguments.action {
        ExecutionsAction::List { limit } => {
            // One more than is shown tells whether there are more.
            let mut records = store.latest_executions(limit.saturating_add(1))?;
            let more = records.len() > *limit;
            records.truncate(*limit);
            write_list(common, &records, more)?;
        }
        ExecutionsAction::Show { id } => {
            let Some((key, record)) = store.execution(id)? else {
                let message = format!(
                    "the store has no execution {id}; executions list has their ids, and the tasks \
                     of a run have their own, which begin with its id"
                );
                return Err(Failure { code: exit::FAILED, message });
            };
            let ledger = store.ledger(key)?;
            write_one(common, &record, &ledger)?;
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
    trusted: Option<&'a str>,
    signed_by: Option<&'a str>,
    isolation: Option<&'a str>,
    unprotected: Option<Vec<&'a str>>,
    mode: Mode,
    site: &'a str,
    requested_by: Option<&'a str>,
    acting_user: Option<&'a str>,
    clock: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    state: &'a str,
    return_data: Option<&'a str>,
    error: Option<&'a str>,
    outputs: &'a BTreeMap<String, serde_json::Value>,
}

impl<'a> From<&'a ExecutionRecord> for ExecutionLine<'a> {
    fn from(record: &'a ExecutionRecord) -> ExecutionLine<'a> {
        let begun = &record.begun;
        let conditions = begun.conditions.as_ref();
        ExecutionLine {
            id: &begun.id,
            command: &begun.command,
            plugin: &begun.plugin,
            plugin_version: &begun.plugin_version,
            plugin_digest: &begun.plugin_digest,
            trusted: conditions.map(|it| it.trusted.as_str()),
            signed_by: conditions.and_then(|it| it.signing_key.as_deref()),
            isolation: conditions.map(|it| it.isolation.as_str()),
            unprotected: conditions.map(|it| it.unprotected.lines().collect()),
            mode: begun.mode,
            site: &begun.site,
            requested_by: begun.requested_by.as_deref(),
            acting_user: begun.acting_user.as_deref(),
            clock: begun.clock.and_then(rfc3339),
            started_at: rfc3339(record.started_at),
            finished_at: record.finished_at.and_then(rfc3339),
            state: record.state.as_str(),
            return_data: record.return_data.as_deref(),
            error: record.error.as_deref(),
            outputs: &record.outputs,
        }
    }
}

fn write_list(common: &Common, records: &[ExecutionRecord], more: bool) -> Result<(), Failure> {
    if common.output == Output::Json {
        let lines: Vec<ExecutionLine<'_>> = records.iter().map(ExecutionLine::from).collect();
        return output::write_json(&lines);
    }
    if records.is_empty() {
        return output::write(|out| writeln!(out, "No executions."));
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
    let headings = ["Started (UTC)", "Execution", "Command", "Site", "By", "State", "Result"];
    output::write(|out| {
        table::write(out, &headings, rows)?;
        match more {
            true => writeln!(out, "… and earlier ones; --limit shows them"),
            false => Ok(()),
        }
    })
}

fn write_one(
    common: &Common,
    record: &ExecutionRecord,
    ledger: &[LedgerRow],
) -> Result<(), Failure> {
    if common.output == Output::Json {
        #[derive(Serialize)]
        struct Shown<'a> {
            #[serde(flatten)]
            execution: ExecutionLine<'a>,
            /// As they were given.
            parameters: Option<&'a RawValue>,
            incidents: Vec<LedgerLine<'a>>,
        }
        let incidents = ledger.iter().map(LedgerLine::from).collect();
        let parameters = serde_json::from_str(&record.begun.parameters).ok();
        return output::write_json(&Shown { execution: record.into(), parameters, incidents });
    }
    output::write(|out| {
        writeln!(out, "{}", terminal::safe(&record.begun.id))?;
        for (name, value) in facts(record) {
            if !value.is_empty() {
                writeln!(out, "  {name:<13} {}", terminal::safe(&value))?;
            }
        }
        if ledger.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        let headings = ["Incident", "Result", "Change", "Reason", "Message"];
        table::write(out, &headings, ledger.iter().map(ledger_row))
    })
}

fn facts(record: &ExecutionRecord) -> [(&'static str, String); 15] {
    let begun = &record.begun;
    let plugin =
        format!("{} {} (sha256 {})", begun.plugin, begun.plugin_version, begun.plugin_digest);
    let mode = match begun.mode {
        Mode::Manual => "manual",
        Mode::Automatic => "automatic",
    };
    let conditions = begun.conditions.as_ref();
    let clock = begun.clock.map(|clock| format!("stood at {} UTC", utc(clock)));
    let ended = record.finished_at.map(|at| format!("{} UTC", utc(at)));
    [
        ("Command", begun.command.clone()),
        ("Plugin", plugin),
        ("Trusted", conditions.map(trusted).unwrap_or_default()),
        ("Ran", conditions.map(ran).unwrap_or_default()),
        ("Mode", mode.to_owned()),
        ("Site", begun.site.clone()),
        ("Requested by", begun.requested_by.clone().unwrap_or_default()),
        ("Acting user", begun.acting_user.clone().unwrap_or_default()),
        ("Clock", clock.unwrap_or_default()),
        ("Started", format!("{} UTC", utc(record.started_at))),
        ("Ended", ended.unwrap_or_default()),
        ("State", record.state.as_str().to_owned()),
        ("Result", record.return_data.clone().unwrap_or_default()),
        ("Error", record.error.clone().unwrap_or_default()),
        ("Parameters", terminal::clipped(&begun.parameters, 400)),
    ]
}

/// Why the plugin of an execution might run.
fn trusted(conditions: &Conditions) -> String {
    match (conditions.trusted.as_str(), &conditions.signing_key) {
        ("dev", _) => "dev (whatever was built in its place)".to_owned(),
        ("any", _) => "any (whatever was named)".to_owned(),
        (word, Some(key)) => format!("{word} by {key}"),
        (word, None) => word.to_owned(),
    }
}

/// Where the code of an execution ran, and which protection it had to do without.
fn ran(conditions: &Conditions) -> String {
    let place = match conditions.isolation.as_str() {
        "in-process" => "in-process (no sandbox)",
        other => other,
    };
    match conditions.unprotected.lines().collect::<Vec<_>>() {
        missing if missing.is_empty() => place.to_owned(),
        missing => format!("{place}, unprotected: {}", missing.join("; ")),
    }
}

fn ledger_row(row: &LedgerRow) -> Vec<String> {
    let reason = row.row.reason.as_ref().map(ToString::to_string);
    vec![
        row.number.clone(),
        row.row.result.as_str().to_owned(),
        change(row),
        reason.unwrap_or_default(),
        row.row.message.clone().unwrap_or_default(),
    ]
}

/// What was done to an incident: "close", or "assign to jane".
fn change(row: &LedgerRow) -> String {
    match (row.change, &row.owner) {
        (None, _) => String::new(),
        (Some(change), None) => change.as_str().to_owned(),
        (Some(change), Some(owner)) => format!("{} to {owner}", change.as_str()),
    }
}

#[derive(Serialize)]
struct LedgerLine<'a> {
    number: &'a str,
    result: &'a str,
    changed: bool,
    change: Option<&'a str>,
    owner: Option<&'a str>,
    reason: Option<&'a str>,
    message: Option<&'a str>,
}

impl<'a> From<&'a LedgerRow> for LedgerLine<'a> {
    fn from(row: &'a LedgerRow) -> LedgerLine<'a> {
        LedgerLine {
            number: &row.number,
            result: row.row.result.as_str(),
            changed: row.change.is_some(),
            change: row.change.map(ChangeKind::as_str),
            owner: row.owner.as_deref(),
            reason: row.row.reason.as_ref().map(playdock_plugin_api::Reason::as_str),
            message: row.row.message.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missing_of_the_sandbox_is_told_beside_where_the_code_ran() {
        let conditions = |isolation: &str, unprotected: &str| Conditions {
            trusted: "locked".to_owned(),
            signing_key: None,
            isolation: isolation.to_owned(),
            unprotected: unprotected.to_owned(),
        };
        assert_eq!(ran(&conditions("worker", "")), "worker");
        assert_eq!(ran(&conditions("worker", "a\nb")), "worker, unprotected: a; b");
        assert_eq!(ran(&conditions("in-process", "")), "in-process (no sandbox)");
    }
}

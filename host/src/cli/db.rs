//! `playdock db`: looking after the store as a whole.

use super::arguments::{Common, Db, DbAction, Output};
use super::exit::{self, Failure};
use super::{output, progress, setup, terminal};
use crate::incidents::{Backup, CheckReport, MaintenanceError, Migration, Problem, Restored};
use indicatif::HumanBytes;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn db(common: &Common, arguments: &Db) -> Result<ExitCode, Failure> {
    let location = setup::store_location(common)?;
    let store = location.maintenance()?;
    let name = location.to_string();
    match &arguments.action {
        DbAction::Migrate => {
            let migration = store.migrate()?;
            answer(common, &migration, |out| writeln!(out, "{name} {}", migrated(migration)))?;
        }
        DbAction::Check { limit } => {
            let report = store.check(*limit)?;
            answer(common, &report, |out| write_report(out, &name, &report))?;
            if report.broken() > 0 {
                return Ok(exit::STORE.into());
            }
        }
        DbAction::Backup { file } => {
            let backup = with_bar(|progress| store.backup(file, progress))?;
            answer(common, &backup, |out| {
                let Backup { bytes, incidents, executions, .. } = backup;
                let (bytes, file) = (HumanBytes(bytes), terminal::safe(&file.to_string_lossy()));
                writeln!(out, "{file}: {bytes}, {}, checked", holds(incidents, executions))
            })?;
        }
        DbAction::Restore { file } => {
            let restored = with_bar(|progress| store.restore(file, progress))?;
            answer(common, &restored, |out| write_restored(out, &name, file, &restored))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes an answer for programs as it is, for people as `text` does.
fn answer(
    common: &Common,
    value: &impl Serialize,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match common.output {
        Output::Json => output::write_json(value),
        Output::Text | Output::Junit | Output::Markdown => output::write(text),
    }
}

/// Shows how far a copy is, if it is a large one.
fn with_bar<T>(
    copy: impl FnOnce(&mut dyn FnMut(u64, u64)) -> Result<T, MaintenanceError>,
) -> Result<T, Failure> {
    let mut bar = None;
    let copied = copy(&mut |done, total| {
        bar.get_or_insert_with(|| progress::bytes(total)).set_position(done);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(copied?)
}

impl From<MaintenanceError> for Failure {
    fn from(error: MaintenanceError) -> Failure {
        use MaintenanceError::{BadBackup, BrokenBackup, Exists, SameFile, Store};
        let code = match error {
            Store(error) => return error.into(),
            BadBackup { .. } | BrokenBackup { .. } | Exists(_) | SameFile(_) => exit::BAD_USAGE,
            _ => exit::STORE,
        };
        Failure { code, message: error.to_string() }
    }
}

fn migrated(migration: Migration) -> String {
    match migration {
        Migration { from: 0, to } => format!("was made, with version {to}"),
        Migration { from, to } if from == to => format!("has version {to} already"),
        Migration { from, to } => format!("was brought from version {from} to version {to}"),
    }
}

/// What a store holds, in numbers.
fn holds(incidents: u64, executions: u64) -> String {
    let number = |count: u64, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    format!("{} and {}", number(incidents, "incident"), number(executions, "execution"))
}

fn write_report(out: &mut dyn Write, store: &str, report: &CheckReport) -> io::Result<()> {
    for checked in report.invariants.iter().filter(|checked| checked.broken > 0) {
        writeln!(out, "{}: {} Not so:", checked.id, checked.sentence)?;
        for problem in &checked.problems {
            writeln!(out, "  {}", sentence(problem))?;
        }
        match checked.broken - checked.problems.len() as u64 {
            0 => {}
            more => writeln!(out, "  … and {more} more; --limit shows them")?,
        }
    }
    let Some(checked) = report.invariants.iter().find(|checked| checked.broken > 0) else {
        let (number, version) = (report.invariants.len(), report.version);
        let holds = holds(report.incidents, report.executions);
        return writeln!(out, "{store}, version {version}, {holds}: all {number} checks passed");
    };
    let broken = report.broken();
    match checked.id {
        // Nothing else was looked at.
        "intact" | "schema" => writeln!(out, "{store}: damaged; the other checks were not made"),
        _ => writeln!(out, "{store}: {broken} problem{}", if broken == 1 { "" } else { "s" }),
    }
}

fn sentence(problem: &Problem) -> String {
    let named = |what: &str, name: &Option<String>| {
        name.as_ref().map(|name| format!("{what} {}", terminal::clipped(name, 200)))
    };
    let names = [
        named("incident", &problem.incident),
        named("site", &problem.site),
        named("execution", &problem.execution),
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let found = problem.found.as_ref().map(|found| terminal::clipped(found, 400));
    match (names.join(", "), found) {
        (names, None) => names,
        (names, Some(found)) if names.is_empty() => found,
        (names, Some(found)) => format!("{names}: {found}"),
    }
}

fn write_restored(
    out: &mut dyn Write,
    store: &str,
    file: &Path,
    restored: &Restored,
) -> io::Result<()> {
    let holds = holds(restored.incidents, restored.executions);
    let file = terminal::safe(&file.to_string_lossy());
    write!(out, "{store} is now what {file} holds: {holds}")?;
    let Migration { from, to } = restored.migration;
    if from != to {
        write!(out, ", brought from version {from} to version {to}")?;
    }
    writeln!(out)?;
    match &restored.kept {
        Some(kept) => {
            writeln!(out, "What it was before is {}", terminal::safe(kept))
        }
        None => Ok(()),
    }
}

//! An answer as people read it: a table, shortened when it is long, and one closing line.

use super::{table, terminal};
use crate::execution::{Answer, Report, ReportRow};
use playdock_plugin_api::OutcomeResult;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// How many rows a table shows at most.
const MOST_ROWS: usize = 20;

/// The reasons of incidents that did not fail, in words; those of a plugin that aren't known here
/// are shown as they are.
const WORDS: &[(&str, &str)] = &[
    ("already-closed", "closed already"),
    ("already-open", "open already"),
    ("would-close", "would be closed"),
    ("would-reopen", "would be reopened"),
    ("would-assign", "would be assigned"),
];

/// Writes an answer.
pub(super) fn answer(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    if answer.execution_id.is_none() {
        writeln!(out, "This was a preview; nothing was written.")?;
    }
    if let Some(report) = &answer.report
        && report.count() > 0
    {
        rows(out, report)?;
    }
    writeln!(out, "{}", closing_line(answer))?;
    match &answer.execution_id {
        Some(id) if answer.replayed => {
            writeln!(out, "Execution {id} had ended before; this is its stored answer.")
        }
        Some(id) => writeln!(out, "Execution {id}"),
        None => Ok(()),
    }
}

fn rows(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let shown = worth_showing(report);
    let more = report.count() - shown.len();
    let cells = shown.into_iter().map(|row| report.table_row(row));
    table::write(out, &report.table_headings(), cells)?;
    if more > 0 {
        writeln!(out, "… and {more} more; --output json writes them all.")?;
    }
    Ok(())
}

/// The rows of a short answer; of a long one the first failures, and then the first others.
fn worth_showing(report: &Report) -> Vec<ReportRow<'_>> {
    if report.count() <= MOST_ROWS {
        return report.rows().collect();
    }
    let failed = |row: &ReportRow<'_>| row.row.result == OutcomeResult::Failed;
    let others = report.rows().filter(|row| !failed(row));
    report.rows().filter(failed).chain(others).take(MOST_ROWS).collect()
}

/// Totals and causes in one line.
fn closing_line(answer: &Answer) -> String {
    let said = match &answer.report {
        Some(report) if answer.error.is_empty() => totals(report),
        _ => terminal::safe(&answer.error),
    };
    format!("{}: {said}", answer.return_data)
}

fn totals(report: &Report) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in report.rows().filter_map(|row| row.row.reason.as_ref()) {
        *reasons.entry(reason.as_str()).or_default() += 1;
    }
    let counted: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count} {}", terminal::safe(in_words(reason))))
        .collect();
    let incidents = match report.count() {
        1 => "1 incident".to_owned(),
        count => format!("{count} incidents"),
    };
    match counted.is_empty() {
        true => incidents,
        false => format!("{incidents} ({})", counted.join(", ")),
    }
}

fn in_words(reason: &str) -> &str {
    let known = WORDS.iter().find(|(code, _)| *code == reason);
    known.map_or(reason, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Ended, ReturnData};
    use crate::incidents::LedgerRow;
    use playdock_plugin_api::messages::Row;
    use playdock_plugin_api::{Columns, Reason};
    use std::sync::Arc;

    fn preview(reasons: &[&'static str]) -> Answer {
        let line = |(position, reason): (u64, &&'static str)| LedgerRow {
            sequence: position,
            position,
            incident: None,
            number: "1".to_owned(),
            change: None,
            owner: None,
            row: Arc::new(Row {
                result: OutcomeResult::Successful,
                reason: Some(Reason::new(reason)),
                message: None,
                cells: Vec::new(),
            }),
        };
        let columns = Columns::new().incident_number("Incident Number").result("Result");
        let ledger = (0..).zip(reasons).map(line).collect();
        Answer {
            execution_id: None,
            return_data: ReturnData::Successful,
            error: String::new(),
            outputs: BTreeMap::new(),
            report: Some(Report::of_ledger(columns, ledger)),
            ended: Ended::Finished,
            replayed: false,
        }
    }

    #[test]
    fn a_preview_says_so_first_and_counts_in_words() {
        let mut out = Vec::new();
        answer(&mut out, &preview(&["would-close", "already-closed", "of-a-plugin"])).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("This was a preview; nothing was written.\n"), "{text}");
        let closing = "3 incidents (1 closed already, 1 of-a-plugin, 1 would be closed)";
        assert!(text.contains(closing), "{text}");
    }
}

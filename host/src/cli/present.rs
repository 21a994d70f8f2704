//! An answer as people read it: a table, shortened when it is long, and one closing line.

use super::terminal;
use crate::execution::{Answer, Report, ReportRow};
use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle, presets};
use playdock_plugin_api::OutcomeResult;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// How many rows a table shows at most.
const MOST_ROWS: usize = 20;
/// How many characters a cell shows at most.
const LONGEST_CELL: usize = 200;

/// A line below the headings, and nothing else.
const STYLE: TableStyle = presets::NOTHING.header_separator(LineStyle::new(' ', '─', ' ', ' '));

/// Writes an answer.
pub(super) fn answer(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    if let Some(report) = &answer.report
        && !report.rows.is_empty()
    {
        rows(out, report)?;
    }
    writeln!(out, "{}", closing_line(answer))?;
    match &answer.execution_id {
        Some(id) if answer.replayed => {
            writeln!(
                out,
                "Execution {id} had ended before; this is its stored answer."
            )
        }
        Some(id) => writeln!(out, "Execution {id}"),
        None => writeln!(out, "This was a preview; nothing was written."),
    }
}

/// A table with these headings and rows.
pub(super) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().map(|heading| terminal::safe(heading)));
    for row in rows {
        table.add_row(row.iter().map(|cell| terminal::clipped(cell, LONGEST_CELL)));
    }
    table
}

fn rows(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let shown = worth_showing(&report.rows);
    let more = report.rows.len() - shown.len();
    let cells = shown.iter().map(|row| report.table_row(row));
    writeln!(out, "{}", table(&report.table_headings(), cells))?;
    if more > 0 {
        writeln!(out, "… and {more} more; --output json writes them all.")?;
    }
    Ok(())
}

/// The rows of a short answer; of a long one the first failures, and then the first others.
fn worth_showing(rows: &[ReportRow]) -> Vec<&ReportRow> {
    if rows.len() <= MOST_ROWS {
        return rows.iter().collect();
    }
    let failed = |row: &&ReportRow| row.result == OutcomeResult::Failed;
    let others = rows.iter().filter(|row| !failed(row));
    rows.iter()
        .filter(failed)
        .chain(others)
        .take(MOST_ROWS)
        .collect()
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
    for reason in report.rows.iter().filter_map(|row| row.reason.as_ref()) {
        *reasons.entry(reason.as_str()).or_default() += 1;
    }
    let counted: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count} {}", terminal::safe(reason)))
        .collect();
    let incidents = match report.rows.len() {
        1 => "1 incident".to_owned(),
        count => format!("{count} incidents"),
    };
    match counted.is_empty() {
        true => incidents,
        false => format!("{incidents} ({})", counted.join(", ")),
    }
}

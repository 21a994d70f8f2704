//! An answer piece by piece, for whoever sends it on: at once, the text of a million rows would take
//! three hundred megabytes.

use super::answer::Answer;
use super::report::{ContextRows, Report, TABLE_END, TableBeginning, TableRows};
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;

/// How many rows a piece has at most, and of how much text; one row at least.
const ROWS: usize = 256;
const TEXT: usize = 16 << 10;
/// How many bytes one of text can become: an entity in JSON, say.
const LONGEST_SIGN: usize = 8;

/// The JSON text of an answer, piece by piece: together what serializing the
/// [`Answer`] gives.
pub(crate) struct Pieces {
    answer: Arc<Answer>,
    next: Next,
}

/// Where the next piece begins.
#[derive(Clone, Copy)]
enum Next {
    Beginning,
    /// At the row of the table at this position.
    Table(usize),
    /// At the row of `contextData` at this position.
    Context(usize),
    Nowhere,
}

impl Pieces {
    pub(crate) fn new(answer: Arc<Answer>) -> Pieces {
        Pieces { answer, next: Next::Beginning }
    }

    /// About how many bytes of memory an answer takes while it is sent.
    pub(crate) fn memory(answer: &Answer) -> usize {
        let rows = answer.report.as_ref().map_or(0, Report::memory);
        let longest = answer.report.as_ref().map_or(0, Report::longest_row);
        rows + answer.error.len() + LONGEST_SIGN * (TEXT + longest)
    }

    /// The rows from a position on, and where the piece after them begins.
    fn rows(&self, from: usize, more: fn(usize) -> Next, after: Next) -> (Range<usize>, Next) {
        let Some(report) = &self.answer.report else { return (0..0, after) };
        let mut text = 0;
        let within = |position: &usize| {
            text += report.text_of(*position);
            *position == from || text <= TEXT
        };
        let to = (from..report.count()).take(ROWS).take_while(within).count() + from;
        (from..to, if to == report.count() { after } else { more(to) })
    }

    fn beginning(&self) -> String {
        let beginning = self.answer.report.as_ref().map(TableBeginning);
        let beginning = beginning.map(|it| it.to_string()).unwrap_or_default();
        format!("{{\"result\":\"{}", inside(&json(&beginning)))
    }

    /// What stands between the rows of the table and those of `contextData`.
    fn middle(&self) -> String {
        let end = if self.answer.report.is_some() { TABLE_END } else { "" };
        let error = json(&self.answer.error);
        let return_data = json(self.answer.return_data.as_str());
        format!("{end}\",\"error\":{error},\"returnData\":{return_data},\"contextData\":[")
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (text, next) = match self.next {
            Next::Beginning => (self.beginning(), Next::Table(0)),
            Next::Table(from) => {
                let (rows, next) = self.rows(from, Next::Table, Next::Context(0));
                let mut text = table_rows(&self.answer, rows);
                if matches!(next, Next::Context(_)) {
                    text.push_str(&self.middle());
                }
                (text, next)
            }
            Next::Context(from) => {
                let (rows, next) = self.rows(from, Next::Context, Next::Nowhere);
                let mut text = context_rows(&self.answer, rows);
                if matches!(next, Next::Nowhere) {
                    text.push_str("]}");
                }
                (text, next)
            }
            Next::Nowhere => return None,
        };
        self.next = next;
        Some(text)
    }
}

fn table_rows(answer: &Answer, rows: Range<usize>) -> String {
    let Some(report) = &answer.report else { return String::new() };
    inside(&json(&TableRows(report, rows).to_string())).to_owned()
}

fn context_rows(answer: &Answer, rows: Range<usize>) -> String {
    let Some(report) = &answer.report else { return String::new() };
    let comma = if rows.start > 0 { "," } else { "" };
    format!("{comma}{}", inside(&json(&ContextRows(report, rows))))
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    // Text, numbers and maps with text keys: serde_json can always write them.
    serde_json::to_string(value).unwrap_or_default()
}

/// JSON text without its first and its last sign.
fn inside(json: &str) -> &str {
    json.get(1..json.len().saturating_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::answer::{Ended, ReturnData};
    use super::*;
    use crate::incidents::LedgerRow;
    use playdock_plugin_api::messages::Row;
    use playdock_plugin_api::{Cell, Columns, OutcomeResult, Reason};
    use std::collections::BTreeMap;

    fn answer(report: Option<Report>) -> Answer {
        Answer {
            execution_id: None,
            return_data: ReturnData::PartiallySuccessful,
            error: "1 \"of\" 2 <failed>\n".to_owned(),
            outputs: BTreeMap::new(),
            report,
            ended: Ended::Finished,
            replayed: false,
        }
    }

    /// Rows of which every seventh is shared, with messages of so many more bytes.
    fn report(rows: usize, long: usize) -> Report {
        let shared = Arc::new(row(3, long));
        let line = |position: usize| LedgerRow {
            sequence: position as u64,
            position: position as u64,
            incident: None,
            number: format!("\"{position}\\ <é>\u{1}"),
            change: None,
            owner: None,
            row: match position.is_multiple_of(7) {
                true => shared.clone(),
                false => Arc::new(row(position, long)),
            },
        };
        let columns = Columns::new().incident_number("Incident \"Number\"").result("Result");
        Report::of_ledger(columns.text("Status"), (0..rows).map(line).collect())
    }

    fn row(position: usize, long: usize) -> Row {
        let message = || format!("\"{position}\" & more\u{2028}{}", "&".repeat(long));
        Row {
            result: [OutcomeResult::Failed, OutcomeResult::Successful][position % 2],
            reason: position.is_multiple_of(2).then_some(Reason::NOT_FOUND),
            message: position.is_multiple_of(3).then(message),
            cells: vec![Cell::Text("Open </td>".into())],
        }
    }

    #[test]
    fn the_pieces_are_what_the_answer_is_as_json() {
        let rows = [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS, 3 * ROWS + 7];
        let short = rows.map(|rows| Some(report(rows, 0)));
        let long = [Some(report(40, 1000)), Some(report(4, 2 * TEXT)), None];
        for report in short.into_iter().chain(long) {
            let answer = answer(report);
            let whole = serde_json::to_string(&answer).unwrap();
            let pieces: String = Pieces::new(Arc::new(answer)).collect();
            assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn pieces_are_short_however_long_their_rows_are() {
        let answer = Arc::new(answer(Some(report(300, 1000))));
        let longest = Pieces::new(answer.clone()).map(|piece| piece.len()).max().unwrap();
        assert!(longest < LONGEST_SIGN * TEXT, "{longest}");
        assert!(longest < Pieces::memory(&answer));
        // A row that many share takes its memory once.
        let shared = report(700, 100_000).memory() - report(700, 0).memory();
        let own = (0..700).filter(|it| it % 7 != 0 && it % 3 == 0).count() + 1;
        assert_eq!(shared / 100_000, own);
    }
}

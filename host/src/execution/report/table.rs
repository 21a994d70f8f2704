//! The rows as the HTML table in `result`. Every cell is escaped.

use super::{Report, each_kind};
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::rich_text::Escaped;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Range;

/// The table; empty text where the execution failed as a whole.
pub(in crate::execution) struct Table<'a>(pub(in crate::execution) Option<&'a Report>);

/// What stands before the rows.
pub(in crate::execution) struct TableBeginning<'a>(pub(in crate::execution) &'a Report);

/// The rows at these positions.
pub(in crate::execution) struct TableRows<'a>(
    pub(in crate::execution) &'a Report,
    pub(in crate::execution) Range<usize>,
);

/// What stands behind the rows.
pub(in crate::execution) const TABLE_END: &str = " </table>";

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Written piece by piece: the text of a million rows is never held at once.
        serializer.collect_str(self)
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(report) = self.0 else { return Ok(()) };
        TableBeginning(report).fmt(formatter)?;
        TableRows(report, 0..report.count()).fmt(formatter)?;
        formatter.write_str(TABLE_END)
    }
}

impl fmt::Display for TableBeginning<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<table class='cc-table'> <tr>")?;
        for heading in self.0.table_headings() {
            write!(formatter, " <th>{}</th>", Escaped(heading))?;
        }
        formatter.write_str(" </tr>")
    }
}

impl fmt::Display for TableRows<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TableRows(report, positions) = self;
        let html = |row: &Row| html(report, row);
        each_kind::for_each(report, positions.clone(), html, |row, html| {
            let mut pieces = html.iter();
            if let Some(first) = pieces.next() {
                formatter.write_str(first)?;
            }
            pieces.try_for_each(|piece| {
                write!(formatter, "{}", Escaped(row.number))?;
                formatter.write_str(piece)
            })
        })
    }
}

/// The HTML of a row, in pieces between which its number stands.
fn html(report: &Report, row: &Row) -> Vec<String> {
    let mut pieces = vec![" <tr>".to_owned()];
    let mut html = |piece: String, ends: bool| {
        if let Some(last) = pieces.last_mut() {
            last.push_str(&piece);
        }
        if ends {
            pieces.push(String::new());
        }
    };
    for cell in report.table_cells(row) {
        match cell {
            Some(text) => html(format!(" <td>{}</td>", Escaped(&text)), false),
            None => {
                html(" <td>".to_owned(), true);
                html("</td>".to_owned(), false);
            }
        }
    }
    html(" </tr>".to_owned(), false);
    pieces
}

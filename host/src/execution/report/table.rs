//! The rows as the HTML table in `result`. Every cell is escaped.

use super::Report;
use playdock_plugin_api::rich_text::Escaped;
use serde::{Serialize, Serializer};
use std::fmt;

/// The table; empty text where the execution failed as a whole.
pub(in crate::execution) struct Table<'a>(pub(in crate::execution) Option<&'a Report>);

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Written piece by piece: the text of a million rows is never held at once.
        serializer.collect_str(self)
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(report) = self.0 else { return Ok(()) };
        formatter.write_str("<table class='cc-table'> <tr>")?;
        for heading in report.table_headings() {
            write!(formatter, " <th>{}</th>", Escaped(heading))?;
        }
        formatter.write_str(" </tr>")?;
        for row in &report.rows {
            formatter.write_str(" <tr>")?;
            for text in report.table_row(row) {
                write!(formatter, " <td>{}</td>", Escaped(&text))?;
            }
            formatter.write_str(" </tr>")?;
        }
        formatter.write_str(" </table>")
    }
}

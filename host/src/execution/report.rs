//! The rows of an answer, in the order of the input, and their two forms: `contextData` and the
//! table in `result`. Escaping and dates happen here and nowhere else.

mod context_data;
mod dates;
mod table;

pub(super) use context_data::ContextData;
pub(super) use table::Table;

use jiff::tz::TimeZone;
use playdock_plugin_api::{Cell, Column, ColumnKind, Columns, OutcomeResult, Reason, Timestamp};
use std::borrow::Cow;

/// The rows of an answer.
#[derive(Debug)]
pub struct Report {
    /// The columns of the command.
    pub columns: Columns,
    /// The time zone of the site, in which dates are shown.
    pub time_zone: TimeZone,
    /// A row for each incident, in the order of the input.
    pub rows: Vec<ReportRow>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// The incident's number.
    pub number: String,
    /// Whether it succeeded.
    pub result: OutcomeResult,
    /// Why, as a code.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub message: Option<String>,
    /// The values of the columns that have cells.
    pub cells: Vec<Cell>,
}

impl Report {
    /// How many rows failed.
    pub fn failed(&self) -> usize {
        self.rows.iter().filter(|row| row.result == OutcomeResult::Failed).count()
    }

    /// The headings of the table, in its order.
    pub fn table_headings(&self) -> Vec<&str> {
        self.table_columns().map(|(_, column)| column.name.as_ref()).collect()
    }

    /// What a row of the table shows, in its order.
    pub fn table_row(&self, row: &ReportRow) -> Vec<String> {
        let cells: Vec<Option<&Cell>> = cells_by_column(&self.columns, row).collect();
        let texts = self.table_columns().map(|(index, column)| match (column.kind, &row.message) {
            (ColumnKind::IncidentNumber, _) => row.number.clone(),
            (ColumnKind::Result, Some(message)) if row.result == OutcomeResult::Failed => {
                format!("{}: {message}", row.result.as_str())
            }
            (ColumnKind::Result, _) => row.result.as_str().to_owned(),
            (kind, _) => {
                let cell = cells.get(index).copied().flatten().unwrap_or(&Cell::Empty);
                self.shown(cell, kind, dates::TABLE).into_owned()
            }
        });
        texts.collect()
    }

    fn table_columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        let columns = &self.columns;
        columns.table.iter().filter_map(|index| Some((*index, columns.context.get(*index)?)))
    }

    /// What a cell shows, with dates as `contextData` has them.
    pub fn text<'a>(&self, cell: &'a Cell, kind: ColumnKind) -> Cow<'a, str> {
        self.shown(cell, kind, dates::CONTEXT)
    }

    /// What a cell shows in a column of this kind.
    fn shown<'a>(&self, cell: &'a Cell, kind: ColumnKind, dates: &str) -> Cow<'a, str> {
        match (cell, kind) {
            (Cell::Empty, _) => Cow::Borrowed(""),
            (Cell::Text(text), _) => Cow::Borrowed(text),
            (Cell::Instant(instant), ColumnKind::Instant) => {
                Cow::Owned(dates::show(*instant, &self.time_zone, dates))
            }
            #[allow(clippy::cast_possible_truncation, reason = "a date beyond i64 shows as none")]
            (Cell::Number(number), ColumnKind::Instant) => {
                let instant = Timestamp::from_milliseconds(*number as i64);
                Cow::Owned(dates::show(instant, &self.time_zone, dates))
            }
            (Cell::Instant(number), _) => Cow::Owned(number.milliseconds().to_string()),
            (Cell::Number(number), _) => Cow::Owned(number.to_string()),
        }
    }
}

/// The cells of a row beside the columns of a command: `None` for a column that has none.
fn cells_by_column<'a>(
    columns: &'a Columns,
    row: &'a ReportRow,
) -> impl Iterator<Item = Option<&'a Cell>> {
    let mut cells = row.cells.iter();
    columns.context.iter().map(move |column| column.kind.has_cell().then(|| cells.next()).flatten())
}

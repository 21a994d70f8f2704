//! The rows of an answer, in the order of the input, and their two forms: `contextData` and the
//! table in `result`. Escaping and dates happen here and nowhere else.

mod context_data;
mod dates;
mod each_kind;
mod table;

pub(super) use context_data::{ContextData, ContextRows};
pub(super) use table::{TABLE_END, Table, TableBeginning, TableRows};

use super::numbers::Numbers;
use super::rows::{self, Rows};
use crate::incidents::LedgerRow;
use jiff::tz::TimeZone;
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{Cell, Column, ColumnKind, Columns, OutcomeResult, Timestamp};
use std::borrow::Cow;
use std::sync::Arc;

/// The rows of an answer.
#[derive(Debug)]
pub struct Report {
    /// The columns of the command.
    pub columns: Arc<Columns>,
    /// The time zone of the site, in which dates are shown.
    pub time_zone: TimeZone,
    /// A row for each incident, in the order of the input.
    rows: NumberedRows,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct ReportRow<'a> {
    /// The incident's number.
    pub number: &'a str,
    /// What became of it.
    pub row: &'a Row,
}

/// Rows with the numbers of their incidents.
#[derive(Debug)]
pub(super) struct NumberedRows {
    pub(super) numbers: Arc<Numbers>,
    /// A row for each of the numbers.
    pub(super) of: Rows,
}

impl From<Vec<LedgerRow>> for NumberedRows {
    /// Those of a ledger, in the order of the input.
    fn from(mut ledger: Vec<LedgerRow>) -> NumberedRows {
        ledger.sort_unstable_by_key(|line| line.position);
        let mut of = Rows::none(ledger.len());
        for (index, line) in ledger.iter().enumerate() {
            of.set(index, &line.row);
        }
        let numbers = ledger.iter().map(|line| line.number.as_str()).collect();
        NumberedRows { numbers: Arc::new(numbers), of }
    }
}

impl Report {
    pub(super) fn new(columns: Arc<Columns>, time_zone: TimeZone, rows: NumberedRows) -> Report {
        Report { columns, time_zone, rows }
    }

    #[cfg(test)]
    pub(crate) fn of_ledger(columns: Columns, ledger: Vec<LedgerRow>) -> Report {
        Report::new(Arc::new(columns), TimeZone::UTC, ledger.into())
    }

    /// A row for each incident, in the order of the input.
    pub fn rows(&self) -> impl Iterator<Item = ReportRow<'_>> {
        let NumberedRows { numbers, of } = &self.rows;
        (0..of.len()).filter_map(|position| {
            Some(ReportRow { number: numbers.get(position), row: of.get(position)? })
        })
    }

    /// Puts another row in the place of each for which there is one.
    pub fn replace(&mut self, other: impl Fn(&Row) -> Option<Row>) {
        self.rows.of.replace(other);
    }

    /// How many bytes of text the row at a position has.
    pub(super) fn text_of(&self, position: usize) -> usize {
        let row = self.rows.of.get(position).map_or(0, |row| rows::text(row));
        self.rows.numbers.get(position).len() + row
    }

    /// How many bytes of text the longest row may have.
    pub(super) fn longest_row(&self) -> usize {
        self.rows.numbers.longest() + self.rows.of.longest()
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        self.rows.numbers.memory() + self.rows.of.memory()
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.rows.of.len()
    }

    /// How many rows failed.
    pub fn failed(&self) -> usize {
        self.rows().filter(|row| row.row.result == OutcomeResult::Failed).count()
    }

    /// The headings of the table, in its order.
    pub fn table_headings(&self) -> Vec<&str> {
        self.table_columns().map(|(_, column)| column.name.as_ref()).collect()
    }

    /// What a row of the table shows, in its order.
    pub fn table_row(&self, row: ReportRow<'_>) -> Vec<String> {
        let cells = self.table_cells(row.row).into_iter();
        cells.map(|cell| cell.unwrap_or_else(|| row.number.to_owned())).collect()
    }

    /// What a row of the table shows, in its order; `None` where its number stands.
    fn table_cells(&self, row: &Row) -> Vec<Option<String>> {
        let cells: Vec<Option<&Cell>> = cells_by_column(&self.columns, row).collect();
        let texts = self.table_columns().map(|(index, column)| match (column.kind, &row.message) {
            (ColumnKind::IncidentNumber, _) => None,
            (ColumnKind::Result, Some(message)) if row.result == OutcomeResult::Failed => {
                Some(format!("{}: {message}", row.result.as_str()))
            }
            (ColumnKind::Result, _) => Some(row.result.as_str().to_owned()),
            (kind, _) => {
                let cell = cells.get(index).copied().flatten().unwrap_or(&Cell::Empty);
                Some(self.shown(cell, kind, dates::TABLE).into_owned())
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
    row: &'a Row,
) -> impl Iterator<Item = Option<&'a Cell>> {
    let mut cells = row.cells.iter();
    columns.context.iter().map(move |column| column.kind.has_cell().then(|| cells.next()).flatten())
}

//! CSV: one row an incident, or one row an event of an incident, explained by a [`Map`].
//!
//! The last row of a number stands. Which row that is, is known at the end of the file alone, and
//! the rows of a million incidents are not to be held: so the file is read twice, once for the
//! place of each number's last row, once for those rows.

mod numbered;
mod tailed;

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::vec;

use csv::StringRecord;
use jiff::Timestamp;
use serde_json::Value;

use self::numbered::NumberedRows;
use super::error::{CellProblem, ImportError, LineProblem};
use super::map::{Columns, Map};
use super::nearest::did_you_mean;
use super::{Field, Incident, NumberedRecord, Record, Site, Status, User, UserSites};

/// The records of a CSV file: its site, its users, then the last row of each number, in the order
/// of the file. After an error there are no more.
pub struct CsvRows<'p, R> {
    rows: MappedRows<'p, R>,
    columns: Columns<usize>,
    fields: Vec<usize>,
    head: vec::IntoIter<Record>,
    last_rows: HashMap<String, u64>,
    failed: bool,
}

/// The present row and what the map says of it.
struct MappedRows<'p, R> {
    file: NumberedRows<'p, R>,
    map: &'p Map,
}

impl<'p, R: Read + Seek> CsvRows<'p, R> {
    /// Reads the file for the first time, from its beginning. `progress` hears now and then how
    /// many bytes are read; as each is read twice, it counts one half each time.
    ///
    /// # Errors
    ///
    /// If a column that the map names is missing or repeated, a row is ragged or without a number,
    /// or the file can't be read.
    pub fn new(
        reader: R,
        map: &'p Map,
        progress: &'p mut dyn FnMut(u64),
    ) -> Result<Self, ImportError> {
        let mut rows = MappedRows { file: NumberedRows::new(reader, progress)?, map };
        let place = |column: &str| place(&rows.file.header, column);
        let columns = map.columns.places(place)?;
        let fields = map.required_on_close.iter().map(|field| place(&field.column));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;

        let mut last_rows = HashMap::new();
        while rows.file.advance()? {
            let number = rows.number(columns.number)?;
            match last_rows.get_mut(number) {
                Some(last) => *last = rows.file.count,
                None => _ = last_rows.insert(number.to_owned(), rows.file.count),
            }
        }
        rows.file.restart()?;
        let head = head(map).into_iter();
        Ok(Self { rows, columns, fields, head, last_rows, failed: false })
    }

    fn next_record(&mut self) -> Result<Option<NumberedRecord>, ImportError> {
        if let Some(record) = self.head.next() {
            return Ok(Some(NumberedRecord { line: 1, record }));
        }
        while self.rows.file.advance()? {
            let number = self.rows.number(self.columns.number)?;
            if self.last_rows.get(number) == Some(&self.rows.file.count) {
                let record = self.rows.record(&self.columns, &self.fields)?;
                return Ok(Some(NumberedRecord { line: self.rows.file.line, record }));
            }
        }
        Ok(None)
    }
}

impl<R: Read + Seek> Iterator for CsvRows<'_, R> {
    type Item = Result<NumberedRecord, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_record();
        self.failed = next.is_err();
        next.transpose()
    }
}

impl<R> MappedRows<'_, R> {
    fn error(&self, column: usize, problem: CellProblem) -> ImportError {
        let column = self.file.header.get(column).unwrap_or_default().to_owned();
        ImportError::Cell { line: self.file.line, column, problem }
    }

    /// A cell, unless it is empty or the map says that it means the same.
    fn cell(&self, column: usize) -> Option<&str> {
        let text = self.file.row.get(column)?.trim();
        let empty = text.is_empty() || self.map.empty.iter().any(|empty| empty == text);
        (!empty).then_some(text)
    }

    /// The text of a column, empty where the cell is; none if the map names no such column.
    fn text(&self, column: Option<usize>) -> Option<String> {
        column.map(|column| self.cell(column).unwrap_or_default().to_owned())
    }

    /// The type of the row; none if the map gives neither a column for it nor a type.
    fn kind(&self, column: Option<usize>) -> Option<String> {
        let filled = self.text(column).filter(|kind| !kind.is_empty());
        let of_map = || self.map.r#type.clone();
        filled.or_else(of_map).or(column.map(|_| String::new()))
    }

    fn number(&self, column: usize) -> Result<&str, ImportError> {
        self.cell(column).ok_or_else(|| self.error(column, CellProblem::NoNumber))
    }

    fn is_left_out(&self, column: Option<usize>) -> bool {
        let state = column.map(|column| self.cell(column).unwrap_or_default());
        state.is_some_and(|state| self.map.leave_out.iter().any(|left_out| left_out == state))
    }

    fn status(&self, column: usize) -> Result<Status, ImportError> {
        let state = self.cell(column).unwrap_or_default();
        self.map.states.get(state).copied().ok_or_else(|| {
            let state = state.to_owned();
            self.error(column, CellProblem::UnmappedState { state })
        })
    }

    /// The instant of a column, if its cell has one.
    fn instant(&self, column: usize) -> Result<Option<Timestamp>, ImportError> {
        let Some(text) = self.cell(column) else {
            return Ok(None);
        };
        let (instant, form) = match &self.map.dates {
            Some(dates) => (dates.instant(text).ok(), dates.format.as_str()),
            None => (text.parse().ok(), "2021-01-26T22:10:00Z (RFC 3339)"),
        };
        if instant.is_none() {
            let (text, form) = (text.to_owned(), form.to_owned());
            return Err(self.error(column, CellProblem::Date { text, form }));
        }
        Ok(instant)
    }

    fn fields(&self, columns: &[usize]) -> Vec<Field> {
        let fields = self.map.required_on_close.iter().zip(columns).map(|(field, &column)| Field {
            section: field.section.clone(),
            name: field.name.as_ref().unwrap_or(&field.column).clone(),
            kind: field.kind,
            required_on_close: true,
            visible: true,
            value: self.cell(column).map_or(Value::Null, Value::from),
        });
        fields.collect()
    }

    fn record(&self, columns: &Columns<usize>, fields: &[usize]) -> Result<Record, ImportError> {
        if self.is_left_out(columns.status) {
            return Ok(Record::LeftOut);
        }
        let status = columns.status.map(|column| self.status(column)).transpose()?;
        let instant = |column: Option<usize>| column.map(|column| self.instant(column)).transpose();
        // An incident that was reopened keeps the date of its earlier closing in many sources.
        let closed = status == Some(Status::Closed);
        Ok(Record::Incident(Box::new(Incident {
            number: self.number(columns.number)?.to_owned(),
            site: self.map.site.name.clone(),
            r#type: self.kind(columns.r#type),
            title: self.text(columns.title),
            status,
            severity: self.text(columns.severity),
            owner: self.text(columns.owner),
            created: instant(columns.created)?,
            closed: instant(columns.closed.filter(|_| closed))?,
            closed_by: self.text(columns.closed_by.filter(|_| closed)),
            conclusion: self.text(columns.conclusion),
            tasks: None,
            fields: (!fields.is_empty()).then(|| self.fields(fields)),
        })))
    }
}

/// What the map itself says of the site and of users.
fn head(map: &Map) -> Vec<Record> {
    let site = &map.site;
    let users = map.users.iter().map(|user| {
        Record::User(User {
            username: user.username.clone(),
            active: None,
            may_close: user.may_close,
            sites: Some(UserSites::Also(site.name.clone())),
        })
    });
    let site = Site {
        name: site.name.clone(),
        time_zone: site.time_zone.as_ref().map(|zone| zone.0.clone()),
    };
    [Record::Site(site)].into_iter().chain(users).collect()
}

/// The place of a column in the header.
fn place(header: &StringRecord, column: &str) -> Result<usize, ImportError> {
    let mut places = header.iter().enumerate().filter(|(_, name)| name.trim() == column);
    let problem = match (places.next(), places.next()) {
        (Some((place, _)), None) => return Ok(place),
        (Some(_), Some(_)) => LineProblem::RepeatedColumn { column: column.to_owned() },
        (None, _) => LineProblem::MissingColumn {
            column: column.to_owned(),
            hint: did_you_mean(column, header.iter().map(str::trim)),
        },
    };
    Err(ImportError::Line { line: 1, problem })
}

#[cfg(test)]
mod tests;

//! The rows as `contextData`: an array of objects whose members stand in the command's order.

use super::{Report, cells_by_column, each_kind};
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{Cell, ColumnKind};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::ops::Range;

/// The rows as `contextData`; none where the execution failed as a whole.
pub(in crate::execution) struct ContextData<'a>(pub(in crate::execution) Option<&'a Report>);

/// The rows at these positions.
pub(in crate::execution) struct ContextRows<'a>(
    pub(in crate::execution) &'a Report,
    pub(in crate::execution) Range<usize>,
);

impl Serialize for ContextData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(report) => ContextRows(report, 0..report.count()).serialize(serializer),
            None => serializer.serialize_seq(Some(0))?.end(),
        }
    }
}

impl Serialize for ContextRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ContextRows(report, positions) = self;
        let mut elements = serializer.serialize_seq(Some(positions.len()))?;
        let members = |row: &Row| members(report, row);
        each_kind::for_each(report, positions.clone(), members, |row, members| {
            elements.serialize_element(&Object { members, number: row.number })
        })?;
        elements.end()
    }
}

/// A row: its members, and the number for those that show it.
struct Object<'a> {
    members: &'a [(String, Value)],
    number: &'a str,
}

/// What a member holds.
enum Value {
    /// The incident's number.
    Number,
    Text(String),
    Integer(i64),
    Float(f64),
}

fn members(report: &Report, row: &Row) -> Vec<(String, Value)> {
    let columns = &report.columns;
    let members =
        columns.context.iter().zip(cells_by_column(columns, row)).map(|(column, cell)| {
            let value = match (column.kind, cell) {
                (ColumnKind::IncidentNumber, _) => Value::Number,
                (ColumnKind::Result, _) => Value::Text(row.result.as_str().to_owned()),
                (ColumnKind::Number, Some(Cell::Number(number))) => Value::Float(*number),
                (ColumnKind::Number, Some(Cell::Instant(number))) => {
                    Value::Integer(number.milliseconds())
                }
                (kind, cell) => {
                    Value::Text(report.text(cell.unwrap_or(&Cell::Empty), kind).into_owned())
                }
            };
            (column.name.to_string(), value)
        });
    let reason = row.reason.as_ref().map(|reason| ("Reason", reason.as_str()));
    let message = row.message.as_ref().map(|message| ("Error message", message.as_str()));
    let texts = reason.into_iter().chain(message);
    let texts = texts.map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned())));
    members.chain(texts).collect()
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        for (name, value) in self.members {
            match value {
                Value::Number => members.serialize_entry(name, self.number)?,
                Value::Text(text) => members.serialize_entry(name, text)?,
                Value::Integer(number) => members.serialize_entry(name, number)?,
                Value::Float(number) => members.serialize_entry(name, number)?,
            }
        }
        members.end()
    }
}

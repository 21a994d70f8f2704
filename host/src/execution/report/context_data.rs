//! The rows as `contextData`: an array of objects whose members stand in the command's order.

use super::{Report, ReportRow, cells_by_column};
use playdock_plugin_api::{Cell, ColumnKind};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// The rows as `contextData`; none where the execution failed as a whole.
pub(in crate::execution) struct ContextData<'a>(pub(in crate::execution) Option<&'a Report>);

impl Serialize for ContextData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.0.map_or(&[][..], |report| &report.rows);
        let mut elements = serializer.serialize_seq(Some(rows.len()))?;
        if let Some(report) = self.0 {
            for row in rows {
                elements.serialize_element(&Row { report, row })?;
            }
        }
        elements.end()
    }
}

struct Row<'a> {
    report: &'a Report,
    row: &'a ReportRow,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row { report, row } = self;
        let mut members = serializer.serialize_map(None)?;
        let columns = &report.columns;
        for (column, cell) in columns.context.iter().zip(cells_by_column(columns, row)) {
            let name = &column.name;
            match (column.kind, cell) {
                (ColumnKind::IncidentNumber, _) => members.serialize_entry(name, &row.number)?,
                (ColumnKind::Result, _) => members.serialize_entry(name, row.result.as_str())?,
                (ColumnKind::Number, Some(Cell::Number(number))) => {
                    members.serialize_entry(name, number)?;
                }
                (ColumnKind::Number, Some(Cell::Instant(number))) => {
                    members.serialize_entry(name, &number.milliseconds())?;
                }
                (kind, cell) => {
                    let cell = cell.unwrap_or(&Cell::Empty);
                    members.serialize_entry(name, &report.text(cell, kind))?;
                }
            }
        }
        if let Some(reason) = &row.reason {
            members.serialize_entry("Reason", reason.as_str())?;
        }
        if let Some(message) = &row.message {
            members.serialize_entry("Error message", message)?;
        }
        members.end()
    }
}

//! The columns of a command's answer: declared once, in the two orders that D3 shows them in.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The columns of a command's rows.
///
/// ```
/// use playdock_plugin_api::Columns;
/// let columns = Columns::new()
///     .incident_number("Incident Number")
///     .status("Status")
///     .instant("Close Date")
///     .result("Result")
///     .table_order(&["Incident Number", "Status", "Result", "Close Date"]);
/// // An outcome of this command has a cell for `Status` and one for `Close Date`.
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Columns {
    /// The columns in the order of `contextData`, which is that of an outcome's cells.
    pub context: Vec<Column>,
    /// The order of the table in `result`: indexes into `context`.
    pub table: Vec<usize>,
}

/// One column.
///
/// ```
/// use playdock_plugin_api::{ColumnKind, Columns};
/// let columns = Columns::new().incident_number("Incident Number").text("Owner");
/// assert_eq!(columns.context[1].name, "Owner");
/// assert_eq!(columns.context[1].kind, ColumnKind::Text);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Column {
    /// Its name: the key in `contextData` and the heading of the table.
    pub name: Cow<'static, str>,
    /// What stands in it.
    pub kind: ColumnKind,
}

/// What stands in a column.
///
/// ```
/// use playdock_plugin_api::{ColumnKind, Columns};
/// // The host fills in the number; an outcome has one cell, for the date.
/// assert!(!ColumnKind::IncidentNumber.has_cell());
/// assert_eq!(Columns::new().incident_number("Incident Number").instant("Close Date").cells(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ColumnKind {
    /// The incident's number, which the host fills in.
    IncidentNumber,
    /// The outcome's result, which the host fills in, in the table with the message of a failure.
    Result,
    /// The incident's status, from the outcome's cells; where an incident was never attempted, the
    /// host fills it in.
    Status,
    /// A number from the outcome's cells.
    Number,
    /// A point in time from the outcome's cells, shown in the time zone of the incident's site.
    Instant,
    /// Text from the outcome's cells. What a newer library may add is read as this.
    #[serde(other)]
    Text,
}

impl ColumnKind {
    /// Whether an outcome has a cell for a column of this kind.
    pub const fn has_cell(self) -> bool {
        !matches!(self, ColumnKind::IncidentNumber | ColumnKind::Result)
    }
}

impl Columns {
    /// No columns yet.
    pub fn new() -> Columns {
        Columns::default()
    }

    /// Adds the incident's number.
    pub fn incident_number(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::IncidentNumber)
    }

    /// Adds the outcome's result.
    pub fn result(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::Result)
    }

    /// Adds the incident's status after the outcome.
    pub fn status(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::Status)
    }

    /// Adds a column of text.
    pub fn text(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::Text)
    }

    /// Adds a column of numbers.
    pub fn number(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::Number)
    }

    /// Adds a column of instants.
    pub fn instant(self, name: &'static str) -> Columns {
        self.column(name, ColumnKind::Instant)
    }

    /// The order of the table where it isn't that of `contextData`; a name that is no column is
    /// passed over.
    pub fn table_order(mut self, names: &[&str]) -> Columns {
        self.table = names
            .iter()
            .filter_map(|name| self.context.iter().position(|column| column.name == *name))
            .collect();
        self
    }

    /// How many cells an outcome of this command has.
    pub fn cells(&self) -> usize {
        self.context.iter().filter(|column| column.kind.has_cell()).count()
    }

    fn column(mut self, name: &'static str, kind: ColumnKind) -> Columns {
        self.table.push(self.context.len());
        self.context.push(Column { name: Cow::Borrowed(name), kind });
        self
    }
}

//! Reading sites, users and incidents out of files, one record after the other.
//!
//! Two formats give the same records: [JSON Lines](json_lines), which can hold everything that
//! the store holds, and [CSV](csv_rows), whose columns a [map] explains. Both are streamed,
//! and what is wrong in them is named by its line.
//!
//! What a file leaves out, a record leaves out too (`None`): the store keeps what it has of it, and
//! gives a default to what is new. So a file may bring a few facts up to date and undo no others.
//!
//! This module writes nothing: what a record does to a store is the store's matter.

pub mod csv_rows;
mod dates;
pub mod error;
pub mod json_lines;
pub mod map;
mod members;
mod nearest;
pub mod summary;
mod time_zone;
pub mod words;

use jiff::Timestamp;
use serde_json::Value;

pub use self::csv_rows::CsvRows;
pub use self::error::ImportError;
pub use self::json_lines::JsonLines;
pub use self::map::Map;
pub use self::summary::ImportSummary;
pub use self::words::{FieldKind, Status};

/// Lines read between two reports of progress.
const LINES_PER_REPORT: u64 = 4096;

/// A record and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedRecord {
    /// The line on which the record begins; the first is 1. What a map itself says of a site and
    /// of users counts as said by the header, line 1.
    pub line: u64,
    /// What the line says.
    pub record: Record,
}

/// What one line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A site.
    Site(Site),
    /// A user.
    User(User),
    /// An incident.
    Incident(Box<Incident>),
    /// An incident that its map leaves out because of its state.
    LeftOut,
}

/// A site, as a file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The IANA name of its time zone, which exists. Of a new site: UTC.
    pub time_zone: Option<String>,
}

/// A user, as a file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name by which commands call the user.
    pub username: String,
    /// Whether the user may act at all. Of a new user: yes.
    pub active: Option<bool>,
    /// Whether the user may close incidents. Of a new user: yes.
    pub may_close: Option<bool>,
    /// Where the user may work. Of a new user: nowhere.
    pub sites: Option<UserSites>,
}

/// Where a user may work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserSites {
    /// At these sites and no other.
    Only(Vec<String>),
    /// At this site, and wherever else the store already says: a map knows one site alone.
    Also(String),
}

/// An incident, as a file gives it. What it leaves out is empty in a new incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its number, trimmed and not blank.
    pub number: String,
    /// The name of its site.
    pub site: String,
    /// Its type, such as "Phishing".
    pub r#type: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its status where the file comes from. Of a new incident: Open.
    pub status: Option<Status>,
    /// Its severity.
    pub severity: Option<String>,
    /// Who works on it.
    pub owner: Option<String>,
    /// When it was created; `Some(None)` where the file says that it doesn't know.
    pub created: Option<Option<Timestamp>>,
    /// When it was closed, likewise; no instant unless its status is given as Closed.
    pub closed: Option<Option<Timestamp>>,
    /// Who closed it, empty for nobody; no name unless its status is given as Closed.
    pub closed_by: Option<String>,
    /// Its conclusion: rich text (HTML).
    pub conclusion: Option<String>,
    /// All its tasks, in their order.
    pub tasks: Option<Vec<Task>>,
    /// All its dynamic fields, in their order.
    pub fields: Option<Vec<Field>>,
}

/// A task of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its title, not blank.
    pub title: String,
    /// Whether it must be done before the incident closes.
    pub required: bool,
    /// Its status, in the words of the file: any text. Only Completed, Cancelled and Skipped count
    /// as done.
    pub status: String,
}

/// A dynamic field of an incident's form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The section of the form, which may be blank.
    pub section: String,
    /// Its name, not blank.
    pub name: String,
    /// What kind of field it is.
    pub kind: FieldKind,
    /// Whether it must have a value before the incident closes.
    pub required_on_close: bool,
    /// Whether the form shows it.
    pub visible: bool,
    /// Its value.
    pub value: Value,
}

//! What can be wrong with an import, in sentences that name the line.

use std::io;

use super::map::MapError;
use super::words::UnknownWord;
use crate::incidents::StoreError;

/// Why an import stopped. Nothing of it is in the store then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line says something that can't be taken.
    #[error("line {line}: {problem}")]
    Line {
        /// The line; the first is 1.
        line: u64,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// A cell of a CSV row says something that can't be taken.
    #[error("line {line}, column {column:?}: {problem}")]
    Cell {
        /// The line on which the row begins; the header is 1.
        line: u64,
        /// The column's name in the header.
        column: String,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// The map of a CSV file is wrong.
    #[error("in the map, {0}")]
    Map(#[from] MapError),
    /// The file can't be read.
    #[error("the file could not be read to its end: {0}")]
    Read(#[source] io::Error),
    /// The store could not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ImportError {
    fn from(error: rusqlite::Error) -> ImportError {
        ImportError::Store(error.into())
    }
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LineProblem {
    /// The bytes aren't UTF-8.
    #[error("this is not UTF-8 text; save the file as UTF-8")]
    NotUtf8,
    /// The line isn't JSON, or is some other JSON.
    #[error("this is not one whole JSON object: {0}")]
    NotAnObject(String),
    /// The first line isn't JSON and may be the header of a CSV file.
    #[error(
        "this is not one whole JSON object; incidents import takes a CSV file with --map MAP.toml"
    )]
    LooksLikeCsv,
    /// A member that nobody knows.
    #[error("unknown member {member:?} in {of}{hint}")]
    UnknownMember {
        /// The member.
        member: String,
        /// Whose member it is.
        of: &'static str,
        /// The nearest known one, as the end of the sentence.
        hint: String,
    },
    /// A member that is given twice.
    #[error("the member {member:?} is given twice in {of}; keep one")]
    RepeatedMember {
        /// The member.
        member: String,
        /// Whose member it is.
        of: &'static str,
    },
    /// A member without which there is no record.
    #[error("{of} needs the member {member:?}")]
    MissingMember {
        /// The member.
        member: &'static str,
        /// Whose member it is.
        of: &'static str,
    },
    /// A member that must not be blank.
    #[error("the member {member:?} of {of} is blank; give it a text")]
    BlankMember {
        /// The member.
        member: &'static str,
        /// Whose member it is.
        of: &'static str,
    },
    /// A member of the wrong type.
    #[error("the member {member:?} of {of} must be {expected}, not {given}")]
    WrongType {
        /// The member.
        member: &'static str,
        /// Whose member it is.
        of: &'static str,
        /// What it must be.
        expected: &'static str,
        /// The beginning of what was given.
        given: String,
    },
    /// A word that is not in its list.
    #[error("the member {member:?} of {of} is wrong: {unknown}")]
    UnknownWord {
        /// The member.
        member: &'static str,
        /// Whose member it is.
        of: &'static str,
        /// The word and its list.
        unknown: UnknownWord,
    },
    /// A `kind` that is no kind of line.
    #[error("unknown kind {kind:?}; give \"site\", \"user\" or \"incident\"")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// A time zone that nobody knows.
    #[error(transparent)]
    TimeZone(UnknownTimeZone),
    /// An incident that isn't given as Closed has a member that only a Closed one has.
    #[error("the incident has {member:?} but not the status \"Closed\"; give both or neither")]
    ClosedYetOpen {
        /// The member.
        member: &'static str,
    },
    /// A site that no line and no store knows.
    #[error(
        "the site {site:?} is neither in the store nor in the file; add a line of the kind \"site\" for it"
    )]
    UnknownSite {
        /// The site.
        site: String,
    },
    /// A text with a character that the store can't hold.
    #[error("PostgreSQL can't hold the character U+0000, which a text here has; take it out")]
    Unstorable,
    /// A row with more or fewer cells than the header.
    #[error("this row has {given} cells, the header has {header}; look for a stray comma or quote")]
    Ragged {
        /// Cells of the row.
        given: u64,
        /// Cells of the header.
        header: u64,
    },
    /// A row whose quote is still open at the end of the file.
    #[error(
        "a quote of this row is never closed; close it, or double it if it belongs to the text"
    )]
    UnclosedQuote,
    /// A column that the map names and the file lacks.
    #[error("there is no column {column:?}, which the map names{hint}")]
    MissingColumn {
        /// The column.
        column: String,
        /// The nearest column that there is, as the end of the sentence.
        hint: String,
    },
    /// A column that the map names and the file has twice.
    #[error("there are several columns {column:?}, which the map names; rename all but one")]
    RepeatedColumn {
        /// The column.
        column: String,
    },
}

/// What is wrong with a cell.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CellProblem {
    /// No number.
    #[error("the row has no incident number; give it one or take it out")]
    NoNumber,
    /// A state that the map doesn't translate.
    #[error("the map does not know the state {state:?}; add it to \"states\" or to \"leave_out\"")]
    UnmappedState {
        /// The state, empty where the cell is.
        state: String,
    },
    /// A date that can't be read.
    #[error("{text:?} is no date of the form {form}")]
    Date {
        /// The cell.
        text: String,
        /// What the map expects.
        form: String,
    },
}

/// A time zone that is not in the time zone database.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("unknown time zone {name:?}, give an IANA name such as \"Europe/Lisbon\"{hint}")]
pub struct UnknownTimeZone {
    /// The name given.
    pub name: String,
    /// The nearest known one, as the end of the sentence.
    pub hint: String,
}

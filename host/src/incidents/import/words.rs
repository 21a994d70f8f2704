//! The closed lists of words that a file may use: statuses of incidents, kinds of fields.
//!
//! Words that a file may choose freely, such as the status of a task, are plain text elsewhere.

use std::fmt;

use serde::Deserialize;

/// The status of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum Status {
    /// Open.
    #[default]
    Open,
    /// In Progress.
    InProgress,
    /// On Hold.
    OnHold,
    /// Closed.
    Closed,
}

impl Status {
    const ALL: &[Status] = &[Self::Open, Self::InProgress, Self::OnHold, Self::Closed];

    /// The word for it, in files and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::InProgress => "In Progress",
            Self::OnHold => "On Hold",
            Self::Closed => "Closed",
        }
    }
}

/// The kind of a dynamic field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum FieldKind {
    /// Activity.
    #[default]
    Activity,
    /// Info Activity.
    InfoActivity,
}

impl FieldKind {
    const ALL: &[FieldKind] = &[Self::Activity, Self::InfoActivity];

    /// The word for it, in files and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Activity => "Activity",
            Self::InfoActivity => "Info Activity",
        }
    }
}

/// A word that is not in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    given: String,
    known: Vec<&'static str>,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of {}", self.given, self.known.join(", "))
    }
}

impl std::error::Error for UnknownWord {}

fn find<T: Copy>(all: &[T], word: fn(T) -> &'static str, given: String) -> Result<T, UnknownWord> {
    let found = all.iter().copied().find(|&item| word(item) == given);
    found.ok_or_else(|| UnknownWord { given, known: all.iter().copied().map(word).collect() })
}

impl TryFrom<String> for Status {
    type Error = UnknownWord;

    fn try_from(given: String) -> Result<Self, UnknownWord> {
        find(Self::ALL, Self::word, given)
    }
}

impl TryFrom<String> for FieldKind {
    type Error = UnknownWord;

    fn try_from(given: String) -> Result<Self, UnknownWord> {
        find(Self::ALL, Self::word, given)
    }
}

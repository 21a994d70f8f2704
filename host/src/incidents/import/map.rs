//! The map of a CSV file: what its columns, states and dates mean.
//!
//! A CSV file has one site and says nothing of tasks; the map names the site, gives every state of
//! the file a status or leaves it out, and may list users, which no CSV file has. This one reads an
//! export of ServiceNow's incidents:
//!
//! ```toml
//! # The type of every row whose cell in the column for `type`, if there is one, is empty.
//! type = "IT incident"
//! # Cells that mean the same as an empty one.
//! empty = ["?"]
//! # Incidents whose last row is in one of these states are not imported.
//! leave_out = ["Awaiting Problem"]
//!
//! [site]
//! name = "Service Desk"
//! time_zone = "Europe/Lisbon" # without it: as in the store, UTC for a new site
//!
//! # Without this table: RFC 3339, such as 2021-01-26T22:10:00Z.
//! [dates]
//! format = "%d/%m/%Y %H:%M"   # the directives of strptime
//! time_zone = "Europe/Lisbon" # without it: UTC
//!
//! # Which column holds what. `number` must be there; the others are severity, owner, conclusion and:
//! [columns]
//! number = "number"
//! title = "u_symptom"
//! type = "category"
//! status = "incident_state"   # without it: as in the store, Open for a new incident
//! severity = "priority"
//! owner = "assigned_to"
//! created = "opened_at"
//! closed = "closed_at"        # read where the status is Closed
//! closed_by = "resolved_by"   # the same
//!
//! # What each state of the file is here: Open, In Progress, On Hold or Closed.
//! [states]
//! New = "Open"
//! Active = "In Progress"
//! "Awaiting User Info" = "On Hold"
//! Resolved = "In Progress"
//! Closed = "Closed"
//!
//! # A column without whose value an incident must not close. Those listed here are all the fields
//! # that the incidents then have; without any: as in the store.
//! [[required_on_close]]
//! column = "closed_code"
//! section = "Closure"
//! name = "Close code" # without it: the name of the column
//! kind = "Activity"   # or "Info Activity"
//!
//! # A user who may work at the site, besides where the store says already.
//! [[users]]
//! username = "admin user"
//! may_close = true # without it: as in the store, true for a new user
//! ```
//!
//! A key that is not listed here is an error. A fact for which the map names no column stays as the
//! store has it, as do all tasks; a cell that is empty empties its fact. The last row of a number
//! stands, and it alone is checked for its state and dates: earlier rows are what the incident once
//! was. What is closed in the store stays closed, and what an execution closed is not touched at
//! all.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::dates::Dates;
use super::error::UnknownTimeZone;
use super::time_zone;
use super::words::{FieldKind, Status};

/// What the columns, states and dates of a CSV file mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    pub(super) r#type: Option<String>,
    #[serde(default)]
    pub(super) empty: Vec<String>,
    #[serde(default)]
    pub(super) leave_out: Vec<String>,
    pub(super) site: Site,
    pub(super) dates: Option<Dates>,
    pub(super) columns: Columns<String>,
    #[serde(default)]
    pub(super) states: BTreeMap<String, Status>,
    #[serde(default)]
    pub(super) required_on_close: Vec<RequiredField>,
    #[serde(default)]
    pub(super) users: Vec<User>,
}

/// The site of all rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) time_zone: Option<ZoneName>,
}

/// The name of a time zone that exists.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ZoneName(pub(super) String);

impl TryFrom<String> for ZoneName {
    type Error = UnknownTimeZone;

    fn try_from(name: String) -> Result<Self, UnknownTimeZone> {
        time_zone::find(&name)?;
        Ok(Self(name))
    }
}

/// Which column holds which fact: the name of each in the map, its place once the header is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns<C> {
    pub(super) number: C,
    pub(super) title: Option<C>,
    pub(super) r#type: Option<C>,
    pub(super) status: Option<C>,
    pub(super) severity: Option<C>,
    pub(super) owner: Option<C>,
    pub(super) created: Option<C>,
    pub(super) closed: Option<C>,
    pub(super) closed_by: Option<C>,
    pub(super) conclusion: Option<C>,
}

impl Columns<String> {
    /// The place of each column.
    pub(super) fn places<E>(
        &self,
        place: impl Fn(&str) -> Result<usize, E>,
    ) -> Result<Columns<usize>, E> {
        let find = |column: &Option<String>| column.as_deref().map(&place).transpose();
        Ok(Columns {
            number: place(&self.number)?,
            title: find(&self.title)?,
            r#type: find(&self.r#type)?,
            status: find(&self.status)?,
            severity: find(&self.severity)?,
            owner: find(&self.owner)?,
            created: find(&self.created)?,
            closed: find(&self.closed)?,
            closed_by: find(&self.closed_by)?,
            conclusion: find(&self.conclusion)?,
        })
    }
}

/// A column that is a field marked Required on Close.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequiredField {
    pub(super) column: String,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) section: String,
    #[serde(default)]
    pub(super) kind: FieldKind,
}

/// A user who may work at the site.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) username: String,
    pub(super) may_close: Option<bool>,
}

impl Map {
    /// Reads a map from its TOML.
    ///
    /// # Errors
    ///
    /// If the text isn't TOML, has an unknown key or a value that can't be taken, or says two
    /// things that don't go together.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: Self = toml::from_str(text).map_err(|error| MapError::Toml {
            line: error.span().map_or(1, |span| {
                1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
            }),
            reason: error.message().trim().replace('\n', ", "),
        })?;
        map.check()?;
        Ok(map)
    }

    fn check(&self) -> Result<(), MapError> {
        let names = [("the name of the site", &self.site.name)]
            .into_iter()
            .chain(self.users.iter().map(|user| ("a username", &user.username)))
            .chain(self.required_on_close.iter().filter_map(|field| {
                field.name.as_ref().map(|name| ("the name of a required field", name))
            }));
        for (what, name) in names {
            if name.trim().is_empty() {
                return Err(MapError::Blank { what });
            }
        }
        if self.columns.status.is_none() && !(self.states.is_empty() && self.leave_out.is_empty()) {
            return Err(MapError::NoStatusColumn);
        }
        match self.leave_out.iter().find(|state| self.states.contains_key(*state)) {
            Some(state) => Err(MapError::StateTwice { state: state.clone() }),
            None => Ok(()),
        }
    }
}

/// What is wrong with a map.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MapError {
    /// It isn't TOML, has an unknown key or a value that can't be taken.
    #[error("line {line}: {reason}")]
    Toml {
        /// The line; the first is 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A name is blank.
    #[error("{what} is blank; give it a text")]
    Blank {
        /// Which name.
        what: &'static str,
    },
    /// There are states, and no column that they stand in.
    #[error("there are states but no column for them; name it as `status` under [columns]")]
    NoStatusColumn,
    /// A state is both translated and left out.
    #[error("the state {state:?} is in \"states\" and in \"leave_out\"; keep one")]
    StateTwice {
        /// The state.
        state: String,
    },
}

#[cfg(test)]
pub(super) mod tests;

//! The dates of a CSV file: in which form they are written and in which time zone.
//!
//! JSON Lines needs none of this: its instants are RFC 3339.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::error::UnknownTimeZone;
use super::time_zone;

/// How dates are written.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Given")]
pub(super) struct Dates {
    pub(super) format: String,
    zone: TimeZone,
}

impl Dates {
    /// The instant of a date; none if it isn't of the form, or the calendar has no such day.
    pub(super) fn instant(&self, text: &str) -> Option<Timestamp> {
        let parts = strtime::parse(&self.format, text).ok()?;
        // A date with an offset of its own, or in seconds since 1970, needs no zone.
        if let Ok(instant) = parts.to_timestamp() {
            return Some(instant);
        }
        let date = parts.to_datetime().ok()?;
        self.zone.to_timestamp(date).ok()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    format: String,
    #[serde(default = "utc")]
    time_zone: String,
}

/// The time zone where none is given.
pub(super) fn utc() -> String {
    "UTC".to_owned()
}

/// Why dates can't be written like this.
#[derive(Debug, thiserror::Error)]
enum DatesError {
    #[error("the date format {format:?} is wrong: {reason}")]
    Format { format: String, reason: jiff::Error },
    #[error(transparent)]
    TimeZone(#[from] UnknownTimeZone),
}

impl TryFrom<Given> for Dates {
    type Error = DatesError;

    fn try_from(Given { format, time_zone }: Given) -> Result<Self, DatesError> {
        let zone = time_zone::find(&time_zone)?;
        // Writing a date finds an unknown directive now, rather than at the first row.
        let sample = Timestamp::UNIX_EPOCH.to_zoned(zone.clone());
        match strtime::format(&format, &sample) {
            Ok(_) => Ok(Self { format, zone }),
            Err(reason) => Err(DatesError::Format { format, reason }),
        }
    }
}

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
    /// The instant of a date; an error if it isn't of the form, or the calendar has no such day.
    pub(super) fn instant(&self, text: &str) -> Result<Timestamp, jiff::Error> {
        let parts = strtime::parse(&self.format, text)?;
        // A date with an offset of its own, or in seconds since 1970, needs no zone.
        if let Ok(instant) = parts.to_timestamp() {
            return Ok(instant);
        }
        self.zone.to_timestamp(parts.to_datetime()?)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    format: String,
    #[serde(default = "utc")]
    time_zone: String,
}

fn utc() -> String {
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
        let sample = Timestamp::UNIX_EPOCH.to_zoned(zone.clone());
        let dates = Self { format, zone };
        // Writing a date and reading it again finds a form that no date has now, rather than at the
        // first row, which would get the blame.
        let written = strtime::format(&dates.format, &sample);
        match written.and_then(|written| dates.instant(&written)) {
            Ok(_) => Ok(dates),
            Err(reason) => Err(DatesError::Format { format: dates.format, reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(format: &str) -> Result<Dates, DatesError> {
        Dates::try_from(Given {
            format: format.to_owned(),
            time_zone: "America/Los_Angeles".to_owned(),
        })
    }

    #[test]
    fn a_form_that_no_date_has_is_refused() {
        for format in ["%Q", "%H:%M", "%Y", "%d/%!", "", "date", "%d.%m.", "%Y-%m-%d %Z"] {
            assert!(dates(format).is_err(), "{format}");
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (format, text) in [
            ("%Y-%m-%d %H:%M:%S", "2021-01-26 14:10:00"),
            ("%Y-%m-%dT%H:%M:%S%.fZ%z", "2021-01-26T22:10:00Z+0000"),
            ("%F %T", "2021-01-26 14:10:00"),
            ("%m/%d/%Y %I:%M %p", "01/26/2021 02:10 PM"),
            ("%b %d, %Y %I:%M:%S %p", "Jan 26, 2021 02:10:00 PM"),
            ("%a, %d %b %Y %T %z", "Tue, 26 Jan 2021 22:10:00 +0000"),
            ("%A %e %B %Y %k:%M", "Tuesday 26 January 2021 14:10"),
            ("%-d/%-m/%y %-H:%M", "26/1/21 14:10"),
            ("%Y%m%d%H%M", "202101261410"),
            ("%Y-%m-%d %H:%M:%S%.3f", "2021-01-26 14:10:00.000"),
            ("%Y-%m-%d %H:%M %Q", "2021-01-26 14:10 America/Los_Angeles"),
            ("%Y-%j %H:%M", "2021-026 14:10"),
            ("%s", "1611699000"),
        ] {
            let instant = dates(format).map(|dates| dates.instant(text).unwrap());
            let instant = instant.unwrap_or_else(|error| panic!("{format}: {error}"));
            assert_eq!(instant.to_string(), "2021-01-26T22:10:00Z", "{format}");
        }
        // A date alone is its midnight.
        let midnight = dates("%d.%m.%Y").unwrap().instant("26.01.2021").unwrap();
        assert_eq!(midnight.to_string(), "2021-01-26T08:00:00Z");
    }
}

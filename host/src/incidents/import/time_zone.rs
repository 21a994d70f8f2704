//! Checking the name of a time zone when it is read, so that no date fails on it later.

use jiff::tz::{self, TimeZone};

use super::error::UnknownTimeZone;
use super::nearest::did_you_mean;

/// The zone of an IANA name.
pub(super) fn find(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    match TimeZone::get(name) {
        Ok(zone) if !zone.is_unknown() => Ok(zone),
        _ => {
            let known: Vec<_> = tz::db().available().collect();
            let hint = did_you_mean(name, known.iter().map(|known| known.as_str()));
            Err(UnknownTimeZone { name: name.to_owned(), hint })
        }
    }
}

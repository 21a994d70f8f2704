//! A point in time as messages carry it. Calendars and time zones are the host's.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use playdock_plugin_api::Timestamp;
/// let moment = Timestamp::from_milliseconds(1_611_756_480_000);
/// assert_eq!(moment.milliseconds(), 1_611_756_480_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point in time so many milliseconds after the epoch; before it, where negative.
    pub const fn from_milliseconds(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds)
    }

    /// The milliseconds since the epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// This moment, by the clock of the machine.
    pub fn now() -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(saturating_milliseconds(since)),
            Err(before) => Timestamp(-saturating_milliseconds(before.duration())),
        }
    }
}

fn saturating_milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

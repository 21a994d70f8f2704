//! Dates as D3 shows them, in the time zone of the incident's site.

use jiff::tz::TimeZone;
use playdock_plugin_api::Timestamp;

/// The style of `contextData`: `01/27/2021 06:08 AM PST`.
pub(super) const CONTEXT: &str = "%m/%d/%Y %I:%M %p %Z";
/// The style of the table: `Jan 27, 2021 06:08 AM PST`.
pub(super) const TABLE: &str = "%b %d, %Y %I:%M %p %Z";

/// Shows an instant; nothing where no calendar reaches it.
pub(super) fn show(instant: Timestamp, zone: &TimeZone, style: &str) -> String {
    let Ok(instant) = jiff::Timestamp::from_millisecond(instant.milliseconds()) else {
        return String::new();
    };
    instant.to_zoned(zone.clone()).strftime(style).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(instant: &str, zone: &str, style: &str) -> String {
        let instant: jiff::Timestamp = instant.parse().unwrap();
        let instant = Timestamp::from_milliseconds(instant.as_millisecond());
        show(instant, &TimeZone::get(zone).unwrap(), style)
    }

    #[test]
    fn both_styles_in_winter_and_in_summer() {
        let (winter, summer) = ("2021-01-27T14:08:00Z", "2021-07-04T00:05:59Z");
        let zone = "America/Los_Angeles";
        assert_eq!(shown(winter, zone, CONTEXT), "01/27/2021 06:08 AM PST");
        assert_eq!(shown(winter, zone, TABLE), "Jan 27, 2021 06:08 AM PST");
        assert_eq!(shown(summer, zone, CONTEXT), "07/03/2021 05:05 PM PDT");
        assert_eq!(shown(summer, zone, TABLE), "Jul 03, 2021 05:05 PM PDT");
    }

    #[test]
    fn noon_midnight_and_the_hour_that_daylight_saving_skips() {
        let zone = "America/Los_Angeles";
        assert_eq!(shown("2021-01-27T08:00:00Z", zone, CONTEXT), "01/27/2021 12:00 AM PST");
        assert_eq!(shown("2021-01-27T20:00:00Z", zone, CONTEXT), "01/27/2021 12:00 PM PST");
        assert_eq!(shown("2021-03-14T09:59:00Z", zone, CONTEXT), "03/14/2021 01:59 AM PST");
        assert_eq!(shown("2021-03-14T10:00:00Z", zone, CONTEXT), "03/14/2021 03:00 AM PDT");
    }

    #[test]
    fn a_zone_without_an_abbreviation_shows_its_offset() {
        assert_eq!(shown("2021-01-27T14:08:00Z", "Asia/Dubai", CONTEXT), "01/27/2021 06:08 PM +04");
        assert_eq!(shown("2021-01-27T14:08:00Z", "UTC", CONTEXT), "01/27/2021 02:08 PM UTC");
    }

    #[test]
    fn an_instant_beyond_every_calendar_shows_nothing() {
        assert_eq!(show(Timestamp::from_milliseconds(i64::MAX), &TimeZone::UTC, CONTEXT), "");
    }
}

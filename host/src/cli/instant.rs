//! Instants as lists and programs show them. Those in an answer are in the time zone of its site.

use playdock_plugin_api::Timestamp;

/// An instant in UTC, to the second, for a column that says so; nothing where no calendar reaches
/// it.
pub(super) fn utc(instant: Timestamp) -> String {
    calendar(instant)
        .map(|instant| instant.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// An instant as RFC 3339 has it, for programs.
pub(super) fn rfc3339(instant: Timestamp) -> Option<String> {
    calendar(instant).map(|instant| instant.to_string())
}

/// How long ago an instant was, to the largest unit.
pub(super) fn age(instant: Timestamp) -> String {
    let seconds = (Timestamp::now().milliseconds() - instant.milliseconds()).max(0) / 1000;
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} old", if count == 1 { "" } else { "s" })
}

fn calendar(instant: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(instant.milliseconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_for_people_and_for_programs() {
        let instant = Timestamp::from_milliseconds(1_611_756_480_000);
        assert_eq!(utc(instant), "2021-01-27 14:08:00");
        assert_eq!(rfc3339(instant).as_deref(), Some("2021-01-27T14:08:00Z"));
        assert_eq!(rfc3339(Timestamp::from_milliseconds(i64::MAX)), None);
    }

    #[test]
    fn an_age_has_one_unit() {
        let ago = |seconds: i64| {
            let now = Timestamp::now().milliseconds();
            age(Timestamp::from_milliseconds(now - seconds * 1000))
        };
        assert_eq!(ago(61), "1 minute old");
        assert_eq!(ago(3 * 86_400), "3 days old");
        assert_eq!(ago(-5), "0 seconds old");
    }
}

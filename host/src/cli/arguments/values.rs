//! The values of arguments, read from their text.

use crate::incidents::import::Status;
use playdock_plugin_api::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) fn assignment(text: &str) -> Result<(String, String), String> {
    let is_name = |name: &str| {
        let inner = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
        inner.is_some_and(|inner| !inner.is_empty())
    };
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as __name__=value".to_owned()),
    }
}

pub(super) fn status(text: &str) -> Result<Status, String> {
    let mut known = [Status::Open, Status::InProgress, Status::OnHold, Status::Closed].into_iter();
    known
        .find(|status| status.word().eq_ignore_ascii_case(text))
        .ok_or_else(|| "write Open, In Progress, On Hold or Closed".to_owned())
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, as 127.0.0.1:8080".to_owned())
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("write a number above 0".to_owned()),
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if seconds > 0.0 && seconds <= 1e9 => Ok(duration),
        _ => Err("write a number of seconds above 0".to_owned()),
    }
}

/// A number of bytes: `1048576`, `64KiB`, `32MiB`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => 0,
    };
    let bytes = number.parse().ok().and_then(|number: usize| number.checked_mul(unit));
    match bytes {
        Some(bytes) if (1..=LARGEST_BODY).contains(&bytes) => Ok(bytes),
        _ => Err("write a number of bytes up to 1024MiB, as 65536, 64KiB or 32MiB".to_owned()),
    }
}

/// No execution takes as many bytes of numbers as this.
const LARGEST_BODY: usize = 1 << 30;

/// A time from now: `90d`, `12h`, `1y`.
pub(super) fn from_now(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write a time from now, as 90d, 12h or 1y".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let now = jiff::Zoned::now();
    let then = now.checked_add(span).map_err(|_| wrong())?;
    match then > now {
        true => Ok(Timestamp::from_milliseconds(then.timestamp().as_millisecond())),
        false => Err(wrong()),
    }
}

pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let instant: jiff::Timestamp =
        text.parse().map_err(|_| "write an instant as 2021-01-27T14:08:00Z".to_owned())?;
    Ok(Timestamp::from_milliseconds(instant.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_of_four_in_any_case() {
        assert_eq!(status("in progress"), Ok(Status::InProgress));
        assert!(status("Opne").unwrap_err().contains("On Hold"));
    }

    #[test]
    fn an_address_has_a_port() {
        assert!(address("[::1]:0").is_ok());
        for wrong in ["localhost:8080", "8080", "127.0.0.1"] {
            assert!(address(wrong).unwrap_err().contains("as 127.0.0.1:8080"), "{wrong}");
        }
    }

    #[test]
    fn a_count_is_above_zero() {
        assert_eq!(count("3"), Ok(3));
        assert!(count("0").is_err() && count("-1").is_err() && count("few").is_err());
    }

    #[test]
    fn bytes_have_a_unit() {
        assert_eq!(bytes("65536"), Ok(65536));
        assert_eq!(bytes("32MiB"), Ok(32 << 20));
        for wrong in ["", "0", "MiB", "32MB", "-1", "9999999999MiB", "2048MiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_from_now_lies_ahead() {
        let day = from_now("1d").unwrap().milliseconds() - Timestamp::now().milliseconds();
        assert!((82_000_000..91_000_000).contains(&day), "{day}");
        for wrong in ["", "0d", "-1d", "soon", "90"] {
            assert!(from_now(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_assignment_names_a_variable() {
        let given = assignment("__a__=b=c");
        assert_eq!(given, Ok(("__a__".to_owned(), "b=c".to_owned())));
        for wrong in ["__a__", "=x", "a=x", "____=x", "__a=x"] {
            assert!(assignment(wrong).is_err(), "{wrong}");
        }
    }
}

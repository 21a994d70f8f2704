//! The values of arguments, read from their text.

use crate::incidents::import::Status;
use playdock_plugin_api::Timestamp;
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
    fn a_count_is_above_zero() {
        assert_eq!(count("3"), Ok(3));
        assert!(count("0").is_err() && count("-1").is_err() && count("few").is_err());
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

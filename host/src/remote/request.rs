//! The body of a request: taken in within bounds of size, time and memory, and read.

use super::capacity::{self, Capacity, Held, kibibytes};
use super::refusal::Refusal;
use crate::execution::{InvalidParameters, Parameters};
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A body no longer than this is taken in without asking for room.
const SMALL: usize = 64 << 10;
/// How much room a large body takes at a time: by what has come of it, not by what it says will come.
const STEP: usize = 1 << 20;
/// How long a client may take for the next piece of a body, and for all of it.
const NEXT_PIECE: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(60);
/// How long a large body waits for room.
const FOR_ROOM: Duration = Duration::from_secs(10);

/// A body, and the room that it takes until it is dropped.
pub(super) struct Taken {
    pub(super) bytes: Bytes,
    pub(super) room: Vec<Held>,
}

/// Takes a body in, which may have so many bytes at most.
pub(super) async fn take(
    of_key: &Capacity,
    of_all: &Capacity,
    largest: usize,
    headers: &HeaderMap,
    mut body: Body,
) -> Result<Taken, Refusal> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let declared = declared.and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > largest) {
        return Err(Refusal::BodyTooLarge(largest));
    }
    let (mut held, mut room) = (0, Vec::new());
    let end = Instant::now() + WHOLE;
    let mut bytes = Vec::with_capacity(declared.unwrap_or_default().min(STEP));
    loop {
        let next = timeout_at(end, timeout(NEXT_PIECE, body.frame())).await;
        let Ok(Ok(next)) = next else { return Err(Refusal::BodyTooSlow) };
        let Some(frame) = next else { break };
        // Half a body, or none that HTTP can read: nobody is there to hear of it.
        let Ok(piece) = frame.map_err(|_| Refusal::NotJson)?.into_data() else { continue };
        if piece.len() > largest - bytes.len() {
            return Err(Refusal::BodyTooLarge(largest));
        }
        let length = bytes.len() + piece.len();
        if length > SMALL.max(held) {
            // For these bytes, and for some of those that follow.
            let more = (length + STEP).min(largest);
            let count = kibibytes(more) - kibibytes(held);
            let waiting = capacity::hold(&of_key.bodies, &of_all.bodies, count);
            // They are never closed.
            let taken = timeout(FOR_ROOM, waiting).await.ok().and_then(Result::ok);
            room.push(taken.ok_or(Refusal::RateLimited)?);
            held = more;
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Taken { bytes: bytes.into(), room })
}

/// What a request asks for.
pub(super) struct Asked {
    /// The account that asks.
    pub(super) username: String,
    pub(super) site: String,
    pub(super) parameters: Parameters,
}

/// Reads a body; the inner error is a sentence about one that is well formed and wrong.
pub(super) fn read(body: &[u8]) -> Result<Result<Asked, String>, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let members = deserializer.deserialize_map(MembersVisitor).map_err(|_| Refusal::NotJson)?;
    deserializer.end().map_err(|_| Refusal::NotJson)?;
    // Before anything is said of the members: whether all of it is JSON.
    let parameters = members.parameters.map(|raw| Parameters::from_raw(raw.to_owned()));
    if let Some(Err(InvalidParameters::NotJson(_))) = parameters {
        return Err(Refusal::NotJson);
    }
    Ok(asked(&members, parameters))
}

fn asked(
    members: &Members<'_>,
    parameters: Option<Result<Parameters, InvalidParameters>>,
) -> Result<Asked, String> {
    if let Some(name) = members.twice {
        return Err(format!("\"{name}\" is given twice."));
    }
    let username = members.username.and_then(|raw| filled_text(raw.get()));
    let username = username.ok_or("\"Username\" is required: the account that asks, as text.")?;
    let site = members.site.ok_or("\"Site\" is required: the site to work in, as text.")?;
    let site = match serde_json::from_str::<Vec<&RawValue>>(site.get()) {
        Ok(sites) => match sites[..] {
            [site] => filled_text(site.get()),
            _ => return Err("\"Site\" must name one site.".to_owned()),
        },
        Err(_) => filled_text(site.get()),
    };
    let site = site.ok_or("\"Site\" must be text, or an array of one text.")?;
    let parameters = parameters.and_then(Result::ok);
    let parameters = parameters
        .ok_or("\"CommandParams\" is required: an object with the command's parameters.")?;
    Ok(Asked { username, site, parameters })
}

/// JSON text that is not blank.
fn filled_text(json: &str) -> Option<String> {
    serde_json::from_str::<String>(json).ok().filter(|text| !text.trim().is_empty())
}

/// The members of a body that mean something; others don't.
#[derive(Default)]
struct Members<'a> {
    username: Option<&'a RawValue>,
    site: Option<&'a RawValue>,
    parameters: Option<&'a RawValue>,
    /// The name of one that is there twice.
    twice: Option<&'static str>,
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            let (place, name) = match name.as_str() {
                "Username" => (&mut members.username, "Username"),
                "Site" => (&mut members.site, "Site"),
                "CommandParams" => (&mut members.parameters, "CommandParams"),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if place.replace(map.next_value()?).is_some() {
                members.twice = Some(name);
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(body: &str) -> String {
        match read(body.as_bytes()) {
            Ok(Err(sentence)) => sentence,
            Ok(Ok(_)) => panic!("{body} is right"),
            Err(refusal) => panic!("{body}: {refusal:?}"),
        }
    }

    #[test]
    fn a_site_is_text_or_an_array_of_one() {
        for site in [r#""A""#, r#"["A"]"#] {
            let body = format!(r#"{{"Username":"u","Site":{site},"CommandParams":{{}},"x":1}}"#);
            let asked = read(body.as_bytes()).unwrap().unwrap();
            assert_eq!((asked.site.as_str(), asked.username.as_str()), ("A", "u"));
        }
        for site in ["[]", r#"["A","B"]"#, "null", "1", "{}", r#""""#, r#"[" "]"#, "[1]"] {
            let body = format!(r#"{{"Username":"u","Site":{site},"CommandParams":{{}}}}"#);
            assert!(sentence(&body).contains("Site"), "{body}");
        }
    }

    #[test]
    fn what_is_missing_or_there_twice_is_named() {
        let named = [
            (r"{}", "Username"),
            (r#"{"Username":1,"Site":"A","CommandParams":{}}"#, "Username"),
            (r#"{"Username":"u","CommandParams":{}}"#, "Site"),
            (r#"{"Username":"u","Site":"A"}"#, "CommandParams"),
            (r#"{"Username":"u","Site":"A","CommandParams":[]}"#, "CommandParams"),
            (r#"{"Username":"u","Site":"A","Site":"B","CommandParams":{}}"#, "Site"),
        ];
        for (body, name) in named {
            assert!(sentence(body).contains(name), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let deep =
            format!(r#"{{"CommandParams":{{"a":{}1{}}}}}"#, "[".repeat(999), "]".repeat(999));
        for body in [
            &b""[..],
            b"{",
            b"[]",
            b"null",
            b"{}{}",
            b"{\"a\":\xff}",
            b"{\"CommandParams\":{\"a\":\"\\ud800\"}}",
            b"{\"CommandParams\":{\"a\":1e999}}",
            deep.as_bytes(),
        ] {
            let refused = read(body).map(|_| ());
            assert_eq!(refused, Err(Refusal::NotJson), "{:?}", String::from_utf8_lossy(body));
        }
    }
}

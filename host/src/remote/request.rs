//! The body of a request: taken in within bounds of size, time and memory, and read.

use super::refusal::Refusal;
use crate::execution::{InvalidParameters, Parameters};
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use http_body_util::BodyExt;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
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

/// How much of large bodies is held at once, in KiB.
pub(super) struct Room {
    largest: usize,
    of_all: Arc<Semaphore>,
}

/// A body, and the room that it takes until it is dropped.
pub(super) struct Taken {
    pub(super) bytes: Bytes,
    pub(super) room: Held,
}

/// Room that a body takes, of its key's share and of all.
#[derive(Default)]
pub(super) struct Held {
    bytes: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for four bodies of the largest size, and for many smaller ones.
    pub(super) fn new(largest: usize) -> Room {
        let kibibytes = kibibytes(largest) as usize * 4;
        Room { largest, of_all: Arc::new(Semaphore::new(kibibytes)) }
    }

    /// What one key may have of it: half.
    pub(super) fn share(largest: usize) -> Semaphore {
        Semaphore::new(kibibytes(largest) as usize * 2)
    }

    /// Takes a body in, on a key's share of the room.
    pub(super) async fn take(
        &self,
        share: &Arc<Semaphore>,
        headers: &HeaderMap,
        mut body: Body,
    ) -> Result<Taken, Refusal> {
        let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let declared = declared.and_then(|length| length.parse::<usize>().ok());
        let too_large = Refusal::BodyTooLarge(self.largest);
        if declared.is_some_and(|length| length > self.largest) {
            return Err(too_large);
        }
        let mut room = Held::default();
        let end = Instant::now() + WHOLE;
        let mut bytes = Vec::with_capacity(declared.unwrap_or_default().min(STEP));
        loop {
            let next = timeout_at(end, timeout(NEXT_PIECE, body.frame())).await;
            let Ok(Ok(next)) = next else { return Err(Refusal::BodyTooSlow) };
            let Some(frame) = next else { break };
            // Half a body, or none that HTTP can read: nobody is there to hear of it.
            let Ok(piece) = frame.map_err(|_| Refusal::NotJson)?.into_data() else { continue };
            if piece.len() > self.largest - bytes.len() {
                return Err(too_large);
            }
            let length = bytes.len() + piece.len();
            if length > SMALL.max(room.bytes) {
                self.make_room(share, &mut room, length).await?;
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Taken { bytes: bytes.into(), room })
    }

    /// Makes room for so many bytes of a body, and for some of those that follow.
    async fn make_room(
        &self,
        share: &Arc<Semaphore>,
        held: &mut Held,
        length: usize,
    ) -> Result<(), Refusal> {
        let bytes = (length + STEP).min(self.largest);
        let more = kibibytes(bytes) - kibibytes(held.bytes);
        let waiting = async {
            let of_key = share.clone().acquire_many_owned(more).await?;
            Ok::<_, AcquireError>([of_key, self.of_all.clone().acquire_many_owned(more).await?])
        };
        // They are never closed.
        let acquired = timeout(FOR_ROOM, waiting).await.ok().and_then(Result::ok);
        held.permits.extend(acquired.ok_or(Refusal::RateLimited)?);
        held.bytes = bytes;
        Ok(())
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX)
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

//! The messages that cross the boundary: JSON, in UTF-8, one object with one member that names it.
//!
//! | direction | asks | answers |
//! |---|---|---|
//! | host to library, through `invoke` | [`Request`] | [`Response`] |
//! | library to host, through `call` | [`Call`] | [`Reply`] |
//!
//! How they change over the years: a new member is optional, and one that is not known is ignored,
//! unless the message names it in `must_understand`; whoever doesn't know such a member, or the
//! message itself, answers `unsupported` and does nothing. (What a *user* gives as parameters is
//! the opposite: unknown names are errors.)
//!
//! Facts, outcomes and selected numbers cross in messages of about [`CHUNK`] bytes. A message is
//! larger only where one incident alone is.

mod calls;
mod requests;
mod rows;

pub use calls::{Call, Number, Reply};
pub use requests::{CommandDescription, Finished, Invocation, Request, Response};
pub(crate) use rows::{Packed, unpack};
pub use rows::{Row, RowOutcome};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// How many bytes of facts, outcomes or numbers cross at once.
pub const CHUNK: usize = 1 << 20;

/// Why bytes could not be taken as a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// They are a message that this version doesn't know, or that needs something it doesn't know.
    #[error("{0} isn't known here")]
    Unsupported(String),
    /// They are no message.
    #[error("not a message: {0}")]
    Malformed(serde_json::Error),
}

/// A message of one of the four kinds.
pub trait Message {
    /// The names of the messages of this kind that this version knows.
    const NAMES: &'static [&'static str];
}

/// Reads a message of one of the four kinds.
///
/// # Errors
///
/// [`MessageError`]
pub fn read<'de, M: Message + Deserialize<'de>>(bytes: &'de [u8]) -> Result<M, MessageError> {
    serde_json::from_slice(bytes).map_err(|error| {
        match serde_json::from_slice::<MessageName>(bytes) {
            Ok(MessageName(name)) if !M::NAMES.contains(&name.as_str()) => {
                MessageError::Unsupported(format!("the message \"{name}\""))
            }
            _ => MessageError::Malformed(error),
        }
    })
}

/// Writes a message.
pub fn write<M: serde::Serialize>(message: &M) -> Vec<u8> {
    // Messages hold text, numbers, lists and raw JSON, which serde_json can always write.
    serde_json::to_vec(message).unwrap_or_default()
}

/// Writes a part of a message behind what there is of it.
pub fn append<M: serde::Serialize>(part: &M, message: &mut Vec<u8>) {
    // As above; a vector takes whatever is written to it.
    let _ = serde_json::to_writer(message, part);
}

/// Refuses what a message says must be understood and this version doesn't know.
///
/// # Errors
///
/// [`MessageError::Unsupported`]
pub fn check_understood(must_understand: &[String], known: &[&str]) -> Result<(), MessageError> {
    match must_understand.iter().find(|member| !known.contains(&member.as_str())) {
        Some(member) => Err(MessageError::Unsupported(format!("the member \"{member}\""))),
        None => Ok(()),
    }
}

/// The one member's name of a message that may be of another version.
struct MessageName(String);

impl<'de> Deserialize<'de> for MessageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MessageName, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = MessageName;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with one member")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<MessageName, A::Error> {
                let name = members.next_key::<String>()?.unwrap_or_default();
                members.next_value::<IgnoredAny>()?;
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(MessageName(name))
            }
        }
        deserializer.deserialize_map(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_later_version_is_unsupported_and_other_bytes_are_malformed() {
        let later = read::<Request<'_>>(br#"{"migrate":{"to":7}}"#).unwrap_err();
        assert_eq!(later.to_string(), "the message \"migrate\" isn't known here");
        for bytes in [&b"{"[..], b"[]", b"\xff", b"", b"{\"invoke\":{}}"] {
            assert!(
                matches!(read::<Request<'_>>(bytes), Err(MessageError::Malformed(_))),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_unknown_member_is_ignored() {
        let read: Reply = read(br#"{"selected":{"count":3,"since":"v9"}}"#).unwrap();
        assert!(matches!(read, Reply::Selected { count: 3 }));
    }

    #[test]
    fn a_member_that_must_be_understood_is_refused_where_it_is_not_known() {
        let must = ["intent".to_owned(), "quota".to_owned()];
        assert!(check_understood(&must[..1], &["intent"]).is_ok());
        let error = check_understood(&must, &["intent"]).unwrap_err();
        assert_eq!(error.to_string(), "the member \"quota\" isn't known here");
    }
}

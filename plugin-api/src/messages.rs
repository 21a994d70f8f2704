//! The messages that cross the boundary: JSON, in UTF-8, one object with one member that names it.
//!
//! | direction | asks | answers |
//! |---|---|---|
//! | host to library, through `invoke` | [`Request`] | [`Response`] |
//! | library to host, through `call` | [`Call`] | [`Reply`] |
//!
//! Facts, outcomes, refusals and selected numbers cross in messages of about [`CHUNK`] bytes. A
//! message is larger only where one incident alone is.
//!
//! # Version 1 is frozen
//!
//! A plugin that was built once runs in every later host, and a plugin that is built later runs in
//! every host since, or says what that lacks. Tests hold the layout of the boundary
//! (`boundary/src/layout.txt`), the JSON Schema of each message (`messages/frozen.json`) and bytes of
//! each (`messages/version_1.txt`) against what was frozen. (What a *user* gives as parameters is
//! the opposite of a message: unknown names are errors.)
//!
//! What may be added, and how:
//!
//! | added | how | an older side |
//! |---|---|---|
//! | a member | optional, left out where it says nothing; its meaning when absent is that of before | ignores it |
//! | a member that must not be ignored | named in `must_understand` by its way through the message, as `execution.actor`, and listed in [`Message::KNOWN`] by sides that know it | answers `unsupported` and does nothing |
//! | a message | a new name, and [`Message::NAMES`] | answers `unsupported`; who asked does without or says so |
//! | a [change](crate::Change) of an incident | a new variant, always named in `must_understand`, as `outcomes.change.assign` was, with a right of its own in [`Actor`](crate::Actor), which an absent member denies | answers `unsupported`, and records nothing of the message |
//! | a [kind of column](crate::ColumnKind) | a new word; outcomes have a cell for it | shows the cell as in a column of text |
//! | a [reason](crate::Reason) | a new code | passes it on as it is |
//! | a [status](crate::Status) of an incident | a new word | keeps it as text; it is none of the known ones |
//! | a [kind of value](crate::FieldValue) of a field | a new word | takes it for none |
//! | a [result](crate::OutcomeResult) of an outcome | a new word | takes it for a failure |
//! | a [mode](crate::Mode) | a new word | takes it for automatic: the host has decided who acts |
//! | an [intent](crate::Intent) | a new word, named in `must_understand` where a preview is no substitute | takes it for a preview; what is written is the host's to decide |
//!
//! With each addition an example of its bytes goes into `messages/version_1.txt`; no line of it is
//! taken out or changed.
//!
//! What never changes: the function and the three methods of the boundary; that a message is an object
//! with one member; the names of messages, members and words, their types and their meanings; that a
//! member which is left out today may be left out; that positions count from 0 in the order of the
//! input; that instants are milliseconds. Nothing becomes required, and nothing goes.

mod calls;
#[cfg(test)]
mod frozen;
mod requests;
mod rows;

pub use calls::{Call, Number, Reply};
pub use requests::{CommandDescription, Finished, Invocation, Request, Response};
pub(crate) use rows::{Packed, unpack};
pub use rows::{Row, RowOutcome};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
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

    /// The members of them that this version understands, each by its way through the message.
    const KNOWN: &'static [&'static str];

    /// The members that the message says must be understood.
    fn must_understand(&self) -> &[String];
}

/// Reads a message of one of the four kinds, all of whose members that must be understood are.
///
/// # Errors
///
/// [`MessageError`]
pub fn read<'de, M: Message + Deserialize<'de>>(bytes: &'de [u8]) -> Result<M, MessageError> {
    match serde_json::from_slice::<M>(bytes) {
        Ok(message) => check_understood(message.must_understand(), M::KNOWN).map(|()| message),
        // What can't be read may be of a later version, which says so.
        Err(error) => match serde_json::from_slice::<Outline>(bytes) {
            Ok(outline) if !M::NAMES.contains(&outline.name.as_str()) => {
                Err(MessageError::Unsupported(format!("the message \"{}\"", outline.name)))
            }
            Ok(outline) => check_understood(&outline.must_understand, M::KNOWN)
                .and(Err(MessageError::Malformed(error))),
            Err(_) => Err(MessageError::Malformed(error)),
        },
    }
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

fn check_understood(must_understand: &[String], known: &[&str]) -> Result<(), MessageError> {
    match must_understand.iter().find(|member| !known.contains(&member.as_str())) {
        Some(member) => Err(MessageError::Unsupported(format!("the member \"{member}\""))),
        None => Ok(()),
    }
}

/// What can be read of a message that may be of another version.
struct Outline {
    name: String,
    must_understand: Vec<String>,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Outline, D::Error> {
        #[derive(Deserialize)]
        struct Content {
            #[serde(default)]
            must_understand: Vec<String>,
        }
        struct OutlineVisitor;
        impl<'de> Visitor<'de> for OutlineVisitor {
            type Value = Outline;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object with one member")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Outline, A::Error> {
                let name = members.next_key::<String>()?.unwrap_or_default();
                let content = members.next_value::<&RawValue>()?;
                // A message whose content is no object has nothing that must be understood.
                let content = serde_json::from_str::<Content>(content.get());
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                let must_understand = content.map_or_else(|_| Vec::new(), |it| it.must_understand);
                Ok(Outline { name, must_understand })
            }
        }
        deserializer.deserialize_map(OutlineVisitor)
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

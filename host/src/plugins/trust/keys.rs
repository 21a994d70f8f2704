//! The keys that plugins are signed with: their ids, and what lock files say of them.
//!
//! Keys are minisign's. An id only tells keys apart: whoever makes a key chooses it, so a signature
//! is held against the key itself.

use super::lock::LockFile;
use crate::plugins::opening::{OpeningError, open_verified};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::PublicKey;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What minisign writes before a comment.
const COMMENT: &str = "untrusted comment: ";
/// Well above what a key with its comment takes.
const LARGEST: u64 = 16 << 10;
/// The bytes of a key or a signature before its id, which say how it is to be used.
const ALGORITHM_BYTES: usize = 2;

/// The id of a key, as minisign writes it: 16 digits of hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(u64);

impl Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016X}", self.0)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<KeyId, KeyError> {
        let digits = text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(KeyId).ok_or_else(|| KeyError::NotAnId(text.to_owned()))
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyError;

    fn try_from(text: String) -> Result<KeyId, KeyError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

/// Why a key can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum KeyError {
    /// Its file can't be read, or others could change it.
    #[error("the key {path} can't be used: {cause}")]
    NotOpened { path: PathBuf, cause: OpeningError },
    /// It is no public key.
    #[error(
        "{path} is not a public key of minisign's; give the file that minisign -G made (minisign.pub), or the line in it that begins with RW"
    )]
    NotAKey { path: PathBuf },
    /// It is no id of a key.
    #[error(
        "\"{0}\" is not the id of a key, which is 16 digits of hexadecimal; plugins keys list shows them"
    )]
    NotAnId(String),
    /// It was revoked before.
    #[error(
        "the key {id} is revoked by {lock}; if that was a mistake, take its [[key]] out of that file"
    )]
    Revoked { id: KeyId, lock: PathBuf },
    /// Another key has its id.
    #[error("another key with the id {0} is in the lock file; have a new key made")]
    IdTaken(KeyId),
}

/// What a lock file says of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    id: KeyId,
    /// As minisign writes it; a key that is only revoked needn't be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    revoked: bool,
}

impl Key {
    /// A trusted key out of the file that minisign made.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: it can't be read, others could change it, or it is no key.
    pub fn read(path: &Path) -> Result<Key, KeyError> {
        let content = open_verified(path).and_then(|it| it.read_at_most(LARGEST));
        let content =
            content.map_err(|cause| KeyError::NotOpened { path: path.to_owned(), cause })?;
        let key = std::str::from_utf8(&content).ok().and_then(Key::parse);
        key.ok_or_else(|| KeyError::NotAKey { path: path.to_owned() })
    }

    /// A trusted key from the text of its file, or from the line in it that is the key; `None`
    /// where it is neither. Its name is the comment in the file.
    pub fn parse(text: &str) -> Option<Key> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (comment, key) = match (lines.next(), lines.next(), lines.next()) {
            (Some(key), None, None) => ("", key),
            (Some(comment), Some(key), None) => (comment, key),
            _ => return None,
        };
        let (id, _) = public_key(key)?;
        let name = comment.strip_prefix(COMMENT).unwrap_or_default().to_owned();
        Some(Key { id, public_key: Some(key.to_owned()), name, revoked: false })
    }

    /// The same key under another name.
    pub fn named(self, name: String) -> Key {
        Key { name, ..self }
    }

    /// A revoked key of which no more is known than its id.
    pub(super) fn revoked(id: KeyId) -> Key {
        Key { id, public_key: None, name: String::new(), revoked: true }
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What the lock file calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this entry revokes it.
    pub fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// The key as minisign writes it, where it is known.
    pub fn public_key(&self) -> Option<&str> {
        self.public_key.as_deref()
    }

    /// The key itself, if it is trusted.
    pub(super) fn to_verify(&self) -> Option<PublicKey> {
        let text = self.public_key.as_deref().filter(|_| !self.revoked)?;
        public_key(text).map(|(_, key)| key)
    }

    /// Notes that it is no longer to be trusted.
    pub(super) fn revoke(&mut self) {
        self.revoked = true;
    }

    /// What is wrong with an entry that somebody wrote.
    pub(super) fn mistake(&self) -> Option<&'static str> {
        match self.public_key.as_deref().map(public_key) {
            None if self.revoked => None,
            None => Some("has neither public_key nor revoked = true"),
            Some(None) => Some("has a public_key that is not minisign's"),
            Some(Some((id, _))) if id != self.id => Some("has the public_key of another id"),
            Some(Some(_)) => None,
        }
    }
}

/// The lock file that revokes a key, if one does.
pub(super) fn revoked_by(locks: &[LockFile], id: KeyId) -> Option<&Path> {
    locks.iter().find(|lock| lock.revokes(id)).map(LockFile::path)
}

/// The bytes before the id, and the id, of a line of minisign's: a key or a signature.
pub(super) fn algorithm_and_id(line: &str) -> Option<([u8; ALGORITHM_BYTES], KeyId)> {
    let bytes = STANDARD.decode(line).ok()?;
    let (algorithm, rest) = bytes.split_first_chunk()?;
    let (id, _) = rest.split_first_chunk()?;
    Some((*algorithm, KeyId(u64::from_le_bytes(*id))))
}

fn public_key(text: &str) -> Option<(KeyId, PublicKey)> {
    let key = PublicKey::from_base64(text).ok()?;
    algorithm_and_id(text).map(|(_, id)| (id, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "RWSeCEkO75GfzqLTsXOcPmTzojgCNVQ0xjlidwFKSz1rzVtj2FJ2KX5x";
    const ID: &str = "CE9F91EF0E49089E";

    #[test]
    fn a_key_is_read_from_minisigns_file_or_from_its_line() {
        let file = format!("untrusted comment: minisign public key {ID}\n{KEY}\n");
        let key = Key::parse(&file).unwrap();
        assert_eq!((key.id().to_string().as_str(), key.public_key()), (ID, Some(KEY)));
        assert_eq!(key.name(), format!("minisign public key {ID}"));
        assert_eq!(Key::parse(KEY), Some(key.named(String::new())));
        let (short, long) = (&KEY[..52], format!("{file}more\n"));
        for wrong in ["", "a\nb", short, &long, &KEY.replace("RWS", "RXS")] {
            assert_eq!(Key::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_is_hexadecimal() {
        assert_eq!(ID.to_lowercase().parse::<KeyId>().unwrap().to_string(), ID);
        assert_eq!("9E".parse::<KeyId>().unwrap().to_string(), "000000000000009E");
        for wrong in ["", "+1", "G", "CE9F91EF0E49089E0"] {
            assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
        }
    }
}

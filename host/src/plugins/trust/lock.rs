//! Lock files: the libraries and the keys that somebody trusts, in TOML.
//!
//! A lock file is opened as a library is, since whoever could change it could name libraries.

mod change;

pub use change::LockChange;

use super::entry::Entry;
use super::keys::{Key, KeyId};
use crate::plugins::opening::{OpeningError, open_verified};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Why a lock file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum LockError {
    /// It can't be read, or others could change it.
    #[error("the lock file {path} can't be used: {cause}")]
    NotOpened { path: PathBuf, cause: OpeningError },
    /// It is no lock file.
    #[error(
        "the lock file {path} can't be understood: {cause}; correct it, or remove it and trust its plugins anew"
    )]
    NotUnderstood { path: PathBuf, cause: String },
    /// It could not be written; it is as it was.
    #[error("the lock file {path} can't be written: {cause}")]
    NotWritten { path: PathBuf, cause: String },
}

/// A lock file, as it was read.
#[derive(Debug)]
pub struct LockFile {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<LockPolicy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    plugin: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key: Vec<Key>,
}

/// Which policy a lock file asks for. None asks that any plugin may run: it would lock nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LockPolicy {
    Locked,
    Signed,
}

impl LockFile {
    /// Reads a lock file; where there is none, it has no entries.
    ///
    /// # Errors
    ///
    /// [`LockError`].
    pub fn read(path: &Path) -> Result<LockFile, LockError> {
        let not_opened = |cause| LockError::NotOpened { path: path.to_owned(), cause };
        let bytes = match open_verified(path) {
            Err(OpeningError::NotThere) => Vec::new(),
            opened => opened.and_then(|it| it.read()).map_err(not_opened)?,
        };
        let content = parse(&bytes)
            .map_err(|cause| LockError::NotUnderstood { path: path.to_owned(), cause })?;
        Ok(LockFile { path: path.to_owned(), content })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it asks for signatures.
    pub fn demands_signatures(&self) -> bool {
        self.content.policy == Some(LockPolicy::Signed)
    }

    /// Whether it has plugins of this name or in this file.
    pub fn has(&self, name_or_file: &Path) -> bool {
        self.entries().any(|entry| entry.is_for(name_or_file))
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.content.key.iter()
    }

    /// Whether it revokes a key.
    pub fn revokes(&self, key: KeyId) -> bool {
        self.keys().any(|it| it.id() == key && it.is_revoked())
    }

    /// Its libraries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.content.plugin.iter()
    }
}

fn parse(bytes: &[u8]) -> Result<Content, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let content: Content = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + bytes.iter().take(start).filter(|it| **it == b'\n').count();
        format!("line {line}: {}", error.message())
    })?;
    let of_entry =
        |it: &Entry| it.mistake().map(|what| format!("the entry of {} {what}", it.name()));
    let of_key = |it: &Key| it.mistake().map(|what| format!("the key {} {what}", it.id()));
    let mut mistakes =
        content.plugin.iter().filter_map(of_entry).chain(content.key.iter().filter_map(of_key));
    mistakes.next().map_or(Ok(()), Err)?;
    drop(mistakes);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_digest_or_is_for_development() {
        let entry = |more: &str| {
            let text = format!("[[plugin]]\nname='a'\nversion='1'\nfile='/a.so'\n{more}\n");
            parse(text.as_bytes()).map(|content| content.plugin)
        };
        let digest = "0123456789abcdef".repeat(4);
        assert!(entry("dev = true").unwrap()[0].is_dev());
        assert_eq!(entry(&format!("sha256='{digest}'")).unwrap()[0].sha256(), Some(&*digest));
        let both = format!("dev=true\nsha256='{digest}'");
        for wrong in ["", "sha256='12'", &both, "dev=true\nkey='1'"] {
            assert!(entry(wrong).unwrap_err().contains("the entry of a has"), "{wrong}");
        }
        let unknown = entry("devel = true").unwrap_err();
        assert!(unknown.contains("line 5") && unknown.contains("devel"), "{unknown}");
        let no_id = entry(&format!("sha256='{digest}'\nkey='g'")).unwrap_err();
        assert!(no_id.contains("\"g\" is not the id of a key"), "{no_id}");
    }

    #[test]
    fn a_key_is_the_one_of_its_id_or_is_revoked() {
        let key = |more: &str| {
            let text = format!("[[key]]\nid='CE9F91EF0E49089E'\n{more}\n");
            parse(text.as_bytes()).map(|content| content.key)
        };
        let public_key = "RWSeCEkO75GfzqLTsXOcPmTzojgCNVQ0xjlidwFKSz1rzVtj2FJ2KX5x";
        assert!(key(&format!("public_key='{public_key}'")).unwrap()[0].to_verify().is_some());
        assert!(key("revoked=true").unwrap()[0].is_revoked());
        let other = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        for wrong in ["", "public_key='RW'", &format!("public_key='{other}'")] {
            let mistake = key(wrong).unwrap_err();
            assert!(mistake.contains("the key CE9F91EF0E49089E has"), "{wrong}: {mistake}");
        }
    }

    #[test]
    fn a_policy_is_locked_or_signed() {
        let policy = |word: &str| parse(format!("policy='{word}'").as_bytes());
        assert_eq!(policy("signed").unwrap().policy, Some(LockPolicy::Signed));
        assert_eq!(policy("locked").unwrap().policy, Some(LockPolicy::Locked));
        assert!(policy("any").unwrap_err().contains("line 1"));
    }
}

//! What a lock file says of a library.

use super::keys::KeyId;
use crate::plugins::file::InspectedFile;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A library that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Whose signature it had when it was trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyId>,
    file: PathBuf,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dev: bool,
}

impl Entry {
    /// An entry for a library as it is now, and for the key that signed it, where one did.
    pub fn of(file: &InspectedFile, key: Option<KeyId>) -> Entry {
        let identity = file.identity();
        Entry {
            name: identity.name.clone(),
            version: identity.version.clone(),
            sha256: Some(file.digest().to_owned()),
            key,
            file: file.path().to_owned(),
            dev: false,
        }
    }

    /// An entry for whatever will be built where this library lies.
    pub fn dev(file: &InspectedFile) -> Entry {
        Entry { sha256: None, dev: true, ..Entry::of(file, None) }
    }

    /// The name of the plugin.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The digest of what is trusted; none where anything in its place is.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// The key that had signed it when it was trusted.
    pub(super) fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// Where the library lies, or lay when it was trusted.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether anything that is built in its place is trusted.
    pub(super) fn is_dev(&self) -> bool {
        self.dev
    }

    /// Whether it is for plugins of this name or in this file.
    pub(super) fn is_for(&self, name_or_file: &Path) -> bool {
        let real = name_or_file.canonicalize().or_else(|_| std::path::absolute(name_or_file));
        Path::new(&self.name) == name_or_file || real.as_ref().ok() == Some(&self.file)
    }

    /// What is wrong with an entry that somebody wrote.
    pub(super) fn mistake(&self) -> Option<&'static str> {
        let is_digest = |text: &str| {
            text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        match (&self.sha256, self.dev) {
            (Some(_), true) => Some("has both sha256 and dev"),
            (None, true) if self.key.is_some() => Some("has both key and dev"),
            (None, false) => Some("has neither sha256 nor dev = true"),
            (Some(digest), false) if !is_digest(digest) => {
                Some("has a sha256 that is not 64 digits of lower-case hexadecimal")
            }
            _ => None,
        }
    }
}

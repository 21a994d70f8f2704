//! Lock files: the libraries that somebody trusts, in TOML.
//!
//! A lock file is opened as a library is, since whoever could change it could name libraries.

use crate::plugins::file::InspectedFile;
use crate::plugins::opening::{OpeningError, open_verified};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const BEGINNING: &str = "\
# The plugins that Playdock may load. Written by `playdock plugins trust` and `untrust`, which keep
# no comments.

";

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
    entries: Vec<Entry>,
}

/// A library that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    file: PathBuf,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dev: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    plugin: Vec<Entry>,
}

impl Entry {
    /// An entry for a library as it is now.
    pub fn of(file: &InspectedFile) -> Entry {
        let identity = file.identity();
        Entry {
            name: identity.name.clone(),
            version: identity.version.clone(),
            sha256: Some(file.digest().to_owned()),
            file: file.path().to_owned(),
            dev: false,
        }
    }

    /// An entry for whatever will be built where this library lies.
    pub fn dev(file: &InspectedFile) -> Entry {
        Entry { sha256: None, dev: true, ..Entry::of(file) }
    }

    /// The digest of what is trusted; none where anything in its place is.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// Where the library lies, or lay when it was trusted.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether anything that is built in its place is trusted.
    pub(super) fn is_dev(&self) -> bool {
        self.dev
    }

    /// What is wrong with an entry that somebody wrote.
    fn mistake(&self) -> Option<&'static str> {
        let is_digest = |text: &str| {
            text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        match (&self.sha256, self.dev) {
            (Some(_), true) => Some("has both sha256 and dev"),
            (None, false) => Some("has neither sha256 nor dev = true"),
            (Some(digest), false) if !is_digest(digest) => {
                Some("has a sha256 that is not 64 digits of lower-case hexadecimal")
            }
            _ => None,
        }
    }
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
        let entries = parse(&bytes)
            .map_err(|cause| LockError::NotUnderstood { path: path.to_owned(), cause })?;
        Ok(LockFile { path: path.to_owned(), entries })
    }

    /// Its libraries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an entry, in place of those for the same file.
    pub fn add(&mut self, entry: Entry) {
        self.entries.retain(|other| other.file != entry.file);
        self.entries.push(entry);
    }

    /// Removes the entries for plugins of this name or in this file, and says whether there were
    /// any.
    pub fn remove(&mut self, name_or_file: &Path) -> bool {
        let real = name_or_file.canonicalize().or_else(|_| std::path::absolute(name_or_file));
        let before = self.entries.len();
        self.entries.retain(|entry| {
            Path::new(&entry.name) != name_or_file && real.as_ref().ok() != Some(&entry.file)
        });
        self.entries.len() < before
    }

    /// Writes it, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`LockError`].
    pub fn write(&self) -> Result<(), LockError> {
        let not_written = |cause: String| LockError::NotWritten { path: self.path.clone(), cause };
        let content = toml::to_string(&Content { plugin: self.entries.clone() })
            .map_err(|error| not_written(error.to_string()))?;
        replace(&self.path, format!("{BEGINNING}{content}").as_bytes())
            .map_err(|error| not_written(error.to_string()))
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let content: Content = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + bytes.iter().take(start).filter(|it| **it == b'\n').count();
        format!("line {line}: {}", error.message())
    })?;
    match content.plugin.iter().find_map(|it| it.mistake().map(|mistake| (it, mistake))) {
        Some((entry, mistake)) => Err(format!("the entry of {} {mistake}", entry.name)),
        None => Ok(content.plugin),
    }
}

/// Puts a file in the place of another, in a folder that is made where there is none. Only the
/// current user may write to either.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let mut file = options.open(&new)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&new, &path));
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = std::fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_digest_or_is_for_development() {
        let entry = |more: &str| {
            let text = format!("[[plugin]]\nname='a'\nversion='1'\nfile='/a.so'\n{more}\n");
            parse(text.as_bytes())
        };
        let digest = "0123456789abcdef".repeat(4);
        assert!(entry("dev = true").unwrap()[0].is_dev());
        assert_eq!(entry(&format!("sha256='{digest}'")).unwrap()[0].sha256(), Some(&*digest));
        for wrong in ["", "sha256='12'", &format!("dev=true\nsha256='{digest}'")] {
            assert!(entry(wrong).unwrap_err().contains("the entry of a has"), "{wrong}");
        }
        let unknown = entry("devel = true").unwrap_err();
        assert!(unknown.contains("line 5") && unknown.contains("devel"), "{unknown}");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = LockFile::read(&folder.path().join("new/plugins.lock")).unwrap();
        assert_eq!(lock.entries().count(), 0);
        let entry = |name: &str, file: &str| Entry {
            name: name.to_owned(),
            version: "1".to_owned(),
            sha256: None,
            file: file.into(),
            dev: true,
        };
        for (name, file) in [("a", "/a.so"), ("b", "/b.so"), ("c", "/a.so")] {
            lock.add(entry(name, file));
        }
        lock.write().unwrap();
        let mut lock = LockFile::read(lock.path()).unwrap();
        assert_eq!(lock.entries, [entry("b", "/b.so"), entry("c", "/a.so")]);
        assert!(lock.remove(Path::new("b")) && lock.remove(Path::new("/a.so")));
        assert!(!lock.remove(Path::new("b")));
    }
}

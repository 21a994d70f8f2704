//! Changing a lock file: one process at a time, all of a change or nothing.

use super::{Content, LockError, LockFile};
use crate::plugins::trust::entry::Entry;
use crate::plugins::trust::keys::{Key, KeyError, KeyId};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const BEGINNING: &str = "\
# The plugins that Playdock may load, and the keys that may sign them. Written by `playdock plugins`
# (trust, untrust, keys), which keeps no comments.

";

/// A lock file that is being changed. Whoever else wants to change it waits until this is dropped.
pub struct LockChange {
    path: PathBuf,
    content: Content,
    _guard: File,
}

impl LockFile {
    /// Waits until nobody changes a lock file, and reads it to change it. Its folder is made where
    /// there is none.
    ///
    /// # Errors
    ///
    /// [`LockError`].
    pub fn change(path: &Path) -> Result<LockChange, LockError> {
        let guard = guard(path).map_err(|error| not_written(path, &error))?;
        let LockFile { path, content } = LockFile::read(path)?;
        Ok(LockChange { path, content, _guard: guard })
    }
}

impl LockChange {
    /// Adds an entry, in place of those for the same file.
    pub fn add(&mut self, entry: Entry) {
        self.content.plugin.retain(|other| other.file() != entry.file());
        self.content.plugin.push(entry);
    }

    /// Removes the entries for plugins of this name or in this file, and says whether there were
    /// any.
    pub fn remove(&mut self, name_or_file: &Path) -> bool {
        let before = self.content.plugin.len();
        self.content.plugin.retain(|entry| !entry.is_for(name_or_file));
        self.content.plugin.len() < before
    }

    /// Adds a trusted key, or gives one that is there another name.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: the key is revoked here, or another has its id.
    pub fn add_key(&mut self, key: Key) -> Result<(), KeyError> {
        let id = key.id();
        let mut same = self.content.key.iter().filter(|it| it.id() == id);
        if same.clone().any(Key::is_revoked) {
            return Err(KeyError::Revoked { id, lock: self.path.clone() });
        }
        if same.any(|it| it.public_key() != key.public_key()) {
            return Err(KeyError::IdTaken(id));
        }
        self.content.key.retain(|it| it.id() != id);
        self.content.key.push(key);
        Ok(())
    }

    /// Revokes a key, and says whether it was there.
    pub fn revoke(&mut self, id: KeyId) -> bool {
        let mut there = false;
        for key in self.content.key.iter_mut().filter(|key| key.id() == id) {
            key.revoke();
            there = true;
        }
        if !there {
            self.content.key.push(Key::revoked(id));
        }
        there
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`LockError`].
    pub fn write(&self) -> Result<(), LockError> {
        let content = toml::to_string(&self.content)
            .map_err(|error| not_written(&self.path, &io::Error::other(error)))?;
        replace(&self.path, format!("{BEGINNING}{content}").as_bytes())
            .map_err(|error| not_written(&self.path, &error))
    }
}

fn not_written(path: &Path, error: &io::Error) -> LockError {
    LockError::NotWritten { path: path.to_owned(), cause: error.to_string() }
}

/// Locks an empty file beside a lock file, which itself is replaced with every change; the lock goes
/// with what is returned. Only the current user may write to the file and to folders that are made.
fn guard(path: &Path) -> io::Result<File> {
    let path = beside(path, ".guard")?;
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

/// Puts a file in the place of another. Only the current user may write to it.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = beside(path, &format!(".{}.new", std::process::id()))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let mut file = options.open(&new)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// The path of a file beside another, whose name begins with that one's.
fn beside(path: &Path, end: &str) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, file: &str) -> Entry {
        let text = format!("name='{name}'\nversion='1'\nfile='{file}'\ndev=true");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/plugins.lock");
        let mut lock = LockFile::change(&path).unwrap();
        for (name, file) in [("a", "/a.so"), ("b", "/b.so"), ("c", "/a.so")] {
            lock.add(entry(name, file));
        }
        let key = "RWSeCEkO75GfzqLTsXOcPmTzojgCNVQ0xjlidwFKSz1rzVtj2FJ2KX5x";
        lock.add_key(Key::parse(key).unwrap()).unwrap();
        assert!(!lock.revoke("1".parse().unwrap()));
        lock.write().unwrap();
        let written = std::mem::take(&mut lock.content);
        drop(lock);

        let mut lock = LockFile::change(&path).unwrap();
        assert_eq!(lock.content, written);
        assert_eq!(lock.content.plugin, [entry("b", "/b.so"), entry("c", "/a.so")]);
        assert!(lock.remove(Path::new("b")) && lock.remove(Path::new("/a.so")));
        assert!(!lock.remove(Path::new("b")));
    }

    #[test]
    fn a_policy_outlives_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.lock");
        std::fs::write(&path, "policy = 'signed'\n").unwrap();
        let mut lock = LockFile::change(&path).unwrap();
        lock.add(entry("a", "/a.so"));
        lock.write().unwrap();
        assert!(LockFile::read(&path).unwrap().demands_signatures());
    }

    #[test]
    fn a_key_that_is_revoked_is_not_added_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = LockFile::change(&folder.path().join("plugins.lock")).unwrap();
        let key = "RWSeCEkO75GfzqLTsXOcPmTzojgCNVQ0xjlidwFKSz1rzVtj2FJ2KX5x";
        let key = |name: &str| Key::parse(key).unwrap().named(name.to_owned());
        lock.add_key(key("a")).unwrap();
        lock.add_key(key("b")).unwrap();
        assert_eq!(lock.content.key, [key("b")]);
        assert!(lock.revoke(key("b").id()) && lock.content.key[0].is_revoked());
        assert!(matches!(lock.add_key(key("c")), Err(KeyError::Revoked { .. })));
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.lock");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for round in 0..5 {
                        let mut lock = LockFile::change(path).unwrap();
                        lock.add(entry("a", &format!("/{thread}-{round}.so")));
                        lock.write().unwrap();
                    }
                });
            }
        });
        assert_eq!(LockFile::read(&path).unwrap().entries().count(), 40);
    }
}

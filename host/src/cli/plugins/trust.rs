//! `playdock plugins trust` and `untrust`: which libraries a lock file has.

use super::super::arguments::Common;
use super::super::exit::Failure;
use super::super::{policy, terminal};
use super::{PluginLine, write_one};
use crate::plugins::{Entry, LockFile, PluginError, PluginFile, Trust, Trusted, signature_of};
use std::path::Path;

/// Adds a library to the lock file that is written, after showing what it is.
pub(super) fn trust(common: &Common, path: &Path, dev: bool) -> Result<(), Failure> {
    // As it would be loaded: what could not be loaded needn't be trusted.
    let allowed = match dev {
        true => Trust::any(),
        // A good signature of now says nothing of what will be built there.
        false => Trust::candidate(policy::locks(common)?).with_named_lock(common.lock.clone()),
    };
    let file = PluginFile::open(path, &allowed).map_err(|error| match &error {
        PluginError::Signature { .. } => {
            let failure = Failure::from(error);
            let message =
                format!("{}; or remove the signature to trust the file alone", failure.message);
            Failure { message, ..failure }
        }
        _ => error.into(),
    })?;
    let (entry, trusted) = match dev {
        true => (Entry::dev(file.inspected()), Trusted::Dev),
        false => (Entry::of(file.inspected(), file.trusted().key()), Trusted::Locked),
    };
    let mut line = PluginLine::new(file.inspected(), Some(trusted));
    line.signed_by = file.trusted().key().map(|key| key.to_string());
    write_one(common, &line)?;
    let mut lock = policy::change(common)?;
    lock.add(entry);
    lock.write()?;
    let lock = lock.path().display();
    terminal::say(&match (dev, &line.signed_by) {
        (true, _) => format!("whatever is built there may run now; {lock} says so"),
        (false, None) if signature_of(file.path()).exists() => format!(
            "it may run now, as it is; {lock} says so; its signature was not checked, since no lock \
             file has the key that made it"
        ),
        (false, None) => format!("it may run now, as it is; {lock} says so"),
        (false, Some(key)) => format!(
            "it may run now, as it is, until its signer's key {key} is revoked; {lock} says so"
        ),
    });
    Ok(())
}

/// Removes a library from the lock file that is written.
pub(super) fn untrust(common: &Common, plugin: &Path) -> Result<(), Failure> {
    let mut lock = policy::change(common)?;
    let (name, path) = (plugin.display(), lock.path().display().to_string());
    let others = policy::others()?;
    let still = still_allowed(&others, plugin);
    if !lock.remove(plugin) {
        return Err(Failure::usage(match still {
            Some(other) => {
                format!("{path} has no plugin {name}, but {other} has, which root edits")
            }
            None => format!("{path} has no plugin {name}; name a plugin or a file that is in it"),
        }));
    }
    lock.write()?;
    terminal::say(&match still {
        Some(other) => format!("{path} no longer has {name}, but {other} still allows it"),
        None => format!("{path} no longer has {name}"),
    });
    Ok(())
}

/// The lock file that has a plugin, of those that aren't written.
fn still_allowed(others: &[LockFile], plugin: &Path) -> Option<String> {
    others.iter().find(|lock| lock.has(plugin)).map(|lock| lock.path().display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_lock_file_that_still_allows_a_plugin_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.lock");
        let entry = "[[plugin]]\nname='a'\nversion='1'\nfile='/a.so'\ndev=true\n";
        std::fs::write(&path, entry).unwrap();
        let others = [LockFile::read(&path).unwrap()];
        let named = path.display().to_string();
        assert_eq!(still_allowed(&others, Path::new("a")), Some(named.clone()));
        assert_eq!(still_allowed(&others, Path::new("/a.so")), Some(named));
        assert_eq!(still_allowed(&others, Path::new("b")), None);
    }
}

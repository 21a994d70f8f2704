//! The folder for private copies: in the user's cache, and the user's alone.

use super::error::SealingError;
use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

/// Where it is in the folder for caches.
const OF_COPIES: &str = "playdock/plugins";

/// Makes it, if it isn't there, and checks it.
pub(super) fn of_copies() -> Result<PathBuf, SealingError> {
    let caches = of_caches()?;
    in_caches(&caches).map_err(|error| match error {
        Refusal::NotPrivate(folder) => SealingError::NotPrivate { folder },
        Refusal::System(error) => {
            SealingError::Folder { folder: caches.join(OF_COPIES), cause: error.to_string() }
        }
    })
}

/// The user's folder for caches, as the system or its variables name it.
fn of_caches() -> Result<PathBuf, SealingError> {
    let named = |variable| {
        let folder = std::env::var_os(variable).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    if cfg!(windows) {
        return named("LOCALAPPDATA").ok_or(SealingError::NoFolder("LOCALAPPDATA"));
    }
    if cfg!(target_vendor = "apple") {
        let home = named("HOME").ok_or(SealingError::NoFolder("HOME"))?;
        return Ok(home.join("Library/Caches"));
    }
    let of_home = || named("HOME").map(|home| home.join(".cache"));
    named("XDG_CACHE_HOME").or_else(of_home).ok_or(SealingError::NoFolder("XDG_CACHE_HOME or HOME"))
}

enum Refusal {
    NotPrivate(PathBuf),
    System(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::System(error)
    }
}

fn in_caches(caches: &Path) -> Result<PathBuf, Refusal> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(caches)?;
    // The user says where their caches are, by links if they like; below them there are none.
    let folder = caches.canonicalize()?.join(OF_COPIES);
    builder.create(&folder)?;
    match is_private(&folder)? {
        true => Ok(folder),
        false => Err(Refusal::NotPrivate(folder)),
    }
}

/// Whether a folder belongs to the current user, who alone may look into it.
#[cfg(unix)]
fn is_private(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let facts = folder.symlink_metadata()?;
    let user = rustix::process::geteuid().as_raw();
    Ok(facts.is_dir() && facts.uid() == user && facts.mode() & 0o077 == 0)
}

/// Whether a folder is the current user's: what is in a profile is, unless they gave it away.
#[cfg(not(unix))]
fn is_private(folder: &Path) -> io::Result<bool> {
    Ok(folder.symlink_metadata()?.is_dir())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn the_folder_is_made_for_its_user_alone_and_refused_where_it_is_not() {
        let caches = tempfile::tempdir().unwrap();
        let Ok(folder) = in_caches(&caches.path().join("new")) else { panic!("it can be made") };
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(in_caches(&caches.path().join("new")).is_ok());
        set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(in_caches(&caches.path().join("new")), Err(Refusal::NotPrivate(_))));
        set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let link = caches.path().join("other/playdock/plugins");
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&folder, &link).unwrap();
        assert!(matches!(in_caches(&caches.path().join("other")), Err(Refusal::NotPrivate(_))));
    }
}

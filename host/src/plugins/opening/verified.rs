//! The way to a file, from the root folder down, and who could change something on it.

use super::owners::Owners;
use super::{Opened, OpeningError};
use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

/// A folder to go on from; it needn't be readable.
const FOLDER: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A file, without waiting where it turns out to be a pipe.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

const STICKY: u32 = 0o1000;
const GROUP_MAY_WRITE: u32 = 0o020;
const OTHERS_MAY_WRITE: u32 = 0o002;

/// Opens a file that nobody but the current user and root can change or replace.
pub(in super::super) fn open_verified(path: &Path) -> Result<Opened, OpeningError> {
    let absolute = std::path::absolute(path)?;
    let way = Way::to(&absolute).map_err(|error| described(path, error))?;
    let opened = Opened::new(File::from(way.file), way.path)?;
    let owners = Owners::of_this_process();
    for (place, folder) in &way.folders {
        let facts = fstat(folder).map_err(std::io::Error::from)?;
        // In a sticky folder, as /tmp is, nobody can replace what belongs to another.
        check(&owners, place, &facts, facts.st_mode & STICKY != 0)?;
    }
    let facts = fstat(&opened.file).map_err(std::io::Error::from)?;
    check(&owners, &opened.path, &facts, false)?;
    Ok(opened)
}

/// The file and all folders above it, each opened from the one before.
struct Way {
    folders: Vec<(PathBuf, OwnedFd)>,
    file: OwnedFd,
    path: PathBuf,
}

impl Way {
    fn to(absolute: &Path) -> Result<Way, Errno> {
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(Errno::ISDIR);
        };
        let mut place = PathBuf::from("/");
        let mut here = openat(CWD, "/", FOLDER, Mode::empty())?;
        let mut folders = Vec::new();
        for component in parent.components() {
            match component {
                Component::Normal(name) => {
                    let next = openat(&here, name, FOLDER, Mode::empty())?;
                    folders.push((place.clone(), std::mem::replace(&mut here, next)));
                    place.push(name);
                }
                // No link was followed, so the folder above is the one that was come from.
                Component::ParentDir => {
                    if let Some(above) = folders.pop() {
                        (place, here) = above;
                    }
                }
                _ => {}
            }
        }
        let file = openat(&here, name, FILE, Mode::empty())?;
        let path = place.join(name);
        folders.push((place, here));
        Ok(Way { folders, file, path })
    }
}

/// Whether others than the current user and root can change a file or a folder.
fn check(
    owners: &Owners,
    place: &Path,
    facts: &Stat,
    anyone_may_write: bool,
) -> Result<(), OpeningError> {
    let owner = facts.st_uid;
    if !owners.include(owner) {
        return Err(OpeningError::OthersOwn { place: place.to_owned(), owner });
    }
    let own_group = owners.is_own_group(facts.st_gid, owner);
    let others = facts.st_mode & OTHERS_MAY_WRITE != 0
        || (facts.st_mode & GROUP_MAY_WRITE != 0 && !own_group);
    if others && !anyone_may_write {
        return Err(OpeningError::OthersWrite { place: place.to_owned() });
    }
    Ok(())
}

/// What the system's refusal means; to it, a link is neither a folder nor a file here.
fn described(path: &Path, error: Errno) -> OpeningError {
    if matches!(error, Errno::LOOP | Errno::NOTDIR)
        && let Ok(real) = path.canonicalize()
    {
        return OpeningError::Link { real };
    }
    std::io::Error::from(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir, set_permissions, write};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn open(path: &Path) -> Result<PathBuf, OpeningError> {
        open_verified(path).map(|opened| opened.path)
    }

    fn allow(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_is_refused_where_others_may_write_on_the_way_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        let file = inner.join("file");
        create_dir(&inner).unwrap();
        write(&file, "a").unwrap();
        allow(&inner, 0o755);
        allow(&file, 0o644);
        assert_eq!(open(&file), Ok(file.clone()));
        allow(&inner, 0o777);
        assert_eq!(open(&file), Err(OpeningError::OthersWrite { place: inner.clone() }));
        allow(&inner, 0o1777);
        assert_eq!(open(&file), Ok(file.clone()));
        allow(&file, 0o646);
        assert_eq!(open(&file), Err(OpeningError::OthersWrite { place: file.clone() }));
        assert_eq!(open(&inner), Err(OpeningError::NotAFile("a folder")));
    }

    #[test]
    fn links_are_not_followed_and_the_folder_above_is_the_real_one() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, file) = (folder.path().join("inner"), folder.path().join("inner/file"));
        create_dir(&inner).unwrap();
        write(&file, "a").unwrap();
        symlink(&inner, folder.path().join("folder-link")).unwrap();
        symlink(&file, folder.path().join("file-link")).unwrap();
        for path in ["folder-link/file", "file-link", "folder-link/../inner/file"] {
            let refused = open(&folder.path().join(path));
            assert_eq!(refused, Err(OpeningError::Link { real: file.clone() }), "{path}");
        }
        assert_eq!(open(&folder.path().join("inner/../inner/./file")), Ok(file));
        assert_eq!(open(&folder.path().join("none")), Err(OpeningError::NotThere));
        assert_eq!(open(Path::new("/")), Err(OpeningError::NotAFile("a folder")));
    }
}

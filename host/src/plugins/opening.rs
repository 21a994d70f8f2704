//! Opening a file that nobody but its user, root and the program's owner can change, without
//! following links.
//!
//! What is in the file is no concern of this module. On Linux each folder on the way is opened from
//! the one above it, so that what was checked is what was gone through; elsewhere the file is
//! opened as it is, unchecked.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Why a file isn't opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message of each variant says what its members are")]
pub enum OpeningError {
    /// There is no such file.
    #[error("there is no such file")]
    NotThere,
    /// The system refused.
    #[error("{0}")]
    System(String),
    /// It is a folder, a pipe or a device.
    #[error("it is {0}")]
    NotAFile(&'static str),
    /// It is larger than such a file can be.
    #[error("it is larger than {most} bytes, and so no such file")]
    TooLarge { most: u64 },
    /// A link could be turned to another file after the check.
    #[error("it is or goes through a symbolic link; name the file itself, {real}")]
    Link { real: PathBuf },
    /// Its owner could change it.
    #[error(
        "{place} belongs to the user with the id {owner}, who could change it; it must belong to you, to root or to the owner of this program"
    )]
    OthersOwn { place: PathBuf, owner: u32 },
    /// Its mode lets others change it.
    #[error("others may write to {place}; run: chmod go-w {place}")]
    OthersWrite { place: PathBuf },
}

impl From<io::Error> for OpeningError {
    fn from(error: io::Error) -> OpeningError {
        match error.kind() {
            ErrorKind::NotFound => OpeningError::NotThere,
            ErrorKind::IsADirectory => OpeningError::NotAFile("a folder"),
            _ => OpeningError::System(error.to_string()),
        }
    }
}

/// A file that was opened, at its beginning.
pub(super) struct Opened {
    file: File,
    /// Where it is, with no links on the way.
    pub(super) path: PathBuf,
    /// The id of its owner, where the system has such.
    pub(super) owner: Option<u32>,
}

impl Opened {
    fn new(file: File, path: PathBuf) -> Result<Opened, OpeningError> {
        let metadata = file.metadata()?;
        check_kind(&metadata)?;
        Ok(Opened { owner: owner(&metadata), file, path })
    }

    /// The file itself.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// All of its content.
    pub(super) fn read(mut self) -> Result<Vec<u8>, OpeningError> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// All of its content, unless it is more than so many bytes.
    pub(super) fn read_at_most(self, most: u64) -> Result<Vec<u8>, OpeningError> {
        let mut bytes = Vec::new();
        self.file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > most {
            true => Err(OpeningError::TooLarge { most }),
            false => Ok(bytes),
        }
    }
}

/// Whether it is a file.
fn check_kind(metadata: &Metadata) -> Result<(), OpeningError> {
    if metadata.is_dir() {
        return Err(OpeningError::NotAFile("a folder"));
    }
    if !metadata.is_file() {
        return Err(OpeningError::NotAFile("a pipe or a device, and no file"));
    }
    Ok(())
}

/// The id of a file's owner, where the system has such.
#[cfg(unix)]
pub(super) fn owner(metadata: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::uid(metadata))
}

/// The id of a file's owner, where the system has such.
#[cfg(not(unix))]
pub(super) fn owner(_metadata: &Metadata) -> Option<u32> {
    None
}

/// Opens any file, to look at it and no more.
pub(super) fn open_unverified(path: &Path) -> Result<Opened, OpeningError> {
    // A pipe would wait here for whoever writes to it.
    check_kind(&std::fs::metadata(path)?)?;
    Opened::new(open_to_read(path)?, path.canonicalize()?)
}

#[cfg(not(windows))]
fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// While it is open, nobody can write to it or put another file in its place.
#[cfg(windows)]
fn open_to_read(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    File::options().read(true).share_mode(FILE_SHARE_READ).open(path)
}

/// Opens a file that nobody but the current user and root can change or replace.
#[cfg(not(target_os = "linux"))]
pub(super) fn open_verified(path: &Path) -> Result<Opened, OpeningError> {
    open_unverified(path)
}

#[cfg(target_os = "linux")]
pub(super) use verified::open_verified;

#[cfg(target_os = "linux")]
mod owners;
#[cfg(target_os = "linux")]
mod verified;

//! A copy of a library in a folder of the user's own, in a file that is named by what is in it.
//!
//! The copy is used only after it was read again through the handle that it is loaded by or held
//! with: whatever happened to the folder, its bytes are those that were checked.

use super::super::file::hexadecimal;
use super::super::opening::open_verified;
use super::error::SealingError;
use super::folder;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A copy that was opened and is what its name says.
#[derive(Debug)]
pub(super) struct PrivateCopy {
    file: File,
    path: PathBuf,
}

impl PrivateCopy {
    /// Makes a copy of bytes, whose SHA-256 is this in hexadecimal, or takes the one that is there.
    pub(super) fn make(bytes: &[u8], digest: &str) -> Result<PrivateCopy, SealingError> {
        PrivateCopy::make_in(&folder::of_copies()?, bytes, digest)
    }

    fn make_in(folder: &Path, bytes: &[u8], digest: &str) -> Result<PrivateCopy, SealingError> {
        let path = folder.join(format!("{digest}{}", std::env::consts::DLL_SUFFIX));
        if let Ok(copy) = PrivateCopy::open(&path, digest) {
            return Ok(copy);
        }
        // It isn't there, or isn't what it should be: then another takes its place.
        let written = write(folder, &path, bytes);
        // Whether it could be written or not, another process may have made it meanwhile: Windows
        // replaces no file that somebody uses.
        PrivateCopy::open(&path, digest).map_err(|unusable| match written {
            Ok(()) => unusable,
            Err(error) => {
                SealingError::Folder { folder: folder.to_owned(), cause: error.to_string() }
            }
        })
    }

    /// Opens a copy, if it has this digest and nobody else could change it.
    pub(super) fn open(path: &Path, digest: &str) -> Result<PrivateCopy, SealingError> {
        let opened = open_verified(path)
            .map_err(|cause| SealingError::Copy { copy: path.to_owned(), cause })?;
        let mut file = opened.into_file();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        match hexadecimal(&Sha256::digest(&bytes)) == digest {
            true => Ok(PrivateCopy { file, path: path.to_owned() }),
            false => Err(SealingError::Differs { copy: path.to_owned() }),
        }
    }

    /// The handle through which it was read.
    #[cfg(target_os = "linux")]
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// The handle through which it was read.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes a file under a new name, and renames it when all of it is on the disk.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join(format!("{}.new", uuid::Uuid::new_v4()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o500);
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| std::fs::rename(&new, path));
    if renamed.is_err() {
        // What could not be finished is of no use; that it stays behind harms nobody.
        let _ = std::fs::remove_file(&new);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_made_once_and_replaced_where_it_is_not_what_its_name_says() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let digest = hexadecimal(&Sha256::digest(b"library"));
        let made = || PrivateCopy::make_in(&folder, b"library", &digest).unwrap();
        let path = made().path;
        let written = path.metadata().unwrap().modified().unwrap();
        assert_eq!(made().path.metadata().unwrap().modified().unwrap(), written);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "Library").unwrap();
        let differs = PrivateCopy::open(&path, &digest).unwrap_err();
        assert_eq!(differs, SealingError::Differs { copy: path.clone() });
        assert_eq!(std::fs::read(made().path).unwrap(), b"library");
        #[cfg(unix)]
        {
            let elsewhere = folder.join("elsewhere");
            std::fs::write(&elsewhere, "library").unwrap();
            std::fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            assert!(!made().path.is_symlink());
        }
        std::fs::remove_file(&path).unwrap();
        assert!(PrivateCopy::make_in(&folder, b"Library", &digest).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(PrivateCopy::make_in(&folder, b"library", &digest).is_err());
        let left = std::fs::read_dir(&folder).unwrap().flatten();
        assert!(!left.into_iter().any(|entry| entry.path().extension() == Some("new".as_ref())));
    }
}

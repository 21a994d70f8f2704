//! The bytes of a library where nobody can change them any more: what is checked is what is loaded.
//!
//! On Linux they are copied into a sealed file in memory; where the system forbids to run code from
//! one, and on other systems, into a private folder (`private_copy.rs`). On Linux either is opened
//! through its descriptor. That descriptor is never closed once the library is loaded: the system's
//! loader knows libraries by the names of their files, so another library on a descriptor of the
//! same number would be taken for the first one.

mod error;
mod folder;
#[cfg(target_os = "linux")]
mod memory;
mod private_copy;

pub use error::SealingError;

use private_copy::PrivateCopy;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
#[cfg(not(target_os = "linux"))]
use std::path::Path;
use std::path::PathBuf;

/// A library's bytes.
#[derive(Debug)]
pub struct Sealed {
    #[cfg(target_os = "linux")]
    descriptor: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    copy: PrivateCopy,
}

#[cfg(target_os = "linux")]
impl Sealed {
    /// Copies bytes, whose SHA-256 is this in hexadecimal, to where nobody can change them.
    pub(super) fn copy(bytes: &[u8], digest: &str) -> Result<Sealed, SealingError> {
        let descriptor = match memory::sealed_file(bytes)? {
            Some(descriptor) => descriptor,
            None => {
                let copy = PrivateCopy::make(bytes, digest)?;
                let path = copy.path().display();
                log::debug!("code can't be run from memory files here; {path} is used");
                copy.into_file().into()
            }
        };
        Ok(Sealed { descriptor })
    }

    /// Takes a descriptor that another process sealed.
    pub(crate) fn from_descriptor(descriptor: OwnedFd) -> Sealed {
        Sealed { descriptor }
    }

    /// The descriptor, to hand it to another process.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.descriptor.try_clone()
    }

    /// The file that has to be readable for the library to be opened; none where the bytes are in
    /// memory.
    pub(crate) fn file(&self) -> Option<BorrowedFd<'_>> {
        (!memory::is_sealed(&self.descriptor)).then(|| self.descriptor.as_fd())
    }

    /// A path under which the system's loader finds the bytes, for as long as this process lives.
    pub(super) fn path_for_good(&self) -> io::Result<PathBuf> {
        use std::os::fd::IntoRawFd;
        let leaked = self.descriptor.try_clone()?.into_raw_fd();
        Ok(PathBuf::from(format!("/proc/self/fd/{leaked}")))
    }
}

#[cfg(not(target_os = "linux"))]
impl Sealed {
    /// Copies bytes, whose SHA-256 is this in hexadecimal, to where nobody else can change them.
    pub(super) fn copy(bytes: &[u8], digest: &str) -> Result<Sealed, SealingError> {
        PrivateCopy::make(bytes, digest).map(|copy| Sealed { copy })
    }

    /// Opens the copy that another process made, if it has this digest.
    pub(crate) fn open(path: &Path, digest: &str) -> Result<Sealed, SealingError> {
        PrivateCopy::open(path, digest).map(|copy| Sealed { copy })
    }

    /// Where the copy is, to name it to another process.
    pub(crate) fn path(&self) -> &Path {
        self.copy.path()
    }

    /// A path under which the system's loader finds the bytes.
    pub(super) fn path_for_good(&self) -> io::Result<PathBuf> {
        // Where files can be held so that nobody writes to them, as on Windows, this one stays so.
        std::mem::forget(self.copy.file().try_clone()?);
        Ok(self.copy.path().to_owned())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};

    #[test]
    fn sealed_bytes_can_be_read_and_not_changed() {
        let sealed = Sealed::copy(b"library", "").unwrap();
        assert!(sealed.file().is_none());
        let path = sealed.path_for_good().unwrap();
        let mut content = String::new();
        File::open(&path).unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "library");
        let written =
            OpenOptions::new().write(true).open(&path).and_then(|mut file| file.write_all(b"x"));
        assert!(written.is_err());
    }

    #[test]
    fn each_path_is_given_once_though_its_owner_is_gone() {
        let first = Sealed::copy(b"a", "").unwrap().path_for_good().unwrap();
        let second = Sealed::copy(b"b", "").unwrap().path_for_good().unwrap();
        assert_ne!(first, second);
        assert_eq!(std::fs::read(first).unwrap(), b"a");
        assert_eq!(std::fs::read(second).unwrap(), b"b");
    }
}

//! The bytes of a library where nobody can change them any more: what is checked is what is loaded.
//!
//! On Linux they are copied into a sealed file in memory, which is opened through its descriptor.
//! That descriptor is never closed once the library is loaded: the system's loader knows libraries
//! by the names of their files, so another library on a descriptor of the same number would be
//! taken for the first one.

use std::io;
use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::{io::Read, os::fd::AsRawFd};

/// A library's bytes.
#[derive(Debug)]
pub struct Sealed {
    #[cfg(target_os = "linux")]
    descriptor: std::os::fd::OwnedFd,
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

#[cfg(target_os = "linux")]
impl Sealed {
    /// Copies bytes into a sealed file in memory.
    pub(super) fn copy(bytes: &[u8], _path: &Path) -> io::Result<Sealed> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        use std::io::Write;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        // Kernels before 6.3 don't know the flag, and let such files be executed anyway.
        let descriptor = memfd_create("playdock-plugin", flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create("playdock-plugin", flags))?;
        let mut file = std::fs::File::from(descriptor);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(Sealed { descriptor: file.into() })
    }

    /// Takes a descriptor that another process sealed.
    pub(crate) fn from_descriptor(descriptor: std::os::fd::OwnedFd) -> Sealed {
        Sealed { descriptor }
    }

    /// The descriptor, to hand it to another process.
    pub(crate) fn descriptor(&self) -> io::Result<std::os::fd::OwnedFd> {
        self.descriptor.try_clone()
    }

    /// Another sealed copy: a library of its own to the system's loader.
    pub(crate) fn another(&self) -> io::Result<Sealed> {
        let mut bytes = Vec::new();
        // Opened anew, so that nobody else's place in it is moved.
        let path = format!("/proc/self/fd/{}", self.descriptor.as_raw_fd());
        std::fs::File::open(path)?.read_to_end(&mut bytes)?;
        Sealed::copy(&bytes, Path::new(""))
    }

    /// A path under which the system's loader finds the bytes, for as long as this process lives.
    pub(crate) fn path_for_good(&self) -> io::Result<PathBuf> {
        use std::os::fd::IntoRawFd;
        let leaked = self.descriptor.try_clone()?.into_raw_fd();
        Ok(PathBuf::from(format!("/proc/self/fd/{leaked}")))
    }
}

#[cfg(not(target_os = "linux"))]
impl Sealed {
    /// Elsewhere there are no sealed files: the library is loaded from where it lies.
    pub(super) fn copy(_bytes: &[u8], path: &Path) -> io::Result<Sealed> {
        Ok(Sealed { path: path.canonicalize()? })
    }

    /// The path of the library.
    pub(super) fn path_for_good(&self) -> io::Result<PathBuf> {
        Ok(self.path.clone())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};

    #[test]
    fn sealed_bytes_can_be_read_and_not_changed() {
        let sealed = Sealed::copy(b"library", Path::new("a")).unwrap();
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
        let first = Sealed::copy(b"a", Path::new("a")).unwrap().path_for_good().unwrap();
        let second = Sealed::copy(b"b", Path::new("b")).unwrap().path_for_good().unwrap();
        assert_ne!(first, second);
        assert_eq!(std::fs::read(first).unwrap(), b"a");
        assert_eq!(std::fs::read(second).unwrap(), b"b");
    }
}

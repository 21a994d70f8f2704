//! Sealed files in memory: what is written into one can't be changed by anybody afterwards.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

/// Copies bytes into a sealed file in memory; `None` where the system has none that code may be run
/// from.
pub(super) fn sealed_file(bytes: &[u8]) -> io::Result<Option<OwnedFd>> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let created = match memfd_create("playdock-plugin", flags | MemfdFlags::EXEC) {
        // Kernels before 6.3 don't know the flag, and let such files be executed anyway.
        Err(Errno::INVAL) => memfd_create("playdock-plugin", flags),
        created => created,
    };
    let mut file = match created {
        Ok(descriptor) => std::fs::File::from(descriptor),
        // `vm.memfd_noexec` forbids them, or a filter of system calls does.
        Err(Errno::ACCESS | Errno::PERM | Errno::NOSYS) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    file.write_all(bytes)?;
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(Some(file.into()))
}

/// Whether this is such a file.
pub(super) fn is_sealed(descriptor: &OwnedFd) -> bool {
    fcntl_get_seals(descriptor).is_ok_and(|seals| seals.contains(SealFlags::WRITE))
}

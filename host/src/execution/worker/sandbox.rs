//! What a worker gives up before it opens a library, whose code runs from that moment on.
//!
//! No privileges, no files, no network, no other process, bounded memory and processor time. What
//! the kernel can't give is told to the host, which shows it; nothing is passed over in silence.

mod files;
mod limits;
mod system_calls;

pub(super) use limits::limit_processor_time;

use super::protection::Protection;
use std::os::fd::BorrowedFd;

/// Enters the sandbox, for good. The last step forbids the system calls that the others need.
/// `library` is the one file that may still be opened, to be read.
///
/// # Errors
///
/// A part that every kernel has could not be entered: a sentence.
pub(super) fn enter(library: Option<BorrowedFd<'_>>) -> Result<Protection, String> {
    let mut protection = Protection::default();
    files::close_others().map_err(|error| format!("its descriptors can't be closed: {error}"))?;
    limits::prefer_when_memory_is_short();
    limits::set().map_err(|error| format!("its limits can't be set: {error}"))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| format!("its privileges can't be fixed: {error}"))?;
    limits::drop_capabilities()
        .map_err(|error| format!("its capabilities can't be dropped: {error}"))?;
    if let Err(missing) = files::forbid(library) {
        protection.lacks(missing);
    }
    if let Err(missing) = system_calls::forbid() {
        protection.lacks(missing);
    }
    Ok(protection)
}

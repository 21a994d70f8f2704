//! What a worker gives up before it opens a library, whose code runs from that moment on.
//!
//! No privileges, no files, no network, no other process, bounded memory and processor time. What
//! the kernel can't give is told to the host, which shows it; nothing is passed over in silence.

mod files;
mod limits;
mod system_calls;

pub(super) use limits::limit_processor_time;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What protects the host from its workers, as far as it is known: what was missing when one was
/// started.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Protection {
    missing: BTreeSet<String>,
}

static NOTED: Mutex<Protection> = Mutex::new(Protection { missing: BTreeSet::new() });

impl Protection {
    /// What the workers of this process had to do without, so far.
    pub fn of_this_process() -> Protection {
        NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was missing, one part a line; empty where nothing was.
    pub fn missing(&self) -> String {
        self.missing.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Notes what a worker had to do without, and says so the first time.
    pub(super) fn note(missing: &str) {
        let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
        for part in missing.lines() {
            if noted.missing.insert(part.to_owned()) {
                log::warn!("workers run without a part of their sandbox: {part}");
            }
        }
    }
}

/// Enters the sandbox, for good. The last step forbids the system calls that the others need.
///
/// # Errors
///
/// A part that every kernel has could not be entered: a sentence.
pub(crate) fn enter() -> Result<Protection, String> {
    let mut protection = Protection::default();
    files::close_others().map_err(|error| format!("its descriptors can't be closed: {error}"))?;
    limits::prefer_when_memory_is_short();
    limits::set().map_err(|error| format!("its limits can't be set: {error}"))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| format!("its privileges can't be fixed: {error}"))?;
    limits::drop_capabilities()
        .map_err(|error| format!("its capabilities can't be dropped: {error}"))?;
    if let Err(missing) = files::forbid() {
        protection.missing.insert(missing);
    }
    if let Err(missing) = system_calls::forbid() {
        protection.missing.insert(missing);
    }
    Ok(protection)
}

//! What a worker gives up before it opens a library, whose code runs from that moment on.
//!
//! No privileges, no files, no network, no other process, bounded memory and processor time. What
//! the kernel can't give is told to the host, which shows it; nothing is passed over in silence.

mod files;
mod limits;
mod system_calls;

pub(super) use limits::limit_processor_time;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

/// How much of the sandbox there has to be before a library is opened in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// As much as the kernel gives.
    AsFarAsItGoes,
    /// All of it.
    Whole,
}

impl Sandbox {
    /// The word for it among a worker's arguments.
    pub(super) fn word(self) -> &'static str {
        match self {
            Sandbox::AsFarAsItGoes => "as-far-as-it-goes",
            Sandbox::Whole => "whole",
        }
    }

    /// Whether a library may be opened.
    pub(super) fn suffices(self, protection: &Protection) -> bool {
        self == Sandbox::AsFarAsItGoes || protection.is_whole()
    }

    /// What an argument says; all of it, unless it says otherwise.
    pub(super) fn of_argument(argument: Option<OsString>) -> Sandbox {
        match argument.is_some_and(|it| it == Sandbox::AsFarAsItGoes.word()) {
            true => Sandbox::AsFarAsItGoes,
            false => Sandbox::Whole,
        }
    }
}

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

    /// Whether nothing was missing.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// What a worker reported, one part a line.
    pub(super) fn read(missing: &str) -> Protection {
        Protection { missing: missing.lines().map(str::to_owned).collect() }
    }

    /// Notes what a worker had to do without, and says so the first time.
    pub(super) fn note(self) {
        let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
        for part in self.missing {
            if noted.missing.insert(part.clone()) {
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
pub(super) fn enter() -> Result<Protection, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_is_missing_a_library_is_opened_only_if_that_was_said_to_do() {
        let (whole, lacking) = (Protection::default(), Protection::read("Landlock"));
        for demanded in [Sandbox::AsFarAsItGoes, Sandbox::Whole] {
            assert_eq!(Sandbox::of_argument(Some(demanded.word().into())), demanded);
            assert!(demanded.suffices(&whole));
        }
        assert!(Sandbox::AsFarAsItGoes.suffices(&lacking));
        assert!(!Sandbox::Whole.suffices(&lacking));
        assert_eq!(Sandbox::of_argument(None), Sandbox::Whole);
    }
}

//! What protects the host from its workers, as they report it: nothing that is missing is passed
//! over in silence.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

/// How much of the sandbox there has to be before a library is opened in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// As much as the system gives.
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

/// What a worker says where there is no sandbox.
#[cfg(not(target_os = "linux"))]
const NO_SANDBOX: &str = "this system has none, so plugins may do what their user may";

impl Protection {
    /// What the workers of this process had to do without, so far.
    pub fn of_this_process() -> Protection {
        NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was missing, one part a line; empty where nothing was.
    pub fn missing(&self) -> String {
        self.missing.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The parts that were missing.
    pub fn missing_parts(&self) -> impl Iterator<Item = &str> {
        self.missing.iter().map(String::as_str)
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
            if noted.missing.contains(&part) {
                continue;
            }
            match cfg!(target_os = "linux") {
                true => log::warn!("workers run without a part of their sandbox: {part}"),
                // That is nothing new there.
                false => log::info!("workers run without a sandbox: {part}"),
            }
            noted.missing.insert(part);
        }
    }

    /// Notes that a part could not be had.
    #[cfg(target_os = "linux")]
    pub(super) fn lacks(&mut self, part: String) {
        self.missing.insert(part);
    }

    /// There is none.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn none() -> Protection {
        Protection::read(NO_SANDBOX)
    }
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

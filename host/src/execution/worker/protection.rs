//! What protects the host from its workers, as they report it: nothing that is missing is passed
//! over in silence.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

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

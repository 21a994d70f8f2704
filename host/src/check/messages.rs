//! What the runner and the process of a case say to each other: JSON, one message a line.

use playdock_plugin_api::testing::conformance::{Effort, Verdict};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where the library's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// In the process of the case, which is inside the sandbox.
    InProcess,
    /// In a worker of that process.
    Worker,
}

impl Place {
    /// Its name, as in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Place::InProcess => "in-process",
            Place::Worker => "worker",
        }
    }
}

/// How much is tried.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Amount {
    /// What the cases over a command alone need to know.
    pub(crate) effort: Effort,
    /// How many calls must leave no memory behind.
    pub(crate) calls: usize,
    /// How many times the library is loaded at once.
    pub(crate) loads: usize,
}

/// What the process of a case is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// The id of the case.
    pub(super) case: String,
    /// The command that it is asked of; empty where that is the library.
    pub(super) command: String,
    pub(super) place: Place,
    pub(super) amount: Amount,
    /// The library's file, as errors name it.
    pub(super) file: PathBuf,
    /// The commands that the file names.
    pub(super) commands: Vec<String>,
}

/// What the process of a case says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Said {
    /// What the library is asked next.
    Asking(String),
    /// A part of the sandbox that the kernel lacks.
    Unprotected(String),
    /// What came of the case: the last word.
    Ended(Verdict),
}

//! Asking a library for its commands that nobody has to trust: inside a sandbox that lacks nothing,
//! or not at all.

use crate::plugins::{KeptFile, PluginError};
use playdock_plugin_api::messages::CommandDescription;
use std::path::Path;

/// Why a library was not asked for its commands, or gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectionError {
    /// None of its code ran.
    #[error("its code was not run to describe its commands, since there is no whole sandbox: {0}")]
    NoSandbox(String),
    /// Its code ran, and gave no answer that can be used.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

/// Asks a library for its commands, in a process of its own inside a sandbox. Where there is no
/// sandbox, or a part of it is missing, none of the library's code runs.
///
/// `program` becomes the process: one whose `main` calls
/// [`serve_as_worker`](super::serve_as_worker) first.
///
/// # Errors
///
/// [`InspectionError`]
pub fn describe_in_sandbox(
    program: &Path,
    file: &KeptFile,
) -> Result<Vec<CommandDescription>, InspectionError> {
    super::worker::describe_in_whole_sandbox(program, file)?
        .map_err(|lacking| InspectionError::NoSandbox(lacking.missing().replace('\n', "; ")))
}

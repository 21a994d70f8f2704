//! Why there is no answer at all. What a command or its user did wrong is an answer, not an error.

use crate::incidents::StoreError;
use crate::plugins::PluginError;

/// Why an execution has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// No plugin has the command.
    #[error("there is no command {command}: {known}")]
    UnknownCommand {
        /// What was asked for.
        command: String,
        /// What there is.
        known: String,
    },
    /// The plugin that has the command can't be loaded.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The execution id is no id.
    #[error(
        "\"{0}\" can't be an execution id: it takes 1 to 200 ASCII letters, digits and the signs - _ . :"
    )]
    BadId(String),
    /// The execution id belongs to another execution.
    #[error("the execution id {id} belongs to an execution with {what}: give a new id, or none")]
    IdTaken {
        /// The id.
        id: String,
        /// What differs.
        what: &'static str,
    },
    /// The execution runs at this moment.
    #[error("the execution {0} is running at this moment: wait for its end, then ask again")]
    Running(String),
}

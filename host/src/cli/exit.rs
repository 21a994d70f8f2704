//! The exit codes, and what ends the program without an answer.

use super::terminal;
use crate::execution::{Answer, Ended, ExecutionError, ReturnData};
use crate::incidents::StoreError;
use crate::incidents::import::ImportError;
use crate::plugins::{KeyError, LockError, PluginError};
use std::process::ExitCode;

/// An exit code; all are listed in the program's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(u8);

pub(super) const SUCCESSFUL: Code = Code(0);
pub(super) const FAILED: Code = Code(1);
pub(super) const BAD_USAGE: Code = Code(2);
pub(super) const PARTIALLY_SUCCESSFUL: Code = Code(3);
pub(super) const PLUGIN: Code = Code(4);
pub(super) const STORE: Code = Code(5);
pub(super) const STOPPED: Code = Code(6);

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code.0)
    }
}

/// What ends the program without an answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn usage(message: impl ToString) -> Failure {
        Failure { code: BAD_USAGE, message: message.to_string() }
    }

    pub(super) fn output(error: &std::io::Error) -> Failure {
        Failure { code: FAILED, message: format!("the answer could not be written: {error}") }
    }

    /// Adds what became of the execution whose answer could not be written, and which id to give
    /// to have it.
    pub(super) fn of_execution(self, execution: &str, ended: Ended, id: &str) -> Failure {
        let became = match ended {
            Ended::Finished => "has ended",
            _ => "was interrupted",
        };
        let same = match ended {
            Ended::Finished => "repeats its answer",
            _ => "goes on with it",
        };
        let message = format!(
            "{}; the execution {execution} {became}, and --execution-id {id} {same}",
            self.message
        );
        Failure { message, ..self }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let advice = match error {
            StoreError::Missing(_) => ": name another with --db",
            _ => "",
        };
        Failure { code: STORE, message: format!("{error}{advice}") }
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Failure {
        Failure {
            code: PLUGIN,
            // What a library says of itself may have lines of its own.
            message: terminal::safe(&error.to_string()),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Failure {
        Failure { code: PLUGIN, message: terminal::safe(&error.to_string()) }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Failure {
        Failure { code: BAD_USAGE, message: terminal::safe(&error.to_string()) }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let code = match &error {
            ImportError::Store(_) => STORE,
            _ => BAD_USAGE,
        };
        Failure { code, message: format!("nothing was imported: {error}") }
    }
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Failure {
        match error {
            ExecutionError::Plugin(error) => error.into(),
            ExecutionError::Store(error) => error.into(),
            other => Failure::usage(other),
        }
    }
}

/// The exit code of an answer.
pub(super) fn code(answer: &Answer) -> Code {
    match answer.ended {
        Ended::Cancelled | Ended::DeadlinePassed | Ended::HostStopped => STOPPED,
        Ended::StoreFailed => STORE,
        Ended::Finished | Ended::CommandBroke => result_code(answer.return_data),
    }
}

/// The exit code of a result.
pub(super) fn result_code(result: ReturnData) -> Code {
    match result {
        ReturnData::Successful => SUCCESSFUL,
        ReturnData::PartiallySuccessful => PARTIALLY_SUCCESSFUL,
        ReturnData::Failed => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_bad_usage() {
        let error = ImportError::Read(std::io::Error::other("it is a folder"));
        assert_eq!(Failure::from(error).code, BAD_USAGE);
        assert_eq!(Failure::from(ImportError::Store(StoreError::Full)).code, STORE);
    }

    #[test]
    fn an_answer_that_could_not_be_written_can_be_had_again() {
        let failure = Failure::output(&std::io::Error::other("the disk is full"));
        assert_eq!(
            failure.of_execution("A:1", Ended::Finished, "A").message,
            "the answer could not be written: the disk is full; the execution A:1 has ended, and \
             --execution-id A repeats its answer"
        );
    }
}

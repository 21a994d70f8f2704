//! An execution in the journal: its id, its entry when it begins, and its end, which it gets
//! whatever comes between.

use super::answer::{Answer, Ended, ReturnData};
use super::error::ExecutionError;
use super::host::Prepared;
use crate::incidents::{
    Ending, ExecutionKey, ExecutionRecords, ExecutionState, NewExecution, StoreError,
};
use std::collections::BTreeMap;

/// An id may stand in a URL and in a log.
pub(super) fn checked_id(id: &str) -> Result<String, ExecutionError> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.:".contains(character);
    if (1..=200).contains(&id.len()) && id.chars().all(good) {
        Ok(id.to_owned())
    } else {
        Err(ExecutionError::BadId(id.to_owned()))
    }
}

/// What the journal is told when an execution begins.
pub(super) fn entry(
    prepared: &Prepared<'_>,
    acting_user: Option<String>,
) -> Result<NewExecution, StoreError> {
    let columns = serde_json::to_string(&prepared.description.columns).map_err(|error| {
        StoreError::Unreadable { what: "the columns of a command", cause: error.to_string() }
    })?;
    let (invocation, identity) = (prepared.invocation, prepared.plugin.file.identity());
    Ok(NewExecution {
        id: prepared.execution_id.clone(),
        command: invocation.command.clone(),
        plugin: identity.name.clone(),
        plugin_version: identity.version.clone(),
        plugin_digest: prepared.plugin.file.digest().to_owned(),
        conditions: Some(prepared.plugin.conditions()),
        mode: invocation.requester.mode(),
        site: invocation.site.clone(),
        requested_by: invocation.requester.requested_by(),
        acting_user,
        parameters: invocation.parameters.json().get().to_owned(),
        parameters_digest: invocation.parameters.digest().to_owned(),
        clock: invocation.clock,
        columns,
    })
}

/// An execution that was begun. Dropped without an end, it ends as interrupted: else its id would
/// be taken for as long as this process lives.
pub(super) struct OpenExecution<'a> {
    records: &'a dyn ExecutionRecords,
    key: ExecutionKey,
    ended: bool,
}

impl<'a> OpenExecution<'a> {
    pub(super) fn new(records: &'a dyn ExecutionRecords, key: ExecutionKey) -> OpenExecution<'a> {
        OpenExecution { records, key, ended: false }
    }

    /// Notes how it ended. Where that fails, what was committed stands, and the answer says so.
    pub(super) fn end(mut self, answer: &mut Answer) {
        self.ended = true;
        let ending = Ending {
            state: match answer.ended {
                Ended::Finished => ExecutionState::Finished,
                _ => ExecutionState::Interrupted,
            },
            return_data: answer.return_data.as_str().to_owned(),
            error: answer.error.clone(),
            outputs: answer.outputs.clone(),
        };
        if let Err(error) = self.records.end(self.key, &ending) {
            answer.ended = Ended::StoreFailed;
            if answer.error.is_empty() {
                let what = "All was done, but the end of the execution could not be noted";
                answer.error = format!("{what}: {error}.");
            }
        }
    }
}

impl Drop for OpenExecution<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let interrupted = Ending {
            state: ExecutionState::Interrupted,
            return_data: ReturnData::Failed.as_str().to_owned(),
            error: "The host stopped in the middle of it.".to_owned(),
            outputs: BTreeMap::new(),
        };
        if let Err(error) = self.records.end(self.key, &interrupted) {
            log::error!("the end of an execution was not noted: {error}");
        }
    }
}

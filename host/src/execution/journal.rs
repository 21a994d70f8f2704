//! An execution in the journal: its id, its entry when it begins, and its end, which it gets
//! whatever comes between.

use super::answer::{Answer, Ended, ReturnData};
use super::crew;
use super::ending::HOST_STOPPED;
use super::error::ExecutionError;
use super::host::Prepared;
use crate::incidents::{
    BegunExecution, Ending, ExecutionKey, ExecutionRecords, ExecutionState, NewExecution, Noted,
    StoreError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

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
pub(super) fn entry(prepared: &Prepared<'_>, acting_user: Option<String>) -> NewExecution {
    let (invocation, identity) = (prepared.invocation, prepared.plugin.file.identity());
    NewExecution {
        id: prepared.execution_id.clone(),
        command: invocation.command.clone(),
        plugin: identity.name.clone(),
        plugin_version: identity.version.clone(),
        plugin_digest: prepared.plugin.file.digest().to_owned(),
        conditions: Some(prepared.plugin.conditions()),
        mode: invocation.requester.mode(),
        site: invocation.site.clone(),
        requested_by: invocation.requester.requested_by(),
        api_key: invocation.api_key.as_ref().map(|key| key.id),
        acting_user,
        parameters: invocation.parameters.json().get().to_owned(),
        parameters_digest: invocation.parameters.digest().to_owned(),
        clock: invocation.clock,
        columns: prepared.command.columns_json.clone(),
    }
}

/// An execution that was begun. Dropped without an end, it ends as interrupted: else its id would
/// be taken for as long as this process lives.
pub(super) struct OpenExecution {
    begun: BegunAs,
    ended: AtomicBool,
}

enum BegunAs {
    /// Under an id that may have been there before.
    Known(Arc<dyn ExecutionRecords>, ExecutionKey),
    /// Under a new id, without waiting for its key.
    New(Box<dyn BegunExecution>),
}

impl OpenExecution {
    pub(super) fn new(begun: Box<dyn BegunExecution>) -> Arc<OpenExecution> {
        let ended = AtomicBool::new(false);
        Arc::new(OpenExecution { begun: BegunAs::New(begun), ended })
    }

    pub(super) fn known(
        records: Arc<dyn ExecutionRecords>,
        key: ExecutionKey,
    ) -> Arc<OpenExecution> {
        let ended = AtomicBool::new(false);
        Arc::new(OpenExecution { begun: BegunAs::Known(records, key), ended })
    }

    /// The key under which outcomes are recorded.
    pub(super) fn key(&self) -> Result<ExecutionKey, StoreError> {
        match &self.begun {
            BegunAs::Known(_, key) => Ok(*key),
            BegunAs::New(begun) => {
                crew::give_up_place();
                begun.key()
            }
        }
    }

    /// Why it isn't in the journal, and nothing of it in the store, if that is so.
    fn lost(&self) -> Option<StoreError> {
        match &self.begun {
            BegunAs::Known(..) => None,
            BegunAs::New(begun) => begun.lost(),
        }
    }

    fn end(&self, ending: Ending, noted: Noted) {
        self.ended.store(true, Ordering::Relaxed);
        match &self.begun {
            BegunAs::Known(records, key) => records.end_and_tell(*key, ending, noted),
            BegunAs::New(begun) => begun.end(ending, noted),
        }
    }
}

impl Drop for OpenExecution {
    fn drop(&mut self) {
        if self.ended.load(Ordering::Relaxed) {
            return;
        }
        let interrupted = Ending {
            state: ExecutionState::Interrupted,
            return_data: ReturnData::Failed.as_str().to_owned(),
            error: HOST_STOPPED.to_owned(),
            outputs: BTreeMap::new(),
        };
        let (told, noted) = channel();
        let tell = move |result| {
            // Whoever waited may be gone.
            let _ = told.send(result);
        };
        self.end(interrupted, Box::new(tell));
        if let Ok(Err(error)) = noted.recv() {
            log::error!("the end of an execution was not noted: {error}");
        }
    }
}

/// An execution that came to its end, which is not in the journal yet.
pub(crate) struct Performed {
    answer: Answer,
    /// `None` where there is nothing to note.
    open: Option<Arc<OpenExecution>>,
}

impl Performed {
    pub(super) fn new(answer: Answer, open: Option<Arc<OpenExecution>>) -> Performed {
        Performed { answer, open }
    }

    /// The answer, which stands once the end of the execution is noted.
    pub(crate) fn answer_mut(&mut self) -> &mut Answer {
        &mut self.answer
    }

    /// Waits until its end is noted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where not even its beginning could be.
    pub(super) fn wait(self) -> Result<Answer, StoreError> {
        let mut answer = self.answer;
        if let Some(open) = self.open {
            let (told, noted) = channel();
            let tell = move |result| {
                // Whoever waited may be gone.
                let _ = told.send(result);
            };
            open.end(ending(&answer), Box::new(tell));
            if let Err(error) = noted.recv().unwrap_or(Err(StoreError::Closed)) {
                not_noted(&open, &mut answer, error)?;
            }
        }
        Ok(answer)
    }

    /// Has its end noted, and hands the answer on from whichever thread comes to know that, which
    /// has other things to do; or drops `then`, if the store breaks down. An error is as that of
    /// [`wait`](Performed::wait).
    pub(crate) fn note(self, then: impl FnOnce(Result<Answer, StoreError>) + Send + 'static) {
        let mut answer = self.answer;
        let Some(open) = self.open else { return then(Ok(answer)) };
        let ending = ending(&answer);
        let began = open.clone();
        let noted = move |result: Result<(), StoreError>| match result {
            Ok(()) => then(Ok(answer)),
            Err(error) => then(not_noted(&began, &mut answer, error).map(|()| answer)),
        };
        open.end(ending, Box::new(noted));
    }
}

fn ending(answer: &Answer) -> Ending {
    Ending {
        state: match answer.ended {
            Ended::Finished => ExecutionState::Finished,
            _ => ExecutionState::Interrupted,
        },
        return_data: answer.return_data.as_str().to_owned(),
        error: answer.error.clone(),
        outputs: answer.outputs.clone(),
    }
}

/// What was committed stands, and the answer says so; where nothing was, there is none.
fn not_noted(
    open: &OpenExecution,
    answer: &mut Answer,
    error: StoreError,
) -> Result<(), StoreError> {
    if let Some(error) = open.lost() {
        return Err(error);
    }
    answer.ended = Ended::StoreFailed;
    if answer.error.is_empty() {
        let what = "All was done, but the end of the execution could not be noted";
        answer.error = format!("{what}: {error}.");
    }
    Ok(())
}

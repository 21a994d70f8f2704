//! The executions that this server runs: each in the journal and here, where its clients wait for
//! it, see how far it is and cancel it.
//!
//! An execution belongs to nobody's connection: a client that leaves doesn't end it.

use super::refusal::Refusal;
use super::sending::Ready;
use crate::execution::{Cancellation, Invocation};
use crate::incidents::ApiKeyId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// An execution that this server runs.
pub(super) struct Running {
    pub(super) id: String,
    pub(super) key: ApiKeyId,
    pub(super) command: String,
    pub(super) site: String,
    /// Who asked for it, and with which parameters.
    account: String,
    parameters_digest: String,
    done: AtomicU64,
    total: AtomicU64,
    cancellation: Cancellation,
    /// Whether another process runs it.
    elsewhere: AtomicBool,
    stage: Mutex<Stage>,
    /// That it came to another stage.
    came_on: Notify,
}

/// How far an execution is.
#[derive(Clone)]
enum Stage {
    /// It is not in the journal yet.
    Beginning,
    /// It is in the journal, and runs.
    Begun,
    /// It ended, with this.
    Ended(Result<Ready, Refusal>),
}

impl Running {
    /// Takes up an execution, and lets the invocation tell how far it is.
    pub(super) fn new(key: ApiKeyId, id: String, invocation: &mut Invocation) -> Arc<Running> {
        let running = Arc::new(Running {
            id,
            key,
            command: invocation.command.clone(),
            site: invocation.site.clone(),
            account: invocation.requester.requested_by().unwrap_or_default(),
            parameters_digest: invocation.parameters.digest().to_owned(),
            done: 0.into(),
            total: 0.into(),
            cancellation: invocation.cancellation.clone(),
            elsewhere: false.into(),
            stage: Mutex::new(Stage::Beginning),
            came_on: Notify::new(),
        });
        let told = running.clone();
        invocation.begun = Some(Arc::new(move || {
            told.set_elsewhere(false);
            let mut stage = told.stage();
            if matches!(*stage, Stage::Beginning) {
                *stage = Stage::Begun;
                drop(stage);
                told.came_on.notify_waiters();
            }
        }));
        let told = running.clone();
        invocation.progress = Some(Arc::new(move |done, total| {
            told.done.store(done, Ordering::Relaxed);
            told.total.store(total, Ordering::Relaxed);
        }));
        running
    }

    /// How many incidents are done, of how many.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// What another request asks for that isn't the same.
    pub(super) fn differs_from(&self, invocation: &Invocation) -> Option<&'static str> {
        let account = invocation.requester.requested_by();
        let same = [
            (self.site == invocation.site, "another site"),
            (self.parameters_digest == invocation.parameters.digest(), "other parameters"),
            (Some(&self.account) == account.as_ref(), "another account that asked for it"),
        ];
        same.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
    }

    pub(super) fn cancel(&self) {
        self.cancellation.cancel();
    }

    /// Notes whether another process runs it, which this one waits for.
    pub(super) fn set_elsewhere(&self, elsewhere: bool) {
        self.elsewhere.store(elsewhere, Ordering::Relaxed);
    }

    /// Whether another process runs it.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere.load(Ordering::Relaxed)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // It is replaced as a whole, so whoever panicked left it whole.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until its stage is one in which there is something to be found.
    async fn wait_for<T>(&self, find: impl Fn(&Stage) -> Option<T>) -> T {
        loop {
            let came_on = self.came_on.notified();
            if let Some(found) = find(&self.stage()) {
                return found;
            }
            came_on.await;
        }
    }

    /// Waits for its answer.
    pub(super) async fn ended(&self) -> Result<Ready, Refusal> {
        self.wait_for(|stage| match stage {
            Stage::Ended(answer) => Some(answer.clone()),
            Stage::Beginning | Stage::Begun => None,
        })
        .await
    }

    /// Waits until it is in the journal; the answer, if it has ended by then.
    pub(super) async fn begun(&self) -> Option<Result<Ready, Refusal>> {
        self.wait_for(|stage| match stage {
            Stage::Ended(answer) => Some(Some(answer.clone())),
            Stage::Begun => Some(None),
            Stage::Beginning => None,
        })
        .await
    }
}

/// All executions that this server runs, by their ids.
#[derive(Default)]
pub(super) struct Executions {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    running: HashMap<String, Arc<Running>>,
    /// Whether no more are taken up.
    closed: bool,
}

/// Why an execution was not added.
pub(super) enum NotAdded {
    /// This one has its id.
    Known(Arc<Running>),
    /// The server is being stopped.
    Closed,
}

impl Executions {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The map is whole after every step, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Running>> {
        self.lock().running.get(id).cloned()
    }

    /// Adds an execution.
    pub(super) fn add(&self, running: &Arc<Running>) -> Result<(), NotAdded> {
        let mut state = self.lock();
        if state.closed {
            return Err(NotAdded::Closed);
        }
        match state.running.entry(running.id.clone()) {
            Entry::Occupied(other) => Err(NotAdded::Known(other.get().clone())),
            Entry::Vacant(place) => {
                place.insert(running.clone());
                Ok(())
            }
        }
    }

    /// Lets go of an execution, and tells who waits for it how it ended.
    pub(super) fn end(&self, running: &Running, answer: Result<Ready, Refusal>) {
        // First out of the map: who comes now finds it in the journal.
        let is_last = {
            let mut state = self.lock();
            state.running.remove(&running.id);
            state.running.is_empty()
        };
        *running.stage() = Stage::Ended(answer);
        running.came_on.notify_waiters();
        if is_last {
            self.changed.notify_waiters();
        }
    }

    /// From now on none is added.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn cancel_all(&self) {
        self.lock().running.values().for_each(|running| running.cancel());
    }

    /// Waits until none is running.
    pub(super) async fn none(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().running.is_empty() {
                return;
            }
            changed.await;
        }
    }
}

//! The executions that this server runs: each in the journal and here, where its clients wait for
//! it, see how far it is and cancel it.
//!
//! An execution belongs to nobody's connection: a client that leaves doesn't end it.

use super::answer;
use super::refusal::Refusal;
use super::service::Service;
use crate::execution::{Answer, Cancellation, Ended, ExecutionError, Host, Invocation, Performed};
use crate::incidents::ApiKeyId;
use axum::body::Bytes;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How often an execution that another process runs is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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
    Ended(Result<Bytes, Refusal>),
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
            stage: Mutex::new(Stage::Beginning),
            came_on: Notify::new(),
        });
        let told = running.clone();
        invocation.begun = Some(Arc::new(move || {
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

    /// Whether another request asks for the same.
    pub(super) fn is_asked_by(&self, invocation: &Invocation) -> bool {
        self.site == invocation.site
            && self.parameters_digest == invocation.parameters.digest()
            && Some(&self.account) == invocation.requester.requested_by().as_ref()
    }

    pub(super) fn cancel(&self) {
        self.cancellation.cancel();
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
    pub(super) async fn ended(&self) -> Result<Bytes, Refusal> {
        self.wait_for(|stage| match stage {
            Stage::Ended(answer) => Some(answer.clone()),
            Stage::Beginning | Stage::Begun => None,
        })
        .await
    }

    /// Waits until it is in the journal; the answer, if it has ended by then.
    pub(super) async fn begun(&self) -> Option<Result<Bytes, Refusal>> {
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
    running: Mutex<HashMap<String, Arc<Running>>>,
    changed: Notify,
}

impl Executions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        // The map is whole after every step, whoever panicked.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Running>> {
        self.lock().get(id).cloned()
    }

    /// Adds an execution; the one that has its id, if there is one.
    pub(super) fn add(&self, running: &Arc<Running>) -> Result<(), Arc<Running>> {
        match self.lock().entry(running.id.clone()) {
            Entry::Occupied(other) => Err(other.get().clone()),
            Entry::Vacant(place) => {
                place.insert(running.clone());
                Ok(())
            }
        }
    }

    pub(super) fn cancel_all(&self) {
        self.lock().values().for_each(|running| running.cancel());
    }

    /// Waits until none is running.
    pub(super) async fn none(&self) {
        loop {
            let changed = self.changed.notified();
            if self.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }
}

/// Runs an execution on the thread that calls it, up to its end; that it is in the journal is told
/// by the thread that writes. `held` is dropped then.
pub(super) fn run(
    service: Arc<Service>,
    running: Arc<Running>,
    invocation: &Invocation,
    expected: Option<Box<dyn Send>>,
    held: impl Send + 'static,
) {
    let end = End { service, running, answer: Err(Refusal::Internal) };
    let began = Instant::now();
    match perform(&end.service.host, invocation, expected, began) {
        Ok(mut performed) => {
            // Here, since the thread that writes has more to do.
            let body = answer::body(performed.answer_mut());
            performed.note(move |answer| {
                match answer {
                    Ok(answer) => end.with(answer, body, began.elapsed()),
                    Err(error) => {
                        log::error!("execution {}: {error}", end.running.id);
                        end.refused(Refusal::Internal);
                    }
                }
                drop(held);
            });
        }
        Err(refusal) => end.refused(refusal),
    }
}

/// Ends an execution's time here, whatever became of it.
struct End {
    service: Arc<Service>,
    running: Arc<Running>,
    answer: Result<Bytes, Refusal>,
}

impl End {
    /// It ended, with what was to be the body of its answer.
    fn with(mut self, mut answer: Answer, body: Bytes, took: Duration) {
        self.service.metrics.execution(&self.running.command, &answer, took);
        if answer::concealed(answer.ended).is_some() {
            log::error!("execution {}: {}", self.running.id, answer.error);
        }
        self.answer = match answer.ended {
            Ended::StoreFailed if answer.report.is_none() => Err(Refusal::Internal),
            Ended::StoreFailed => Ok(answer::body(&mut answer)),
            _ => Ok(body),
        };
    }

    fn refused(mut self, refusal: Refusal) {
        self.answer = Err(refusal);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let answer = std::mem::replace(&mut self.answer, Err(Refusal::Internal));
        let executions = &self.service.executions;
        // First out of the map: who comes now finds it in the journal.
        let is_last = {
            let mut running = executions.lock();
            running.remove(&self.running.id);
            running.is_empty()
        };
        *self.running.stage() = Stage::Ended(answer);
        self.running.came_on.notify_waiters();
        if is_last {
            executions.changed.notify_waiters();
        }
    }
}

fn perform(
    host: &Host,
    invocation: &Invocation,
    mut expected: Option<Box<dyn Send>>,
    began: Instant,
) -> Result<Performed, Refusal> {
    loop {
        match host.perform(invocation, expected.take()) {
            Ok(performed) => return Ok(performed),
            Err(ExecutionError::Running(_)) => {
                let over = began.elapsed() >= invocation.timeout;
                if over || invocation.cancellation.is_cancelled() {
                    return Err(Refusal::StillRunning);
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(ExecutionError::IdTaken { .. }) => return Err(Refusal::IdempotencyKeyTaken),
            Err(error) => {
                log::error!("{}: {error}", invocation.command);
                return Err(Refusal::Internal);
            }
        }
    }
}

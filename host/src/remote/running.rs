//! The executions that this server runs: each in the journal and here, where its clients wait for
//! it, see how far it is and cancel it.
//!
//! An execution belongs to nobody's connection: a client that leaves doesn't end it.

use super::answer;
use super::metrics::Metrics;
use super::refusal::Refusal;
use crate::execution::{Answer, Cancellation, Ended, ExecutionError, Host, Invocation};
use crate::incidents::ApiKeyId;
use axum::body::Bytes;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

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
    stage: watch::Sender<Stage>,
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
            stage: watch::Sender::new(Stage::Beginning),
        });
        let told = running.clone();
        invocation.begun = Some(Arc::new(move || {
            told.stage.send_if_modified(|stage| {
                let is_news = matches!(stage, Stage::Beginning);
                if is_news {
                    *stage = Stage::Begun;
                }
                is_news
            });
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

    /// Waits for its answer.
    pub(super) async fn ended(&self) -> Result<Bytes, Refusal> {
        let mut stage = self.stage.subscribe();
        match stage.wait_for(|stage| matches!(stage, Stage::Ended(_))).await.as_deref() {
            Ok(Stage::Ended(answer)) => answer.clone(),
            _ => Err(Refusal::Internal),
        }
    }

    /// Waits until it is in the journal; the answer, if it has ended by then.
    pub(super) async fn begun(&self) -> Option<Result<Bytes, Refusal>> {
        let mut stage = self.stage.subscribe();
        match stage.wait_for(|stage| !matches!(stage, Stage::Beginning)).await.as_deref() {
            Ok(Stage::Ended(answer)) => Some(answer.clone()),
            Ok(_) => None,
            Err(_) => Some(Err(Refusal::Internal)),
        }
    }
}

/// All executions that this server runs, by their ids.
#[derive(Default)]
pub(super) struct Executions {
    running: Mutex<HashMap<String, Arc<Running>>>,
    changed: tokio::sync::Notify,
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

/// Runs an execution to its end, on the thread that calls it.
pub(super) fn run(
    executions: &Executions,
    host: &Host,
    metrics: &Metrics,
    running: &Running,
    invocation: &Invocation,
) {
    let mut end = End { executions, running, answer: Err(Refusal::Internal) };
    let began = Instant::now();
    end.answer = match execute(host, invocation, began) {
        Ok(answer) => {
            metrics.execution(&running.command, &answer, began.elapsed());
            if answer::concealed(answer.ended).is_some() {
                log::error!("execution {}: {}", running.id, answer.error);
            }
            Ok(answer::body(answer))
        }
        Err(refusal) => Err(refusal),
    };
}

/// Ends an execution's time here, whatever became of it.
struct End<'a> {
    executions: &'a Executions,
    running: &'a Running,
    answer: Result<Bytes, Refusal>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let answer = std::mem::replace(&mut self.answer, Err(Refusal::Internal));
        // First out of the map: who comes now finds it in the journal.
        self.executions.lock().remove(&self.running.id);
        self.running.stage.send_replace(Stage::Ended(answer));
        self.executions.changed.notify_waiters();
    }
}

fn execute(host: &Host, invocation: &Invocation, began: Instant) -> Result<Answer, Refusal> {
    loop {
        match host.execute(invocation) {
            Ok(answer) if answer.ended == Ended::StoreFailed && answer.report.is_none() => {
                return Err(Refusal::Internal);
            }
            Ok(answer) => return Ok(answer),
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

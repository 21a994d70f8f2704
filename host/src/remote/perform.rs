//! Running an execution on a thread of the crew, up to its end or until its turn comes again: one that
//! another process runs is looked at from time to time, and takes nobody's place meanwhile.

use super::answer;
use super::capacity::{self, Held};
use super::keyring::LiveKey;
use super::refusal::Refusal;
use super::running::Running;
use super::sending::{Form, Ready};
use super::service::Service;
use crate::execution::{Answer, Ended, ExecutionError, Invocation, Performed};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::sleep;

/// How long after the first look at an execution that another process runs the next one is, and how
/// long it may be between two.
const NEXT_LOOK: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An execution that is to be run.
pub(super) struct Run {
    key: Arc<LiveKey>,
    invocation: Invocation,
    /// The room of the request's body, which the parameters take now.
    body: Vec<Held>,
    /// How many places it takes while it runs.
    places: u32,
    began: Instant,
    /// How long to wait if another process runs it.
    pause: Duration,
    end: End,
}

impl Run {
    pub(super) fn new(
        service: &Arc<Service>,
        key: &Arc<LiveKey>,
        running: &Arc<Running>,
        invocation: Invocation,
        body: Vec<Held>,
        places: u32,
    ) -> Run {
        let end = End {
            service: service.clone(),
            running: running.clone(),
            answer: Err(Refusal::Internal),
        };
        let (began, pause) = (Instant::now(), NEXT_LOOK);
        Run { key: key.clone(), invocation, body, places, began, pause, end }
    }

    /// Has it run by the crew, in the places that it has; to be called in the runtime.
    pub(super) fn start(self, places: Held) {
        let service = self.end.service.clone();
        let (expected, runtime) = (service.host.expect(), Handle::current());
        service.crew.add(move || self.run(places, expected, runtime));
    }

    /// Runs it on the thread that calls this; that it is in the journal is told by the thread that
    /// writes.
    fn run(self, places: Held, expected: Option<Box<dyn Send>>, runtime: Handle) {
        match self.end.service.host.perform(&self.invocation, expected) {
            Ok(performed) => self.performed(performed, places, runtime),
            Err(ExecutionError::Running(_)) => {
                let over = self.began.elapsed() >= self.invocation.timeout;
                match over || self.invocation.cancellation.is_cancelled() {
                    true => self.end.refused(Refusal::StillRunning),
                    false => drop(runtime.spawn(self.look_again())),
                }
            }
            Err(ExecutionError::IdTaken { what, .. }) => {
                self.end.refused(Refusal::IdempotencyKeyTaken(what));
            }
            Err(error) => {
                log::error!("{}: {error}", self.invocation.command);
                self.end.refused(Refusal::Internal);
            }
        }
    }

    async fn look_again(mut self) {
        self.end.running.set_elsewhere(true);
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let of_all = &self.end.service.capacity;
        match capacity::places(&self.key.share, of_all, self.places).await {
            // It was revoked meanwhile.
            Ok(_) if !self.end.service.keys.has(&self.key) => self.end.refused(Refusal::InvalidKey),
            Ok(places) => self.start(places),
            Err(_) => self.end.refused(Refusal::Stopping),
        }
    }

    fn performed(self, mut performed: Performed, places: Held, runtime: Handle) {
        let Run { body, began, end, .. } = self;
        // Here, since the thread that writes has more to do.
        let form = Form::of(performed.answer_mut());
        let is_long = matches!(form, Form::Rows(_));
        performed.note(move |answer| {
            let note = move || {
                match answer {
                    Ok(answer) => end.with(answer, form, began.elapsed()),
                    Err(error) => {
                        log::error!("execution {}: {error}", end.running.id);
                        end.refused(Refusal::Internal);
                    }
                }
                drop((places, body));
            };
            // Its rows may be let go here, if nobody waits for them.
            match is_long {
                true => drop(runtime.spawn_blocking(note)),
                false => note(),
            }
        });
    }
}

/// Ends an execution's time here, whatever became of it.
struct End {
    service: Arc<Service>,
    running: Arc<Running>,
    answer: Result<Ready, Refusal>,
}

impl End {
    /// It ended; its answer was to be sent in this form.
    fn with(mut self, answer: Answer, form: Form, took: Duration) {
        self.service.metrics.execution(&self.running.command, &answer, took);
        if answer::concealed(answer.ended).is_some() {
            log::error!("execution {}: {}", self.running.id, answer.error);
        }
        self.answer = match answer.ended {
            Ended::StoreFailed if answer.report.is_none() => Err(Refusal::Internal),
            Ended::StoreFailed => Ok(Ready::new(answer)),
            _ => Ok(Ready::of(answer, form)),
        };
    }

    fn refused(mut self, refusal: Refusal) {
        self.answer = Err(refusal);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let answer = std::mem::replace(&mut self.answer, Err(Refusal::Internal));
        self.service.executions.end(&self.running, answer);
    }
}

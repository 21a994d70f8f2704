//! What a long answer holds, until all of it is written: its end would be lost with a connection that
//! was taken for idle and closed.

use super::connections::Busy;
use super::service::OpenRequest;
use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// That a connection is busy, and one of those that its key may have.
pub(super) type Open = (Busy, Option<OpenRequest>);

/// A connection's long answers that aren't written.
#[derive(Default)]
pub(super) struct Unwritten {
    /// How many are being made.
    making: AtomicUsize,
    /// What is held for those that are made.
    made: Mutex<Vec<Open>>,
}

impl Unwritten {
    /// The answer, for which this is held until all of it is written, or its connection is gone.
    pub(super) fn hold(self: &Arc<Unwritten>, open: Open, answer: Response) -> Response {
        self.making.fetch_add(1, Ordering::Relaxed);
        let making = Making { open: Some(open), unwritten: self.clone() };
        answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _ = &making;
                frame
            }))
        })
    }

    /// Notes that all that there is to write is written; whether more of an answer is to come.
    pub(super) fn written(&self) -> bool {
        self.made().clear();
        self.making.load(Ordering::Relaxed) > 0
    }

    fn made(&self) -> MutexGuard<'_, Vec<Open>> {
        // It is whole after every step, whoever panicked.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer holds while it is made, and leaves to be held when that is done.
struct Making {
    open: Option<Open>,
    unwritten: Arc<Unwritten>,
}

impl Drop for Making {
    fn drop(&mut self) {
        self.unwritten.made().extend(self.open.take());
        self.unwritten.making.fetch_sub(1, Ordering::Relaxed);
    }
}

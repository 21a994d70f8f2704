//! What a long answer holds, until all of it is written: its end would be lost with a connection that
//! was taken for idle and closed.

use super::connections::Busy;
use super::service::OpenRequest;
use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// That a connection is busy, and one of those that its key may have.
pub(super) type Open = (Busy, Option<OpenRequest>);

/// What is held for a connection's long answers that were made and aren't written.
#[derive(Default)]
pub(super) struct Unwritten(Mutex<Vec<Open>>);

impl Unwritten {
    /// The answer, for which this is held until all of it is written, or its connection is gone.
    pub(super) fn hold(self: &Arc<Unwritten>, open: Open, answer: Response) -> Response {
        let making = Making { open: Some(open), unwritten: self.clone() };
        answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _ = &making;
                frame
            }))
        })
    }

    /// Lets go: all that was to be written is.
    pub(super) fn written(&self) {
        self.open().clear();
    }

    fn open(&self) -> MutexGuard<'_, Vec<Open>> {
        // It is whole after every step, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer holds while it is made, and leaves to be held when that is done.
struct Making {
    open: Option<Open>,
    unwritten: Arc<Unwritten>,
}

impl Drop for Making {
    fn drop(&mut self) {
        self.unwritten.open().extend(self.open.take());
    }
}

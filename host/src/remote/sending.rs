//! Answers on their way to clients. A short one is text; of a long one the rows are kept, within
//! bounds of memory for each key and for all, and become text as the client takes it in.

use super::answer;
use super::capacity::{self, Capacity, Held};
use super::refusal::Refusal;
use crate::execution::{Answer, Pieces, Report};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// An answer that is ready to be sent.
#[derive(Clone)]
pub(super) enum Ready {
    /// A short one.
    Text(Bytes),
    /// A long one.
    Long(Arc<Long>),
}

/// A long answer.
pub(super) struct Long {
    answer: Arc<Answer>,
    /// What its execution held, which bounds how many such answers there are, until one of them is
    /// on its way.
    held: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Ready {
    /// Makes an answer ready. `held` is dropped when it has its own room, or isn't wanted.
    pub(super) fn new(mut answer: Answer, held: impl Any + Send) -> Ready {
        if let Some(text) = answer::text(&mut answer) {
            return Ready::Text(text);
        }
        answer::conceal(&mut answer);
        let held = Mutex::new(Some(Box::new(held) as Box<dyn Any + Send>));
        Ready::Long(Arc::new(Long { answer: Arc::new(answer), held }))
    }

    /// The body of a response: the answer, with other text around it. Where it is long, there is
    /// one once there is room.
    pub(super) async fn body(
        self,
        of_key: &Capacity,
        of_all: &Capacity,
        before: String,
        behind: &'static str,
    ) -> Result<Body, Refusal> {
        let long = match self {
            Ready::Text(text) if before.is_empty() && behind.is_empty() => return Ok(text.into()),
            Ready::Text(text) => {
                let whole = [before.as_bytes(), &text, behind.as_bytes()].concat();
                return Ok(whole.into());
            }
            Ready::Long(long) => long,
        };
        let memory = long.answer.report.as_ref().map_or(0, Report::memory);
        let count = capacity::for_answer(memory + long.answer.error.len());
        let room = capacity::hold(&of_key.answers, &of_all.answers, count).await;
        // It is never closed.
        let room = room.map_err(|_| Refusal::Internal)?;
        drop(long.held.lock().unwrap_or_else(PoisonError::into_inner).take());
        let pieces = Pieces::new(long.answer.clone());
        Ok(Body::new(Sending { before: Some(before), pieces, behind: Some(behind), _room: room }))
    }
}

/// The body of a long answer, which becomes text as it is asked for.
struct Sending {
    before: Option<String>,
    pieces: Pieces,
    behind: Option<&'static str>,
    _room: Held,
}

impl Sending {
    fn next(&mut self) -> Option<Bytes> {
        let text = self.before.take().filter(|text| !text.is_empty());
        let text = text.or_else(|| self.pieces.next()).map(Bytes::from);
        text.or_else(|| self.behind.take().map(Bytes::from)).filter(|text| !text.is_empty())
    }
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|text| Ok(Frame::data(text))))
    }
}

//! Answers on their way to clients. A short one is text; of a long one the rows are kept, within
//! bounds of memory for each key and for all, and become text as the client takes it in.

use super::answer;
use super::capacity::{self, Capacity, Held};
use crate::execution::{Answer, Pieces};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How an answer is to be sent: found out once, and not by a thread that others wait for, since a
/// long one is looked through.
pub(super) enum Form {
    /// As this text.
    Text(Bytes),
    /// By its rows, which take so many bytes of memory.
    Rows(usize),
}

impl Form {
    /// That of an answer, from whose rows is taken what is the server's own business.
    pub(super) fn of(answer: &mut Answer) -> Form {
        let text = answer::text(answer);
        text.map_or_else(|| Form::Rows(Pieces::memory(answer)), Form::Text)
    }
}

/// An answer that is ready to be sent.
#[derive(Clone)]
pub(super) enum Ready {
    /// A short one.
    Text(Bytes),
    /// A long one, and how many bytes of memory its rows take.
    Long(Arc<Answer>, usize),
}

impl Ready {
    /// Makes an answer ready.
    pub(super) fn new(mut answer: Answer) -> Ready {
        let form = Form::of(&mut answer);
        Ready::of(answer, form)
    }

    /// Makes an answer ready whose form is known.
    pub(super) fn of(mut answer: Answer, form: Form) -> Ready {
        match form {
            Form::Text(text) => Ready::Text(text),
            Form::Rows(memory) => {
                answer::conceal_cause(&mut answer);
                Ready::Long(Arc::new(answer), memory)
            }
        }
    }

    /// The body of a response: the answer, with other text around it; `None` where it is long, and
    /// there is no room for it now. Nobody waits for room: others' answers may take long.
    pub(super) fn body(
        self,
        of_key: &Capacity,
        of_all: &Capacity,
        before: String,
        behind: &'static str,
    ) -> Option<Body> {
        let (answer, memory) = match self {
            Ready::Text(text) if before.is_empty() && behind.is_empty() => {
                return Some(text.into());
            }
            Ready::Text(text) => {
                let whole = [before.as_bytes(), &text, behind.as_bytes()].concat();
                return Some(whole.into());
            }
            Ready::Long(answer, memory) => (answer, memory),
        };
        let count = capacity::for_answer(memory);
        let room = capacity::try_hold(&of_key.answers, &of_all.answers, count)?;
        let pieces = Pieces::new(answer);
        Some(Body::new(Sending { before: Some(before), pieces, behind: Some(behind), _room: room }))
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

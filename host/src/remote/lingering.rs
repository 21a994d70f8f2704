//! The rest of a request's body that nobody reads, since the request was refused before: a little of
//! it is taken in and thrown away, so that a client which still sends gets the answer. A connection
//! that is closed over unread bytes is reset, and the answer lost with it.

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use axum::http::header::EXPECT;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How much is taken in of a body that nobody reads, and for how long.
const MOST: usize = 1 << 20;
const LONGEST: Duration = Duration::from_secs(2);

/// A request's body, of which the rest is taken in when it is dropped.
struct Lingering {
    /// `None` once all of it was read, or nothing more of it is wanted.
    body: Option<Incoming>,
    /// Whether the client was waited for when it was last asked for more: whoever dropped it then
    /// has lost patience.
    waits: bool,
}

/// The request, with a body of which what nobody reads is taken in all the same.
pub(super) fn lingering(request: Request<Incoming>) -> Request<Body> {
    // Who asks whether to send the body hasn't sent it.
    let asks = request.headers().contains_key(EXPECT);
    request.map(|body| match asks || body.is_end_stream() {
        true => Body::new(body),
        false => Body::new(Lingering { body: Some(body), waits: false }),
    })
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        self.waits = polled.is_pending();
        let frame = ready!(polled);
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !self.waits && !body.is_end_stream());
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(LONGEST, take_in(rest)));
        }
    }
}

async fn take_in(mut body: Incoming) {
    let mut left = MOST;
    while let Some(Ok(frame)) = body.frame().await {
        let taken = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(taken) {
            Some(less) => left = less,
            None => return,
        }
    }
}

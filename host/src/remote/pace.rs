//! Writing to a client that takes it in too slowly is given up: whoever reads an answer byte by byte
//! would keep it, and the connection, for as long as it likes.

use super::unwritten::Unwritten;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// So many bytes, or a whole answer, are to be taken in within so long.
const LEAST: usize = 256 << 10;
const WITHIN: Duration = Duration::from_secs(30);

/// A stream whose writes keep a pace.
pub(super) struct Paced<S> {
    stream: S,
    /// What isn't written, and what is let go once it is.
    unwritten: Arc<Unwritten>,
    /// The time in which the client must take in enough, from when it was first waited for.
    patience: Option<Pin<Box<Sleep>>>,
    /// How much it took in since.
    taken: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, unwritten: Arc<Unwritten>) -> Paced<S> {
        Paced { stream, unwritten, patience: None, taken: 0 }
    }

    /// Notes that so many bytes were taken in.
    fn took(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken >= LEAST {
            self.patience = None;
        }
    }

    /// The client must be waited for, if it hasn't been for too long.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.patience.is_none() {
            self.taken = 0;
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(WITHIN)));
        patience.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// What came of writing some of what there is to write.
    fn wrote(
        &mut self,
        polled: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Pending => self.wait(context),
            Poll::Ready(Ok(bytes)) => {
                self.took(bytes);
                Poll::Ready(Ok(bytes))
            }
            failed => failed,
        }
    }

    /// What came of having all written.
    fn flushed(
        &mut self,
        polled: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if polled.is_pending() {
            return self.wait(context);
        }
        if !self.unwritten.written() {
            self.patience = None;
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.flushed(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.flushed(polled, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, timeout};

    /// How long a writer of so many bytes goes on while its reader takes in some every second, and
    /// whether it came to the end.
    async fn written(bytes: usize, every_second: usize) -> (Duration, io::Result<()>) {
        let (server, mut client) = duplex(16 << 10);
        let reading = tokio::spawn(async move {
            let mut read = vec![0; every_second];
            while client.read(&mut read).await.is_ok_and(|read| read > 0) {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let (mut paced, began) = (Paced::new(server, Arc::default()), Instant::now());
        let answer = vec![0; bytes];
        let written = async {
            paced.write_all(&answer).await?;
            paced.flush().await
        };
        let written = timeout(Duration::from_secs(3600), written).await.unwrap();
        reading.abort();
        (began.elapsed(), written)
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_in_a_byte_a_second_is_given_up_after_the_time() {
        let (took, written) = written(1 << 20, 1).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(took >= WITHIN && took < WITHIN * 2, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_in_enough_is_waited_for_however_long_the_answer_is() {
        let (took, written) = written(4 << 20, 16 << 10).await;
        written.unwrap();
        assert!(took > WITHIN * 8, "{took:?}");
    }
}

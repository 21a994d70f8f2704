//! The connection to a worker over two pipes, each with a thread that waits for it, since no wait on
//! a pipe ends by itself.

use super::super::frames::{self, Kind};
use super::super::patience::Patience;
use super::SLICE;
use crate::plugins::LARGEST_CALL;
use std::io;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};

/// The connection to a worker. Its threads end with the pipes, when the worker does.
pub(super) struct Connection {
    to_send: Sender<(Kind, Vec<u8>)>,
    sent: Receiver<io::Result<()>>,
    received: Receiver<io::Result<(Kind, Vec<u8>)>>,
}

impl Connection {
    pub(super) fn new(mut to: ChildStdin, mut from: ChildStdout) -> Connection {
        let (to_send, queue) = channel::<(Kind, Vec<u8>)>();
        let (answer, sent) = channel();
        std::thread::spawn(move || {
            for (kind, bytes) in queue {
                let written = frames::write(&mut to, kind, &bytes);
                // Nobody waits for this one to be sent.
                if kind != Kind::Cancel && answer.send(written).is_err() {
                    break;
                }
            }
        });
        // A worker that sends more than is read waits.
        let (found, received) = sync_channel(1);
        std::thread::spawn(move || {
            loop {
                let mut bytes = Vec::new();
                let frame = frames::read(&mut from, &mut bytes, LARGEST_CALL);
                let last = frame.is_err();
                if found.send(frame.map(|kind| (kind, bytes))).is_err() || last {
                    break;
                }
            }
        });
        Connection { to_send, sent, received }
    }

    /// How many threads the process has can't be told here.
    pub(super) fn threads(&self) -> Option<usize> {
        None
    }

    /// What was not asked for waits to be read.
    pub(super) fn is_quiet(&self) -> bool {
        true
    }

    pub(super) fn send(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        patience: &mut Patience<'_>,
    ) -> io::Result<()> {
        self.to_send.send((kind, bytes.to_vec())).map_err(|_| gone())?;
        loop {
            patience.check()?;
            match self.sent.recv_timeout(SLICE) {
                Ok(sent) => return sent,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }

    pub(super) fn receive(
        &mut self,
        bytes: &mut Vec<u8>,
        patience: &mut Patience<'_>,
    ) -> io::Result<Kind> {
        loop {
            patience.check()?;
            if patience.is_time_to_ask() {
                // It may be gone; then there is nothing to be received either.
                let _ = self.to_send.send((Kind::Cancel, Vec::new()));
            }
            match self.received.recv_timeout(SLICE) {
                Ok(frame) => {
                    let (kind, received) = frame?;
                    *bytes = received;
                    return Ok(kind);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

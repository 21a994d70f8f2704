//! The connection to a worker over a socket, on which no wait is longer than a slice of time.

use super::super::frames::{self, Kind, ReadAhead};
use super::super::patience::Patience;
use super::SLICE;
use super::system::ThreadCount;
use crate::plugins::LARGEST_CALL;
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

/// How many threads a worker may have; more would take them from the host.
const MOST_THREADS: usize = 256;

/// The connection to a worker.
pub(super) struct Connection {
    socket: UnixStream,
    ahead: ReadAhead,
    threads: ThreadCount,
}

impl Connection {
    /// Over a socket, to this process.
    pub(super) fn new(socket: UnixStream, process: u32) -> io::Result<Connection> {
        socket.set_read_timeout(Some(SLICE))?;
        socket.set_write_timeout(Some(SLICE))?;
        Ok(Connection { socket, ahead: ReadAhead::new(), threads: ThreadCount::of(process) })
    }

    /// How many threads the process has; `None` where that can't be told.
    pub(super) fn threads(&self) -> Option<usize> {
        self.threads.now()
    }

    /// Whether nothing came that was not asked for, as far as it was read.
    pub(super) fn is_quiet(&self) -> bool {
        self.ahead.is_empty()
    }

    pub(super) fn send(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        patience: &mut Patience<'_>,
    ) -> io::Result<()> {
        let mut watched = Watched { socket: &self.socket, threads: &self.threads, patience };
        frames::write(&mut watched, kind, bytes)
    }

    pub(super) fn receive(
        &mut self,
        bytes: &mut Vec<u8>,
        patience: &mut Patience<'_>,
    ) -> io::Result<Kind> {
        let watched = Watched { socket: &self.socket, threads: &self.threads, patience };
        frames::read(&mut self.ahead.then(watched), bytes, LARGEST_CALL)
    }
}

/// A worker's socket, on which nothing waits longer than its patience.
struct Watched<'a, 'b> {
    socket: &'a UnixStream,
    threads: &'a ThreadCount,
    patience: &'a mut Patience<'b>,
}

impl Watched<'_, '_> {
    /// A slice of time is over: an error if the worker has become too large.
    fn waited(&self) -> io::Result<()> {
        match self.threads.now() {
            Some(threads) if threads > MOST_THREADS => {
                Err(io::Error::other(format!("it had more than {MOST_THREADS} threads")))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            self.patience.check()?;
            if self.patience.is_time_to_ask() {
                let mut socket = self.socket;
                // It may be too busy to read this; then the end of the grace period ends it.
                let _ = frames::write(&mut socket, Kind::Cancel, b"");
            }
            match (&mut &*self.socket).read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.waited()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl Write for Watched<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            // Nobody may put a frame into another one, so it isn't asked to stop here.
            self.patience.check()?;
            match (&mut &*self.socket).write_vectored(pieces) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.waited()?,
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

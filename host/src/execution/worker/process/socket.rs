//! The connection to a worker over a socket, on which the host polls.

use super::super::frames::{self, Kind};
use super::super::patience::Patience;
use super::{SLICE, system};
use crate::plugins::LARGEST_CALL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

/// How many threads a worker may have; more would take them from the host.
const MOST_THREADS: usize = 256;

/// The connection to a worker.
pub(super) struct Connection {
    socket: UnixStream,
    process: u32,
}

impl Connection {
    /// Over a socket that doesn't block, to this process.
    pub(super) fn new(socket: UnixStream, process: u32) -> Connection {
        Connection { socket, process }
    }

    pub(super) fn send(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        patience: &mut Patience<'_>,
    ) -> io::Result<()> {
        let mut watched = Watched { socket: &self.socket, process: self.process, patience };
        frames::write(&mut watched, kind, bytes)
    }

    pub(super) fn receive(
        &mut self,
        bytes: &mut Vec<u8>,
        patience: &mut Patience<'_>,
    ) -> io::Result<Kind> {
        let mut watched = Watched { socket: &self.socket, process: self.process, patience };
        frames::read(&mut watched, bytes, LARGEST_CALL)
    }
}

/// A worker's socket, on which nothing waits longer than its patience.
struct Watched<'a, 'b> {
    socket: &'a UnixStream,
    process: u32,
    patience: &'a mut Patience<'b>,
}

impl Watched<'_, '_> {
    /// Waits for a slice of time; an error if the worker has become too large.
    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        let mut descriptors = [PollFd::new(self.socket, flags)];
        let slice = Timespec { tv_sec: 0, tv_nsec: i64::from(SLICE.subsec_nanos()) };
        // Whether it is ready or not, the caller tries again, and an interrupted wait is over too.
        let ready = poll(&mut descriptors, Some(&slice));
        if ready.is_ok_and(|ready| ready > 0) {
            return Ok(());
        }
        match system::threads(self.process) {
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
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::IN)?
                }
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
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(PollFlags::OUT)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

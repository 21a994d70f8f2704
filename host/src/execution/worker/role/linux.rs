//! A worker on Linux: it ends with its host, enters the sandbox, and talks over a socket.

use super::super::frames::{self, Kind, ReadAhead};
use super::super::protection::Sandbox;
use super::super::sandbox;
use super::{Beginning, NamedLibrary, Sealed};
use rustix::net::{RecvFlags, recv};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::env::ArgsOs;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

pub(super) use sandbox::limit_processor_time;

/// Takes what the host gave, and enters the sandbox; `None` if the host is gone already. The
/// arguments are the id of its process, how much of the sandbox there has to be, and the name of the
/// library, if there is one.
pub(super) fn begin(mut arguments: ArgsOs) -> io::Result<Option<Beginning>> {
    let host = arguments.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != host {
        // It died before it could be noticed.
        return Ok(None);
    }
    let (socket, descriptor) = take_descriptors()?;
    let demanded = Sandbox::of_argument(arguments.next());
    let name = arguments.next().map(PathBuf::from);
    let library =
        name.map(|name| NamedLibrary { sealed: Sealed::from_descriptor(descriptor), name });
    let file = library.as_ref().and_then(|library| library.sealed.file());
    let begun = sandbox::enter(file).map(|protection| (protection, library));
    Ok(Some(Beginning { line: Line { socket, ahead: ReadAhead::new() }, demanded, begun }))
}

/// Takes the socket and the library out of the places of the standard streams, and puts nothing in
/// their place.
fn take_descriptors() -> io::Result<(UnixStream, OwnedFd)> {
    let socket = rustix::stdio::stdin().try_clone_to_owned()?;
    let sealed = rustix::stdio::stderr().try_clone_to_owned()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    rustix::stdio::dup2_stderr(null.as_fd())?;
    Ok((UnixStream::from(socket), sealed))
}

/// The line to the host.
pub(super) struct Line {
    socket: UnixStream,
    ahead: ReadAhead,
}

impl Line {
    pub(super) fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<Kind> {
        frames::read(&mut self.ahead.then(&mut self.socket), bytes, usize::MAX)
    }

    pub(super) fn write(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        frames::write(&mut self.socket, kind, bytes)
    }

    /// Whether there is something to read.
    pub(super) fn has_something(&self) -> bool {
        let mut byte = [0; 1];
        !self.ahead.is_empty()
            || recv(&self.socket, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT).is_ok()
    }
}

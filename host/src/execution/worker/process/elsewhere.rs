//! How a worker is started on systems other than Linux: with a connection and the path of the
//! library's private copy. Without a sandbox: it may do what its user may.

use super::super::protection::Sandbox;
use super::super::role::ARGUMENT;
use super::Connection;
use crate::plugins::Sealed;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts a worker for a library, or for none.
pub(super) fn start(
    program: &Path,
    sandbox: Sandbox,
    library: Option<(&Sealed, &Path)>,
) -> io::Result<(Child, Connection)> {
    let mut command = Command::new(program);
    command.arg(ARGUMENT).arg(sandbox.word()).env_clear().stderr(Stdio::null());
    if let Some((sealed, name)) = library {
        command.arg(name).arg(sealed.path()).arg(sealed.digest());
    }
    connected(command)
}

// Ctrl-C in a terminal is the host's to hear, which then asks the command to stop: hence the groups.

#[cfg(unix)]
fn connected(mut command: Command) -> io::Result<(Child, Connection)> {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt;
    let (socket, workers) = UnixStream::pair()?;
    command.process_group(0).stdin(Stdio::from(OwnedFd::from(workers))).stdout(Stdio::null());
    let child = command.spawn()?;
    let connection = Connection::new(socket, child.id())?;
    Ok((child, connection))
}

#[cfg(windows)]
fn connected(mut command: Command) -> io::Result<(Child, Connection)> {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    /// Without it, the system doesn't find its own libraries.
    const SYSTEM_FOLDER: &str = "SystemRoot";
    if let Some(folder) = std::env::var_os(SYSTEM_FOLDER) {
        command.env(SYSTEM_FOLDER, folder);
    }
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(to), Some(from)) => Ok((child, Connection::new(to, from))),
        _ => Err(io::Error::other("it has no pipes")),
    }
}

/// How many threads a process has can't be told here.
#[cfg(unix)]
pub(super) struct ThreadCount;

#[cfg(unix)]
impl ThreadCount {
    pub(super) fn of(_process: u32) -> ThreadCount {
        ThreadCount
    }

    pub(super) fn now(&self) -> Option<usize> {
        None
    }
}

//! How a worker is started on systems other than Linux: with a connection and the path of the
//! library's private copy. Without a sandbox: it may do what its user may.

use super::super::role::ARGUMENT;
use super::Connection;
use crate::plugins::PluginFile;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts a worker for a library, or for none.
pub(super) fn start(program: &Path, file: Option<&PluginFile>) -> io::Result<(Child, Connection)> {
    let mut command = Command::new(program);
    command.arg(ARGUMENT).env_clear().stderr(Stdio::null());
    if let Some(file) = file {
        command.arg(file.path()).arg(file.sealed().path()).arg(file.digest());
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
    socket.set_nonblocking(true)?;
    let child = command.spawn()?;
    let process = child.id();
    Ok((child, Connection::new(socket, process)))
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
pub(super) fn threads(_process: u32) -> Option<usize> {
    None
}

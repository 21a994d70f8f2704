//! How a worker is started on Linux: with a socket, the library's sealed bytes and nothing else, to
//! end with this process.

use super::super::role::ARGUMENT;
use super::socket::Connection;
use crate::plugins::PluginFile;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Starts a worker for a library, or for none.
pub(super) fn start(program: &Path, file: Option<&PluginFile>) -> io::Result<(Child, Connection)> {
    let (socket, workers) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .arg(std::process::id().to_string())
        .env_clear()
        // Ctrl-C in a terminal is the host's to hear, which then asks the command to stop.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(workers)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(file) = file {
        // The library's bytes come in the place of standard error.
        command.arg(file.path()).stderr(Stdio::from(file.sealed().descriptor()?));
    }
    socket.set_nonblocking(true)?;
    let child = spawn_from_lasting_thread(command)?;
    let process = child.id();
    Ok((child, Connection::new(socket, process)))
}

/// How many threads a process has.
pub(super) fn threads(process: u32) -> Option<usize> {
    std::fs::read_dir(format!("/proc/{process}/task")).ok().map(Iterator::count)
}

type Spawned = io::Result<Child>;

/// Starts a process from a thread that lives as long as this process: a worker dies with the
/// thread that started it, as the kernel counts it.
fn spawn_from_lasting_thread(command: Command) -> Spawned {
    type Job = (Command, Sender<Spawned>);
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        std::thread::spawn(move || {
            for (mut command, answer) in queue {
                // Whoever asked may be gone; then the process is killed as it is dropped.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(jobs)
    });
    let gone = || io::Error::other("the thread that starts workers is gone");
    let (answer, answered) = channel();
    let jobs = spawner.lock().unwrap_or_else(PoisonError::into_inner).clone();
    jobs.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}

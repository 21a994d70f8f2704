//! How a worker is started on Linux: with a socket, the library's sealed bytes and nothing else, to
//! end with this process.

use super::super::protection::Sandbox;
use super::super::role::ARGUMENT;
use super::socket::Connection;
use crate::plugins::Sealed;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Starts a worker for a library, or for none.
pub(super) fn start(
    program: &Path,
    sandbox: Sandbox,
    library: Option<(&Sealed, &Path)>,
) -> io::Result<(Child, Connection)> {
    let (socket, workers) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command
        .arg(ARGUMENT)
        .arg(std::process::id().to_string())
        .arg(sandbox.word())
        .env_clear()
        // Ctrl-C in a terminal is the host's to hear, which then asks the command to stop.
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(workers)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some((sealed, name)) = library {
        // The library's bytes come in the place of standard error.
        command.arg(name).stderr(Stdio::from(sealed.descriptor()?));
    }
    let child = spawn_from_lasting_thread(command)?;
    let connection = Connection::new(socket, child.id())?;
    Ok((child, connection))
}

/// Tells how many threads a process has.
pub(super) struct ThreadCount {
    /// The folder that has one for each.
    folder: Option<File>,
}

impl ThreadCount {
    pub(super) fn of(process: u32) -> ThreadCount {
        ThreadCount { folder: File::open(format!("/proc/{process}/task")).ok() }
    }

    /// How many there are; `None` where that can't be told.
    pub(super) fn now(&self) -> Option<usize> {
        // The links of a folder: one from above, one from itself, one from each folder in it. To
        // read it would take three system calls. A process that is gone has none.
        let links = rustix::fs::fstat(self.folder.as_ref()?).ok()?.st_nlink;
        usize::try_from(links).ok()?.checked_sub(2).filter(|threads| *threads > 0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threads_of_a_process_are_counted() {
        let folder = std::fs::read_dir(format!("/proc/{}/task", std::process::id())).unwrap();
        // Other tests may begin and end some meanwhile.
        assert!(ThreadCount::of(std::process::id()).now().unwrap().abs_diff(folder.count()) < 9);
        let sleeping = || {
            let mut command = Command::new("sleep");
            command.arg("9").stdin(Stdio::null());
            command.spawn().unwrap()
        };
        let mut child = sleeping();
        let count = ThreadCount::of(child.id());
        assert_eq!(count.now(), Some(1));
        child.kill().and_then(|()| child.wait()).unwrap();
        assert_eq!(count.now(), None);
    }
}

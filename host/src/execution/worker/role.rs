//! What a worker process does: protect itself, open the library, and serve requests until the host
//! is gone.

use super::frames::{self, Kind};
use super::sandbox;
use crate::plugins::{HostServices, OpenLibrary, PluginError, Sealed};
use playdock_plugin_api::messages::{self, Reply};
use rustix::net::{RecvFlags, recv};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first argument of a program that is to be a worker.
pub(super) const ARGUMENT: &str = "__worker";

/// Serves as a worker if this process was started as one; `None` if it was not. A program that
/// embeds the host and names itself as its workers' program calls this first in its `main`.
pub fn serve() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let host = arguments.next().and_then(|pid| pid.to_str()?.parse().ok()).and_then(Pid::from_raw);
    let name = arguments.next().map(PathBuf::from).unwrap_or_default();
    // An error has no reader: the host that it would be told to is gone.
    Some(match run(host, &name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn run(host: Option<Pid>, name: &std::path::Path) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != host {
        // It died before it could be noticed.
        return Ok(());
    }
    let (mut socket, sealed) = take_descriptors()?;
    let protection = sandbox::enter();
    let library = protection.and_then(|protection| {
        let library = OpenLibrary::open(&Sealed::from_descriptor(sealed), name);
        library.map(|library| (library, protection)).map_err(|error| match error {
            // The host names the file itself.
            PluginError::NotLoaded { cause, .. } => cause,
            other => other.to_string(),
        })
    });
    match library {
        Ok((library, protection)) => {
            frames::write(&mut socket, Kind::Ready, protection.missing().as_bytes())?;
            serve_requests(socket, library)
        }
        Err(cause) => frames::write(&mut socket, Kind::NotReady, cause.as_bytes()),
    }
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

fn serve_requests(socket: UnixStream, library: OpenLibrary) -> io::Result<()> {
    let host = Arc::new(HostSide { socket: Mutex::new(socket), cancelled: AtomicBool::new(false) });
    let mut request = Vec::new();
    loop {
        let kind = frames::read(&mut *host.lock(), &mut request, usize::MAX);
        match kind {
            Ok(Kind::Request) => {}
            // It came after the response was on its way.
            Ok(Kind::Cancel) => continue,
            Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        host.cancelled.store(false, Ordering::Relaxed);
        sandbox::limit_processor_time();
        let invocation = Arc::new(Invocation { host: host.clone(), over: AtomicBool::new(false) });
        let response = library.invoke(&request, invocation.clone());
        let mut socket = host.lock();
        invocation.over.store(true, Ordering::Relaxed);
        frames::write(&mut *socket, Kind::Response, &response)?;
    }
}

/// The host, from the side of a command in the worker.
struct HostSide {
    socket: Mutex<UnixStream>,
    cancelled: AtomicBool,
}

impl HostSide {
    fn lock(&self) -> MutexGuard<'_, UnixStream> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process: without its host it has nothing to do.
    fn host_is_gone(&self) -> ! {
        std::process::exit(1)
    }
}

/// One request: what a thread that outlives it asks for is refused.
struct Invocation {
    host: Arc<HostSide>,
    over: AtomicBool,
}

impl HostServices for Invocation {
    fn call(&self, request: &[u8]) -> Vec<u8> {
        let mut socket = self.host.lock();
        // Looked at under the lock: the response goes out under it too.
        if self.over.load(Ordering::Relaxed) {
            let error = "The execution is over.".to_owned();
            return messages::write(&Reply::Failed { error });
        }
        if frames::write(&mut *socket, Kind::Call, request).is_err() {
            self.host.host_is_gone();
        }
        let mut reply = Vec::new();
        loop {
            match frames::read(&mut *socket, &mut reply, usize::MAX) {
                Ok(Kind::Reply) => return reply,
                Ok(Kind::Cancel) => self.host.cancelled.store(true, Ordering::Relaxed),
                _ => self.host.host_is_gone(),
            }
        }
    }

    fn log(&self, level: log::Level, target: &str, message: &str) {
        let mut record = vec![level as u8];
        record.extend(target.bytes().filter(|byte| *byte != 0));
        record.push(0);
        record.extend(message.as_bytes());
        let mut socket = self.host.lock();
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        if frames::write(&mut *socket, Kind::Log, &record).and_then(|()| socket.flush()).is_err() {
            self.host.host_is_gone();
        }
    }

    fn is_cancelled(&self) -> bool {
        if self.host.cancelled.load(Ordering::Relaxed) {
            return true;
        }
        // While no call is under way, the one thing that the host sends is that it is to stop.
        let Ok(socket) = self.host.socket.try_lock() else { return false };
        let mut byte = [0; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        recv(&*socket, &mut byte[..], flags).is_ok()
    }
}

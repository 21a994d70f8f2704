//! What a worker process does: protect itself, open the library, and serve requests until the host
//! is gone.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

use super::frames::Kind;
use super::protection::Protection;
use crate::plugins::{HostServices, OpenLibrary, PluginError, Sealed};
use playdock_plugin_api::messages::{self, Reply};
use std::env::ArgsOs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use system::Line;

/// The first argument of a program that is to be a worker.
pub(super) const ARGUMENT: &str = "__worker";

/// Serves as a worker if this process was started as one; `None` if it was not. A program that
/// embeds the host and names itself as its workers' program calls this first in its `main`.
pub fn serve() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    if arguments.nth(1)? != ARGUMENT {
        return None;
    }
    // An error has no reader: the host that it would be told to is gone.
    Some(match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// What a worker begins with.
struct Beginning {
    /// The line to the host.
    line: Line,
    /// Its protection and its library, or why it can't go on: a sentence.
    begun: Result<(Protection, Option<NamedLibrary>), String>,
}

/// A library, and the file that errors speak of.
struct NamedLibrary {
    sealed: Sealed,
    name: PathBuf,
}

fn run(arguments: ArgsOs) -> io::Result<()> {
    let Some(Beginning { mut line, begun }) = system::begin(arguments)? else {
        return Ok(());
    };
    let opened = begun.and_then(|(protection, library)| {
        let open = |library: NamedLibrary| OpenLibrary::open(&library.sealed, &library.name);
        let library = library.map(open).transpose().map_err(|error| match error {
            // The host names the file itself.
            PluginError::NotLoaded { cause, .. } => cause,
            other => other.to_string(),
        })?;
        Ok((protection, library))
    });
    match opened {
        Ok((protection, library)) => {
            line.write(Kind::Ready, protection.missing().as_bytes())?;
            match library {
                Some(library) => serve_requests(line, library),
                // It was to say what protects the host, and no more.
                None => Ok(()),
            }
        }
        Err(cause) => line.write(Kind::NotReady, cause.as_bytes()),
    }
}

fn serve_requests(line: Line, library: OpenLibrary) -> io::Result<()> {
    let host = Arc::new(HostSide { line: Mutex::new(line), cancelled: AtomicBool::new(false) });
    let mut request = Vec::new();
    loop {
        let kind = host.lock().read(&mut request);
        match kind {
            Ok(Kind::Request) => {}
            // It came after the response was on its way.
            Ok(Kind::Cancel) => continue,
            Ok(_) => return Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        host.cancelled.store(false, Ordering::Relaxed);
        system::limit_processor_time();
        let invocation = Arc::new(Invocation { host: host.clone(), over: AtomicBool::new(false) });
        let response = library.invoke(&request, invocation.clone());
        let mut line = host.lock();
        invocation.over.store(true, Ordering::Relaxed);
        line.write(Kind::Response, &response)?;
    }
}

/// The host, from the side of a command in the worker.
struct HostSide {
    line: Mutex<Line>,
    cancelled: AtomicBool,
}

impl HostSide {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut line = self.host.lock();
        // Looked at under the lock: the response goes out under it too.
        if self.over.load(Ordering::Relaxed) {
            let error = "The execution is over.".to_owned();
            return messages::write(&Reply::Failed { error });
        }
        if line.write(Kind::Call, request).is_err() {
            self.host.host_is_gone();
        }
        let mut reply = Vec::new();
        loop {
            match line.read(&mut reply) {
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
        let mut line = self.host.lock();
        if self.over.load(Ordering::Relaxed) {
            return;
        }
        if line.write(Kind::Log, &record).is_err() {
            self.host.host_is_gone();
        }
    }

    fn is_cancelled(&self) -> bool {
        if self.host.cancelled.load(Ordering::Relaxed) {
            return true;
        }
        // While no call is under way, the one thing that the host sends is that it is to stop.
        self.host.line.try_lock().is_ok_and(|line| line.has_something())
    }
}

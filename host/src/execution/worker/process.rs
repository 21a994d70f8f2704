//! One worker process, from the side of the host.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod pipes;
#[cfg(unix)]
mod socket;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(windows)]
use pipes::Connection;
#[cfg(unix)]
use socket::Connection;

use super::exit_words;
use super::frames::Kind;
use super::patience::Patience;
use super::protection::Protection;
use crate::execution::executor::{NoResponse, Watch};
use crate::plugins::{HostServices, PluginError, PluginFile};
use std::io;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// How long the host waits for a frame before it looks whether the execution is to stop.
const SLICE: Duration = Duration::from_millis(20);
/// How long a worker may take to open its library.
const TIME_TO_OPEN: Duration = Duration::from_secs(10);

/// A worker process; dropping it kills it.
pub(super) struct Worker {
    child: Child,
    connection: Connection,
    buffer: Vec<u8>,
    /// How many threads it had when it was ready.
    threads: Option<usize>,
}

impl Worker {
    /// Starts a worker, which opens the library.
    pub(super) fn start(
        program: &Path,
        file: &PluginFile,
        watch: &Watch,
    ) -> Result<Worker, NoResponse> {
        let not_started = |cause: String| {
            NoResponse::NotStarted(PluginError::NotLoaded { path: file.path().to_owned(), cause })
        };
        let mut worker = Worker::spawn(program, Some(file)).map_err(|error| {
            not_started(format!("no worker could be started from {}: {error}", program.display()))
        })?;
        let opening = Watch {
            deadline: (Instant::now() + TIME_TO_OPEN).min(watch.deadline),
            cancellation: watch.cancellation.clone(),
        };
        let received = worker.receive(&mut Patience::new(&opening)).map_err(|error| match error {
            NoResponse::Killed if !watch.is_over() => {
                not_started(format!("it took longer than {} s to open", TIME_TO_OPEN.as_secs()))
            }
            other => other,
        });
        match received? {
            Kind::Ready => {
                worker.protection().note();
                worker.threads = system::threads(worker.child.id());
                Ok(worker)
            }
            Kind::NotReady => {
                Err(not_started(String::from_utf8_lossy(&worker.buffer).into_owned()))
            }
            _ => Err(out_of_turn()),
        }
    }

    /// Starts a worker without a library, to see how far it can protect the host.
    pub(super) fn probe(program: &Path, watch: &Watch) -> Result<Protection, String> {
        let mut worker = Worker::spawn(program, None).map_err(|error| error.to_string())?;
        match worker.receive(&mut Patience::new(watch)) {
            Ok(Kind::Ready) => Ok(worker.protection()),
            Ok(Kind::NotReady) => Err(String::from_utf8_lossy(&worker.buffer).into_owned()),
            Ok(_) => Err("it spoke out of turn".to_owned()),
            Err(NoResponse::Ended(cause)) => Err(cause),
            Err(_) => Err("it took too long".to_owned()),
        }
    }

    fn spawn(program: &Path, file: Option<&PluginFile>) -> io::Result<Worker> {
        let (child, connection) = system::start(program, file)?;
        Ok(Worker { child, connection, buffer: Vec::new(), threads: None })
    }

    /// What it said when it was ready.
    fn protection(&self) -> Protection {
        Protection::read(&String::from_utf8_lossy(&self.buffer))
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it is as it was when it was ready: a command may have left a thread behind. Where
    /// that can't be told, it may have.
    pub(super) fn is_as_before(&self) -> bool {
        let now = system::threads(self.child.id());
        now.zip(self.threads).is_some_and(|(now, before)| now <= before)
    }

    /// Hands a request to the library, answers its calls, and returns its response.
    pub(super) fn invoke(
        &mut self,
        request: &[u8],
        services: &dyn HostServices,
        watch: &Watch,
    ) -> Result<Vec<u8>, NoResponse> {
        let mut patience = Patience::new(watch);
        self.send(Kind::Request, request, &mut patience)?;
        loop {
            match self.receive(&mut patience)? {
                Kind::Call => {
                    let began = Instant::now();
                    let reply = services.call(&self.buffer);
                    patience.host_took(began);
                    self.send(Kind::Reply, &reply, &mut patience)?;
                }
                Kind::Log => log(services, &self.buffer),
                Kind::Response => return Ok(std::mem::take(&mut self.buffer)),
                _ => return Err(out_of_turn()),
            }
        }
    }

    fn send(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        patience: &mut Patience<'_>,
    ) -> Result<(), NoResponse> {
        self.connection.send(kind, bytes, patience).map_err(|error| self.why(&error))
    }

    fn receive(&mut self, patience: &mut Patience<'_>) -> Result<Kind, NoResponse> {
        let received = self.connection.receive(&mut self.buffer, patience);
        received.map_err(|error| self.why(&error))
    }

    /// Why a frame did not go through.
    fn why(&mut self, error: &io::Error) -> NoResponse {
        match error.kind() {
            io::ErrorKind::TimedOut => NoResponse::Killed,
            io::ErrorKind::Other => NoResponse::Ended(error.to_string()),
            _ => self.why_it_ended(),
        }
    }

    /// What became of a process that no longer answers.
    fn why_it_ended(&mut self) -> NoResponse {
        let end = Instant::now() + Duration::from_millis(500);
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait() {
                return NoResponse::Ended(exit_words::describe(status));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        NoResponse::Ended("it closed its connection".to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only if it has ended already; waiting leaves no dead process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn out_of_turn() -> NoResponse {
    NoResponse::Ended("it spoke out of turn".to_owned())
}

/// Hands a record on to the log.
fn log(services: &dyn HostServices, record: &[u8]) {
    let Some((level, rest)) = record.split_first() else { return };
    let (target, message) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(0));
    let level = log::Level::iter().find(|known| *known as u8 == *level);
    let target = String::from_utf8_lossy(target);
    let message = String::from_utf8_lossy(message.strip_prefix(&[0]).unwrap_or(message));
    services.log(level.unwrap_or(log::Level::Trace), &target, &message);
}

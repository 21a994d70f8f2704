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
use super::protection::{Protection, Sandbox};
use crate::execution::executor::{NoResponse, Watch};
use crate::plugins::{HostServices, KeptFile, PluginError, Sealed};
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
    /// Starts a worker, which opens the library. `name` is the file that errors speak of.
    pub(super) fn start(
        program: &Path,
        sealed: &Sealed,
        name: &Path,
        watch: &Watch,
    ) -> Result<Worker, NoResponse> {
        let sandbox = Sandbox::AsFarAsItGoes;
        let (worker, protection) = Worker::begin(program, (sealed, name), sandbox, watch)?;
        protection.note();
        Ok(worker)
    }

    /// Starts a worker, which opens the library if its sandbox lacks nothing; else says what it
    /// lacks.
    pub(super) fn start_in_whole_sandbox(
        program: &Path,
        file: &KeptFile,
        watch: &Watch,
    ) -> Result<Result<Worker, Protection>, NoResponse> {
        let library = (file.sealed(), file.inspected().path());
        let (worker, protection) = Worker::begin(program, library, Sandbox::Whole, watch)?;
        Ok(if protection.is_whole() { Ok(worker) } else { Err(protection) })
    }

    fn begin(
        program: &Path,
        (sealed, name): (&Sealed, &Path),
        sandbox: Sandbox,
        watch: &Watch,
    ) -> Result<(Worker, Protection), NoResponse> {
        let not_started = |cause: String| {
            NoResponse::NotStarted(PluginError::NotLoaded { path: name.to_owned(), cause })
        };
        let mut worker =
            Worker::spawn(program, sandbox, Some((sealed, name))).map_err(|error| {
                not_started(format!(
                    "no worker could be started from {}: {error}",
                    program.display()
                ))
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
                let protection = worker.protection();
                worker.threads = worker.connection.threads();
                Ok((worker, protection))
            }
            Kind::NotReady => {
                Err(not_started(String::from_utf8_lossy(&worker.buffer).into_owned()))
            }
            _ => Err(out_of_turn()),
        }
    }

    /// Starts a worker without a library, to see how far it can protect the host.
    pub(super) fn probe(program: &Path, watch: &Watch) -> Result<Protection, String> {
        let mut worker = Worker::spawn(program, Sandbox::AsFarAsItGoes, None)
            .map_err(|error| error.to_string())?;
        match worker.receive(&mut Patience::new(watch)) {
            Ok(Kind::Ready) => Ok(worker.protection()),
            Ok(Kind::NotReady) => Err(String::from_utf8_lossy(&worker.buffer).into_owned()),
            Ok(_) => Err("it spoke out of turn".to_owned()),
            Err(NoResponse::Ended(cause)) => Err(cause),
            Err(_) => Err("it took too long".to_owned()),
        }
    }

    fn spawn(
        program: &Path,
        sandbox: Sandbox,
        library: Option<(&Sealed, &Path)>,
    ) -> io::Result<Worker> {
        let (child, connection) = system::start(program, sandbox, library)?;
        Ok(Worker { child, connection, buffer: Vec::new(), threads: None })
    }

    /// What it said when it was ready.
    fn protection(&self) -> Protection {
        Protection::read(&String::from_utf8_lossy(&self.buffer))
    }

    /// The id of the process.
    #[cfg(target_os = "linux")]
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it said nothing that it was not asked for, as far as that was read.
    pub(super) fn is_quiet(&self) -> bool {
        self.connection.is_quiet()
    }

    /// Whether the command left threads behind that weren't there when it was ready; `None` where
    /// that can't be told.
    pub(super) fn has_threads_left(&self) -> Option<bool> {
        let now = self.connection.threads();
        now.zip(self.threads).map(|(now, before)| now > before)
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

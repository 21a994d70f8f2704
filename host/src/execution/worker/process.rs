//! One worker process, from the side of the host.

use super::frames::{self, Kind};
use super::sandbox::Protection;
use crate::execution::executor::{GRACE, NoResponse, Watch};
use crate::plugins::{HostServices, LARGEST_CALL, PluginError, PluginFile};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long the host waits for a frame before it looks whether the execution is to stop.
const SLICE: Duration = Duration::from_millis(20);
/// How long a worker may take to open its library.
const TIME_TO_OPEN: Duration = Duration::from_secs(10);
/// How many threads a worker may have; more would take them from the host.
const MOST_THREADS: usize = 256;

/// A worker process; dropping it kills it.
pub(super) struct Worker {
    child: Child,
    socket: UnixStream,
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
        let spawned = UnixStream::pair().and_then(|(socket, workers)| {
            let mut command = Command::new(program);
            command
                .arg(super::role::ARGUMENT)
                .arg(std::process::id().to_string())
                .arg(file.path())
                .env_clear()
                // Ctrl-C in a terminal is the host's to hear, which then asks the command to stop.
                .process_group(0)
                .stdin(Stdio::from(OwnedFd::from(workers)))
                .stdout(Stdio::null())
                // The library's bytes come in the place of standard error.
                .stderr(Stdio::from(file.sealed().descriptor()?));
            socket.set_nonblocking(true)?;
            let child = spawn_from_lasting_thread(command)?;
            Ok(Worker { child, socket, buffer: Vec::new(), threads: None })
        });
        let mut worker = spawned.map_err(|error| {
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
                Protection::note(&String::from_utf8_lossy(&worker.buffer));
                worker.threads = threads(worker.child.id());
                Ok(worker)
            }
            Kind::NotReady => {
                Err(not_started(String::from_utf8_lossy(&worker.buffer).into_owned()))
            }
            _ => Err(out_of_turn()),
        }
    }

    /// Whether the process still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it is as it was when it was ready: a command may have left a thread behind.
    pub(super) fn is_as_before(&self) -> bool {
        let now = threads(self.child.id());
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
        let mut watched = Watched { socket: &self.socket, process: self.child.id(), patience };
        frames::write(&mut watched, kind, bytes).map_err(|error| self.why(&error))
    }

    fn receive(&mut self, patience: &mut Patience<'_>) -> Result<Kind, NoResponse> {
        let mut watched = Watched { socket: &self.socket, process: self.child.id(), patience };
        frames::read(&mut watched, &mut self.buffer, LARGEST_CALL).map_err(|error| self.why(&error))
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
                return NoResponse::Ended(describe(status));
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

/// How many threads a process has.
fn threads(process: u32) -> Option<usize> {
    std::fs::read_dir(format!("/proc/{process}/task")).ok().map(Iterator::count)
}

fn out_of_turn() -> NoResponse {
    NoResponse::Ended("it spoke out of turn".to_owned())
}

/// How long the host goes on waiting for a worker: until the execution is to stop, and then for a
/// grace period, in which the time that the host itself takes doesn't count.
struct Patience<'a> {
    watch: &'a Watch,
    /// Since when the execution is to stop.
    over: Option<Instant>,
    /// Whether the worker was told.
    asked: bool,
    host_time: Duration,
}

impl<'a> Patience<'a> {
    fn new(watch: &'a Watch) -> Patience<'a> {
        Patience { watch, over: None, asked: false, host_time: Duration::ZERO }
    }

    /// The host was busy itself since then; a worker must not pay for that.
    fn host_took(&mut self, since: Instant) {
        match self.over {
            Some(_) => self.host_time += since.elapsed(),
            None if self.watch.is_over() => self.over = Some(Instant::now()),
            None => {}
        }
    }

    /// Asks the worker to stop, once, when it is time; an error when patience is over.
    fn check(&mut self, socket: &UnixStream, may_ask: bool) -> io::Result<()> {
        if self.over.is_none() && self.watch.is_over() {
            self.over = Some(Instant::now());
        }
        let Some(over) = self.over else { return Ok(()) };
        // Nobody may put a frame into another one.
        if may_ask && !self.asked {
            self.asked = true;
            let mut socket = socket;
            // It may be too busy to read this; then the end of the grace period ends it.
            let _ = frames::write(&mut socket, Kind::Cancel, b"");
        }
        match over.elapsed().saturating_sub(self.host_time) >= GRACE {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
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
        match threads(self.process) {
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
            self.patience.check(self.socket, true)?;
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
            self.patience.check(self.socket, false)?;
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

/// How a process ended, in words.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended its process with exit code {code}"),
        (None, Some(4)) => "it crashed (illegal instruction)".to_owned(),
        (None, Some(6)) => "it aborted, for want of memory perhaps".to_owned(),
        (None, Some(7)) => "it crashed (bus error)".to_owned(),
        (None, Some(8)) => "it crashed (arithmetic error)".to_owned(),
        (None, Some(9)) => "its process was killed".to_owned(),
        (None, Some(11)) => "it crashed (segmentation fault, or a stack overflow)".to_owned(),
        (None, Some(24)) => "it used up its processor time".to_owned(),
        (None, Some(31)) => "it made a forbidden system call".to_owned(),
        (None, Some(signal)) => format!("its process was ended by signal {signal}"),
        (None, None) => "its process ended".to_owned(),
    }
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

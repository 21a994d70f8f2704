//! What a case has at hand: the library where it is to run, and its process to look at.

use super::catalogue::STANDARD_OUTPUT;
use super::messages::{Job, Place};
use super::subject::{InProcess, InWorker, Notes};
use crate::execution::enter_sandbox;
use crate::plugins::{OpenLibrary, Sealed};
use once_cell::sync::OnceCell;
use playdock_plugin_api::testing::conformance::{Subject, Trial, Unmet};
use rustix::pipe::{PipeFlags, pipe_with};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Mutex;

/// How many copies of the library are loaded at once.
const COPIES: usize = 4;

/// What a case has at hand.
pub(super) struct Bench {
    pub(super) job: Job,
    library: At,
    notes: Notes,
}

/// Where the library runs.
enum At {
    /// Here, in the sandbox: nothing can be opened any more but what is here.
    Here {
        /// Copies of the library, each a library of its own to the system's loader.
        copies: Vec<PathBuf>,
        /// This process, as the system sees it.
        status: Mutex<File>,
        /// What comes out of this process's standard output, where a case looks at that.
        output: Option<OwnedFd>,
        open: OnceCell<InProcess>,
    },
    Worker(InWorker),
}

impl Bench {
    /// Makes ready for a case; from here on this process is in the sandbox, if the library's code
    /// is to run in it. Says which parts of the sandbox the kernel lacks.
    pub(super) fn prepare(job: Job, sealed: Sealed, notes: Notes) -> io::Result<(Bench, String)> {
        if job.place == Place::Worker {
            let worker = InWorker {
                program: std::env::current_exe()?,
                sealed,
                file: job.file.clone(),
                worker: Mutex::new(None),
                notes: notes.clone(),
            };
            return Ok((Bench { job, library: At::Worker(worker), notes }, String::new()));
        }
        let mut copies = vec![sealed.path_for_good()?];
        if !job.case.starts_with("loads-") {
            copies.truncate(1);
        } else {
            for _ in 1..COPIES {
                copies.push(sealed.another().map_err(io::Error::other)?.path_for_good()?);
            }
        }
        let status = Mutex::new(File::open("/proc/self/status")?);
        let output = (job.case == STANDARD_OUTPUT).then(own_output).transpose()?;
        let protection = enter_sandbox(sealed.file()).map_err(io::Error::other)?;
        let library = At::Here { copies, status, output, open: OnceCell::new() };
        Ok((Bench { job, library, notes }, protection.missing()))
    }

    /// The library, open.
    pub(super) fn subject(&self) -> Result<&dyn Subject, Unmet> {
        let opened = match &self.library {
            At::Here { open, .. } => {
                let opened = open.get_or_try_init(|| {
                    let library = self.open_copy(0)?;
                    Ok(InProcess { library, notes: self.notes.clone() })
                });
                opened.map(|it| it as &dyn Subject)
            }
            At::Worker(worker) => worker.with(|_| Ok(())).map(|()| worker as &dyn Subject),
        };
        opened.map_err(|cause: String| Unmet::failed("a library that loads", cause))
    }

    /// The command that the case is asked of.
    pub(super) fn trial(&self) -> Result<Trial<'_>, Unmet> {
        Trial::of(self.subject()?, &self.job.command, self.job.amount.effort)
    }

    /// Opens one of the copies, in this process.
    pub(super) fn open_copy(&self, index: usize) -> Result<OpenLibrary, String> {
        let At::Here { copies, .. } = &self.library else {
            return Err("it is in a worker".to_owned());
        };
        OpenLibrary::open_at(&copies[index % copies.len()], &self.job.file).map_err(|error| {
            match error {
                crate::plugins::PluginError::NotLoaded { cause, .. } => cause,
                other => other.to_string(),
            }
        })
    }

    /// How many threads the library's process has, and how much memory in KiB.
    pub(super) fn threads_and_memory(&self) -> Result<(u64, u64), Unmet> {
        let mut text = String::new();
        let read = match &self.library {
            At::Here { status, .. } => {
                let mut status = status.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                status.rewind().and_then(|()| status.read_to_string(&mut text)).map(|_| ())
            }
            At::Worker(worker) => {
                let process = worker.with(|worker| Ok(worker.process()));
                let process = process.map_err(|cause| Unmet::failed("a worker", cause))?;
                std::fs::read_to_string(format!("/proc/{process}/status")).map(|said| text = said)
            }
        };
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        match (read, number("Threads:"), number("VmRSS:")) {
            (Ok(()), Some(threads), Some(memory)) => Ok((threads, memory)),
            _ => {
                Err(Unmet::skipped("The system doesn't tell the threads and memory of a process."))
            }
        }
    }

    /// What came out of this process's standard output so far.
    pub(super) fn output(&self) -> String {
        let At::Here { output: Some(output), .. } = &self.library else {
            return String::new();
        };
        let mut bytes = [0; 256];
        // Where there is nothing, reading fails at once.
        let read = rustix::io::read(output, &mut bytes).unwrap_or_default();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }
}

/// Puts a pipe in the place of this process's standard output.
fn own_output() -> io::Result<OwnedFd> {
    let (output, input) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    rustix::stdio::dup2_stdout(input.as_fd())?;
    Ok(output)
}

//! The process of a case: the program in a hidden role. It gets a job on its standard input, the
//! library in the place of standard error, and says there what comes of it.

use super::bench::Bench;
use super::catalogue::catalogue;
use super::messages::{Job, Said};
use crate::plugins::Sealed;
use playdock_plugin_api::testing::conformance::Unmet;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// The first argument of a program that is to try a case.
pub(super) const ARGUMENT: &str = "__check";

/// Tries a case if this process was started for one; `None` if it was not.
pub(crate) fn serve() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let runner = arguments.next().and_then(|pid| pid.to_str()?.parse().ok());
    // An error has no reader but the runner, which notices that there is no verdict.
    Some(match serve_runner(runner.and_then(Pid::from_raw)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn serve_runner(runner: Option<Pid>) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() != runner {
        // It died before it could be noticed.
        return Ok(());
    }
    let socket = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let sealed = Sealed::from_descriptor(rustix::stdio::stderr().try_clone_to_owned()?);
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    rustix::stdio::dup2_stderr(null.as_fd())?;
    drop(null);
    let mut line = String::new();
    BufReader::new(&socket).read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;
    let socket = Arc::new(Mutex::new(socket));
    let cases = catalogue();
    let case = cases.iter().find(|case| case.id == job.case).ok_or(io::ErrorKind::NotFound)?;
    let notes = {
        let socket = socket.clone();
        // Where the runner is gone, this process is about to end.
        Arc::new(move |input: &str| drop(say(&socket, &Said::Asking(input.to_owned()))))
    };
    let verdict = match Bench::prepare(job, sealed, notes) {
        Ok((bench, missing)) => {
            for part in missing.lines() {
                say(&socket, &Said::Unprotected(part.to_owned()))?;
            }
            case.run(&bench)
        }
        // Where it can't be tried it hasn't passed.
        Err(error) => Unmet::failed("a process in its sandbox", error.to_string()).into(),
    };
    say(&socket, &Said::Ended(verdict))
}

fn say(socket: &Mutex<UnixStream>, said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    socket.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
}

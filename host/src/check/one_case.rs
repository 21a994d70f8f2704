//! One case from the side of the runner: its process, and its time limit.

use super::case_process::ARGUMENT;
use super::messages::{Job, Said};
use crate::execution::how_it_ended;
use crate::plugins::Sealed;
use playdock_plugin_api::testing::conformance::{Finding, Verdict};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest message that the process of a case may send; the code that is checked could send
/// any, and fills no more than this.
const LONGEST_MESSAGE: usize = 1 << 20;

/// How long a process that says nothing more may take to end.
const TIME_TO_END: Duration = Duration::from_millis(500);
/// How many parts of the sandbox there are at most.
const MOST_PARTS: usize = 10;

/// A process of a case; dropping it kills its whole group.
struct CaseProcess {
    child: Child,
    id: Pid,
    waited: bool,
    socket: UnixStream,
}

impl CaseProcess {
    /// What became of a process that says nothing more.
    fn why_it_ended(&mut self) -> String {
        let end = Instant::now() + TIME_TO_END;
        // It is only looked at: its id must stay its own until its group is killed.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while !waitid(WaitId::Pid(self.id), look).is_ok_and(|ended| ended.is_some()) {
            if Instant::now() > end {
                return "it closed the connection of the check".to_owned();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = kill_process_group(self.id, Signal::KILL);
        self.waited = true;
        self.child.wait().map_or_else(|error| error.to_string(), how_it_ended)
    }
}

impl Drop for CaseProcess {
    fn drop(&mut self) {
        // Its id is its own until it is waited for. Workers end with whoever started them.
        if !self.waited {
            let _ = kill_process_group(self.id, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Tries a case in a process of its own, which is killed with its group after `limit`. Says which
/// parts of the sandbox the kernel lacks.
pub(super) fn run(job: &Job, sealed: &Sealed, limit: Duration) -> (Verdict, Vec<String>) {
    let mut asking = String::new();
    let mut unprotected = Vec::new();
    let failed = |expected: String, happened: String, input: String| {
        Verdict::Failed(Finding { expected, happened, input })
    };
    let mut process = match start(job, sealed) {
        Ok(process) => process,
        Err(error) => {
            let expected = "a process for the case".to_owned();
            return (failed(expected, error.to_string(), String::new()), unprotected);
        }
    };
    let deadline = Instant::now() + limit;
    let mut received = Vec::new();
    let verdict = loop {
        match next_message(&process.socket, &mut received, deadline) {
            Ok(Some(Said::Asking(input))) => asking = input,
            Ok(Some(Said::Unprotected(part))) if unprotected.len() < MOST_PARTS => {
                unprotected.push(part);
            }
            Ok(Some(Said::Unprotected(_))) => {}
            Ok(Some(Said::Ended(verdict))) => break verdict,
            Ok(None) => {
                let expected = "a process that goes on".to_owned();
                break failed(expected, process.why_it_ended(), asking);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                let expected = format!("an end within {} s", limit.as_secs_f64());
                break failed(expected, "it went on, and was killed".to_owned(), asking);
            }
            Err(_) => {
                let happened = "its process wrote on the connection of the check".to_owned();
                break failed("nothing but answers".to_owned(), happened, asking);
            }
        }
    };
    (verdict, unprotected)
}

fn start(job: &Job, sealed: &Sealed) -> io::Result<CaseProcess> {
    let (socket, theirs) = UnixStream::pair()?;
    let child = Command::new(std::env::current_exe()?)
        .arg(ARGUMENT)
        .arg(std::process::id().to_string())
        .env_clear()
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::from(sealed.descriptor()?))
        .spawn()?;
    let id = Pid::from_child(&child);
    let mut process = CaseProcess { child, id, waited: false, socket };
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    process.socket.write_all(&line)?;
    Ok(process)
}

/// The next message, before the deadline; `None` at the end.
fn next_message(
    mut socket: &UnixStream,
    received: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<Option<Said>> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        if let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = received.drain(..=end).collect();
            return Ok(Some(serde_json::from_slice(&line)?));
        }
        if received.len() > LONGEST_MESSAGE {
            return Err(ErrorKind::InvalidData.into());
        }
        socket.set_read_timeout(Some(left))?;
        let mut bytes = [0; 4096];
        match socket.read(&mut bytes) {
            Ok(0) => return Ok(None),
            Ok(read) => received.extend_from_slice(&bytes[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A process that was killed while it had not read all that it was sent.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

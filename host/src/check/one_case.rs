//! One case from the side of the runner: its process, and its time limit.

use super::case_process::ARGUMENT;
use super::messages::{Job, Said};
use crate::execution::how_it_ended;
use crate::plugins::Sealed;
use playdock_plugin_api::testing::conformance::{Finding, Verdict};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest message that the process of a case may send; the code that is checked could send
/// any, and fills no more than this.
const LONGEST_MESSAGE: usize = 1 << 20;

/// A process of a case; dropping it kills its whole group.
struct CaseProcess {
    child: Child,
    socket: UnixStream,
}

impl Drop for CaseProcess {
    fn drop(&mut self) {
        // It leads its group, which lasts until it is waited for; workers end with whoever
        // started them.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
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
            Ok(Some(Said::Unprotected(part))) => unprotected.push(part),
            Ok(Some(Said::Ended(verdict))) => break verdict,
            Ok(None) => {
                let ended = process.child.wait().map_or_else(|it| it.to_string(), how_it_ended);
                break failed("a process that goes on".to_owned(), ended, asking);
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
    let (mut socket, theirs) = UnixStream::pair()?;
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    // It fits into the socket's buffer.
    socket.write_all(&line)?;
    let child = Command::new(std::env::current_exe()?)
        .arg(ARGUMENT)
        .arg(std::process::id().to_string())
        .env_clear()
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::from(sealed.descriptor()?))
        .spawn()?;
    Ok(CaseProcess { child, socket })
}

/// The next message, before the deadline; `None` at the end.
fn next_message(
    mut socket: &UnixStream,
    received: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<Option<Said>> {
    loop {
        if let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = received.drain(..=end).collect();
            return Ok(Some(serde_json::from_slice(&line)?));
        }
        if received.len() > LONGEST_MESSAGE {
            return Err(ErrorKind::InvalidData.into());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        // Zero would mean to wait for ever.
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
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

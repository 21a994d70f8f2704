//! This program in two other roles: one that sends back what it gets, which is what a bare pipe
//! costs, and one that does a command's work on an empty list and ends, which is what a process
//! for each call costs at least.

use crate::calls;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How many bytes go to and fro.
const BYTES: usize = 64;

const ECHO: &str = "__echo";
const CALL: &str = "__call";

/// Serves in one of the roles, if this process was started for one.
pub(crate) fn serve() -> bool {
    match std::env::args().nth(1).as_deref() {
        Some(ECHO) => echo(),
        Some(CALL) => call(),
        _ => return false,
    }
    true
}

fn echo() {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut bytes = [0; BYTES];
    while input.read_exact(&mut bytes).is_ok() {
        output.write_all(&bytes).and_then(|()| output.flush()).unwrap();
    }
}

fn call() {
    let mut request = Vec::new();
    std::io::stdin().lock().read_to_end(&mut request).unwrap();
    std::io::stdout().lock().write_all(&calls::close_nothing(&request, &calls::reply)).unwrap();
}

/// A process at the other end of two pipes, which sends back what it gets.
pub(crate) struct Echo {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Echo {
    pub(crate) fn start() -> Echo {
        let mut child = this_program(ECHO).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Echo { child, input, output }
    }

    /// Sends bytes there and waits until they are back.
    pub(crate) fn round_trip(&mut self) {
        let mut bytes = [7; BYTES];
        self.input.write_all(&bytes).unwrap();
        self.output.read_exact(&mut bytes).unwrap();
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}

/// Starts a process for one request, and waits for its response.
pub(crate) fn call_in_a_process_of_its_own(request: &[u8]) -> Vec<u8> {
    let mut child = this_program(CALL).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn this_program(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(role).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

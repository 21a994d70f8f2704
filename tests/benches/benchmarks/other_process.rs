//! This program in three other roles: one that sends back what it gets, which is what a bare pipe
//! costs; one that does a command's work on an empty list and ends, which is what a process
//! for each call costs at least; and a bare server, which parses requests and says the same to all.

use crate::calls;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// How many bytes go to and fro.
const BYTES: usize = 64;

const ECHO: &str = "__echo";
const CALL: &str = "__call";
const SERVE: &str = "__serve";

/// Serves in one of the roles, if this process was started for one.
pub(crate) fn serve() -> bool {
    match std::env::args().nth(1).as_deref() {
        Some(ECHO) => echo(),
        Some(CALL) => call(),
        Some(SERVE) => serve_bare(std::env::args().nth(2).unwrap()),
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
    std::io::stdout().lock().write_all(&calls::close_nothing(&request)).unwrap();
}

/// A request, as far as it must be read to be answered.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    username: String,
    site: String,
    command_params: serde_json::Map<String, serde_json::Value>,
}

#[tokio::main]
async fn serve_bare(answer: String) {
    let said = move |body: Bytes| async move {
        let asked: Asked = serde_json::from_slice(&body).unwrap();
        assert!(!asked.username.is_empty() && !asked.site.is_empty());
        assert!(!asked.command_params.is_empty());
        ([(CONTENT_TYPE, "application/json")], answer)
    };
    let routes = Router::new().fallback(said);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let routes = routes.clone();
        let answer = service_fn(move |request| routes.clone().oneshot(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// A bare server.
pub(crate) struct Bare {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Bare {
    /// One that says this to every request.
    pub(crate) fn start(answer: &str) -> Bare {
        let mut child = this_program(SERVE).arg(answer).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Bare { child, address: line.trim().parse().unwrap() }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
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

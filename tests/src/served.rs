//! The program as a server, and a client of it.

use crate::playdock::{Finished, Playdock};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything of a server may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs in the folder of a [`Playdock`]. Dropping it ends it.
pub struct Served {
    child: Child,
    listening: Value,
    errors: Mutex<Receiver<String>>,
    reading: Option<JoinHandle<()>>,
    agent: ureq::Agent,
}

/// A server's response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// The names of its headers, in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Response {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status, and the body.
    pub fn said(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

impl Playdock {
    /// Makes a key.
    pub fn key(&self, name: &str, more: &[&str]) -> String {
        let finished = self.run(&[&["keys", "create", name], more].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.output.trim_end().to_owned()
    }

    /// Starts a server at a free port, and waits until it listens.
    pub fn serve(&self, more: &[&str]) -> Served {
        self.serve_by(self.serving(more))
    }

    /// Starts a server at a free port after this command of the shell, which limits it.
    #[cfg(unix)]
    pub fn serve_limited(&self, limit: &str, more: &[&str]) -> Served {
        let serving = self.serving(more);
        let mut shell = Command::new("sh");
        shell.current_dir(self.folder()).args(["-c", &format!("{limit}; exec \"$@\""), "sh"]);
        shell.arg(serving.get_program()).args(serving.get_args());
        shell.envs(serving.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.serve_by(shell)
    }

    fn serving(&self, more: &[&str]) -> Command {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--output", "json"];
        arguments.extend(more);
        self.command(&arguments)
    }

    fn serve_by(&self, command: Command) -> Served {
        let mut child = self.start(command);
        drop(child.stdin.take());
        let (lines, errors) = channel();
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the server says where it listens");
        let listening = serde_json::from_str(&line);
        let listening = listening.unwrap_or_else(|_| {
            panic!("the server does not listen: {:?}", errors.iter().collect::<Vec<_>>())
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections_per_host(64)
            .build();
        Served {
            child,
            listening,
            errors: Mutex::new(errors),
            reading: Some(reading),
            agent: agent.into(),
        }
    }
}

impl Served {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address_of("listening")
    }

    /// Where its metrics are.
    pub fn metrics(&self) -> SocketAddr {
        self.address_of("metrics")
    }

    fn address_of(&self, what: &str) -> SocketAddr {
        let url = self.listening[what].as_str().expect("the server says where");
        let rest = url.split("://").nth(1).expect("it is a URL");
        let address = rest.split('/').next().and_then(|address| address.parse().ok());
        address.expect("it has an address")
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Posts a body.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        response(request.send(body))
    }

    /// Gets a path.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        response(request.call())
    }

    /// Deletes a path.
    pub fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.agent.delete(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        response(request.call())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// A connection of its own.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("it can be connected to");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out can be set");
        stream
    }

    /// What comes back for these bytes, until the server closes the connection.
    pub fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may refuse what it is sent before all of it is there.
        let _ = stream.write_all(bytes);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// The next line that it writes to standard error and that this is true of.
    pub fn line(&self, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
            let line = errors.recv_timeout(left).expect("the line comes");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Sends it a signal, by its name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> Finished {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => break status,
                None => assert!(Instant::now() < end, "the server does not end"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if let Some(reading) = self.reading.take() {
            reading.join().expect("its errors are read");
        }
        let errors = self.errors.get_mut().unwrap_or_else(PoisonError::into_inner);
        let errors: Vec<String> = errors.try_iter().collect();
        Finished { code: status.code(), output: String::new(), errors: errors.join("\n") }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.wait();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn response(answered: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Response {
    let mut answered = answered.unwrap_or_else(|error| panic!("no response: {error}"));
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let headers = answered.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = answered.body_mut().with_config().limit(1 << 30).read_to_string();
    Response { status: answered.status().as_u16(), headers, body: body.expect("a body") }
}

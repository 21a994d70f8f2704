//! The access log: a line of JSON for each request, on standard error. It has the key's name, never
//! a header or a body.

use serde::Serialize;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many lines may wait to be written before more are dropped.
const WAITING: usize = 8192;
/// How long the first line waits for others.
const TO_GATHER: Duration = Duration::from_millis(10);
/// How long the last lines may take.
const TO_END: Duration = Duration::from_secs(1);
/// How much of a path is shown; whoever sends longer ones has no path of ours.
const LONGEST_PATH: usize = 200;

/// What a handler knows of a request beside its answer; it travels with the response.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// The name of the key.
    pub(super) key: Option<String>,
    /// The execution that the request began, asked for or cancelled.
    pub(super) execution: Option<String>,
}

/// One request.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) time: String,
    pub(super) remote: SocketAddr,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: u16,
    pub(super) milliseconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution: Option<String>,
}

impl Line {
    pub(super) fn new(
        remote: SocketAddr,
        method: &str,
        path: &str,
        status: u16,
        took: Duration,
        noted: Noted,
    ) -> Line {
        let clip = |text: &str| text.chars().take(LONGEST_PATH).collect();
        Line {
            time: format!("{:.3}", jiff::Timestamp::now()),
            remote,
            method: clip(method),
            path: clip(path),
            status,
            milliseconds: (took.as_secs_f64() * 1e6).round() / 1e3,
            key: noted.key,
            execution: noted.execution,
        }
    }
}

/// The thread that writes lines: whoever reads standard error slowly must not slow requests.
pub(super) struct AccessLog {
    lines: Mutex<Option<SyncSender<Line>>>,
    /// Tells that the thread has ended.
    ended: Mutex<Receiver<()>>,
}

impl AccessLog {
    pub(super) fn start() -> AccessLog {
        let (lines, waiting) = sync_channel(WAITING);
        let (ends, ended) = sync_channel(0);
        std::thread::spawn(move || {
            let _ends: SyncSender<()> = ends;
            write(&waiting);
        });
        AccessLog { lines: Mutex::new(Some(lines)), ended: Mutex::new(ended) }
    }

    /// Adds a line, unless too many wait.
    pub(super) fn add(&self, line: Line) {
        if let Some(lines) = &*self.lines.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = lines.try_send(line);
        }
    }

    /// Writes what waits, if somebody takes it in.
    pub(super) fn end(&self) {
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        // The thread's end drops the other side. Where nobody reads standard error, it has none.
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(TO_END);
    }
}

fn write(waiting: &Receiver<Line>) {
    while let Ok(first) = waiting.recv() {
        // To be woken for each line would cost more than to write it.
        std::thread::sleep(TO_GATHER);
        let mut text = Vec::new();
        for line in std::iter::once(first).chain(waiting.try_iter().take(WAITING)) {
            if serde_json::to_writer(&mut text, &line).is_ok() {
                text.push(b'\n');
            }
        }
        // Where it can't be written, nobody listens.
        let _ = std::io::stderr().write_all(&text);
    }
}

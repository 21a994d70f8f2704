//! The log on standard error: warnings and errors, and with `-v` what is done. A server doesn't wait
//! for whoever reads it.

use super::terminal;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// How many lines of a server may wait to be written before more are dropped.
const WAITING: usize = 8192;
/// How long the last ones may take.
const TO_END: Duration = Duration::from_secs(1);

/// Starts the log. Warnings and errors are shown; `-v` shows what is done, `-vv` and `-vvv` more.
/// `waits` is whether who logs waits until it is written.
pub(super) fn start(verbose: u8, waits: bool) -> Option<Unread> {
    let level = match verbose {
        0 => log::LevelFilter::Warn,
        1 => log::LevelFilter::Info,
        2 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    let mut builder = env_logger::Builder::new();
    builder.filter_level(level).format(|out, record| {
        let message = record.args().to_string();
        writeln!(
            out,
            "{}: {}: {}",
            record.level(),
            terminal::safe(record.target()),
            terminal::safe(&message)
        )
    });
    if waits {
        builder.init();
        return None;
    }
    let (lines, waiting) = sync_channel(WAITING);
    std::thread::spawn(move || write(&waiting));
    builder.target(env_logger::Target::Pipe(Box::new(Lines(lines.clone())))).init();
    Some(Unread(lines))
}

/// What waits to be written; dropping this lets it be, if somebody takes it in.
pub(super) struct Unread(SyncSender<Message>);

enum Message {
    Line(Vec<u8>),
    /// All before it is written.
    End(SyncSender<()>),
}

/// Hands lines on to the thread that writes them.
struct Lines(SyncSender<Message>);

impl Write for Lines {
    /// Takes a line, unless too many wait.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.try_send(Message::Line(line.to_owned()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(waiting: &Receiver<Message>) {
    for message in waiting {
        // Where it can't be written, or nobody waits, nobody listens.
        match message {
            Message::Line(line) => drop(io::stderr().write_all(&line)),
            Message::End(told) => drop(told.send(())),
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let (told, ended) = sync_channel(1);
        if self.0.try_send(Message::End(told)).is_ok() {
            let _ = ended.recv_timeout(TO_END);
        }
    }
}

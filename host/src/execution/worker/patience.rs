//! How long the host waits for a worker, and when it asks it to stop.

use crate::execution::executor::{GRACE, Watch};
use std::io;
use std::time::{Duration, Instant};

/// How long the host goes on waiting for a worker: until the execution is to stop, and then for a
/// grace period, in which the time that the host itself takes doesn't count.
pub(super) struct Patience<'a> {
    watch: &'a Watch,
    /// Since when the execution is to stop.
    over: Option<Instant>,
    /// Whether the worker was told.
    asked: bool,
    host_time: Duration,
}

impl<'a> Patience<'a> {
    pub(super) fn new(watch: &'a Watch) -> Patience<'a> {
        Patience { watch, over: None, asked: false, host_time: Duration::ZERO }
    }

    /// The host was busy itself since then; a worker must not pay for that.
    pub(super) fn host_took(&mut self, since: Instant) {
        match self.over {
            Some(_) => self.host_time += since.elapsed(),
            None => self.look(),
        }
    }

    /// Whether the worker is to be asked to stop, as of the last check: once. Whoever calls this
    /// asks it.
    pub(super) fn is_time_to_ask(&mut self) -> bool {
        self.over.is_some() && !std::mem::replace(&mut self.asked, true)
    }

    /// An error when patience is over.
    pub(super) fn check(&mut self) -> io::Result<()> {
        self.look();
        let waited = self.over.map(|over| over.elapsed().saturating_sub(self.host_time));
        match waited.is_some_and(|waited| waited >= GRACE) {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }

    fn look(&mut self) {
        if self.over.is_none() && self.watch.is_over() {
            self.over = Some(Instant::now());
        }
    }
}

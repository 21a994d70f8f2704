//! How much a worker may write to the host's log.

use crate::plugins::HostServices;

/// How many bytes of log one invocation may write before the rest is dropped.
const MOST_LOG: usize = 1 << 20;
/// How many bytes of one record are kept.
const LONGEST_RECORD: usize = 8 << 10;

/// What an invocation may still write to the log.
#[derive(Default)]
pub(super) struct LogBudget {
    used: usize,
    dropped: u64,
}

impl LogBudget {
    pub(super) fn write(&mut self, services: &dyn HostServices, record: &[u8]) {
        let Some((level, rest)) = record.split_first() else { return };
        let (target, message) = rest.split_at(rest.iter().position(|byte| *byte == 0).unwrap_or(0));
        if self.used >= MOST_LOG {
            self.dropped += 1;
            return;
        }
        let message = &message[..message.len().min(LONGEST_RECORD)];
        // A record costs something even if it is empty.
        self.used += message.len() + target.len() + 64;
        let level = log::Level::iter().find(|known| *known as u8 == *level);
        let text = |bytes| String::from_utf8_lossy(bytes).trim_start_matches('\0').to_owned();
        services.log(level.unwrap_or(log::Level::Trace), &text(target), &text(message));
    }

    pub(super) fn end(&self, services: &dyn HostServices) {
        if self.dropped > 0 {
            let message =
                format!("{} more records were dropped: the log was flooded", self.dropped);
            services.log(log::Level::Warn, "log", &message);
        }
    }
}

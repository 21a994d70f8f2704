//! What a library may take of its host at most, by what it sends and what it logs. What its code
//! may take where it runs is the sandbox's to say.

use std::time::{Duration, Instant};

/// The largest response, in bytes. It holds totals, or the descriptions of commands; rows come
/// before it, in calls.
pub(crate) const LARGEST_RESPONSE: usize = 4 << 20;

/// The largest call, in bytes. Numbers and outcomes come in pieces of a mebibyte; what is larger is
/// an incident with very long texts, or mischief.
pub(crate) const LARGEST_CALL: usize = 64 << 20;

/// The most columns that a command's answer may have.
pub(crate) const MOST_COLUMNS: usize = 100;

/// The most bytes of one record of the log that are kept.
pub(crate) const LONGEST_RECORD: usize = 8 << 10;

/// How many bytes may be logged at once.
const LOG_AT_ONCE: usize = 1 << 20;
/// How many bytes may be logged each second beyond that.
const LOG_A_SECOND: usize = 64 << 10;
/// What a record costs beside its text.
const LOG_A_RECORD: usize = 64;

/// What a library may still write to the host's log.
pub(crate) struct LogBudget {
    left: usize,
    counted: Instant,
    dropped: u64,
}

impl LogBudget {
    /// The budget of an invocation that begins now.
    pub(crate) fn new() -> LogBudget {
        LogBudget { left: LOG_AT_ONCE, counted: Instant::now(), dropped: 0 }
    }

    /// The part of a record that may be written; `None` where none of it may.
    pub(crate) fn take<'a>(&mut self, target: &str, message: &'a str) -> Option<&'a str> {
        let message = &message[..message.floor_char_boundary(LONGEST_RECORD)];
        let cost = target.len() + message.len() + LOG_A_RECORD;
        self.refill(self.counted.elapsed());
        if cost > self.left {
            self.dropped += 1;
            return None;
        }
        self.left -= cost;
        Some(message)
    }

    /// Counts in what came to it since it was counted last; less than a second is left to count
    /// later.
    fn refill(&mut self, passed: Duration) {
        let seconds = usize::try_from(passed.as_secs()).unwrap_or(usize::MAX);
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds.saturating_mul(LOG_A_SECOND));
            self.left = self.left.min(LOG_AT_ONCE);
            self.counted = Instant::now();
        }
    }

    /// How many records were dropped since this was asked last.
    pub(crate) fn dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_off_and_counted() {
        let mut budget = LogBudget::new();
        let record = "x".repeat(1_000);
        let kept = (0..10_000).filter(|_| budget.take("t", &record).is_some()).count();
        assert!((900..1_100).contains(&kept), "{kept}");
        assert_eq!(budget.dropped(), 10_000 - kept as u64);
        assert_eq!(budget.dropped(), 0);
    }

    #[test]
    fn what_is_logged_slowly_goes_on_for_ever() {
        let mut budget = LogBudget::new();
        while budget.take("t", &"x".repeat(1_000)).is_some() {}
        budget.refill(Duration::from_secs(1));
        let kept = (0..1_000).filter(|_| budget.take("t", "short").is_some()).count();
        assert!((900..=1_000).contains(&kept), "{kept}");
        budget.refill(Duration::MAX);
        assert_eq!(budget.left, LOG_AT_ONCE);
    }

    #[test]
    fn a_long_record_is_cut_between_its_characters() {
        let long = "é".repeat(LONGEST_RECORD);
        let kept = LogBudget::new().take("t", &long).map(str::len);
        assert_eq!(kept, Some(LONGEST_RECORD));
        let odd = format!("x{long}");
        assert_eq!(LogBudget::new().take("t", &odd).map(str::len), Some(LONGEST_RECORD - 1));
    }
}

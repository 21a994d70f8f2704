//! Turns: so many threads at once do what takes much memory, and others wait for theirs.

use super::crew;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Turns that threads take.
pub(super) struct Turns {
    left: Mutex<usize>,
    given_back: Condvar,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) fn new(count: usize) -> Turns {
        Turns { left: Mutex::new(count), given_back: Condvar::new() }
    }

    /// Waits for a turn.
    pub(super) fn take(&self) -> Turn<'_> {
        let mut left = self.left();
        if *left == 0 {
            crew::give_up_place();
        }
        while *left == 0 {
            left = self.given_back.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= 1;
        Turn(self)
    }

    fn left(&self) -> MutexGuard<'_, usize> {
        // It is a number, whoever panicked.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.left() += 1;
        self.0.given_back.notify_one();
    }
}

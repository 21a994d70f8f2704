//! Ctrl-C: the first asks the execution to stop, the second ends the program.

use super::terminal;
use crate::execution::Cancellation;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cancels by Ctrl-C, or by the signal that asks a program to end.
pub(super) fn cancel_on_interrupt(cancellation: &Cancellation) {
    let cancellation = cancellation.clone();
    on_interrupt(move || cancellation.cancel());
}

/// Asks something to stop by Ctrl-C, or by the signal that asks a program to end; the second of
/// them ends the program.
pub(super) fn on_interrupt(stop: impl Fn() + Send + 'static) {
    let asked = AtomicBool::new(false);
    let handler = move || {
        if asked.swap(true, Ordering::Relaxed) {
            // The store is whole at any moment, and the execution can be resumed by its id.
            std::process::exit(130);
        }
        stop();
        terminal::say("stopping; press Ctrl-C again to end at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        log::warn!("Ctrl-C will end the program at once: {error}");
    }
}

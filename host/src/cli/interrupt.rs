//! Ctrl-C: the first asks the execution to stop, the second ends the program.

use super::terminal;
use crate::execution::Cancellation;

/// Cancels by Ctrl-C, or by the signal that asks a program to end.
pub(super) fn cancel_on_interrupt(cancellation: &Cancellation) {
    let cancellation = cancellation.clone();
    let handler = move || {
        if cancellation.is_cancelled() {
            // The store is whole at any moment, and the execution can be resumed by its id.
            std::process::exit(130);
        }
        cancellation.cancel();
        terminal::say("stopping; press Ctrl-C again to end at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        log::warn!("Ctrl-C will end the program at once: {error}");
    }
}

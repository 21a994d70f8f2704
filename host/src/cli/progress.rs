//! Progress bars, on standard error, for work that takes long and a person who watches.

use crate::execution::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;

/// Below so many incidents, a bar would only flicker.
const WORTH_A_BAR: u64 = 5_000;

/// A bar of incidents, and what an invocation tells it.
pub(super) fn incidents() -> (ProgressBar, Progress) {
    let bar = hidden("{bar:40} {human_pos} of {human_len} incidents, {eta} left");
    let shown = bar.clone();
    let progress = Arc::new(move |done: u64, total: u64| {
        if total >= WORTH_A_BAR && shown.is_hidden() {
            shown.set_draw_target(ProgressDrawTarget::stderr());
        }
        shown.set_length(total);
        shown.set_position(done);
    });
    (bar, progress)
}

/// A bar of bytes.
pub(super) fn bytes(total: u64) -> ProgressBar {
    let bar = hidden("{bar:40} {bytes} of {total_bytes}, {eta} left");
    if total > 1 << 20 {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    bar.set_length(total);
    bar
}

/// A bar of cases.
#[cfg(target_os = "linux")]
pub(super) fn cases(total: usize) -> ProgressBar {
    let bar = hidden("{bar:40} {human_pos} of {human_len} cases, {eta} left");
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_length(total as u64);
    bar
}

fn hidden(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

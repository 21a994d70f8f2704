//! How a process ended, in words: a sentence without its end.

use std::process::ExitStatus;

/// How a process ended, in words.
#[cfg(unix)]
pub(super) fn describe(status: ExitStatus) -> String {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    let known = [
        (Signal::ILL, "it crashed (illegal instruction)"),
        (Signal::ABORT, "it aborted, for want of memory perhaps"),
        (Signal::BUS, "it crashed (bus error)"),
        (Signal::FPE, "it crashed (arithmetic error)"),
        (Signal::KILL, "its process was killed"),
        (Signal::SEGV, "it crashed (segmentation fault, or a stack overflow)"),
        (Signal::XCPU, "it used up its processor time"),
        (Signal::SYS, "it made a forbidden system call"),
    ];
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended its process with exit code {code}"),
        (None, Some(number)) => {
            let known = known.iter().find(|(signal, _)| signal.as_raw() == number);
            known.map_or_else(
                || format!("its process was ended by signal {number}"),
                |(_, words)| (*words).to_owned(),
            )
        }
        (None, None) => "its process ended".to_owned(),
    }
}

/// How a process ended, in words.
#[cfg(windows)]
pub(super) fn describe(status: ExitStatus) -> String {
    // What Windows ends a process with is an exit code too, and looks like no other.
    match status.code().map(i32::cast_unsigned) {
        Some(0xC000_0005) => "it crashed (access violation)".to_owned(),
        Some(0xC000_001D) => "it crashed (illegal instruction)".to_owned(),
        Some(0xC000_0094) => "it crashed (arithmetic error)".to_owned(),
        Some(0xC000_00FD) => "it crashed (stack overflow)".to_owned(),
        Some(0xC000_0409) => "it aborted, for want of memory perhaps".to_owned(),
        Some(code) => format!("it ended its process with exit code {code}"),
        None => "its process ended".to_owned(),
    }
}

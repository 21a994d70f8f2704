//! What is wrong with a playbook, and where.

use std::fmt;

/// One thing that is wrong with a playbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: a JSON pointer (RFC 6901) into the document; empty for the document itself.
    pub pointer: String,
    /// What is wrong there, and what to do.
    pub message: String,
}

/// Why a playbook is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
    /// The text isn't JSON.
    #[error("the playbook isn't valid JSON: {0}")]
    NotJson(serde_json::Error),
    /// The document isn't a playbook that this host executes; never empty.
    #[error("{}", Lines("things are wrong with the playbook", .0))]
    Refused(Vec<Problem>),
}

impl Problem {
    pub(super) fn new(pointer: String, message: impl Into<String>) -> Self {
        Self { pointer, message: message.into() }
    }

    pub(super) fn at(segments: &[&str], message: impl Into<String>) -> Self {
        Self::new(pointer(segments), message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(formatter, "in the playbook itself: {}", self.message),
            pointer => write!(formatter, "at {pointer}: {}", self.message),
        }
    }
}

/// The JSON pointer of these segments.
pub(super) fn pointer(segments: &[&str]) -> String {
    let mut pointer = String::new();
    for segment in segments {
        push_segment(&mut pointer, segment);
    }
    pointer
}

/// Adds one segment to a JSON pointer.
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
}

/// Shows one line alone, and several below a heading that counts them.
pub(super) struct Lines<'a, T>(pub &'static str, pub &'a [T]);

impl<T: fmt::Display> fmt::Display for Lines<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(heading, lines) = self;
        if let [line] = lines {
            return line.fmt(formatter);
        }
        write!(formatter, "{} {heading}:", lines.len())?;
        lines.iter().try_for_each(|line| write!(formatter, "\n{line}"))
    }
}

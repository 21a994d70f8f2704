//! What an answer says to a client: without what is the server's own business. Causes that may name
//! files, places in code or statements stay in the journal and in the log.

use crate::execution::{Answer, Ended};
use axum::body::Bytes;
use playdock_plugin_api::Reason;
use playdock_plugin_api::messages::Row;

/// An answer of more rows, or of longer text, is long.
const MOST_ROWS: usize = 256;
const LONGEST_TEXT: usize = 128 << 10;

/// The four members of an answer; `None` where they are long. What rows say that is the server's own
/// business is taken out of it.
pub(super) fn text(answer: &mut Answer) -> Option<Bytes> {
    conceal_rows(answer);
    if answer.report.as_ref().is_some_and(|report| report.count() > MOST_ROWS) {
        return None;
    }
    let cause = conceal_cause(answer);
    // Texts and numbers: serde_json can always write them.
    let text = serde_json::to_vec(answer).unwrap_or_default();
    // The journal keeps it.
    if let Some(cause) = cause {
        answer.error = cause;
    }
    (text.len() <= LONGEST_TEXT).then(|| text.into())
}

fn conceal_rows(answer: &mut Answer) {
    if let Some(report) = &mut answer.report {
        report.replace(|row| {
            let message = Some("The store could not write it.".to_owned());
            let is_one = row.reason.as_ref() == Some(&Reason::STORE_ERROR);
            is_one.then(|| Row { message, ..row.clone() })
        });
    }
}

/// Puts other words in the place of a cause, which it gives.
pub(super) fn conceal_cause(answer: &mut Answer) -> Option<String> {
    let words = concealed(answer.ended)?;
    Some(std::mem::replace(&mut answer.error, words.to_owned()))
}

/// The four members where a request was wrong before anything was executed.
pub(super) fn wrong(error: &str) -> Bytes {
    // As text, since the order of the members is part of the contract.
    let error = serde_json::Value::from(error);
    format!(r#"{{"result":"","error":{error},"returnData":"Failed","contextData":[]}}"#).into()
}

/// What is said in place of the causes of an ending.
pub(super) fn concealed(ended: Ended) -> Option<&'static str> {
    match ended {
        Ended::Finished | Ended::Cancelled | Ended::DeadlinePassed | Ended::HostStopped => None,
        Ended::CommandBroke => {
            Some("The command broke before its end; contextData says what was done.")
        }
        Ended::StoreFailed => {
            Some("The store failed before the end; contextData says what was done.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_request_is_answered_with_the_four_members_in_their_order() {
        assert_eq!(
            wrong("\"Site\" is required."),
            r#"{"result":"","error":"\"Site\" is required.","returnData":"Failed","contextData":[]}"#
        );
    }
}

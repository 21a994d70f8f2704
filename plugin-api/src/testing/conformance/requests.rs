//! Cases over a library's answers to requests, those that no host of today sends among them.

use super::case::{Asks, Case, Unmet};
use super::trial::{Subject, ask, describe};
use crate::context::IncidentContext;
use crate::messages::{self, CommandDescription, Invocation, Request, Response};
use crate::testing::{InMemoryIncidents, TestHost};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "describes-itself",
        description: "The library describes its commands, twice alike, each name once",
        advice: "Let text(), columns() and examples() return the same each time, without a panic.",
        asks: Asks::Library(describes_itself),
    },
    Case {
        id: "unknown-request",
        description: "What a later host may ask is answered \"unsupported\"",
        advice: "Export the library with export_plugin!, which answers it so.",
        asks: Asks::Library(unknown_request),
    },
    Case {
        id: "malformed-request",
        description: "Bytes that are no request are answered with a failure",
        advice: "Export the library with export_plugin!, which answers it so.",
        asks: Asks::Library(malformed_request),
    },
    Case {
        id: "unknown-command",
        description: "A command that the library doesn't have fails",
        advice: "Export the library with export_plugin!, which answers it so.",
        asks: Asks::Library(unknown_command),
    },
];

fn describes_itself(subject: &dyn Subject) -> Result<(), Unmet> {
    let first = describe(subject)?;
    let text = |commands: &[CommandDescription]| serde_json::json!(commands);
    if text(&describe(subject)?) != text(&first) {
        return Err(Unmet::failed("the same description each time", "the second was another"));
    }
    let names: Vec<&str> = first.iter().map(|command| command.name.as_str()).collect();
    match names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        Some((_, name)) => {
            Err(Unmet::failed("each command once", format!("it describes {name} twice")))
        }
        None if names.is_empty() => Err(Unmet::failed("a command at least", "it describes none")),
        None => Ok(()),
    }
}

/// Hands over bytes that are to run nothing.
fn answer_to(subject: &dyn Subject, request: &[u8]) -> Result<Response, Unmet> {
    let host = Arc::new(TestHost::new(InMemoryIncidents::default()));
    let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
    ask(subject, request, &host, &format!("the request {shown:?}"))
}

fn expect(
    subject: &dyn Subject,
    request: &[u8],
    name: &str,
    is: impl Fn(&Response) -> bool,
) -> Result<(), Unmet> {
    let response = answer_to(subject, request)?;
    match is(&response) {
        true => Ok(()),
        false => {
            let answered = messages::write(&response);
            let answered = super::ran::clip(&String::from_utf8_lossy(&answered));
            let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
            Err(Unmet::failed(format!("the answer \"{name}\""), format!("it answered {answered}"))
                .on(format!("the request {shown:?}")))
        }
    }
}

fn unknown_request(subject: &dyn Subject) -> Result<(), Unmet> {
    let member = Request::Describe { must_understand: vec!["in_the_language".to_owned()] };
    for request in [&b"{\"launch\":{\"at\":7}}"[..], &messages::write(&member)] {
        let unsupported = |response: &Response| matches!(response, Response::Unsupported { .. });
        expect(subject, request, "unsupported", unsupported)?;
    }
    Ok(())
}

fn malformed_request(subject: &dyn Subject) -> Result<(), Unmet> {
    let cut_off = b"{\"invoke\":{\"command\":\"";
    let requests: [&[u8]; 7] =
        [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", cut_off, b"{\"invoke\":{}}"];
    for request in requests {
        let failed = |response: &Response| matches!(response, Response::Failed { .. });
        expect(subject, request, "failed", failed)?;
    }
    Ok(())
}

fn unknown_command(subject: &dyn Subject) -> Result<(), Unmet> {
    let mut names = vec!["NoSuchCommand".to_owned(), String::new()];
    // One letter more than a command that it has.
    names.extend(describe(subject).ok().and_then(|them| Some(format!("{}x", them.first()?.name))));
    for name in names {
        let request = messages::write(&Request::Invoke(Invocation {
            must_understand: Vec::new(),
            command: Cow::Owned(name),
            execution: InMemoryIncidents::default().execution().clone(),
            parameters: serde_json::from_str::<&RawValue>("{}")
                .map_err(|error| Unmet::skipped(error.to_string()))?,
            log_level: None,
        }));
        let failed = |response: &Response| matches!(response, Response::Failed { .. });
        expect(subject, &request, "failed", failed)?;
    }
    Ok(())
}

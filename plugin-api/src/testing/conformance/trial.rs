//! Running a command for a case, and what any answer of it must be.

use super::case::{Effort, Unmet};
use super::ran::{Answer, Ran, SHOWN, clip};
use crate::example::Example;
use crate::messages::{
    self, CommandDescription, Finished, Invocation, MessageError, Request, Response,
};
use crate::testing::test_host::Stop;
use crate::testing::{InMemoryIncidents, TestHost};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// How many calls a command may need for a handful of incidents.
const MOST_CALLS: usize = 1_000;
/// How many bytes a sentence for people may have.
const LONGEST_ERROR: usize = 64 << 10;
/// A library, wherever its code runs.
pub trait Subject {
    /// Hands it a [`Request`] and returns its [`Response`], both as JSON; `host` answers its calls.
    ///
    /// # Errors
    ///
    /// Why there is no response, as a sentence without its end: "it crashed (segmentation fault)".
    fn ask(&self, request: &[u8], host: Arc<TestHost>) -> Result<Vec<u8>, String>;

    /// Is told the input of the next request, in case that the code takes this process with it.
    fn note(&self, input: &str) {
        let _ = input;
    }
}

/// One command, ready to be tried.
pub struct Trial<'a> {
    subject: &'a dyn Subject,
    description: CommandDescription,
    pub(super) effort: Effort,
}

impl<'a> Trial<'a> {
    /// Asks the library to describe a command.
    ///
    /// # Errors
    ///
    /// It doesn't, which other cases are about.
    pub fn of(subject: &'a dyn Subject, command: &str, effort: Effort) -> Result<Trial<'a>, Unmet> {
        let described = describe(subject).map_err(|_| Unmet::skipped("It isn't described."))?;
        let description = described.into_iter().find(|it| it.name == command);
        let description = description.ok_or_else(|| Unmet::skipped("It isn't described."))?;
        Ok(Trial { subject, description, effort })
    }

    /// What the library says of the command.
    pub fn description(&self) -> &CommandDescription {
        &self.description
    }

    /// Its examples; the case can't be tried where there are none, or one can't be read.
    ///
    /// # Errors
    ///
    /// There is none that can be read.
    pub fn examples(&self) -> Result<Vec<Example>, Unmet> {
        let read = |value: &serde_json::Value| serde_json::from_value(value.clone()).ok();
        let examples: Option<Vec<Example>> = self.description.examples.iter().map(read).collect();
        examples
            .filter(|examples| !examples.is_empty())
            .ok_or_else(|| Unmet::skipped("It has no example to start from."))
    }

    /// Runs an example as it stands, to its end.
    ///
    /// # Errors
    ///
    /// It did not come to its end.
    pub fn run_example(&self, example: &Example) -> Result<Ran, Unmet> {
        let ran = self.run(example, InMemoryIncidents::of(example))?;
        ran.finished()?;
        Ok(ran)
    }

    /// Runs an example on other incidents than its own, to any end.
    pub(super) fn run(
        &self,
        example: &Example,
        incidents: InMemoryIncidents,
    ) -> Result<Ran, Unmet> {
        self.run_on(example, TestHost::new(incidents).answering(MOST_CALLS))
    }

    /// The same, with another end.
    pub(super) fn stop(
        &self,
        example: &Example,
        incidents: InMemoryIncidents,
        stop: Stop,
    ) -> Result<Ran, Unmet> {
        self.run_on(example, TestHost::new(incidents).answering(MOST_CALLS).stopping(stop))
    }

    pub(super) fn run_on(&self, example: &Example, host: TestHost) -> Result<Ran, Unmet> {
        let input = format!("the example \"{}\"", clip(&example.title));
        self.ask(&self.request(&host, &example.parameters.to_string())?, host, input)
    }

    /// Runs the command with these parameters, as JSON, on the incidents of an example.
    pub(super) fn with_parameters(
        &self,
        example: &Example,
        parameters: &str,
    ) -> Result<Ran, Unmet> {
        let host = TestHost::new(InMemoryIncidents::of(example)).answering(MOST_CALLS);
        let request = self.request(&host, parameters)?;
        self.ask(&request, host, format!("parameters {}", clip(parameters)))
    }

    /// The bytes of a request to run the command.
    pub(super) fn request(&self, host: &TestHost, parameters: &str) -> Result<Vec<u8>, Unmet> {
        let parameters: &RawValue = serde_json::from_str(parameters)
            .map_err(|error| Unmet::skipped(format!("Its example is no JSON: {error}.")))?;
        Ok(messages::write(&Request::Invoke(Invocation {
            must_understand: Vec::new(),
            command: Cow::Borrowed(&self.description.name),
            execution: host
                .look(|incidents| crate::context::IncidentContext::execution(incidents).clone()),
            parameters,
            log_level: None,
        })))
    }

    /// Hands over a request to run the command. Whatever it is, the answer is a proper one.
    pub(super) fn ask(&self, request: &[u8], host: TestHost, input: String) -> Result<Ran, Unmet> {
        let host = Arc::new(host);
        let response = ask(self.subject, request, &host, &input)?;
        let answer = match response {
            Response::Finished(finished) => Answer::Finished(finished),
            Response::Failed { error } => Answer::Failed(error),
            Response::Cancelled {} => Answer::Cancelled,
            other => {
                let expected = "\"finished\", \"failed\" or \"cancelled\"";
                return Err(
                    Unmet::failed(expected, format!("it answered {}", shown(&other))).on(input)
                );
            }
        };
        let ran = Ran { answer, host, input };
        match &ran.answer {
            Answer::Failed(error) if error.trim().is_empty() => {
                Err(ran.unmet("an error that says why", "its error is blank"))
            }
            Answer::Failed(error) | Answer::Finished(Finished { error, .. })
                if error.len() > LONGEST_ERROR =>
            {
                let happened = format!("its error has {} bytes", error.len());
                Err(ran.unmet(format!("an error of {LONGEST_ERROR} bytes at most"), happened))
            }
            _ => Ok(ran),
        }
    }
}

/// Asks a library for its commands.
pub(super) fn describe(subject: &dyn Subject) -> Result<Vec<CommandDescription>, Unmet> {
    let request = messages::write(&Request::Describe { must_understand: Vec::new() });
    let host = Arc::new(TestHost::new(InMemoryIncidents::default()));
    match ask(subject, &request, &host, "")? {
        Response::Described { commands, .. } => Ok(commands),
        other => Err(Unmet::failed(
            "an answer \"described\" to \"describe\"",
            format!("it answered {}", shown(&other)),
        )),
    }
}

/// Hands over any request; the answer is a message, and no panic.
pub(super) fn ask(
    subject: &dyn Subject,
    request: &[u8],
    host: &Arc<TestHost>,
    input: &str,
) -> Result<Response, Unmet> {
    subject.note(input);
    let failed =
        |expected: &str, happened: String| Unmet::failed(expected, happened).on(input.to_owned());
    let response = subject.ask(request, host.clone());
    let response = response.map_err(|cause| failed("an answer", cause))?;
    match messages::read(&response) {
        Ok(Response::Panicked { message }) => {
            Err(failed("an answer without a panic", format!("it panicked: {message}")))
        }
        Ok(response) => Ok(response),
        Err(error) => Err(failed(
            "an answer that is a message",
            match error {
                MessageError::Unsupported(what) => format!("{what}: {}", lossy(&response)),
                error => format!("its answer is {error}: {}", lossy(&response)),
            },
        )),
    }
}

fn lossy(bytes: &[u8]) -> String {
    clip(&String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]))
}

fn shown(response: &Response) -> String {
    clip(&String::from_utf8_lossy(&messages::write(response)))
}

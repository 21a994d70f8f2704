//! `playdock invoke`: one command.

use super::arguments::{Common, Invoke, Output};
use super::exit::{self, Failure};
use super::{interrupt, known, output, present, progress, setup};
use crate::execution::{Answer, Cancellation, Invocation, Parameters, Requester};
use playdock_plugin_api::Intent;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn invoke(common: &Common, arguments: &Invoke) -> Result<ExitCode, Failure> {
    let parameters = parameters(&arguments.params)?;
    let (host, store) = setup::host(common)?;
    host.describe(&arguments.command)?;
    known::check_site(&*store, &arguments.site)?;
    let cancellation = Cancellation::default();
    interrupt::cancel_on_interrupt(&cancellation);
    let (bar, progress) = progress::incidents();
    let mut invocation = Invocation::automatic(&arguments.command, parameters, &arguments.site);
    if let Some(username) = &arguments.user {
        invocation.requester = Requester::Person { username: username.clone() };
    }
    if arguments.preview {
        invocation.intent = Intent::Preview;
    }
    invocation.execution_id.clone_from(&arguments.execution.execution_id);
    invocation.timeout = arguments.timeout;
    invocation.clock = arguments.execution.clock;
    invocation.cancellation = cancellation;
    invocation.progress = Some(progress);
    let answer = host.execute(&invocation);
    bar.finish_and_clear();
    let answer = answer?;
    write(common, &answer).map_err(|failure| match &answer.execution_id {
        Some(id) => failure.of_execution(id, answer.ended, id),
        None => failure,
    })?;
    Ok(exit::code(&answer).into())
}

fn write(common: &Common, answer: &Answer) -> Result<(), Failure> {
    match common.output {
        Output::Text | Output::Junit | Output::Markdown => {
            output::write(|out| present::answer(out, answer))
        }
        Output::Json => output::write_json(answer),
    }
}

fn parameters(file: &Path) -> Result<Parameters, Failure> {
    let (name, json) = if file == Path::new("-") {
        let mut json = Vec::new();
        ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut json).map(|_| json))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let json = json.map_err(|error| match name.starts_with('{') {
        true => Failure::usage(
            "--params takes the name of a file, or - for standard input, and no JSON",
        ),
        false => Failure::usage(format!("{name} can't be read: {error}")),
    })?;
    if json.trim_ascii().is_empty() {
        return Err(Failure::usage(format!("{name} is empty; give a JSON object")));
    }
    Parameters::from_json(&json).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

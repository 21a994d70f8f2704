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
    known::check_site(&store, &arguments.site)?;
    let cancellation = Cancellation::default();
    interrupt::cancel_on_interrupt(&cancellation);
    let (bar, progress) = progress::incidents();
    let answer = host.execute(&Invocation {
        command: arguments.command.clone(),
        parameters,
        site: arguments.site.clone(),
        requester: match &arguments.user {
            Some(username) => Requester::Person { username: username.clone() },
            None => Requester::Automatic { requested_by: None },
        },
        intent: if arguments.preview { Intent::Preview } else { Intent::Apply },
        execution_id: arguments.execution.execution_id.clone(),
        timeout: arguments.timeout,
        clock: arguments.execution.clock,
        cancellation,
        progress: Some(progress),
    });
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
        Output::Json => output::write_json(answer),
        Output::Text | Output::Junit => output::write(|out| present::answer(out, answer)),
    }
}

fn parameters(file: &Path) -> Result<Parameters, Failure> {
    let (name, json) = if file == Path::new("-") {
        let mut json = Vec::new();
        ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut json).map(|_| json))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let json = json.map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))?;
    if json.trim_ascii().is_empty() {
        return Err(Failure::usage(format!("{name} is empty; give a JSON object")));
    }
    Parameters::from_json(&json).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

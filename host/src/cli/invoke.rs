//! `playdock invoke`: one command.

use super::arguments::{Common, Invoke, Output};
use super::exit::{self, Failure};
use super::{interrupt, present, progress, setup};
use crate::execution::{Answer, Cancellation, Invocation, Parameters, Requester};
use playdock_plugin_api::Intent;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn invoke(common: &Common, arguments: &Invoke) -> Result<ExitCode, Failure> {
    let parameters = parameters(&arguments.params)?;
    let (host, _store) = setup::host(common)?;
    let cancellation = Cancellation::default();
    interrupt::cancel_on_interrupt(&cancellation);
    let (bar, progress) = progress::incidents();
    let answer = host.execute(&Invocation {
        command: arguments.command.clone(),
        parameters,
        site: arguments.site.clone(),
        requester: match &arguments.user {
            Some(username) => Requester::Person {
                username: username.clone(),
            },
            None => Requester::Automatic { requested_by: None },
        },
        intent: if arguments.preview {
            Intent::Preview
        } else {
            Intent::Apply
        },
        execution_id: arguments.execution.execution_id.clone(),
        timeout: arguments.timeout,
        clock: arguments.execution.clock,
        cancellation,
        progress: Some(progress),
    });
    bar.finish_and_clear();
    let answer = answer?;
    write(common, &answer).map_err(Failure::output)?;
    Ok(exit::code(&answer).into())
}

fn write(common: &Common, answer: &Answer) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match common.output {
        Output::Text => present::answer(&mut out, answer)?,
        Output::Json => {
            serde_json::to_writer(&mut out, answer)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn parameters(file: &Path) -> Result<Parameters, Failure> {
    let (name, json) = if file == Path::new("-") {
        let mut json = Vec::new();
        (
            "standard input".to_owned(),
            io::stdin().lock().read_to_end(&mut json).map(|_| json),
        )
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    let json = json.map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))?;
    Parameters::from_json(&json).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

//! The command line: turns a shell line into an invocation, and an answer into text and an exit
//! code.
//!
//! Standard output carries answers alone; progress, logs and errors go to standard error.

mod arguments;
mod configuration;
mod executions;
mod exit;
mod incidents;
mod instant;
mod interrupt;
mod invoke;
mod known;
mod output;
mod plugins;
mod policy;
mod present;
mod progress;
mod protected;
mod run;
mod setup;
mod table;
mod terminal;

use arguments::{Arguments, Subcommand};
use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use exit::Failure;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    if let Some(code) = crate::execution::serve_as_worker() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let _ = without_tip_to_escape(error).print();
            return exit::BAD_USAGE.into();
        }
        // Help and the version are answers.
        Err(answer) => {
            let written = output::write(|out| write!(out, "{}", answer.render()));
            return end(written.map(|()| ExitCode::SUCCESS));
        }
    };
    start_log(arguments.common.verbose);
    let common = &arguments.common;
    end(match &arguments.subcommand {
        Subcommand::Run(run) => run::run(common, run),
        Subcommand::Invoke(invoke) => invoke::invoke(common, invoke),
        Subcommand::Incidents(incidents) => incidents::incidents(common, incidents),
        Subcommand::Executions(executions) => executions::executions(common, executions),
        Subcommand::Plugins(plugins) => plugins::plugins(common, plugins),
    })
}

fn end(done: Result<ExitCode, Failure>) -> ExitCode {
    done.unwrap_or_else(|failure| {
        terminal::say(&failure.message);
        failure.code.into()
    })
}

/// No argument here takes a value that begins with a hyphen; the tip how to pass one misleads.
fn without_tip_to_escape(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().starts_with("to pass "));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

/// Warnings and errors are shown; `-v` shows what is done, `-vv` and `-vvv` more.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => log::LevelFilter::Warn,
        1 => log::LevelFilter::Info,
        2 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    env_logger::Builder::new()
        .filter_level(level)
        .format(|out, record| {
            use std::io::Write;
            let message = record.args().to_string();
            writeln!(
                out,
                "{}: {}: {}",
                record.level(),
                terminal::safe(record.target()),
                terminal::safe(&message)
            )
        })
        .init();
}

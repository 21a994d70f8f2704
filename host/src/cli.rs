//! The command line: turns a shell line into an invocation, and an answer into text and an exit
//! code.
//!
//! Standard output carries answers alone; progress, logs and errors go to standard error.

mod arguments;
#[cfg(target_os = "linux")]
mod check;
mod configuration;
mod db;
mod executions;
mod exit;
mod incidents;
mod instant;
mod interrupt;
mod invoke;
mod keys;
mod known;
mod logging;
mod new;
mod output;
mod plugins;
mod policy;
mod present;
mod progress;
mod protected;
mod run;
mod serve;
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
    let serve_as_case = || {
        #[cfg(target_os = "linux")]
        return crate::check::serve_as_case();
        #[cfg(not(target_os = "linux"))]
        return None;
    };
    if let Some(code) = crate::execution::serve_as_worker().or_else(serve_as_case) {
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
    if let Err(refused) = arguments.check_output() {
        return end(Err(Failure::usage(refused)));
    }
    let common = &arguments.common;
    let waits = !matches!(arguments.subcommand, Subcommand::Serve(_));
    let _log = logging::start(common.verbose, waits);
    end(match &arguments.subcommand {
        Subcommand::Run(run) => run::run(common, run),
        Subcommand::Invoke(invoke) => invoke::invoke(common, invoke),
        Subcommand::Serve(serve) => serve::serve(common, serve),
        Subcommand::Keys(keys) => keys::keys(common, keys),
        Subcommand::Incidents(incidents) => incidents::incidents(common, incidents),
        Subcommand::Executions(executions) => executions::executions(common, executions),
        Subcommand::New(new) => new::new(common, new),
        Subcommand::Plugins(plugins) => plugins::plugins(common, plugins),
        Subcommand::Db(db) => db::db(common, db),
        #[cfg(target_os = "linux")]
        Subcommand::Check(check) => check::check(common, check),
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

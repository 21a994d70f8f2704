//! The command line: turns a shell line into an invocation, and an answer into text and an exit
//! code.
//!
//! Standard output carries answers alone; progress, logs and errors go to standard error.

mod arguments;
mod configuration;
mod executions;
mod exit;
mod incidents;
mod interrupt;
mod invoke;
mod plugins;
mod present;
mod progress;
mod run;
mod setup;
mod terminal;

use arguments::{Arguments, Subcommand};
use clap::Parser;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = crate::execution::serve_as_worker() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version are answers; the rest goes to standard error.
            let _ = error.print();
            return if error.use_stderr() {
                exit::BAD_USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    start_log(arguments.common.verbose);
    let common = &arguments.common;
    let done = match &arguments.subcommand {
        Subcommand::Run(run) => run::run(common, run),
        Subcommand::Invoke(invoke) => invoke::invoke(common, invoke),
        Subcommand::Incidents(incidents) => incidents::incidents(common, incidents),
        Subcommand::Executions(executions) => executions::executions(common, executions),
        Subcommand::Plugins(plugins) => plugins::plugins(common, plugins),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("playdock: {}", terminal::safe_lines(&failure.message));
            failure.code.into()
        }
    }
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
                record.target(),
                terminal::safe(&message)
            )
        })
        .init();
}

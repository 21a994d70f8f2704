//! The arguments of the program.

#[cfg(target_os = "linux")]
mod check;
mod db;
mod keys;
mod plugins;
mod serve;
mod values;

#[cfg(target_os = "linux")]
pub(super) use check::{Check, DEFAULT_LIMIT};

use crate::incidents::import::Status;
use clap::{Args, Parser, ValueEnum};
pub(super) use db::{Db, DbAction};
use playdock_plugin_api::Timestamp;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use values::{assignment, count, instant, seconds, status};

pub(super) use keys::{Keys, KeysAction};
pub(super) use plugins::{New, Plugins, PluginsAction, SigningKeys, SigningKeysAction};
pub(super) use serve::Serve;

const EXIT_CODES: &str = "\
Exit codes:
  0  Successful
  1  Failed, or a case of check did
  2  bad usage: an argument, a file of yours, a command or an execution id that can't be used
  3  Partially Successful
  4  a plugin can't be loaded, or is not trusted
  5  the store can't be used
  6  stopped by its deadline, or cancelled";

/// Runs playbook tasks through commands that are loaded as dynamic libraries.
#[derive(Debug, Parser)]
#[command(name = "playdock", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) subcommand: Subcommand,
}

/// What every subcommand takes.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The store, made where there is none: a file, or postgres://USER@HOST/DATABASE
    #[arg(long, global = true, value_name = "FILE|URL", default_value = "playdock.db")]
    #[arg(env = "PLAYDOCK_DB", hide_env_values = true)]
    pub(super) db: OsString,
    /// A plugin to use, repeatable; without it, those that playdock.toml lists, or else the one
    /// that was built beside this program
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) plugin: Vec<PathBuf>,
    /// Which plugins may run beside the one that was built with this program; without it, locked,
    /// or signed where a lock file says so
    #[arg(long, global = true, value_name = "WHICH")]
    #[arg(env = "PLAYDOCK_POLICY", hide_env_values = true)]
    pub(super) policy: Option<PolicyArgument>,
    /// The lock file to use in place of your own
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) lock: Option<PathBuf>,
    /// Where plugins run; without it, where playdock.toml says, or else in workers, which on Linux
    /// are sandboxed
    #[arg(long, global = true, value_name = "WHERE")]
    pub(super) isolation: Option<IsolationArgument>,
    /// How answers are written
    #[arg(long, global = true, value_name = "FORM", default_value = "text")]
    pub(super) output: Output,
    /// Say what is done; -vv and -vvv say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs: of an answer, its four members alone
    Json,
    /// Of plugins inspect: the reference pages of a library's commands
    Markdown,
    /// For servers that build and test: JUnit's XML, from check alone
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PolicyArgument {
    /// Those that have a good signature by a key in a lock file
    Signed,
    /// Those that a lock file has
    Locked,
    /// Whatever is named
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IsolationArgument {
    /// In processes of their own, on Linux inside a sandbox
    Worker,
    /// In this process: for plugins that are trusted as one's own
    InProcess,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Run a playbook (CACAO 2.0)
    Run(Run),
    /// Run one command
    Invoke(Invoke),
    /// Answer remote requests, as D3's Command API does
    Serve(Serve),
    /// Make, list and revoke the keys of remote clients
    Keys(Keys),
    /// Import and look at incidents
    Incidents(Incidents),
    /// Look at what was run
    Executions(Executions),
    /// Look at plugins, and say which may run
    Plugins(Plugins),
    /// Check a plugin: what is asked of every one
    #[cfg(target_os = "linux")]
    Check(Check),
    /// Look after the store: check it, back it up, restore a backup
    Db(Db),
    /// Begin a command of your own: a crate that builds, tests and runs as it is
    New(New),
}

impl Arguments {
    /// Whether the answer can be written in the form that is asked for.
    pub(super) fn check_output(&self) -> Result<(), &'static str> {
        let inspects = |plugins: &Plugins| matches!(plugins.action, PluginsAction::Inspect { .. });
        match (self.common.output, &self.subcommand) {
            (Output::Markdown, Subcommand::Plugins(plugins)) if inspects(plugins) => Ok(()),
            (Output::Markdown, _) => Err("--output markdown is for plugins inspect alone"),
            #[cfg(target_os = "linux")]
            (Output::Junit, Subcommand::Check(_)) => Ok(()),
            (Output::Junit, _) => Err("--output junit is for check alone"),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The playbook
    #[arg(value_name = "PLAYBOOK.json")]
    pub(super) playbook: PathBuf,
    /// The site that its tasks work in
    #[arg(long, value_name = "NAME")]
    pub(super) site: String,
    /// Give an external variable its value, repeatable
    #[arg(long, value_name = "__name__=value", value_parser = assignment)]
    pub(super) set: Vec<(String, String)>,
    /// Import these incidents first (JSON Lines)
    #[arg(long, value_name = "FILE")]
    pub(super) import: Option<PathBuf>,
    #[command(flatten)]
    pub(super) execution: ExecutionOptions,
}

#[derive(Debug, Args)]
pub(super) struct Invoke {
    /// The command: CloseIncidentInBulk, say
    pub(super) command: String,
    /// Its parameters, a JSON object: a file, or - for standard input
    #[arg(long, value_name = "FILE|-")]
    pub(super) params: PathBuf,
    /// The site that it works in
    #[arg(long, value_name = "NAME")]
    pub(super) site: String,
    /// Run it as a person, not as a playbook would
    #[arg(long, requires = "user")]
    pub(super) manual: bool,
    /// The person
    #[arg(long, value_name = "USERNAME", requires = "manual")]
    pub(super) user: Option<String>,
    /// Answer as if it were run, and write nothing
    #[arg(long, conflicts_with = "execution_id")]
    pub(super) preview: bool,
    /// Stop it after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) execution: ExecutionOptions,
}

/// What belongs to an execution, whichever way it is started.
#[derive(Debug, Args)]
pub(super) struct ExecutionOptions {
    /// An id of your own; the same id again goes on where it was interrupted, or repeats the answer
    #[arg(long, value_name = "ID")]
    pub(super) execution_id: Option<String>,
    /// A clock that stands still, for rehearsals: 2021-01-27T14:08:00Z, say
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(super) clock: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(super) struct Incidents {
    #[command(subcommand)]
    pub(super) action: IncidentsAction,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum IncidentsAction {
    /// Import sites, users and incidents: all of a file or nothing
    Import {
        /// JSON Lines, or CSV with --map; - for JSON Lines from standard input
        file: PathBuf,
        /// How the columns of a CSV file are to be read
        #[arg(long, value_name = "MAP.toml")]
        map: Option<PathBuf>,
    },
    /// List incidents
    List {
        /// Of this site alone
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
        /// With this status alone: Open, In Progress, On Hold or Closed
        #[arg(long, value_parser = status)]
        status: Option<Status>,
        /// How many at most
        #[arg(long, value_name = "COUNT", value_parser = count, default_value = "50")]
        limit: usize,
    },
    /// Show one incident: its tasks, fields and audit, and how old the facts are
    Show {
        /// Its number
        number: String,
        /// Its site, where several have one of this number
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Executions {
    #[command(subcommand)]
    pub(super) action: ExecutionsAction,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum ExecutionsAction {
    /// List executions, the latest first
    List {
        /// How many at most
        #[arg(long, value_name = "COUNT", value_parser = count, default_value = "20")]
        limit: usize,
    },
    /// Show one execution, and what became of each incident
    Show {
        /// Its id
        id: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}

//! The arguments of `playdock check`.

use super::values::seconds;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How many seconds a case may take where nobody says otherwise.
pub(in crate::cli) const DEFAULT_LIMIT: &str = "60";

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The library; it need not be trusted, since its code runs inside the sandbox
    #[arg(required_unless_present = "list")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// List the cases that are meant, and try none
    #[arg(long)]
    pub(in crate::cli) list: bool,
    /// Try the cases with such an id alone, repeatable: cancelled-*, say
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) include: Vec<glob::Pattern>,
    /// Leave out the cases with such an id, repeatable
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) exclude: Vec<glob::Pattern>,
    /// Check this command of the library alone, repeatable
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) command: Vec<String>,
    /// What random inputs follow from: that of a failure, to see it again
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) seed: Option<u64>,
    /// Try less, for while you write: 500 calls in place of 10,000, 50 random inputs in place of
    /// 1,000, loaded 50 times at once in place of 300, texts of 128 KiB in place of 4 MiB
    #[arg(long)]
    pub(in crate::cli) quick: bool,
    /// End a case after so many seconds: it has failed then
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = DEFAULT_LIMIT)]
    pub(in crate::cli) timeout: Duration,
}

//! The arguments of `playdock db`.

use super::values::count;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct Db {
    #[command(subcommand)]
    pub(in crate::cli) action: DbAction,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum DbAction {
    /// Bring the store up to this program's version, as all but check, backup and restore do when
    /// they open it
    Migrate,
    /// Check all that must always hold in the store, and write nothing; exit code 5 where something
    /// doesn't
    Check {
        /// How many problems of a kind to name at most
        #[arg(long, value_name = "COUNT", value_parser = count, default_value = "10")]
        limit: usize,
    },
    /// Write all that the store holds into a new file, while others go on using the store
    Backup {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Put a backup in the place of the store, which is kept under another name; no other process
    /// may use it then
    Restore {
        /// The backup
        file: PathBuf,
    },
}

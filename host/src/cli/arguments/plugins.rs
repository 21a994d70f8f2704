//! The arguments of `playdock plugins` and `playdock new`.

use crate::plugins::KeyId;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Debug, Args)]
pub(in crate::cli) struct New {
    /// Its name: assign-owner, say
    pub(in crate::cli) name: String,
    /// The folder of playdock-plugin-api, to depend on in place of its published version
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) plugin_api: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Plugins {
    #[command(subcommand)]
    pub(in crate::cli) action: PluginsAction,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum PluginsAction {
    /// List the plugins in use, with their commands and why they may run
    List,
    /// Show what a library is, and what it says of its commands: asked inside a sandbox, or not
    /// at all
    Inspect {
        /// The library
        file: PathBuf,
    },
    /// Allow a library to run as it is now, in your lock file; none of its code runs yet
    Trust {
        /// The library
        file: PathBuf,
        /// Allow whatever is built where it lies
        #[arg(long)]
        dev: bool,
    },
    /// Take a library out of your lock file
    Untrust {
        /// The library, or the name of the plugin
        #[arg(value_name = "FILE|NAME")]
        plugin: PathBuf,
    },
    /// Say whose signatures count
    Keys(SigningKeys),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SigningKeys {
    #[command(subcommand)]
    pub(in crate::cli) action: SigningKeysAction,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum SigningKeysAction {
    /// Trust a key, in your lock file: what it signs may run under the policy signed
    Add {
        /// The public key that minisign made: its file, or the line in it that begins with RW
        #[arg(value_name = "FILE.pub|KEY")]
        key: PathBuf,
        /// Whose it is; without it, the comment in the file
        #[arg(long)]
        name: Option<String>,
    },
    /// Revoke a key, in your lock file: what is trusted for its signature is refused from now on
    Revoke {
        /// Its id, as list shows it
        #[arg(value_parser = KeyId::from_str)]
        id: KeyId,
    },
    /// List the keys in all lock files
    List,
}

//! The arguments of `playdock keys`.

use super::values::from_now;
use clap::Args;
use playdock_plugin_api::Timestamp;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct Keys {
    #[command(subcommand)]
    pub(in crate::cli) action: KeysAction,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum KeysAction {
    /// Make a key and print it; it can't be shown again
    Create {
        /// A name for it, by which it is listed, logged and revoked
        name: String,
        /// Allow this command alone, repeatable
        #[arg(long, value_name = "NAME")]
        command: Vec<String>,
        /// Allow this site alone, repeatable
        #[arg(long, value_name = "NAME")]
        site: Vec<String>,
        /// Allow to act as this user alone, repeatable
        #[arg(long, value_name = "USERNAME")]
        user: Vec<String>,
        /// Let it expire: after 90d or 12h, say
        #[arg(long, value_name = "TIME", value_parser = from_now)]
        expires: Option<Timestamp>,
        /// Make a secret that signs tokens (d3jwt, HS256) and isn't sent itself; it is stored under
        /// the server key in FILE, which is made where there is none
        #[arg(long, value_name = "FILE")]
        jwt: Option<PathBuf>,
    },
    /// List keys: what they may do, and when they were last used
    List,
    /// Revoke a key; servers that run refuse it within a second
    Revoke {
        /// Its name
        name: String,
    },
}

//! The runtime of Playdock: runs commands, which it loads as dynamic libraries, on a store of
//! incidents.
//!
//! ```no_run
//! use playdock_host::execution::{Host, Invocation, Isolation, Parameters};
//! use playdock_host::incidents::SqliteStore;
//! use playdock_host::plugins::Plugins;
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut plugins = Plugins::new();
//! plugins.add(Path::new("target/release/libclose_incident_in_bulk.so"))?;
//! let store = Arc::new(SqliteStore::open(Path::new("playdock.db"))?);
//! let host = Host::new(store.clone(), store, plugins, |_| Isolation::InProcess);
//!
//! let parameters = Parameters::from_json(br#"{
//!     "Incident Numbers": ["20210127-198"],
//!     "Bypass Required Pending Tasks": "No",
//!     "Username": "admin user"
//! }"#)?;
//! let invocation = Invocation::automatic("CloseIncidentInBulk", parameters, "Security Operations");
//! let answer = host.execute(&invocation)?;
//! println!("{}", serde_json::to_string(&answer)?);
//! # Ok(())
//! # }
//! ```
//!
//! Imports run one way: the faces ([`cli`], [`remote`], [`playbook`]) build an
//! [`Invocation`](execution::Invocation); [`execution`] runs it; [`plugins`] and [`incidents`] stand
//! below and don't know each other.

#[cfg(target_os = "linux")]
mod check;
pub mod cli;
pub mod execution;
pub mod incidents;
pub mod playbook;
pub mod plugins;
pub mod remote;

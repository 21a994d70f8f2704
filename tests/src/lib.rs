//! What the end-to-end tests share: building the real program and the real libraries, running
//! them in a folder of their own, and filling stores.

#![allow(clippy::missing_panics_doc, reason = "a test that can't go on panics")]

mod build;
mod in_process;
mod kinds;
mod playdock;
#[cfg(target_os = "linux")]
mod postgres_server;
#[cfg(target_os = "linux")]
mod postgres_small_disk;
mod random;
mod served;
mod stores;
mod watched;

pub use build::{library, program};
pub use in_process::invocation;
pub use kinds::in_postgres;
pub use playdock::{Finished, Playdock};
#[cfg(target_os = "linux")]
pub use postgres_server::{PASSWORD, PostgresDatabase, PostgresServer};
pub use random::Random;
pub use served::{PATIENCE, Response, Served};
pub use stores::{SITE_AND_USER, incident, outcome, outcomes, parameters, with};
pub use watched::{WatchedStore, answer_rows, closing};

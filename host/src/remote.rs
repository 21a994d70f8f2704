//! The Remote Command API: turns an HTTP request into an invocation, and an answer into a response.
//!
//! It speaks as D3 SOAR's Command API does, so that its clients need no change; what is added (the
//! execution id, `Idempotency-Key`, `Prefer: respond-async`) changes nothing for a client that
//! doesn't use it.
//!
//! | file | subject |
//! |---|---|
//! | `settings`, `server`, `front`, `connections`, `tls` | listening, connections, stopping |
//! | `lingering`, `pace`, `unwritten` | what is read and written at a client's pace |
//! | `capacity` | how much is done and kept at once |
//! | `paths`, `routes`, `service` | which request goes where, and what all of them share |
//! | `keyring`, `secrets`, `jwt` | who asks |
//! | `request`, `commands`, `running`, `perform`, `answer`, `sending` | running a command |
//! | `executions`, `catalogue`, `openapi` | what else can be asked for |
//! | `response`, `refusal` | what responses have in common; every status and body that isn't an answer |
//! | `access_log`, `metrics` | what those who run the server see |

mod access_log;
mod answer;
mod capacity;
mod catalogue;
mod commands;
mod connections;
mod executions;
mod front;
mod jwt;
mod keyring;
mod lingering;
mod metrics;
mod openapi;
mod pace;
mod paths;
mod perform;
mod refusal;
mod request;
mod response;
mod routes;
mod running;
mod secrets;
mod sending;
mod server;
mod service;
mod settings;
mod tls;
mod unwritten;

pub use paths::{InvalidNamespace, Namespace};
pub use secrets::{ClientSecret, ServerKey, ServerKeyError};
pub use server::{ServeError, Server, Stop};
pub use settings::Settings;
pub use tls::TlsFiles;

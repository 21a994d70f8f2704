//! What whoever runs the server chooses.

use super::paths::Namespace;
use super::secrets::ServerKey;
use super::tls::TlsFiles;
use playdock_plugin_api::Timestamp;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// What whoever runs the server chooses.
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The first segments of its paths.
    pub namespace: Namespace,
    /// The certificate that it shows; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Opens the secrets of the keys that sign; `None` refuses all tokens.
    pub server_key: Option<ServerKey>,
    /// Where it shows its metrics, if anywhere: plain HTTP, without a key.
    pub metrics: Option<SocketAddr>,
    /// How many requests a second each key may make; `None` is no limit.
    pub rate: Option<NonZeroU32>,
    /// How many bytes a request's body may have.
    pub largest_body: usize,
    /// How long an execution may take.
    pub timeout: Duration,
    /// How long running executions may go on once the server is told to stop.
    pub drain: Duration,
    /// A fixed clock, for rehearsals.
    pub clock: Option<Timestamp>,
}

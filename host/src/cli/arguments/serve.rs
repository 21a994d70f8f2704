//! The arguments of `playdock serve`.

use super::values::{address, bytes, instant, seconds};
use clap::Args;
use playdock_plugin_api::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const MORE: &str = "\
Requests:
  POST   [/NAMESPACE]/api/Command/{Command}   run a command
  GET    [/NAMESPACE]/api/Commands            the commands that the key may run
  GET    [/NAMESPACE]/api/executions/{id}     how far an execution is, and its answer
  DELETE [/NAMESPACE]/api/executions/{id}     cancel it
  GET    /openapi.json                        all of this as OpenAPI 3.1
  GET    /healthz, /readyz                    without a key

Each other request needs the header d3key, with a key that playdock keys create made. A line of
JSON for each request goes to standard error. SIGTERM and Ctrl-C stop the server once what runs has
ended; a second one ends it at once.";

/// Where to listen, and within which bounds.
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub(in crate::cli) struct Serve {
    /// The address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, default_value = "127.0.0.1:8080")]
    pub(in crate::cli) listen: SocketAddr,
    /// What comes before /api in paths: MainApp/VSOC, say
    #[arg(long, value_name = "SEGMENTS", default_value = "", hide_default_value = true)]
    pub(in crate::cli) namespace: String,
    /// The server's certificate, with those between it and the root (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Listen without TLS where others can reach it: behind a proxy that has TLS
    #[arg(long)]
    pub(in crate::cli) plain_http: bool,
    /// Accept tokens too (d3jwt); FILE is the server key that keys create --jwt made
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) jwt: Option<PathBuf>,
    /// Show metrics for Prometheus at this address: plain HTTP, /metrics, without a key; others can
    /// reach it with --plain-http alone
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub(in crate::cli) metrics: Option<SocketAddr>,
    /// How many requests a second each key may make; 0 is any number
    #[arg(long, value_name = "COUNT", default_value = "50")]
    pub(in crate::cli) rate: u32,
    /// The largest body of a request
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "32MiB")]
    pub(in crate::cli) max_body: usize,
    /// Stop an execution after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    pub(in crate::cli) timeout: Duration,
    /// When told to stop, cancel what still runs after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub(in crate::cli) drain: Duration,
    /// A clock that stands still, for rehearsals: 2021-01-27T14:08:00Z, say
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(in crate::cli) clock: Option<Timestamp>,
}

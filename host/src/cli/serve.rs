//! `playdock serve`: answers remote requests.

use super::arguments::{Common, Output, Serve};
use super::exit::{self, Failure};
use super::{interrupt, output, setup};
use crate::remote::{Namespace, ServeError, Server, ServerKey, Settings, Stop, TlsFiles};
use serde::Serialize;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::ExitCode;

pub(super) fn serve(common: &Common, arguments: &Serve) -> Result<ExitCode, Failure> {
    let settings = settings(arguments)?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let (host, store) = setup::host(common)?;
    let server = Server::start(host, store, settings)?;
    let stop = Stop::default();
    let stopping = stop.clone();
    interrupt::on_interrupt(move || stopping.stop());
    write(common, scheme, &server)?;
    server.run(&stop)?;
    Ok(ExitCode::SUCCESS)
}

fn settings(arguments: &Serve) -> Result<Settings, Failure> {
    let tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
    if !arguments.plain_http {
        if tls.is_none() {
            check_loopback("--listen", arguments.listen, "give --tls-cert and --tls-key, or")?;
        }
        // They have no TLS.
        if let Some(metrics) = arguments.metrics {
            check_loopback("--metrics", metrics, "give")?;
        }
    }
    Ok(Settings {
        listen: arguments.listen,
        namespace: Namespace::parse(&arguments.namespace).map_err(Failure::usage)?,
        tls,
        server_key: match &arguments.jwt {
            Some(file) => Some(ServerKey::read(file).map_err(Failure::usage)?),
            None => None,
        },
        metrics: arguments.metrics,
        rate: NonZeroU32::new(arguments.rate),
        largest_body: arguments.max_body,
        timeout: arguments.timeout,
        drain: arguments.drain,
        clock: arguments.clock,
    })
}

/// Keys and incidents don't go over a network in the clear, unless that is what is wanted.
fn check_loopback(option: &str, address: SocketAddr, instead: &str) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let message = format!(
        "{option} {address} can be reached by others, without TLS: {instead} --plain-http if that \
         is what you want"
    );
    Err(Failure::usage(message))
}

/// Says where it listens.
fn write(common: &Common, scheme: &str, server: &Server) -> Result<(), Failure> {
    let said = |error: std::io::Error| Failure::output(&error);
    let listening = format!("{scheme}://{}", server.address().map_err(said)?);
    let metrics = server.metrics_address().map_err(said)?;
    let metrics = metrics.map(|address| format!("http://{address}/metrics"));
    if common.output == Output::Json {
        #[derive(Serialize)]
        struct Line {
            listening: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            metrics: Option<String>,
        }
        return output::write_json(&Line { listening, metrics });
    }
    output::write(|out| {
        writeln!(out, "Listening at {listening}")?;
        match metrics {
            Some(metrics) => writeln!(out, "Metrics at {metrics}"),
            None => Ok(()),
        }
    })
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Failure {
        match error {
            ServeError::Execution(error) => error.into(),
            ServeError::Store(error) => error.into(),
            other => Failure { code: exit::BAD_USAGE, message: other.to_string() },
        }
    }
}

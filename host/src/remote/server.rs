//! The server: it starts, listens, and stops without cutting off what runs.

use super::capacity::Size;
use super::connections::Connections;
use super::front::{Front, accept};
use super::keyring::KeyRing;
use super::metrics;
use super::refusal::Refusal;
use super::routes;
use super::service::Service;
use super::settings::Settings;
use super::tls::{TlsError, TlsFiles};
use crate::execution::{ExecutionError, Host};
use crate::incidents::{ApiKeys, StoreError};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// How many connections are open at once, where the system allows that many files.
const MOST_CONNECTIONS: usize = 4096;
/// How many connections may wait to be taken.
#[cfg(target_os = "linux")]
const WAITING_CONNECTIONS: i32 = 1024;
/// How much of an answer the system takes for a client: of more, it would tell too late how much of
/// it the client has taken in.
#[cfg(target_os = "linux")]
const SEND_BUFFER: usize = 128 << 10;
/// How often the store is asked for other keys.
const REFRESH: Duration = Duration::from_secs(1);
/// How long executions that were cancelled, and the answers of others, may take to end.
const TO_END: Duration = Duration::from_secs(5);

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened at.
    #[error("the server can't listen at {address}: {cause}; name another address with --listen")]
    CannotListen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A plugin can't be loaded.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no threads.
    #[error("the server can't start: {0}")]
    NoThreads(io::Error),
}

/// Tells a server to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Notify>);

impl Stop {
    /// Tells it. It takes no new requests from now on.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

/// A server that listens.
pub struct Server {
    service: Arc<Service>,
    listener: std::net::TcpListener,
    /// How many may be open.
    connections: usize,
    metrics: Option<std::net::TcpListener>,
    tls: Option<TlsAcceptor>,
    drain: Duration,
}

impl Server {
    /// Looks at the keys, loads the plugins and begins to listen.
    ///
    /// # Errors
    ///
    /// [`ServeError`]
    pub fn start(
        host: Host,
        keys: Arc<dyn ApiKeys>,
        mut settings: Settings,
    ) -> Result<Server, ServeError> {
        let size = Size { connections: most_connections(), largest_body: settings.largest_body };
        let keys = KeyRing::new(keys, settings.server_key.take(), settings.rate, size);
        keys.refresh()?;
        let tls = settings.tls.as_ref().map(TlsFiles::acceptor).transpose()?;
        let listener = listen(settings.listen)?;
        let metrics = settings.metrics.map(listen).transpose()?;
        let drain = settings.drain;
        let service = Arc::new(Service::new(host, keys, size, settings)?);
        let connections = size.connections;
        Ok(Server { service, listener, connections, metrics, tls, drain })
    }

    /// The address at which it listens.
    ///
    /// # Errors
    ///
    /// The system doesn't say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The address at which it shows its metrics.
    ///
    /// # Errors
    ///
    /// The system doesn't say.
    pub fn metrics_address(&self) -> io::Result<Option<SocketAddr>> {
        self.metrics.as_ref().map(std::net::TcpListener::local_addr).transpose()
    }

    /// Serves until it is told to stop, and what runs has ended or was cancelled.
    ///
    /// # Errors
    ///
    /// [`ServeError`]
    pub fn run(self, stop: &Stop) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            // What is quick, and waits for the disk or for a processor.
            .max_blocking_threads(16)
            .thread_name("playdock-serve")
            .build()
            .map_err(ServeError::NoThreads)?;
        let service = self.service.clone();
        let served = runtime.block_on(self.serve(stop));
        runtime.shutdown_timeout(Duration::from_millis(500));
        if let Err(error) = service.keys.note_uses(true) {
            log::warn!("the last use of keys was not noted: {error}");
        }
        service.log.end();
        served.map_err(ServeError::NoThreads)
    }

    async fn serve(self, stop: &Stop) -> io::Result<()> {
        let connections = Arc::new(Connections::new(self.connections));
        let listener = TcpListener::from_std(self.listener)?;
        let front = Arc::new(Front {
            router: routes::routes(self.service.clone()),
            service: self.service.clone(),
        });
        let refreshing = tokio::spawn(refresh(self.service.clone()));
        let noting = tokio::spawn(note_uses(self.service.clone()));
        let showing = match self.metrics {
            None => None,
            Some(listener) => {
                let listener = TcpListener::from_std(listener)?;
                let front = Arc::new(Front {
                    router: metrics_routes(self.service.clone()),
                    service: self.service.clone(),
                });
                let own = Arc::new(Connections::new(16));
                Some(tokio::spawn(accept(listener, None, front, own)))
            }
        };
        tokio::select! {
            () = accept(listener, self.tls, front, connections.clone()) => {}
            () = stop.0.notified() => {}
        }
        // The listener is closed by now.
        self.service.stop();
        connections.close_all();
        let executions = &self.service.executions;
        let drained = Instant::now() + self.drain;
        if timeout(self.drain, executions.none()).await.is_err() {
            executions.cancel_all();
            let _ = timeout(TO_END, executions.none()).await;
        }
        // Answers are still to be written.
        let left = drained.saturating_duration_since(Instant::now());
        let _ = timeout(left.max(TO_END), connections.idle()).await;
        let _ = timeout(TO_END, connections.none()).await;
        refreshing.abort();
        noting.abort();
        if let Some(showing) = showing {
            showing.abort();
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    let listening = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        // The queue that the standard library makes is too short for many who come at once.
        #[cfg(target_os = "linux")]
        rustix::net::listen(&listener, WAITING_CONNECTIONS)?;
        // Its connections have the same.
        #[cfg(target_os = "linux")]
        rustix::net::sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
        Ok(listener)
    });
    listening.map_err(|cause| ServeError::CannotListen { address, cause })
}

/// As many as the system allows files for, with as many left for everything else.
#[cfg(target_os = "linux")]
fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let files = limit.and_then(|limit| usize::try_from(limit).ok());
    files.map_or(MOST_CONNECTIONS, |files| (files / 2).clamp(1, MOST_CONNECTIONS))
}

#[cfg(not(target_os = "linux"))]
fn most_connections() -> usize {
    MOST_CONNECTIONS / 16
}

async fn refresh(service: Arc<Service>) {
    loop {
        sleep(REFRESH).await;
        service.refresh_keys().await;
    }
}

async fn note_uses(service: Arc<Service>) {
    loop {
        sleep(REFRESH).await;
        service.note_uses_of_keys().await;
    }
}

fn metrics_routes(service: Arc<Service>) -> Router {
    let page = move || {
        let service = service.clone();
        async move { ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], service.metrics.text(&service.host)) }
    };
    Router::new().route("/metrics", get(page)).fallback(|| async { Refusal::NotFound })
}

//! The server: it listens, serves each connection within bounds, and stops without cutting off what
//! runs.

use super::access_log::{Line, Noted};
use super::connections::{Busy, Connection, Connections, Place};
use super::keyring::KeyRing;
use super::metrics;
use super::paths::{OriginalPath, normalised};
use super::refusal::Refusal;
use super::routes;
use super::service::{AT_ONCE, Service};
use super::settings::Settings;
use super::tls::TlsError;
use crate::execution::{ExecutionError, Host};
use crate::incidents::{ApiKeys, StoreError};
use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Request, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How many connections are open at once, where the system allows that many files.
const MOST_CONNECTIONS: usize = 4096;
/// How many connections may wait to be taken.
#[cfg(target_os = "linux")]
const WAITING_CONNECTIONS: i32 = 1024;
/// How long a client may take to greet in TLS, to send a request's head (idle time between two
/// requests counts), and to take in what is written to it.
const FOR_HANDSHAKE: Duration = Duration::from_secs(10);
const FOR_HEAD: Duration = Duration::from_secs(30);
const FOR_READING: Duration = Duration::from_secs(30);
/// About how many bytes, and how many fields, the head of a request may have.
const LONGEST_HEAD: usize = 32 << 10;
const MOST_FIELDS: usize = 64;
/// How often the store is asked for other keys.
const REFRESH: Duration = Duration::from_secs(1);
/// How long executions that were cancelled, and the answers of others, may take to end.
const TO_END: Duration = Duration::from_secs(5);

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened at.
    #[error("the server can't listen at {address}: {cause}")]
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
        let keys = KeyRing::new(keys, settings.server_key.take(), settings.rate);
        keys.refresh()?;
        let tls = settings.tls.as_ref().map(super::tls::TlsFiles::acceptor).transpose()?;
        let listener = listen(settings.listen)?;
        let metrics = settings.metrics.map(listen).transpose()?;
        let drain = settings.drain;
        let service = Arc::new(Service::new(host, keys, settings)?);
        Ok(Server { service, listener, metrics, tls, drain })
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
            // Executions, and what is quick beside them.
            .max_blocking_threads(AT_ONCE + 16)
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
        let connections = Arc::new(Connections::new(most_connections()));
        let listener = TcpListener::from_std(self.listener)?;
        let front = Arc::new(Front {
            router: routes::routes(self.service.clone()),
            service: self.service.clone(),
        });
        let refreshing = tokio::spawn(refresh(self.service.clone()));
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
        if timeout(self.drain, executions.none()).await.is_err() {
            executions.cancel_all();
            let _ = timeout(TO_END, executions.none()).await;
        }
        // Answers are still to be written.
        let _ = timeout(TO_END, connections.none()).await;
        refreshing.abort();
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

/// What every connection of a listener is served with.
struct Front {
    router: Router,
    service: Arc<Service>,
}

fn metrics_routes(service: Arc<Service>) -> Router {
    let page = move || {
        let service = service.clone();
        async move {
            let lost = service.host.workers_lost();
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], service.metrics.text(lost))
        }
    };
    Router::new().route("/metrics", get(page)).fallback(|| async { Refusal::NotFound })
}

/// Takes connections for as long as it is polled.
async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    connections: Arc<Connections>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let Some(place) = connections.admit() else { continue };
                tokio::spawn(connection(stream, remote, tls.clone(), front.clone(), place));
            }
            Err(error) => {
                // No more files, perhaps; others must be closed first.
                log::warn!("a connection was not taken: {error}");
                connections.close_idlest();
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    remote: SocketAddr,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    place: Place,
) {
    // Answers are written whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let connection = &place.connection;
    match tls {
        None => requests(stream, remote, &front, connection).await,
        Some(tls) => {
            let greeted = tokio::select! {
                greeted = timeout(FOR_HANDSHAKE, tls.accept(stream)) => greeted,
                () = connection.closing() => return,
            };
            if let Ok(Ok(stream)) = greeted {
                requests(stream, remote, &front, connection).await;
            }
        }
    }
}

/// Serves the requests of a connection until it is over.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + 'static,
    remote: SocketAddr,
    front: &Arc<Front>,
    connection: &Arc<Connection>,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(FOR_READING));
    let answer = |request: Request<Incoming>| {
        let (front, busy) = (front.clone(), connection.busy());
        async move { Ok::<_, Infallible>(front.answer(request, remote, busy).await) }
    };
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(FOR_HEAD)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service_fn(answer));
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = connection.closing() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        log::debug!("a connection from {remote} ended: {error}");
    }
}

impl Front {
    /// Answers a request and writes its line into the log.
    async fn answer(&self, request: Request<Incoming>, remote: SocketAddr, busy: Busy) -> Response {
        let began = Instant::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let lower = normalised(&path);
        let route = lower.as_deref().map_or("other", |path| routes::name(&self.service, path));
        let mut response = match lower.and_then(|path| path.parse::<PathAndQuery>().ok()) {
            None => Refusal::NotFound.into_response(),
            Some(lower) => {
                let mut request = request.map(Body::new);
                *request.uri_mut() = Uri::from(lower);
                request.extensions_mut().insert(OriginalPath(path.clone()));
                match self.router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let noted = response.extensions_mut().remove::<Noted>().unwrap_or_default();
        let (status, took) = (response.status().as_u16(), began.elapsed());
        self.service.metrics.request(route, status, took);
        self.service.log.add(Line::new(remote, method.as_str(), &path, status, took, noted));
        drop(busy);
        response
    }
}

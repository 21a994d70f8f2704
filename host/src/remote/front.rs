//! Serving connections: each within bounds of time and size, each request through its routes and
//! into the log.

use super::access_log::{Line, Noted};
use super::connections::{Connection, Connections, Place};
use super::lingering::lingering;
use super::pace::Paced;
use super::paths::{OriginalPath, normalised};
use super::refusal::Refusal;
use super::routes;
use super::service::Service;
use super::unwritten::Unwritten;
use axum::Router;
use axum::body::HttpBody;
use axum::http::header::{CACHE_CONTROL, TRANSFER_ENCODING};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How long a client may take to greet in TLS, and to send a request's head (idle time between two
/// requests counts).
const FOR_HANDSHAKE: Duration = Duration::from_secs(10);
const FOR_HEAD: Duration = Duration::from_secs(30);
/// How long one whose place another has may take for the rest of an answer.
const FOR_THE_REST: Duration = Duration::from_millis(250);
/// About how many bytes, and how many fields, the head of a request may have.
const LONGEST_HEAD: usize = 32 << 10;
const MOST_FIELDS: usize = 64;

/// What the log has for a status where the client left before there was one.
const CLIENT_LEFT: u16 = 499;

/// What every connection of a listener is served with.
pub(super) struct Front {
    pub(super) router: Router,
    pub(super) service: Arc<Service>,
}

/// Takes connections for as long as it is polled.
pub(super) async fn accept(
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
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    remote: SocketAddr,
    front: &Arc<Front>,
    connection: &Arc<Connection>,
) {
    let unwritten = Arc::new(Unwritten::default());
    let answer = |request: Request<Incoming>| {
        let (front, busy, unwritten) = (front.clone(), connection.busy(), unwritten.clone());
        async move {
            let mut response = front.answer(request, remote).await;
            let open = (busy, response.extensions_mut().remove());
            // A long answer is made while it is sent.
            let long = response.body().size_hint().exact().is_none();
            Ok::<_, Infallible>(if long { unwritten.hold(open, response) } else { response })
        }
    };
    let paced = Paced::new(stream, unwritten.clone());
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(FOR_HEAD)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(paced), service_fn(answer));
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = connection.closing() => {
            serving.as_mut().graceful_shutdown();
            loop {
                match timeout(FOR_THE_REST, serving.as_mut()).await {
                    Ok(ended) => break ended,
                    // It sent a part of a head, or doesn't read.
                    Err(_) if connection.is_over() => return,
                    Err(_) => {}
                }
            }
        }
    };
    if let Err(error) = ended {
        if error.is_parse() {
            front.refused(remote, error.is_parse_too_large());
        }
        log::debug!("a connection from {remote} ended: {error}");
    }
}

impl Front {
    /// Notes a request that could not be read; it was answered before it came here.
    fn refused(&self, remote: SocketAddr, too_large: bool) {
        let status = match too_large {
            true => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            false => StatusCode::BAD_REQUEST,
        };
        self.service.metrics.request("other", status.as_u16(), Duration::ZERO);
        let line = Line::new(remote, "", "", status.as_u16(), Duration::ZERO, Noted::default());
        self.service.log.add(line);
    }

    /// Answers a request and writes its line into the log.
    async fn answer(&self, request: Request<Incoming>, remote: SocketAddr) -> Response {
        let path = request.uri().path().to_owned();
        let lower = normalised(&path);
        let mut under_way = UnderWay {
            service: &self.service,
            remote,
            method: request.method().clone(),
            route: lower.as_deref().map_or("other", |path| routes::name(&self.service, path)),
            path,
            began: Instant::now(),
            status: CLIENT_LEFT,
            noted: Noted::default(),
        };
        let coded = is_coded(&request);
        let mut request = lingering(request);
        let mut response = match lower.and_then(|path| path.parse::<PathAndQuery>().ok()) {
            _ if coded => Refusal::UnknownCoding.into_response(),
            None => Refusal::NotFound.into_response(),
            Some(lower) => {
                *request.uri_mut() = Uri::from(lower);
                request.extensions_mut().insert(OriginalPath(under_way.path.clone()));
                match self.router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        under_way.noted = response.extensions_mut().remove().unwrap_or_default();
        under_way.status = response.status().as_u16();
        response
    }
}

/// A request under way, which is counted and written into the log however it ends.
struct UnderWay<'a> {
    service: &'a Service,
    remote: SocketAddr,
    method: Method,
    route: &'static str,
    path: String,
    began: Instant,
    status: u16,
    noted: Noted,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let (took, noted) = (self.began.elapsed(), std::mem::take(&mut self.noted));
        self.service.metrics.request(self.route, self.status, took);
        let method = self.method.as_str();
        let line = Line::new(self.remote, method, &self.path, self.status, took, noted);
        self.service.log.add(line);
    }
}

/// Whether a body is coded, other than cut into chunks for its transfer.
fn is_coded(request: &Request<Incoming>) -> bool {
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
}

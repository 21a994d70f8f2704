//! Which request goes where. Paths arrive here in lower case, without anything to decode.

use super::refusal::Refusal;
use super::service::Service;
use super::{catalogue, commands, executions, openapi};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of the server.
pub(super) fn routes(service: Arc<Service>) -> Router {
    let path = |rest: &str| service.namespace.path(rest).to_ascii_lowercase();
    Router::new()
        .route(&path("command/{command}"), post(commands::run))
        .route(&path("commands"), get(catalogue::list))
        .route(&path("executions/{id}"), get(executions::show).delete(executions::cancel))
        .route("/openapi.json", get(openapi::document))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
        .with_state(service)
}

/// A name for what was asked for, of which there are few, whatever the path.
pub(super) fn name(service: &Service, path: &str) -> &'static str {
    let inside = service.namespace.path("").to_ascii_lowercase();
    match path.strip_prefix(&inside) {
        Some(rest) if rest.starts_with("command/") => "command",
        Some("commands") => "commands",
        Some(rest) if rest.starts_with("executions/") => "execution",
        _ => match path {
            "/openapi.json" => "openapi",
            "/healthz" => "health",
            "/readyz" => "ready",
            _ => "other",
        },
    }
}

async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.is_ready() {
        true => "ok".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready").into_response(),
    }
}

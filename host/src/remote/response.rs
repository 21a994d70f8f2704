//! What responses have in common.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The header that names the execution.
pub(super) const EXECUTION_ID: HeaderName = HeaderName::from_static("playdock-execution-id");

/// A response of JSON.
pub(super) fn json(status: StatusCode, body: Body) -> Response {
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

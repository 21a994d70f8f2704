//! Every status and body that is no answer of a command: one member, `Error`. But a refusal that is
//! about what the request asks for has the four members of a failed answer, by contract.

use super::answer;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No key, or none that is good.
    InvalidKey,
    /// Too many requests for the key, or for the server.
    RateLimited,
    /// The body has more bytes than this.
    BodyTooLarge(usize),
    /// The body did not come in time.
    BodyTooSlow,
    /// The body is coded for its transfer in a way that isn't known.
    UnknownCoding,
    /// The body is no JSON object.
    NotJson,
    /// There is no such command for the key.
    UnknownCommand(String),
    /// The `Idempotency-Key` is none.
    BadIdempotencyKey,
    /// The `Idempotency-Key` belongs to a request that was this: "another site", say.
    IdempotencyKeyTaken(&'static str),
    /// There is nothing at this path, or nothing for the key.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed,
    /// The execution runs in another process, which alone can cancel it.
    RunsElsewhere,
    /// The execution has ended, so it can't be cancelled.
    HasEnded,
    /// The server could not do it; its log says why.
    Internal,
    /// The command was executed, and there is no room for its answer.
    NoRoomForAnswer,
    /// Another process runs the execution, and still does.
    StillRunning,
    /// The server is being stopped.
    Stopping,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::InvalidKey => StatusCode::UNAUTHORIZED,
            Refusal::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Refusal::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::NotJson | Refusal::UnknownCommand(_) | Refusal::BadIdempotencyKey => {
                StatusCode::BAD_REQUEST
            }
            Refusal::IdempotencyKeyTaken(_) => StatusCode::OK,
            Refusal::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::RunsElsewhere | Refusal::HasEnded => StatusCode::CONFLICT,
            // Of commands alone, for which the contract has no 503.
            Refusal::Internal
            | Refusal::NoRoomForAnswer
            | Refusal::StillRunning
            | Refusal::Stopping => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn sentence(&self) -> String {
        match self {
            // D3's words, to the letter.
            Refusal::InvalidKey => "Invalid authentication key.".to_owned(),
            Refusal::RateLimited => "The request exceeds rate limits or is otherwise blocked by \
                 rate limiting policies."
                .to_owned(),
            Refusal::NotJson => "The body of the request must be a valid JSON object".to_owned(),
            // Ours.
            Refusal::BodyTooLarge(most) => {
                format!("The body of the request must not have more than {most} bytes.")
            }
            Refusal::BodyTooSlow => "The body of the request did not come in time.".to_owned(),
            Refusal::UnknownCoding => "No Transfer-Encoding but chunked is known.".to_owned(),
            Refusal::UnknownCommand(name) => format!("There is no command \"{name}\"."),
            Refusal::BadIdempotencyKey => {
                "The Idempotency-Key must have 1 to 200 visible ASCII characters.".to_owned()
            }
            Refusal::IdempotencyKeyTaken(what) => {
                format!("The Idempotency-Key was used before, with {what}.")
            }
            Refusal::NotFound => "Not found.".to_owned(),
            Refusal::MethodNotAllowed => "The method is not allowed here.".to_owned(),
            Refusal::RunsElsewhere => {
                "The execution runs in another process; ask that to cancel it.".to_owned()
            }
            Refusal::Stopping => "The server is being stopped.".to_owned(),
            Refusal::HasEnded => "The execution has ended; there is nothing to cancel.".to_owned(),
            Refusal::Internal => "The server could not process the request.".to_owned(),
            Refusal::NoRoomForAnswer => {
                "The command was executed; there is no room for its answer \
                 now, so ask for the execution of this id later."
                    .to_owned()
            }
            Refusal::StillRunning => "The execution is still running; repeat the request with the \
                 same Idempotency-Key."
                .to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = match self {
            Refusal::IdempotencyKeyTaken(_) => answer::wrong(&self.sentence()),
            _ => serde_json::json!({ "Error": self.sentence() }).to_string().into(),
        };
        let mut response = (self.status(), Body::from(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self == Refusal::RateLimited {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal's status and body.
    async fn written(refusal: Refusal) -> (u16, String) {
        let response = refusal.into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 10).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_contracts_refusals_have_its_words() {
        let expected = [
            (
                Refusal::NotJson,
                400,
                r#"{"Error":"The body of the request must be a valid JSON object"}"#,
            ),
            (Refusal::InvalidKey, 401, r#"{"Error":"Invalid authentication key."}"#),
            (
                Refusal::RateLimited,
                429,
                r#"{"Error":"The request exceeds rate limits or is otherwise blocked by rate limiting policies."}"#,
            ),
        ];
        for (refusal, status, body) in expected {
            assert_eq!(written(refusal).await, (status, body.to_owned()));
        }
    }
}

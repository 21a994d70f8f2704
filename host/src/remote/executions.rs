//! `GET` and `DELETE …/api/executions/{id}`: how far an execution is, its answer, and the way to
//! cancel it. One that another key began isn't there.

use super::answer;
use super::commands::{EXECUTION_ID, json};
use super::keyring::LiveKey;
use super::refusal::Refusal;
use super::running::Running;
use super::service::{Service, note};
use crate::execution::Answer;
use crate::incidents::{ExecutionRecord, ExecutionState};
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use playdock_plugin_api::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// An execution as its client sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    id: &'a str,
    command: &'a str,
    site: &'a str,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    /// The four members, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Box<RawValue>>,
}

/// How many incidents are done, of how many.
#[derive(Serialize)]
struct Progress {
    done: u64,
    total: u64,
}

pub(super) async fn show(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    asked(&service, &id, request, false).await
}

pub(super) async fn cancel(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    asked(&service, &id, request, true).await
}

async fn asked(service: &Arc<Service>, id: &str, request: Request, cancel: bool) -> Response {
    let key = match service.admit(request.headers()).await {
        Ok(key) => key,
        Err(refusal) => return refusal.into_response(),
    };
    let response = find(service, &key, id, cancel).await;
    let found = response.is_ok();
    let mut response = response.unwrap_or_else(IntoResponse::into_response);
    if found && let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(EXECUTION_ID, id);
    }
    note(&mut response, &key, found.then_some(id));
    response
}

async fn find(
    service: &Arc<Service>,
    key: &LiveKey,
    id: &str,
    cancel: bool,
) -> Result<Response, Refusal> {
    let key = key.key.id;
    if let Some(running) = service.executions.get(id) {
        if running.key != key {
            return Err(Refusal::NotFound);
        }
        if cancel {
            running.cancel();
        }
        let status = if cancel { StatusCode::ACCEPTED } else { StatusCode::OK };
        return Ok(json(status, running_body(&running)));
    }
    let (stored, id) = (service.clone(), id.to_owned());
    let look = move || stored.host.stored(&id, key);
    let found = tokio::task::spawn_blocking(look).await.map_err(|_| Refusal::Internal)?;
    let found = found.map_err(|error| {
        log::error!("an execution can't be read: {error}");
        Refusal::Internal
    })?;
    let (record, answer) = found.ok_or(Refusal::NotFound)?;
    if cancel {
        return Err(match record.state {
            ExecutionState::Running => Refusal::RunsElsewhere,
            ExecutionState::Interrupted | ExecutionState::Finished => Refusal::HasEnded,
        });
    }
    Ok(json(StatusCode::OK, stored_body(&record, answer)?))
}

/// What is said of an execution that runs.
pub(super) fn running_body(running: &Running) -> Bytes {
    let (done, total) = running.progress();
    body(&View {
        id: &running.id,
        command: &running.command,
        site: &running.site,
        state: ExecutionState::Running.as_str(),
        progress: Some(Progress { done, total }),
        started_at: None,
        finished_at: None,
        answer: None,
    })
}

fn stored_body(record: &ExecutionRecord, answer: Option<Answer>) -> Result<Bytes, Refusal> {
    let answer = answer.map(|mut answer| serde_json::from_slice(&answer::body(&mut answer)));
    Ok(body(&View {
        id: &record.begun.id,
        command: &record.begun.command,
        site: &record.begun.site,
        state: record.state.as_str(),
        progress: None,
        started_at: Some(rfc3339(record.started_at)),
        finished_at: record.finished_at.map(rfc3339),
        answer: answer.transpose().map_err(|_| Refusal::Internal)?,
    }))
}

fn body(view: &View<'_>) -> Bytes {
    // Texts and numbers: serde_json can always write them.
    serde_json::to_vec(view).unwrap_or_default().into()
}

fn rfc3339(instant: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(instant.milliseconds());
    instant.map(|instant| instant.to_string()).unwrap_or_default()
}

//! `GET` and `DELETE …/api/executions/{id}`: how far an execution is, its answer, and the way to
//! cancel it. One that another key began isn't there.

use super::keyring::LiveKey;
use super::refusal::Refusal;
use super::response::{EXECUTION_ID, json};
use super::running::Running;
use super::sending::Ready;
use super::service::Service;
use super::{answer, capacity};
use crate::execution::{Answer, Ended};
use crate::incidents::{ExecutionRecord, ExecutionState, StoreError};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use playdock_plugin_api::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// What is said of an interrupted execution in place of the causes.
const BROKE_OFF: &str =
    "The command or the store failed before the end; contextData says what was done.";
/// How long an execution waits for its turn to be read.
const FOR_TURN: Duration = Duration::from_secs(10);

/// An execution as its client sees it, but for its answer.
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
    let admitted = match service.admit(request.headers()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let response = find(service, &admitted.key, id, cancel).await;
    let found = response.is_ok();
    let mut response = response.unwrap_or_else(IntoResponse::into_response);
    if found && let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(EXECUTION_ID, id);
    }
    admitted.note(&mut response, found.then_some(id));
    response
}

async fn find(
    service: &Arc<Service>,
    key: &LiveKey,
    id: &str,
    cancel: bool,
) -> Result<Response, Refusal> {
    // That of another key is looked for as one that there isn't.
    if let Some(running) = service.executions.get(id).filter(|it| it.key == key.key.id) {
        if cancel && running.is_elsewhere() {
            return Err(Refusal::RunsElsewhere);
        }
        if cancel {
            running.cancel();
        }
        let status = if cancel { StatusCode::ACCEPTED } else { StatusCode::OK };
        return Ok(json(status, running_body(&running).into()));
    }
    let (record, answer) = stored(service, key, id, !cancel).await?.ok_or(Refusal::NotFound)?;
    if cancel {
        return Err(match record.state {
            ExecutionState::Running => Refusal::RunsElsewhere,
            ExecutionState::Interrupted | ExecutionState::Finished => Refusal::HasEnded,
        });
    }
    let Some(answer) = answer else {
        return Ok(json(StatusCode::OK, text(&view(&record)).into()));
    };
    let (before, behind) = around(&view(&record));
    let body = answer.body(&key.share, &service.capacity, before, behind);
    Ok(json(StatusCode::OK, body.ok_or(Refusal::RateLimited)?))
}

/// An execution of the journal, and its answer, if it has ended and that is wanted.
async fn stored(
    service: &Arc<Service>,
    key: &LiveKey,
    id: &str,
    with_answer: bool,
) -> Result<Option<(ExecutionRecord, Option<Ready>)>, Refusal> {
    let loading = capacity::hold(&key.share.loading, &service.capacity.loading, 1);
    let Ok(Ok(loading)) = timeout(FOR_TURN, loading).await else {
        return Err(Refusal::RateLimited);
    };
    let (service, key, id) = (service.clone(), key.key.id, id.to_owned());
    let look = move || {
        let found = service.host.stored(&id, key, with_answer)?;
        let found = found.map(|(record, answer)| {
            let answer = answer.map(|answer| ready(&record, answer));
            (record, answer)
        });
        drop(loading);
        Ok(found)
    };
    let found = tokio::task::spawn_blocking(look).await.map_err(|_| Refusal::Internal)?;
    found.map_err(|error: StoreError| {
        log::error!("an execution can't be read: {error}");
        Refusal::Internal
    })
}

/// The answer that the journal has of an execution.
fn ready(record: &ExecutionRecord, mut answer: Answer) -> Ready {
    if record.state == ExecutionState::Interrupted && answer::concealed(answer.ended).is_some() {
        // The journal doesn't say which of them it was.
        answer.ended = Ended::HostStopped;
        answer.error = BROKE_OFF.to_owned();
    }
    Ready::new(answer)
}

/// What is said of an execution that runs.
pub(super) fn running_body(running: &Running) -> String {
    let (done, total) = running.progress();
    text(&View {
        id: &running.id,
        command: &running.command,
        site: &running.site,
        state: ExecutionState::Running.as_str(),
        progress: Some(Progress { done, total }),
        started_at: None,
        finished_at: None,
    })
}

fn view(record: &ExecutionRecord) -> View<'_> {
    View {
        id: &record.begun.id,
        command: &record.begun.command,
        site: &record.begun.site,
        state: record.state.as_str(),
        progress: None,
        started_at: Some(rfc3339(record.started_at)),
        finished_at: record.finished_at.map(rfc3339),
    }
}

/// What stands around the answer of an execution, which is its last member.
fn around(view: &View<'_>) -> (String, &'static str) {
    let mut before = text(view);
    before.truncate(before.len().saturating_sub("}".len()));
    (before + ",\"answer\":", "}")
}

fn text(view: &View<'_>) -> String {
    // Texts and numbers: serde_json can always write them.
    serde_json::to_string(view).unwrap_or_default()
}

fn rfc3339(instant: Timestamp) -> String {
    let instant = jiff::Timestamp::from_millisecond(instant.milliseconds());
    instant.map(|instant| instant.to_string()).unwrap_or_default()
}

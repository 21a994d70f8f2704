//! `POST …/api/Command/{Command}`: from the request to its answer, in the contract's order of
//! checks: key, rate, size, JSON, command, and then the command's own.

use super::answer;
use super::capacity;
use super::keyring::LiveKey;
use super::paths::OriginalPath;
use super::perform::Run;
use super::refusal::Refusal;
use super::request::{self, Asked, Taken};
use super::response::{EXECUTION_ID, json};
use super::running::{NotAdded, Running};
use super::service::Service;
use crate::execution::{Host, Invocation, Requester};
use axum::extract::{Path, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const PREFER: &str = "prefer";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// A body no longer than this is read on the thread that took it in.
const QUICKLY_READ: usize = 16 << 10;

pub(super) async fn run(
    State(service): State<Arc<Service>>,
    Path(command): Path<String>,
    request: Request,
) -> Response {
    let admitted = match service.admit(request.headers()).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal.into_response(),
    };
    let answered = answer(&service, &admitted.key, &command, request).await;
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    let execution = response.headers().get(EXECUTION_ID).and_then(|id| id.to_str().ok());
    let execution = execution.map(str::to_owned);
    admitted.note(&mut response, execution.as_deref());
    response
}

async fn answer(
    service: &Arc<Service>,
    key: &Arc<LiveKey>,
    command: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (of_key, of_all) = (&key.share, &service.capacity);
    let largest = service.largest_body;
    let taken = request::take(of_key, of_all, largest, &parts.headers, body).await?;
    let asked = read(&taken).await?;
    let Some(command) = service.catalogue.find(command, &key.key.made.limits) else {
        let written = parts.extensions.get::<OriginalPath>().map_or(command, OriginalPath::last);
        return Err(Refusal::UnknownCommand(written.to_owned()));
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(sentence) => return Ok(json(StatusCode::OK, answer::wrong(&sentence).into())),
    };
    let id = execution_id(key, &command.name, &parts.headers)?;
    let invocation = invocation(service, key, &command.name, id, asked);
    let running = start(service, key, invocation, taken).await?;
    let response = ended(service, key, &running, prefers_not_to_wait(&parts.headers)).await;
    let mut response = response.unwrap_or_else(IntoResponse::into_response);
    // An id is made of signs that a header may have.
    if let Ok(id) = HeaderValue::from_str(&running.id) {
        response.headers_mut().insert(EXECUTION_ID, id);
    }
    Ok(response)
}

/// The answer of an execution, or where it can be asked for later.
async fn ended(
    service: &Service,
    key: &LiveKey,
    running: &Running,
    later: bool,
) -> Result<Response, Refusal> {
    let ended = match later {
        false => running.ended().await?,
        true => match running.begun().await {
            Some(ended) => ended?,
            None => return accepted(service, running),
        },
    };
    let body = ended.body(&key.share, &service.capacity, String::new(), "");
    Ok(json(StatusCode::OK, body.ok_or(Refusal::NoRoomForAnswer)?))
}

async fn read(taken: &Taken) -> Result<Result<Asked, String>, Refusal> {
    if taken.bytes.len() <= QUICKLY_READ {
        return request::read(&taken.bytes);
    }
    let bytes = taken.bytes.clone();
    let read = tokio::task::spawn_blocking(move || request::read(&bytes)).await;
    read.unwrap_or(Err(Refusal::Internal))
}

/// The id that belongs to the client's own key for the request: the same for the
/// same API key, command and `Idempotency-Key`, also after a restart.
fn execution_id(
    key: &LiveKey,
    command: &str,
    headers: &HeaderMap,
) -> Result<Option<String>, Refusal> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(own) = given.next() else { return Ok(None) };
    let visible = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let own = own.as_bytes();
    if given.next().is_some() || !(1..=200).contains(&own.len()) || !own.iter().all(visible) {
        return Err(Refusal::BadIdempotencyKey);
    }
    let digest: [u8; 32] = Sha256::new()
        .chain_update(key.key.made.public_id.as_bytes())
        .chain_update([0])
        .chain_update(command.as_bytes())
        .chain_update([0])
        .chain_update(own)
        .finalize()
        .into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Ok(Some(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()))
}

fn invocation(
    service: &Service,
    key: &LiveKey,
    command: &str,
    execution_id: Option<String>,
    asked: Asked,
) -> Invocation {
    let mut invocation = Invocation::automatic(command, asked.parameters, &asked.site);
    invocation.requester = Requester::Automatic { requested_by: Some(asked.username) };
    invocation.api_key = Some(key.key.clone());
    invocation.id_is_new = execution_id.is_none();
    invocation.execution_id = Some(execution_id.unwrap_or_else(Host::new_id));
    invocation.timeout = service.timeout;
    invocation.clock = service.clock;
    invocation
}

/// Starts an execution once there are places for it, or joins the one that has its id and runs.
/// Whoever leaves before there are begins nothing.
async fn start(
    service: &Arc<Service>,
    key: &Arc<LiveKey>,
    mut invocation: Invocation,
    taken: Taken,
) -> Result<Arc<Running>, Refusal> {
    let id = invocation.execution_id.clone().unwrap_or_default();
    if let Some(other) = service.executions.get(&id) {
        return join(other, &invocation);
    }
    let Taken { bytes, room } = taken;
    let places = capacity::for_execution(bytes.len());
    // The parameters were read from it.
    drop(bytes);
    let held = capacity::places(&key.share, &service.capacity, places).await;
    let held = held.map_err(|_| Refusal::Stopping)?;
    if !service.keys.has(key) {
        // It was revoked while the body came, or while there was no place.
        return Err(Refusal::InvalidKey);
    }
    let running = Running::new(key.key.id, id, &mut invocation);
    match service.executions.add(&running) {
        Ok(()) => Run::new(service, key, &running, invocation, room, places).start(held),
        Err(NotAdded::Known(other)) => return join(other, &invocation),
        Err(NotAdded::Closed) => return Err(Refusal::Stopping),
    }
    Ok(running)
}

fn join(other: Arc<Running>, invocation: &Invocation) -> Result<Arc<Running>, Refusal> {
    match other.differs_from(invocation) {
        None => Ok(other),
        Some(what) => Err(Refusal::IdempotencyKeyTaken(what)),
    }
}

/// Whether the client would rather ask later (RFC 7240).
fn prefers_not_to_wait(headers: &HeaderMap) -> bool {
    let mut preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    preferences.any(|value| {
        let mut preferences = value.split(',').map(|one| one.split(';').next().unwrap_or(one));
        preferences.any(|one| one.trim().eq_ignore_ascii_case("respond-async"))
    })
}

/// Where the execution can be asked for.
fn accepted(service: &Service, running: &Running) -> Result<Response, Refusal> {
    let body = super::executions::running_body(running);
    let mut response = json(StatusCode::ACCEPTED, body.into());
    let path = service.namespace.path(&format!("executions/{}", running.id));
    let location = HeaderValue::from_str(&path).map_err(|_| Refusal::Internal)?;
    response.headers_mut().insert(LOCATION, location);
    let applied = HeaderValue::from_static("respond-async");
    response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    Ok(response)
}

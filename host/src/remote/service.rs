//! What all requests share: the host, the keys, what runs, what is counted.

use super::access_log::{AccessLog, Noted};
use super::capacity::{self, Capacity, Size};
use super::catalogue::Catalogue;
use super::keyring::{KeyRing, LiveKey};
use super::metrics::Metrics;
use super::paths::Namespace;
use super::refusal::Refusal;
use super::running::Executions;
use crate::execution::{Crew, ExecutionError, Host};
use axum::http::HeaderMap;
use axum::response::Response;
use playdock_plugin_api::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

/// Without a look at the store for so long, the server isn't ready.
const LONGEST_BLIND: Duration = Duration::from_secs(10);

/// How long after a look at the store for an unknown key the next one is.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What all requests share.
pub(super) struct Service {
    pub(super) host: Host,
    pub(super) namespace: Namespace,
    pub(super) catalogue: Catalogue,
    pub(super) keys: KeyRing,
    pub(super) executions: Executions,
    /// The threads on which they run.
    pub(super) crew: Crew,
    /// How much more can be done now.
    pub(super) capacity: Capacity,
    pub(super) largest_body: usize,
    pub(super) metrics: Metrics,
    pub(super) log: AccessLog,
    pub(super) timeout: Duration,
    pub(super) clock: Option<Timestamp>,
    stopping: AtomicBool,
    /// When the last look at the store for a key that isn't known began: one is enough for all who
    /// came before it.
    looked_at: tokio::sync::Mutex<Option<Instant>>,
}

impl Service {
    /// Makes the service; the plugins' code runs for it, to say what their commands are.
    pub(super) fn new(
        host: Host,
        keys: KeyRing,
        size: Size,
        settings: super::settings::Settings,
    ) -> Result<Service, ExecutionError> {
        Ok(Service {
            catalogue: Catalogue::of(&host)?,
            host,
            namespace: settings.namespace,
            keys,
            executions: Executions::default(),
            // One more, to watch the others.
            crew: Crew::new(capacity::most_executions() + 1),
            capacity: Capacity::of_all(size),
            largest_body: size.largest_body,
            metrics: Metrics::new(),
            log: AccessLog::start(),
            timeout: settings.timeout,
            clock: settings.clock,
            stopping: AtomicBool::new(false),
            looked_at: tokio::sync::Mutex::default(),
        })
    }

    /// Whose a request is, if it may go on: the first two checks of the contract.
    pub(super) async fn admit(
        self: &Arc<Service>,
        headers: &HeaderMap,
    ) -> Result<Admitted, Refusal> {
        let key = match self.keys.find(headers) {
            Some(key) => key,
            None => {
                self.look_at_keys().await;
                self.keys.find(headers).ok_or(Refusal::InvalidKey)?
            }
        };
        if !key.may_go_on() {
            return Err(Refusal::RateLimited);
        }
        // A key that has many requests open must leave connections to others.
        let place = key.share.requests.clone().try_acquire_owned();
        let open = OpenRequest(Arc::new(place.map_err(|_| Refusal::RateLimited)?));
        Ok(Admitted { key, open })
    }

    /// Looks whether there are other keys by now: one that was made before this was called is found.
    async fn look_at_keys(self: &Arc<Service>) {
        let came = Instant::now();
        let mut looked_at = self.looked_at.lock().await;
        if let Some(before) = *looked_at {
            if before >= came {
                return;
            }
            // Nobody has it read all the time by keys that there aren't.
            sleep(BETWEEN_LOOKS.saturating_sub(before.elapsed())).await;
        }
        let began = Instant::now();
        self.refresh_keys().await;
        *looked_at = Some(began);
    }

    /// Reads the keys of the store.
    pub(super) async fn refresh_keys(self: &Arc<Service>) {
        let service = self.clone();
        let read = tokio::task::spawn_blocking(move || service.keys.refresh()).await;
        if let Ok(Err(error)) = read {
            log::error!("the keys can't be read: {error}");
        }
    }

    /// Notes which keys were used. Who else writes is waited for, and nobody waits for this.
    pub(super) async fn note_uses_of_keys(self: &Arc<Service>) {
        let service = self.clone();
        let noted = tokio::task::spawn_blocking(move || service.keys.note_uses(false)).await;
        if let Ok(Err(error)) = noted {
            log::warn!("the last use of keys was not noted: {error}");
        }
    }

    /// From now on it isn't ready, and begins nothing.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.executions.close();
        self.capacity.stop();
        self.keys.stop();
    }

    /// Whether it can execute commands.
    pub(super) fn is_ready(&self) -> bool {
        let sees_the_store = self.keys.age().is_some_and(|age| age < LONGEST_BLIND);
        sees_the_store && !self.stopping.load(Ordering::Relaxed)
    }
}

/// A request that may go on.
pub(super) struct Admitted {
    /// Whose it is.
    pub(super) key: Arc<LiveKey>,
    open: OpenRequest,
}

/// One of the requests that its key may have open at once, until this is dropped.
#[derive(Clone)]
pub(super) struct OpenRequest(#[allow(dead_code, reason = "it is held")] Arc<OwnedSemaphorePermit>);

impl Admitted {
    /// Lets the log know what the request was about, which is open until its answer is ready, or
    /// taken in, where it is long.
    pub(super) fn note(self, response: &mut Response, execution: Option<&str>) {
        let key = Some(self.key.key.made.name.clone());
        let execution = execution.map(str::to_owned);
        response.extensions_mut().insert(Noted { key, execution });
        response.extensions_mut().insert(self.open);
    }
}

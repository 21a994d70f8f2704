//! The keys that are good at this moment, in memory: whose a request is, how many more its key may
//! make, and when it was last used.
//!
//! The store is read once a second, and when a key isn't known: one that is made or revoked while
//! the server runs counts within a second.

use super::capacity::{Capacity, Size};
use super::jwt::Token;
use super::secrets::{self, ServerKey};
use crate::incidents::{ApiKey, ApiKeyId, ApiKeys, Proof, StoreError};
use axum::http::HeaderMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use playdock_plugin_api::Timestamp;
use ring::hmac;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// How coarsely the last use of a key is noted, in milliseconds.
const COARSENESS: i64 = 60_000;

/// A key that is good, or was when the store was last read.
pub(super) struct LiveKey {
    pub(super) key: Arc<ApiKey>,
    /// How much more can be done for it now.
    pub(super) share: Capacity,
    limiter: Option<DefaultDirectRateLimiter>,
    /// What its tokens are signed with.
    signing: Option<hmac::Key>,
    /// When it was last used, in milliseconds; 0 is never.
    used_at: AtomicI64,
    /// When its last use was last noted.
    noted_at: AtomicI64,
}

impl LiveKey {
    /// Counts a request; false if it is one too many.
    pub(super) fn may_go_on(&self) -> bool {
        self.limiter.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }
}

/// The keys that are good at this moment.
pub(super) struct KeyRing {
    store: Arc<dyn ApiKeys>,
    server_key: Option<ServerKey>,
    rate: Option<NonZeroU32>,
    size: Size,
    keys: RwLock<Arc<Keys>>,
    /// Those that are no longer good, and whose last use may not be noted.
    gone: Mutex<Vec<Arc<LiveKey>>>,
    /// When the store was last read, with success.
    read_at: Mutex<Option<Instant>>,
    /// One reads at a time: what was read before must not replace what was read after it.
    reading: Mutex<()>,
}

#[derive(Default)]
struct Keys {
    by_public_id: HashMap<String, Arc<LiveKey>>,
    signing: Vec<Arc<LiveKey>>,
}

impl KeyRing {
    pub(super) fn new(
        store: Arc<dyn ApiKeys>,
        server_key: Option<ServerKey>,
        rate: Option<NonZeroU32>,
        size: Size,
    ) -> KeyRing {
        let (keys, gone, read_at) = (RwLock::default(), Mutex::default(), Mutex::default());
        let reading = Mutex::default();
        KeyRing { store, server_key, rate, size, keys, gone, read_at, reading }
    }

    /// Whose a request is, by what was last read of the store. A request that shows more than one
    /// key shows none.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Arc<LiveKey>> {
        let mut shown = headers.get_all("d3key").iter();
        let mut tokens = headers.get_all("d3jwt").iter();
        let now = Timestamp::now();
        let found = match (shown.next(), shown.next(), tokens.next(), tokens.next()) {
            (Some(secret), None, None, None) => self.by_secret(secret.to_str().ok()?),
            (None, None, Some(token), None) => self.by_token(token.to_str().ok()?, now),
            _ => None,
        };
        let found = found.filter(|live| live.key.is_good(now))?;
        found.used_at.store(now.milliseconds(), Ordering::Relaxed);
        Some(found)
    }

    /// Takes as long for a key that there isn't as for a wrong one.
    fn by_secret(&self, secret: &str) -> Option<Arc<LiveKey>> {
        let keys = self.keys();
        let shown = secrets::digest(secret);
        let public_id = secrets::public_id(secret).unwrap_or_default();
        let found = keys.by_public_id.get(public_id);
        let digest = match found.map(|live| &live.key.made.proof) {
            Some(Proof::Secret(digest)) => *digest,
            _ => [0; 32],
        };
        let same = bool::from(shown.ct_eq(&digest));
        found.filter(|_| same).cloned()
    }

    /// A token doesn't say whose it is, so it is held against every key that signs.
    fn by_token(&self, token: &str, now: Timestamp) -> Option<Arc<LiveKey>> {
        let token = Token::read(token, now)?;
        let signed = |live: &&Arc<LiveKey>| {
            live.signing.as_ref().is_some_and(|secret| token.is_signed_with(secret))
        };
        self.keys().signing.iter().find(signed).cloned()
    }

    fn keys(&self) -> Arc<Keys> {
        // It is replaced as a whole, so whoever panicked left it whole.
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long ago the store was last read; `None` if it never could be.
    pub(super) fn age(&self) -> Option<Duration> {
        let read_at = *self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        read_at.map(|at| at.elapsed())
    }

    /// Reads the store. Keys that stay keep what they have used of their rate.
    pub(super) fn refresh(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.store.keys()?;
        let before = self.keys();
        let now = Timestamp::now();
        let mut keys = Keys::default();
        for key in stored.into_iter().filter(|key| key.is_good(now)) {
            let public_id = key.made.public_id.clone();
            let live = match before.by_public_id.get(&public_id) {
                Some(live) => live.clone(),
                None => match self.live(key) {
                    Some(live) => Arc::new(live),
                    None => continue,
                },
            };
            if live.signing.is_some() {
                keys.signing.push(live.clone());
            }
            keys.by_public_id.insert(public_id, live);
        }
        let gone =
            before.by_public_id.iter().filter(|(id, _)| !keys.by_public_id.contains_key(*id));
        self.gone().extend(gone.map(|(_, live)| live.clone()));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    fn gone(&self) -> MutexGuard<'_, Vec<Arc<LiveKey>>> {
        // It is whole after every step, whoever panicked.
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a key that a request showed is still good.
    pub(super) fn has(&self, key: &Arc<LiveKey>) -> bool {
        let keys = self.keys();
        let live = keys.by_public_id.get(&key.key.made.public_id);
        live.is_some_and(|live| Arc::ptr_eq(live, key)) && key.key.is_good(Timestamp::now())
    }

    /// From now on none has places for executions; who waits for one is told.
    pub(super) fn stop(&self) {
        self.keys().by_public_id.values().for_each(|live| live.share.stop());
    }

    /// A key that was not known before; `None` for one that signs, where tokens are refused.
    fn live(&self, key: ApiKey) -> Option<LiveKey> {
        let signing = match &key.made.proof {
            Proof::Secret(_) => None,
            Proof::Signature(sealed) => {
                let Some(secret) = self.server_key.as_ref()?.open(&key.made.public_id, sealed)
                else {
                    log::debug!(
                        "the secret of the key {} is not under this server key",
                        key.made.name
                    );
                    return None;
                };
                Some(hmac::Key::new(hmac::HMAC_SHA256, &secret))
            }
        };
        let used_at = key.last_used_at.map_or(0, Timestamp::milliseconds);
        Some(LiveKey {
            key: Arc::new(key),
            share: Capacity::of_one(self.size),
            limiter: self.rate.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            signing,
            used_at: used_at.into(),
            noted_at: used_at.into(),
        })
    }

    /// Notes in the store which keys were used: of those that are good those alone whose last note
    /// is a minute old, or (`all`) all whose last use isn't noted.
    pub(super) fn note_uses(&self, all: bool) -> Result<(), StoreError> {
        let gone = std::mem::take(&mut *self.gone());
        // Nobody comes back to these.
        let noted = self.note(&gone, 0);
        if noted.is_err() {
            self.gone().extend(gone);
            return noted;
        }
        let keys: Vec<Arc<LiveKey>> = self.keys().by_public_id.values().cloned().collect();
        self.note(&keys, if all { 0 } else { COARSENESS })
    }

    /// Notes the last use of those of these keys whose last note is so many milliseconds older.
    fn note(&self, keys: &[Arc<LiveKey>], coarseness: i64) -> Result<(), StoreError> {
        let used: Vec<(&Arc<LiveKey>, i64)> = keys
            .iter()
            .map(|live| (live, live.used_at.load(Ordering::Relaxed)))
            .filter(|(live, at)| at - live.noted_at.load(Ordering::Relaxed) > coarseness)
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        let uses: Vec<(ApiKeyId, Timestamp)> = used
            .iter()
            .map(|(live, at)| (live.key.id, Timestamp::from_milliseconds(*at)))
            .collect();
        self.store.note_key_uses(&uses)?;
        for (live, at) in used {
            live.noted_at.store(at, Ordering::Relaxed);
        }
        Ok(())
    }
}

//! The connections of a store: a pool of them, each with the settings that the store needs, and
//! operations on them that are repeated where that is safe.
//!
//! The traits of a store are called from any thread, also from one that a runtime runs on, and
//! wait. So the sockets are served by a runtime of the store's own, and callers wait beside it.

use super::super::error::{LOCK_TIMEOUT_SECONDS, StoreError};
use super::address::{Address, CONNECT};
use super::failed::Failed;
use super::tls;
use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many connections a store has at most.
const CONNECTIONS: usize = 16;
/// How long an operation waits for a connection, in seconds.
pub(super) const WAIT_SECONDS: u64 = 30;
/// How long a statement may take, in seconds; waiting for locks is part of it.
pub(super) const STATEMENT_SECONDS: u64 = 30;
/// How long a transaction in which nothing is done stands, in seconds: that of a host that was
/// stopped in the middle of one must not keep others from its incidents for long.
const IDLE_SECONDS: u64 = 10;
/// How much longer than a statement may take an operation waits for an answer: a server that is
/// stopped keeps no time.
const GRACE: Duration = Duration::from_secs(10);
/// How long a database that went away is waited for: a restart takes seconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one is waited for that this process has not seen yet: its name may be wrong.
pub(super) const FIRST_PATIENCE: Duration = Duration::from_secs(2);
/// How often what was in the way of another transaction is tried.
const MOST_CONFLICTS: u32 = 10;

/// The name of the schema that a store is in.
pub(super) const SCHEMA: &str = "playdock";

/// The key of the lock that every connection shares, so that whoever replaces the store knows when
/// nobody uses it: "PLDU".
pub(super) const IN_USE: i64 = 0x504C_4455;

/// Since when the database is away, as far as operations have seen.
struct Outage {
    since: Instant,
    last_seen: Instant,
}

/// The connections of a store.
pub(super) struct Connections {
    address: Address,
    /// `None` after an operation that was done. Operations share it, so that those of one execution
    /// don't each wait their time for a database that stays away.
    outage: Mutex<Option<Outage>>,
    pool: Pool,
    runtime: Option<tokio::runtime::Runtime>,
}

/// A connection of the pool, as operations see it.
pub(super) type Client = ClientWrapper;

/// A connection on which something is under way. Dropped without being given back, it is closed,
/// which undoes what isn't committed: it may be in a transaction, or in the middle of an answer.
struct InUse(Option<Object>);

impl Connections {
    /// Prepares connections; the first is made when one is needed.
    pub(super) fn to(address: Address) -> Result<Connections, StoreError> {
        let unusable = |cause: String| StoreError::CannotOpen { store: address.to_string(), cause };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let connector = tls::connector(&address.security).map_err(unusable)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(address.config.clone(), connector, recycling);
        let settings = Hook::async_fn(|client: &mut ClientWrapper, _| {
            Box::pin(
                async move { client.batch_execute(&settings()).await.map_err(HookError::Backend) },
            )
        });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(WAIT_SECONDS)))
            .create_timeout(Some(CONNECT + GRACE))
            .post_create(settings)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Connections { address, outage: Mutex::default(), pool, runtime: Some(runtime) })
    }

    /// Where the store is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Runs an operation once, on the thread that calls. It may take as long as it takes.
    pub(super) fn once<T>(
        &self,
        operation: impl AsyncFnOnce(&Client) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let done = self.wait(async {
            let in_use = InUse(Some(self.pool.get().await?));
            let client = in_use.0.as_deref().ok_or(StoreError::Closed)?;
            let done = operation(client).await?;
            in_use.give_back();
            Ok(done)
        });
        done.map_err(|failed| self.sentence(failed))
    }

    /// Runs an operation of a few statements on the thread that calls, and again where its connection was lost, or
    /// another transaction was in its way: one that is safe to repeat.
    pub(super) fn repeat<T>(
        &self,
        operation: impl AsyncFnMut(&Client) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        self.repeat_for(PATIENCE, operation)
    }

    /// As [`repeat`](Connections::repeat), for so long while there is no connection.
    pub(super) fn repeat_for<T>(
        &self,
        patience: Duration,
        mut operation: impl AsyncFnMut(&Client) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let mut conflicts = 0;
        loop {
            let failed = match self.wait(self.attempt(&mut operation)) {
                Ok(done) => {
                    *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return Ok(done);
                }
                Err(failed) => failed,
            };
            let pause = match &failed {
                Failed::Final(_) | Failed::Unusable(_) => None,
                Failed::Lost(cause) => {
                    log::debug!("{}: {cause}", self.address);
                    (self.away_for() < patience).then(|| Duration::from_millis(200))
                }
                Failed::Conflict(_) => {
                    conflicts += 1;
                    let most = 10 << conflicts;
                    (conflicts < MOST_CONFLICTS)
                        .then(|| Duration::from_millis(fastrand::u64(0..most)))
                }
            };
            match pause {
                Some(pause) => std::thread::sleep(pause),
                None => return Err(self.sentence(failed)),
            }
        }
    }

    /// Runs work on a thread of its own.
    pub(super) fn begin(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn_blocking(work);
        }
    }

    /// Waits for something that needs the runtime's clock and sockets.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let _entered = self.runtime.as_ref().map(|runtime| runtime.enter());
        pollster::block_on(future)
    }

    async fn attempt<T>(
        &self,
        operation: impl AsyncFnOnce(&Client) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let in_use = InUse(Some(self.pool.get().await?));
        let client = in_use.0.as_deref().ok_or(StoreError::Closed)?;
        let patience = Duration::from_secs(STATEMENT_SECONDS) + GRACE;
        let done = tokio::time::timeout(patience, operation(client)).await;
        let done = done.unwrap_or(Err(Failed::Final(StoreError::TooSlow(patience.as_secs()))))?;
        in_use.give_back();
        Ok(done)
    }

    /// For how long the database has been away, which it is now.
    fn away_for(&self) -> Duration {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // What nobody has seen for so long was another one.
        if outage.as_ref().is_some_and(|outage| now - outage.last_seen > PATIENCE) {
            *outage = None;
        }
        let outage = outage.get_or_insert(Outage { since: now, last_seen: now });
        outage.last_seen = now;
        now - outage.since
    }

    fn sentence(&self, failed: Failed) -> StoreError {
        match failed {
            Failed::Lost(cause) => {
                StoreError::Unreachable { store: self.address.to_string(), cause }
            }
            Failed::Unusable(cause) => {
                StoreError::CannotOpen { store: self.address.to_string(), cause }
            }
            Failed::Conflict(error) | Failed::Final(error) => error,
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        // Within a runtime, one can't be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl InUse {
    /// Gives the connection back: it is in no transaction.
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// What every connection is told when it is made.
fn settings() -> String {
    format!(
        "SET search_path TO {SCHEMA};
         SET statement_timeout TO '{STATEMENT_SECONDS}s';
         SET lock_timeout TO '{LOCK_TIMEOUT_SECONDS}s';
         SET idle_in_transaction_session_timeout TO '{IDLE_SECONDS}s';
         SET default_transaction_isolation TO 'read committed';
         -- Arrays of keys are looked up one by one, in their order, which is also that of locks;
         -- another plan for each array would take as long as it saves.
         SET plan_cache_mode TO 'force_generic_plan';
         SET jit TO off;
         -- Whatever the server's default is: what is said to be closed is on the disk.
         SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit') = 'off';
         SELECT pg_advisory_lock_shared({IN_USE})"
    )
}

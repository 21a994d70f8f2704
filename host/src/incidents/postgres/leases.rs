//! The leases that this process holds on executions. Each has a name of its own, which is in the
//! row of the execution: whoever writes for an execution must show it, so a host that stalled and
//! lost its execution to another one writes nothing more.

use super::super::error::StoreError;
use super::super::lease::{LEASE_MILLISECONDS, LeaseOwner};
use super::super::records::ExecutionKey;
use super::connections::{Client, Connections};
use super::failed::Failed;
use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio_postgres::Statement;

/// How often leases are renewed, whether or not anything is written.
const RENEWAL: Duration = Duration::from_millis(LEASE_MILLISECONDS as u64 / 4);

/// The time by the database's clock, which is that of all leases, in SQL.
pub(super) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The names of all leases that this process holds, whichever store they are in.
static NAMES: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// The leases that a store holds for this process.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<HashMap<ExecutionKey, Held>>,
    /// Dropped, it ends the thread that renews.
    renewing: Mutex<Option<Sender<()>>>,
}

struct Held {
    name: Name,
    renewed: Instant,
}

/// The name of a lease, of which this process knows for as long as somebody has it.
#[derive(Clone)]
pub(super) struct Name(Arc<Known>);

struct Known(String);

impl Name {
    /// A new one.
    pub(super) fn new() -> Name {
        let name = format!("{} {}", LeaseOwner::this_process(), uuid::Uuid::new_v4().simple());
        lock(&NAMES).get_or_insert_default().insert(name.clone());
        Name(Arc::new(Known(name)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(names) = lock(&NAMES).as_mut() {
            names.remove(&self.0);
        }
    }
}

/// Whether a host holds a lease of this name, which is `fresh` or has run out.
pub(super) fn is_held(name: &str, fresh: bool) -> bool {
    let own = LeaseOwner::this_process().to_string();
    match name.strip_prefix(&own) {
        // This process knows which it has given up, whether or not they have run out.
        Some(_) => lock(&NAMES).as_ref().is_some_and(|names| names.contains(name)),
        None => fresh && LeaseOwner::lives(name).unwrap_or(true),
    }
}

impl Leases {
    /// Holds a lease that was taken, and renews it until it is given up.
    pub(super) fn hold(
        &self,
        connections: &Arc<Connections>,
        leases: &Arc<Leases>,
        execution: ExecutionKey,
        name: Name,
    ) {
        lock(&self.held).insert(execution, Held { name, renewed: Instant::now() });
        lock(&self.renewing).get_or_insert_with(|| {
            let (end, ended) = channel();
            let (connections, leases) = (Arc::downgrade(connections), Arc::downgrade(leases));
            std::thread::spawn(move || {
                while ended.recv_timeout(RENEWAL) == Err(RecvTimeoutError::Timeout)
                    && renew_all(&connections, &leases).is_some()
                {}
            });
            end
        });
    }

    /// The name of the lease on an execution that this store runs.
    pub(super) fn name(&self, execution: ExecutionKey) -> Result<Name, StoreError> {
        let held = lock(&self.held);
        held.get(&execution).map(|held| held.name.clone()).ok_or(StoreError::TakenOver)
    }

    /// Whether the lease was renewed so lately that it need not be again.
    pub(super) fn is_fresh(&self, execution: ExecutionKey) -> bool {
        let held = lock(&self.held);
        held.get(&execution).is_some_and(|held| held.renewed.elapsed() < RENEWAL * 2)
    }

    /// Notes that a lease was renewed by what was begun at this moment.
    pub(super) fn renewed(&self, execution: ExecutionKey, at: Instant) {
        if let Some(held) = lock(&self.held).get_mut(&execution) {
            held.renewed = held.renewed.max(at);
        }
    }

    /// Gives a lease up.
    pub(super) fn give_up(&self, execution: ExecutionKey) {
        lock(&self.held).remove(&execution);
    }
}

/// The statement that renews a lease.
pub(super) async fn renewal(client: &Client) -> Result<Statement, Failed> {
    let renewal = format!(
        "UPDATE execution SET lease_until = {NOW} + {LEASE_MILLISECONDS}
         WHERE id = $1 AND lease_owner = $2"
    );
    Ok(client.prepare_cached(&renewal).await?)
}

/// Renews the lease of an execution, and keeps its row from others until the transaction ends. It
/// fails where another host has taken the execution over.
pub(super) async fn renew(
    client: &Client,
    renewal: &Statement,
    execution: ExecutionKey,
    name: &Name,
) -> Result<(), Failed> {
    match client.execute(renewal, &[&execution.0, &name.as_str()]).await? {
        0 => Err(StoreError::TakenOver.into()),
        _ => Ok(()),
    }
}

/// Renews all leases of a store; `None` where it is no longer there.
fn renew_all(connections: &Weak<Connections>, leases: &Weak<Leases>) -> Option<()> {
    let (connections, leases) = (connections.upgrade()?, leases.upgrade()?);
    let (executions, names): (Vec<i64>, Vec<String>) = lock(&leases.held)
        .iter()
        .map(|(execution, held)| (execution.0, held.name.as_str().to_owned()))
        .unzip();
    if executions.is_empty() {
        return Some(());
    }
    let at = Instant::now();
    let renewed = connections.once(async |client| {
        // One that is locked is being written for, which renews it too.
        let statement = client
            .prepare_cached(&format!(
                "UPDATE execution SET lease_until = {NOW} + {LEASE_MILLISECONDS}
                 WHERE id IN (SELECT id FROM execution
                     JOIN unnest($1::bigint[], $2::text[]) AS held (execution, name)
                         ON held.execution = execution.id AND held.name = lease_owner
                     FOR NO KEY UPDATE OF execution SKIP LOCKED)
                 RETURNING id"
            ))
            .await?;
        let rows = client.query(&statement, &[&executions, &names]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, Failed>>()
    });
    match renewed {
        Ok(renewed) => {
            renewed.into_iter().for_each(|id| leases.renewed(ExecutionKey(id), at));
        }
        // It is tried again, and writing fails if the lease is lost meanwhile.
        Err(error) => log::warn!("the leases of executions were not renewed: {error}"),
    }
    Some(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What they guard is whole after every step, whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The store in PostgreSQL, which several hosts share: a schema in a database, durable at every
//! commit.
//!
//! What each file does: `address` reads the URL that names a store, `password` finds the password
//! that it lacks, `tls` says whom its connections trust, `connections` are the pool of them, `failed`
//! is what their errors mean. `open` makes and migrates the schema, `look` reads what commands need,
//! `record` writes outcomes, `changes` makes the changes that go with them, `near` tells incidents that
//! lie close together, `ledger` is what became of each incident, `executions` is the journal, `leases`
//! say which of it this process runs, `browse` is for people, `import` takes incidents in, `keys` are
//! those of remote clients. `maintenance` looks after the store as a whole: `check` reads what must
//! always hold, `backup` and `restore` copy it out and in, by what `tables` says there is to copy.

mod address;
mod backup;
mod browse;
mod changes;
mod check;
mod connections;
mod executions;
mod failed;
mod import;
mod keys;
mod leases;
mod ledger;
mod look;
mod maintenance;
mod near;
mod open;
mod password;
mod record;
mod restore;
mod tables;
mod tls;

pub use maintenance::PostgresDatabase;

use super::browse::{IncidentBrowser, IncidentDetail, IncidentFilter, IncidentLine};
use super::error::StoreError;
use super::import::{ImportError, ImportSummary, NumberedRecord};
use super::importer::IncidentImporter;
use super::keys::{ApiKey, ApiKeyId, ApiKeys, NewApiKey};
use super::location::PostgresUrl;
use super::records::{
    Begun, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords, NewExecution,
};
use super::store::{
    Commit, IncidentKey, IncidentStore, LedgerRow, RecordBatch, Recording, SiteRecord, UserRecord,
};
use address::Address;
use connections::{Client, Connections};
use failed::Failed;
use import::Stopped;
use leases::{Leases, Name};
use playdock_plugin_api::{Facts, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

/// The store in a PostgreSQL database.
pub struct PostgresStore {
    connections: Arc<Connections>,
    leases: Arc<Leases>,
    commits: Arc<AtomicU64>,
}

impl PostgresStore {
    /// Opens the store at a URL, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the URL can't be read, the database can't be reached or used, or the store
    /// is newer than this program.
    pub fn open(url: &PostgresUrl) -> Result<PostgresStore, StoreError> {
        let connections = Connections::to(Address::of(url)?)?;
        open::migrate(&connections)?;
        Ok(PostgresStore {
            connections: Arc::new(connections),
            leases: Arc::default(),
            commits: Arc::default(),
        })
    }

    /// Runs what writes and is committed when it returns.
    fn write<T>(
        &self,
        write: impl AsyncFnMut(&Client) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let written = self.connections.repeat(write)?;
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(written)
    }
}

impl IncidentStore for PostgresStore {
    fn site(&self, name: &str) -> Result<Option<SiteRecord>, StoreError> {
        self.connections.repeat(async |client| look::site(client, name).await)
    }

    fn user(&self, username: &str) -> Result<Option<UserRecord>, StoreError> {
        self.connections.repeat(async |client| look::user(client, username).await)
    }

    fn resolve(
        &self,
        site: &str,
        numbers: &[&str],
    ) -> Result<Vec<Option<IncidentKey>>, StoreError> {
        self.connections.repeat(async |client| look::resolve(client, site, numbers).await)
    }

    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<Facts>>, StoreError> {
        self.connections.repeat(async |client| look::look_up(client, keys).await)
    }

    fn record(&self, batch: RecordBatch) -> Recording<'_> {
        let (judged, told) = channel();
        let (done, committed) = channel();
        let (connections, leases) = (self.connections.clone(), self.leases.clone());
        let commits = self.commits.clone();
        self.connections.begin(move || {
            let recorded = record::record(&connections, &leases, &batch, |outcomes| {
                // Whoever waited may be gone; the work is done all the same.
                let _ = judged.send(outcomes);
            });
            if recorded.is_ok() {
                commits.fetch_add(1, Ordering::Relaxed);
            }
            let _ = done.send(recorded);
        });
        Recording::under_way(move || {
            let committed = move || committed.recv().map_err(|_| StoreError::Closed)?;
            match told.recv() {
                Ok(outcomes) => Ok((outcomes, Commit::under_way(committed))),
                // What it did would have been told.
                Err(_) => Err(committed().err().unwrap_or(StoreError::Closed)),
            }
        })
    }

    fn ledger(&self, execution: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError> {
        self.connections.repeat(async |client| ledger::read(client, execution).await)
    }
}

impl ExecutionRecords for PostgresStore {
    fn begin(
        &self,
        execution: &NewExecution,
        durable: Box<dyn FnOnce() + Send>,
    ) -> Result<Begun, StoreError> {
        let name = Name::new();
        let begun = self.write(async |client| executions::begin(client, execution, &name).await)?;
        if let Begun::New(key) | Begun::Resumed(key) = &begun {
            self.leases.hold(&self.connections, &self.leases, *key, name);
            durable();
        }
        Ok(begun)
    }

    fn end(&self, execution: ExecutionKey, ending: &Ending) -> Result<(), StoreError> {
        let name = self.leases.name(execution)?;
        let at = Timestamp::now();
        let ended =
            self.write(async |client| executions::end(client, execution, &name, ending, at).await);
        // Whatever became of it, this process runs it no longer.
        self.leases.give_up(execution);
        ended
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn renew(&self, execution: ExecutionKey) -> Result<(), StoreError> {
        let name = self.leases.name(execution)?;
        if self.leases.is_fresh(execution) {
            return Ok(());
        }
        let at = Instant::now();
        self.write(async |client| {
            let renewal = leases::renewal(client).await?;
            leases::renew(client, &renewal, execution, &name).await
        })?;
        self.leases.renewed(execution, at);
        Ok(())
    }

    fn execution(&self, id: &str) -> Result<Option<(ExecutionKey, ExecutionRecord)>, StoreError> {
        self.connections.repeat(async |client| executions::execution(client, id).await)
    }

    fn begun_by(&self, id: &str) -> Result<Option<ApiKeyId>, StoreError> {
        self.connections.repeat(async |client| executions::begun_by(client, id).await)
    }

    fn latest_executions(&self, count: usize) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.connections.repeat(async |client| executions::latest(client, count).await)
    }
}

impl ApiKeys for PostgresStore {
    fn add_key(&self, key: &NewApiKey) -> Result<bool, StoreError> {
        self.write(async |client| keys::add(client, key).await)
    }

    fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.connections.repeat(async |client| keys::all(client).await)
    }

    fn revoke_key(&self, name: &str) -> Result<bool, StoreError> {
        let at = Timestamp::now();
        let mut tried = false;
        self.write(async |client| {
            keys::revoke(client, name, at, std::mem::replace(&mut tried, true)).await
        })
    }

    fn note_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError> {
        self.write(async |client| keys::note_uses(client, uses).await)
    }
}

impl IncidentBrowser for PostgresStore {
    fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<IncidentLine>, StoreError> {
        self.connections.repeat(async |client| browse::list(client, filter).await)
    }

    fn count_incidents(&self, filter: &IncidentFilter) -> Result<u64, StoreError> {
        self.connections.repeat(async |client| browse::count(client, filter).await)
    }

    fn site_names(&self) -> Result<Vec<String>, StoreError> {
        self.connections.repeat(async |client| browse::site_names(client).await)
    }

    fn incident(
        &self,
        number: &str,
        site: Option<&str>,
    ) -> Result<Vec<IncidentDetail>, StoreError> {
        self.connections.repeat(async |client| browse::show(client, number, site).await)
    }
}

impl IncidentImporter for PostgresStore {
    fn import(
        &self,
        records: &mut dyn Iterator<Item = Result<NumberedRecord, ImportError>>,
    ) -> Result<ImportSummary, ImportError> {
        self.connections.once(async |client| {
            client.batch_execute("BEGIN").await?;
            match import::import(client, records, Timestamp::now()).await {
                Ok(summary) => {
                    client.batch_execute("COMMIT").await?;
                    Ok(Ok(summary))
                }
                Err(Stopped::Record(error)) => {
                    client.batch_execute("ROLLBACK").await?;
                    Ok(Err(error))
                }
                Err(Stopped::Failed(failed)) => Err(failed),
            }
        })?
    }
}

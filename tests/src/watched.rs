//! A store of incidents that a test watches, and into which it meddles.

use playdock_host::execution::{Answer, Host, Invocation, Isolation};
use playdock_host::incidents::{
    ExecutionKey, IncidentKey, IncidentStore, LedgerRow, RecordBatch, Recording, SiteRecord, Store,
    StoreError, UserRecord,
};
use playdock_host::plugins::Plugins;
use playdock_plugin_api::Facts;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::build::library;
use crate::in_process::invocation;
use crate::playdock::Playdock;

/// What a test does before a batch is recorded; it hears which batch it is, from 0.
type BeforeRecord = Box<dyn Fn(usize) + Send + Sync>;

/// A store that counts how often each incident is looked up.
pub struct WatchedStore {
    store: Arc<dyn Store>,
    looks: Mutex<HashMap<IncidentKey, usize>>,
    records: Mutex<usize>,
    before_record: BeforeRecord,
}

impl WatchedStore {
    /// Watches the store of a folder; `before_record` runs before each batch of outcomes is
    /// recorded, after its incidents were looked up.
    pub fn new(
        playdock: &Playdock,
        before_record: impl Fn(usize) + Send + Sync + 'static,
    ) -> Arc<WatchedStore> {
        Arc::new(WatchedStore {
            store: playdock.open(),
            looks: Mutex::default(),
            records: Mutex::default(),
            before_record: Box::new(before_record),
        })
    }

    /// A host in this process, on this store, with the command that the project ships.
    pub fn host(self: &Arc<WatchedStore>) -> Host {
        let mut plugins = Plugins::new();
        plugins.add(&library("close_incident_in_bulk")).expect("the plugin can be used");
        Host::new(self.clone(), self.store.clone(), plugins, |_| Isolation::InProcess)
    }

    /// How often each incident was looked up.
    pub fn looks(&self) -> HashMap<IncidentKey, usize> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.clone()
    }
}

/// An automatic execution of CloseIncidentInBulk in the site Security Operations.
pub fn closing(parameters: &Value, execution_id: &str) -> Invocation {
    invocation("CloseIncidentInBulk", parameters, execution_id)
}

/// The rows of an answer's `contextData`.
pub fn answer_rows(answer: &Answer) -> Vec<Value> {
    serde_json::from_str(&answer.context_data()).expect("contextData is an array")
}

impl IncidentStore for WatchedStore {
    fn ledger(&self, execution: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError> {
        self.store.ledger(execution)
    }

    fn site(&self, name: &str) -> Result<Option<SiteRecord>, StoreError> {
        self.store.site(name)
    }

    fn user(&self, username: &str) -> Result<Option<UserRecord>, StoreError> {
        self.store.user(username)
    }

    fn resolve(
        &self,
        site: &str,
        numbers: &[&str],
    ) -> Result<Vec<Option<IncidentKey>>, StoreError> {
        self.store.resolve(site, numbers)
    }

    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            *looks.entry(*key).or_default() += 1;
        }
        drop(looks);
        self.store.look_up(keys)
    }

    fn record(&self, batch: RecordBatch) -> Recording<'_> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *records;
        *records += 1;
        drop(records);
        (self.before_record)(number);
        self.store.record(batch)
    }
}

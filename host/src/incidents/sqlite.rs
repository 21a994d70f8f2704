//! The store in SQLite: one file, in WAL mode, durable at every commit.
//!
//! One thread owns all writes of a process (`writer.rs`); reads go beside it on connections of
//! their own. What each file does: `open` makes and migrates the file, `look` reads what commands
//! need, `record` writes outcomes and their changes, `picked` tells a statement of which incidents,
//! `executions` is the journal, `ledger` what became of each incident, `conditions` its record of why
//! and where code ran, `running` what of it this process runs, `beginning` what it is about to have,
//! `recent` what was read a moment ago, `browse` is for people, `import` takes incidents in, `keys`
//! are those of remote clients. `maintenance` looks after the file as a whole: `check` reads what must
//! always hold, `backup` and `restore` copy it out and in.

mod backup;
mod beginning;
mod browse;
mod check;
mod checkpoints;
mod conditions;
mod executions;
mod import;
mod keys;
mod ledger;
mod look;
mod maintenance;
mod open;
mod picked;
mod recent;
mod record;
mod restore;
mod running;
mod writer;

pub(super) use backup::as_backup;
pub use maintenance::SqliteFile;
pub(super) use open::{open as open_file, open_to_read};
pub(super) use restore::copy_of_backup;

use super::browse::{IncidentBrowser, IncidentDetail, IncidentFilter, IncidentLine};
use super::error::StoreError;
use super::import::{ImportError, ImportSummary, NumberedRecord};
use super::importer::IncidentImporter;
use super::keys::{ApiKey, ApiKeyId, ApiKeys, NewApiKey};
use super::lease::LEASE;
use super::records::{
    Begun, BegunExecution, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords, NewExecution,
    Noted, Notice,
};
use super::store::{
    Commit, IncidentKey, IncidentStore, LedgerRow, RecordBatch, Recording, SiteRecord, UserRecord,
};
use beginning::Beginning;
use checkpoints::Checkpoints;
use playdock_plugin_api::{Facts, Timestamp};
use recent::Recent;
use running::Running;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use writer::{Waits, Writer};

/// The store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    running: Running,
    recent: Arc<Recent>,
}

impl SqliteStore {
    /// Opens the store in `path`, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it can't be opened, is something else, is newer than this program, or is
    /// locked by another process.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        let (mut connection, _) = open::open(path)?;
        let checkpoints = Checkpoints::of(&mut connection, path)?;
        let (running, recent) = (Running::of(path), Arc::<Recent>::default());
        Ok(SqliteStore {
            path: path.to_owned(),
            writer: Writer::start(connection, checkpoints, running.clone(), recent.clone())?,
            readers: Mutex::default(),
            running,
            recent,
        })
    }

    /// Runs `read` on a connection for reading, in one transaction, so that it sees one moment.
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => open::connect(&self.path)?,
        };
        let transaction = connection.unchecked_transaction()?;
        let result = read(&transaction);
        transaction.finish()?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}

impl IncidentImporter for SqliteStore {
    fn import(
        &self,
        records: &mut dyn Iterator<Item = Result<NumberedRecord, ImportError>>,
    ) -> Result<ImportSummary, ImportError> {
        let mut connection = open::connect(&self.path)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let summary = import::import(&transaction, records, Timestamp::now().milliseconds())?;
        transaction.commit()?;
        self.recent.forget();
        Ok(summary)
    }
}

impl IncidentBrowser for SqliteStore {
    fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<IncidentLine>, StoreError> {
        self.read(|connection| browse::list(connection, filter))
    }

    fn count_incidents(&self, filter: &IncidentFilter) -> Result<u64, StoreError> {
        self.read(|connection| browse::count(connection, filter))
    }

    fn site_names(&self) -> Result<Vec<String>, StoreError> {
        self.read(browse::site_names)
    }

    fn incident(
        &self,
        number: &str,
        site: Option<&str>,
    ) -> Result<Vec<IncidentDetail>, StoreError> {
        self.read(|connection| browse::show(connection, number, site))
    }
}

impl IncidentStore for SqliteStore {
    fn site(&self, name: &str) -> Result<Option<SiteRecord>, StoreError> {
        self.recent.site(name, || self.read(|connection| look::site(connection, name)))
    }

    fn user(&self, username: &str) -> Result<Option<UserRecord>, StoreError> {
        self.recent.user(username, || self.read(|connection| look::user(connection, username)))
    }

    fn resolve(
        &self,
        site: &str,
        numbers: &[&str],
    ) -> Result<Vec<Option<IncidentKey>>, StoreError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|connection| look::resolve(connection, site, numbers))
    }

    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<Facts>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|connection| look::look_up(connection, keys))
    }

    fn record(&self, batch: RecordBatch) -> Recording<'_> {
        let rows = batch.entries.len();
        let batch = Arc::new(batch);
        let whole = batch.clone();
        let (judged, told) = channel();
        let begun = self.writer.begin(rows, move |connection| {
            // Whoever waited may be gone; the work is done all the same.
            record::record(connection, &whole, |outcomes| drop(judged.send(outcomes)))
        });
        Recording::under_way(move || {
            if let Ok(outcomes) = told.recv() {
                return Ok((outcomes, Commit::under_way(move || begun.wait())));
            }
            match begun.wait() {
                Err(error) if error.is_about_a_row() => {
                    let singly = move |connection: &_| record::record_singly(connection, &batch);
                    Ok((self.writer.write(rows, singly)?, Commit::done()))
                }
                Err(error) => Err(error),
                // What it did would have been told.
                Ok(()) => Err(StoreError::Closed),
            }
        })
    }

    fn ledger(&self, execution: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError> {
        self.read(|connection| ledger::read(connection, execution))
    }
}

impl ExecutionRecords for SqliteStore {
    fn begin(
        &self,
        execution: &NewExecution,
        durable: Box<dyn FnOnce() + Send>,
    ) -> Result<Begun, StoreError> {
        let (execution, running) = (execution.clone(), self.running.clone());
        let (told, begun) = channel();
        let write = move |connection: &_| {
            let begun = executions::begin(connection, &execution, &running)?;
            let runs = matches!(begun.0, Begun::New(_) | Begun::Resumed(_));
            // Whoever asked waits for this.
            let _ = told.send(begun);
            Ok(runs)
        };
        let told = move |runs: &bool| {
            if *runs {
                durable();
            }
        };
        let committed = self.writer.begin_at_leisure(1, write, told);
        let Ok((begun, claim)) = begun.recv() else {
            return Err(committed.wait().err().unwrap_or(StoreError::Closed));
        };
        // What there was before may be in the same transaction, which must stand before anybody
        // is told of it or reads it.
        if !matches!(begun, Begun::New(_)) {
            committed.wait()?;
        }
        if let Some(claim) = claim {
            claim.keep();
        }
        Ok(begun)
    }

    fn begin_new(
        &self,
        execution: &Arc<NewExecution>,
        durable: Option<&Notice>,
    ) -> Option<Box<dyn BegunExecution>> {
        let (queue, new) = (self.writer.queue(), execution.clone());
        Some(Box::new(Beginning::start(queue, &self.running, new, durable.cloned())))
    }

    fn expect(&self) -> Option<Box<dyn Send>> {
        Some(Box::new(self.writer.queue().expect()))
    }

    fn end(&self, execution: ExecutionKey, ending: &Ending) -> Result<(), StoreError> {
        let (told, noted) = channel();
        let tell = move |result| {
            // Whoever waited may be gone; the work is done all the same.
            let _ = told.send(result);
        };
        self.end_and_tell(execution, ending.clone(), Box::new(tell));
        noted.recv().map_err(|_| StoreError::Closed)?
    }

    fn end_and_tell(&self, execution: ExecutionKey, ending: Ending, noted: Noted) {
        // It goes with the work, whether or not that comes to be done, and before the commit, after
        // which another may begin it again.
        let claim = self.running.claim_of(execution);
        let work = move |connection: &_| {
            let _given_up_then = claim;
            executions::end(connection, execution, &ending)
        };
        let waits = Waits { for_work: false, for_commit: true };
        self.writer.queue().hand_over_undone(waits, work, noted);
    }

    fn commits(&self) -> u64 {
        self.writer.commits()
    }

    fn renew(&self, execution: ExecutionKey) -> Result<(), StoreError> {
        if self.running.was_renewed_within(execution, LEASE / 2) {
            return Ok(());
        }
        self.writer.write(1, move |connection| executions::renew(connection, execution))?;
        self.running.renewed(execution);
        Ok(())
    }

    fn execution(&self, id: &str) -> Result<Option<(ExecutionKey, ExecutionRecord)>, StoreError> {
        self.read(|connection| executions::execution(connection, id, &self.running))
    }

    fn begun_by(&self, id: &str) -> Result<Option<ApiKeyId>, StoreError> {
        self.read(|connection| executions::begun_by(connection, id))
    }

    fn latest_executions(&self, count: usize) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.read(|connection| executions::latest(connection, count, &self.running))
    }
}

impl ApiKeys for SqliteStore {
    fn add_key(&self, key: &NewApiKey) -> Result<bool, StoreError> {
        let key = key.clone();
        self.writer.write(1, move |connection| keys::add(connection, &key))
    }

    fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.read(keys::all)
    }

    fn revoke_key(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer.write(1, move |connection| keys::revoke(connection, &name))
    }

    fn note_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError> {
        let uses = uses.to_vec();
        self.writer.write(uses.len(), move |connection| keys::note_uses(connection, &uses))
    }
}

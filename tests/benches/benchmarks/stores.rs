//! The stores that are measured: one without incidents, in memory, and files with many.

use playdock_host::incidents::import::JsonLines;
use playdock_host::incidents::{
    ApiKeyId, Begun, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords, IncidentImporter,
    IncidentKey, IncidentStore, LedgerRow, NewExecution, RecordBatch, Recording, SiteRecord,
    SqliteStore, StoreError, UserRecord,
};
use playdock_plugin_api::Facts;
use playdock_tests::{Random, SITE_AND_USER};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store of one site and one user, without incidents and without a memory.
pub(crate) struct NoIncidents;

impl NoIncidents {
    /// The name of its site.
    pub(crate) const SITE: &'static str = "Security Operations";
}

impl IncidentStore for NoIncidents {
    fn site(&self, name: &str) -> Result<Option<SiteRecord>, StoreError> {
        let time_zone = "America/Los_Angeles".to_owned();
        Ok(Some(SiteRecord { name: name.to_owned(), time_zone }))
    }

    fn user(&self, username: &str) -> Result<Option<UserRecord>, StoreError> {
        let (username, sites) = (username.to_owned(), vec![NoIncidents::SITE.to_owned()]);
        Ok(Some(UserRecord { username, active: true, may_close: true, sites }))
    }

    fn resolve(&self, _: &str, numbers: &[&str]) -> Result<Vec<Option<IncidentKey>>, StoreError> {
        Ok(vec![None; numbers.len()])
    }

    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<Facts>>, StoreError> {
        Ok(vec![None; keys.len()])
    }

    fn record(&self, _: RecordBatch) -> Recording<'_> {
        Recording::under_way(|| Err(StoreError::Closed))
    }

    fn ledger(&self, _: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError> {
        Ok(Vec::new())
    }
}

impl ExecutionRecords for NoIncidents {
    fn begin(&self, _: &NewExecution, _: Box<dyn FnOnce() + Send>) -> Result<Begun, StoreError> {
        Ok(Begun::New(ExecutionKey(1)))
    }

    fn commits(&self) -> u64 {
        0
    }

    fn end(&self, _: ExecutionKey, _: &Ending) -> Result<(), StoreError> {
        Ok(())
    }

    fn renew(&self, _: ExecutionKey) -> Result<(), StoreError> {
        Ok(())
    }

    fn begun_by(&self, _: &str) -> Result<Option<ApiKeyId>, StoreError> {
        Ok(None)
    }

    fn execution(&self, _: &str) -> Result<Option<(ExecutionKey, ExecutionRecord)>, StoreError> {
        Ok(None)
    }

    fn latest_executions(&self, _: usize) -> Result<Vec<ExecutionRecord>, StoreError> {
        Ok(Vec::new())
    }
}

/// What keeps incidents open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blockers {
    /// Nothing: all of them close.
    None,
    /// One in ten has a required task pending, one in seven a required field without a value.
    Some,
}

/// The number of the incident that was created as the so-manyth: twelve hundred a day.
pub(crate) fn number(index: usize) -> String {
    let (day, of_day) = (index / 1200, index % 1200);
    let (year, month, day) = (2019 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
    format!("{year}{month:02}{day:02}-{of_day:04}")
}

/// Lines to import, so many incidents of them.
pub(crate) fn lines(count: usize, blockers: Blockers) -> String {
    let mut lines = String::from(SITE_AND_USER);
    for index in 0..count {
        let number = number(index);
        let blocked = |one_in| blockers == Blockers::Some && index % one_in == 0;
        let tasks = match blocked(10) {
            true => r#"[{"title":"Reset password","required":true,"status":"Pending"}]"#,
            false => "[]",
        };
        let fields = match blocked(7) {
            true => r#"[{"section":"Closure","name":"Root cause","required_on_close":true}]"#,
            false => "[]",
        };
        writeln!(
            lines,
            r#"{{"kind":"incident","number":"{number}","site":"Security Operations","type":"Phishing","title":"Credential phish reported by a user","severity":"High","owner":"jane","created":"2021-01-26T22:10:00Z","tasks":{tasks},"fields":{fields}}}"#,
        )
        .unwrap();
    }
    lines
}

/// Numbers in an order that has nothing to do with theirs.
pub(crate) fn shuffled(mut numbers: Vec<String>) -> Vec<String> {
    Random::new(7).shuffle(&mut numbers);
    numbers
}

/// A file with many incidents, of which each measurement gets a copy.
pub(crate) struct Original {
    folder: TempDir,
}

impl Original {
    /// A file with so many incidents.
    pub(crate) fn new(count: usize, blockers: Blockers) -> Original {
        let original = Original { folder: tempfile::tempdir().unwrap() };
        import(&original.path(), &lines(count, blockers));
        original
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("original.db")
    }

    /// A copy, which is written to the disk before anything is measured.
    pub(crate) fn copy(&self) -> PathBuf {
        let copy = self.folder.path().join("copy.db");
        for name in ["copy.db", "copy.db-wal", "copy.db-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(name));
        }
        std::fs::copy(self.path(), &copy).unwrap();
        std::fs::File::open(&copy).unwrap().sync_all().unwrap();
        copy
    }
}

/// Imports lines into a file, and leaves nothing of it in the write-ahead log.
pub(crate) fn import(path: &Path, lines: &str) {
    let store = SqliteStore::open(path).unwrap();
    store.import(&mut JsonLines::new(lines.as_bytes(), &mut |_| ())).unwrap();
}

/// The parameters that close these incidents, as JSON.
pub(crate) fn parameters(numbers: &[String]) -> Vec<u8> {
    serde_json::to_vec(&BTreeMap::from([
        ("Incident Numbers", serde_json::json!(numbers)),
        ("Bypass Required Pending Tasks", "No".into()),
        ("Username", "admin user".into()),
    ]))
    .unwrap()
}

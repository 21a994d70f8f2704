//! What the host asks of an incident store, in batches.

use super::error::StoreError;
use super::records::ExecutionKey;
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{ChangeKind, Facts, Status, Timestamp};
use std::sync::Arc;

/// A store's own key of an incident. Incidents are looked up and written in the order of their
/// keys, which should be that in which they lie on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentKey(pub i64);

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRecord {
    /// Its name.
    pub name: String,
    /// Its time zone, an IANA name.
    pub time_zone: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The username.
    pub username: String,
    /// Whether the user may act at all.
    pub active: bool,
    /// Whether the user may change incidents: close, reopen and assign them.
    pub may_close: bool,
    /// The names of the sites where the user may work.
    pub sites: Vec<String>,
}

/// A change to make. What the incident was before is the store's to note, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChangeToMake {
    /// Whether it closes, reopens or assigns.
    pub kind: ChangeKind,
    /// The status that the incident has then: Closed where it is closed, another where it is
    /// reopened, that of before where it is assigned.
    pub status: Status,
    /// The owner that the incident gets, where it is assigned.
    pub owner: Option<String>,
    /// The time that it bears.
    pub at: Timestamp,
    /// The version at which the incident must still stand.
    pub version: u64,
    /// What was waived, as JSON: an array of objects with `bypass`, `tasks` and `fields`.
    pub waived: Option<String>,
}

/// What became of one incident: a line of the ledger, and the change that goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    /// The incident; `None` where the site has none of this number.
    pub incident: Option<IncidentKey>,
    /// The number, where there is no incident.
    pub number: Option<String>,
    /// The incident's place in the input.
    pub position: u64,
    /// Its row: an index into the batch's [rows](RecordBatch::rows).
    pub row: usize,
    /// The change, if one is to be made.
    pub change: Option<ChangeToMake>,
    /// The [sequence](LedgerRow::sequence) of the entry that this one replaces, if the
    /// position has one.
    pub replaces: Option<u64>,
}

/// Entries of one execution to write together. No two are of the same incident.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordBatch {
    /// The execution.
    pub execution: ExecutionKey,
    /// In whose name changes are made.
    pub acting_user: String,
    /// Rich text to append to the conclusion of each incident that is changed.
    pub conclusion: Option<String>,
    /// The rows of the entries, which many may share.
    pub rows: Vec<Arc<Row>>,
    /// The entries.
    pub entries: Vec<LedgerEntry>,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// Its place in the order of writing.
    pub sequence: u64,
    /// The incident's place in the input.
    pub position: u64,
    /// The incident; `None` where the site had none of this number.
    pub incident: Option<IncidentKey>,
    /// Its number.
    pub number: String,
    /// What was done to the incident, if anything.
    pub change: Option<ChangeKind>,
    /// Whom it was assigned to, where it was.
    pub owner: Option<String>,
    /// Its row, which other lines may share.
    pub row: Arc<Row>,
}

/// What became of an entry.
#[derive(Debug, Clone)]
pub enum EntryOutcome {
    /// It is written, and its change is made.
    Written,
    /// The incident no longer stands at the version; nothing of the entry is written.
    ChangedMeanwhile,
    /// It could not be written, and others could.
    Failed(StoreError),
}

/// A batch that is being recorded: what becomes of its entries is known before it is durable.
/// Dropping it undoes nothing.
pub struct Recording<'a>(Judging<'a>);

type Judging<'a> = Box<dyn FnOnce() -> Result<(Vec<EntryOutcome>, Commit), StoreError> + 'a>;

impl<'a> Recording<'a> {
    /// One that `judge` waits for.
    pub fn under_way(
        judge: impl FnOnce() -> Result<(Vec<EntryOutcome>, Commit), StoreError> + 'a,
    ) -> Recording<'a> {
        Recording(Box::new(judge))
    }

    /// Waits until it is known what becomes of each entry; answers in their order. It stands once
    /// the commit does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where nothing of the batch was written.
    pub fn judged(self) -> Result<(Vec<EntryOutcome>, Commit), StoreError> {
        (self.0)()
    }
}

/// A commit that is under way.
pub struct Commit(Box<dyn FnOnce() -> Result<(), StoreError> + Send>);

impl Commit {
    /// One that is done.
    pub fn done() -> Commit {
        Commit::under_way(|| Ok(()))
    }

    /// One that is done when `wait` returns.
    pub fn under_way(wait: impl FnOnce() -> Result<(), StoreError> + Send + 'static) -> Commit {
        Commit(Box::new(wait))
    }

    /// Waits until it is durable.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where nothing of the batch was written.
    pub fn wait(self) -> Result<(), StoreError> {
        (self.0)()
    }
}

/// An incident store.
///
/// Methods may be called from several threads at once.
pub trait IncidentStore: Send + Sync {
    /// A site by its name, compared exactly.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn site(&self, name: &str) -> Result<Option<SiteRecord>, StoreError>;

    /// A user by the username, compared exactly.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn user(&self, username: &str) -> Result<Option<UserRecord>, StoreError>;

    /// The keys of a site's incidents by their numbers, compared exactly; `None` for a number that
    /// the site doesn't know. Answers in the order of `numbers`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn resolve(&self, site: &str, numbers: &[&str])
    -> Result<Vec<Option<IncidentKey>>, StoreError>;

    /// Looks incidents up, all at one moment; `None` for a key that is no longer there. Answers in
    /// the order of `keys`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<Facts>>, StoreError>;

    /// Begins to write entries and to make their changes: status, date, user, owner, conclusion, audit and
    /// ledger of one incident together or not at all. Commits may be shared; they are made in the
    /// order in which batches are begun.
    fn record(&self, batch: RecordBatch) -> Recording<'_>;

    /// What was recorded for an execution, in the order of the input. It is the store's of the
    /// incidents, since only that can write it together with the changes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn ledger(&self, execution: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError>;
}

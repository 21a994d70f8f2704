//! What the host asks of an incident store, in batches.

use super::error::StoreError;
use super::records::ExecutionKey;
use playdock_plugin_api::{Cell, Facts, Outcome, OutcomeResult, Reason, Timestamp};

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
    /// Whether the user may close incidents.
    pub may_close: bool,
    /// The names of the sites where the user may work.
    pub sites: Vec<String>,
}

/// An incident as it was looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedUp {
    /// What a command sees of it.
    pub facts: Facts,
    /// How many bytes its conclusion has.
    pub conclusion_bytes: u64,
}

/// What an incident was before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// Its status.
    pub status: String,
    /// When it was closed, if it was.
    pub closed_at: Option<Timestamp>,
    /// Who closed it, if it was closed.
    pub closed_by: Option<String>,
    /// How many bytes its conclusion had: what is appended begins there.
    pub conclusion_bytes: u64,
}

/// A closing to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeToMake {
    /// The time that it bears.
    pub at: Timestamp,
    /// The version at which the incident must still stand.
    pub version: u64,
    /// What it was at that version.
    pub before: Before,
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
    /// The outcome.
    pub outcome: Outcome,
    /// The change, if one is to be made.
    pub change: Option<ChangeToMake>,
    /// The [sequence](LedgerRow::sequence) of the entry that this one replaces, if the
    /// position has one.
    pub replaces: Option<u64>,
}

/// Entries of one execution to write together.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordBatch {
    /// The execution.
    pub execution: ExecutionKey,
    /// In whose name changes are made.
    pub acting_user: String,
    /// Rich text to append to the conclusion of each incident that is changed.
    pub conclusion: Option<String>,
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
    /// Whether the incident was changed.
    pub changed: bool,
    /// Whether it succeeded.
    pub result: OutcomeResult,
    /// Why, as a code.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub message: Option<String>,
    /// The values of the command's columns.
    pub cells: Vec<Cell>,
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
    fn look_up(&self, keys: &[IncidentKey]) -> Result<Vec<Option<LookedUp>>, StoreError>;

    /// Writes entries and makes their changes: status, date, user, conclusion, audit and ledger of
    /// one incident together or not at all, and durably before it returns. Commits may be shared.
    /// Answers in the order of the entries.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where nothing of the batch was written.
    fn record(&self, batch: RecordBatch) -> Result<Vec<EntryOutcome>, StoreError>;

    /// What was recorded for an execution, in the order of the input. It is the store's of the
    /// incidents, since only that can write it together with the changes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn ledger(&self, execution: ExecutionKey) -> Result<Vec<LedgerRow>, StoreError>;
}

//! The incident store: what the host asks of it, and the one in SQLite.
//!
//! Three traits, since three kinds of things are stored. [`IncidentStore`] is the incidents with their
//! audit; whoever embeds the host in a SOAR implements it on their own. [`ExecutionRecords`] is the
//! host's own memory of what it ran, and [`ApiKeys`] the keys of its remote clients.
//! [`SqliteStore`] is all of them, in one file. [`StoreMaintenance`] looks after a store as a whole;
//! of one in SQLite it is [`SqliteFile`].

mod error;
pub mod import;
mod keys;
mod lease;
mod maintenance;
mod postgres;
mod records;
mod sqlite;
mod store;

pub use error::StoreError;
pub use keys::{ApiKey, ApiKeyId, ApiKeys, Limits, NewApiKey, Proof};
pub use lease::LeaseOwner;
pub use maintenance::{
    Backup, CheckReport, Checked, CopyProgress, MaintenanceError, Migration, Problem, Restored,
    StoreMaintenance,
};
pub use postgres::PostgresStore;
pub use records::{
    Begun, Conditions, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords, ExecutionState,
    NewExecution,
};
pub use sqlite::{
    AuditEntry, FieldDetail, IncidentDetail, IncidentFilter, IncidentLine, SqliteFile, SqliteStore,
    TaskDetail,
};
pub use store::{
    ChangeToMake, Commit, EntryOutcome, IncidentKey, IncidentStore, LedgerEntry, LedgerRow,
    RecordBatch, Recording, SiteRecord, UserRecord,
};

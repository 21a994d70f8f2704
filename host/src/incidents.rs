//! The incident store: what the host asks of it, and the one in SQLite.
//!
//! Two traits, since two kinds of things are stored. [`IncidentStore`] is the incidents with their
//! audit; whoever embeds the host in a SOAR implements it on their own. [`ExecutionRecords`] is the
//! host's own memory of what it ran. [`SqliteStore`] is both, in one file.

mod error;
pub mod import;
mod lease;
mod records;
mod sqlite;
mod store;

pub use error::StoreError;
pub use lease::LeaseOwner;
pub use records::{
    Begun, Conditions, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords, ExecutionState,
    NewExecution,
};
pub use sqlite::{
    AuditEntry, FieldDetail, IncidentDetail, IncidentFilter, IncidentLine, SqliteStore, TaskDetail,
};
pub use store::{
    ChangeToMake, Commit, EntryOutcome, IncidentKey, IncidentStore, LedgerEntry, LedgerRow,
    RecordBatch, Recording, SiteRecord, UserRecord,
};

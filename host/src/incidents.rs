//! The incident store: what the host asks of it, and those that there are.
//!
//! Three traits, since three kinds of things are stored. [`IncidentStore`] is the incidents with their
//! audit; whoever embeds the host in a SOAR implements it on their own. [`ExecutionRecords`] is the
//! host's own memory of what it ran, and [`ApiKeys`] the keys of its remote clients. People look at
//! incidents through [`IncidentBrowser`], and files come in through [`IncidentImporter`]. A [`Store`]
//! is all of them: [`SqliteStore`], say, in one file. [`StoreMaintenance`] looks after a store as a
//! whole; of one in SQLite it is [`SqliteFile`], of one in
//! PostgreSQL [`PostgresDatabase`]. A [`StoreLocation`] tells where a store is, and opens
//! it.

mod browse;
mod error;
pub mod import;
mod importer;
mod keys;
mod lease;
mod location;
mod maintenance;
mod postgres;
mod records;
mod sqlite;
mod store;

pub use browse::{
    AuditEntry, FieldDetail, IncidentBrowser, IncidentDetail, IncidentFilter, IncidentLine,
    TaskDetail,
};
pub use error::StoreError;
pub use importer::IncidentImporter;
pub use keys::{ApiKey, ApiKeyId, ApiKeys, Limits, NewApiKey, Proof};
pub use lease::LeaseOwner;
pub use location::{BadLocation, NotAPostgresUrl, PostgresUrl, Store, StoreLocation};
pub use maintenance::{
    Backup, CheckReport, Checked, CopyProgress, MaintenanceError, Migration, Problem, Restored,
    StoreMaintenance,
};
pub use postgres::{PostgresDatabase, PostgresStore};
pub use records::{
    Begun, BegunExecution, Conditions, Ending, ExecutionKey, ExecutionRecord, ExecutionRecords,
    ExecutionState, NewExecution, Noted, Notice,
};
pub use sqlite::{SqliteFile, SqliteStore};
pub use store::{
    ChangeToMake, Commit, EntryOutcome, IncidentKey, IncidentStore, LedgerEntry, LedgerRow,
    RecordBatch, Recording, SiteRecord, UserRecord,
};

//! Why the store did not do what it was asked, in sentences.

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It can't be opened or made.
    #[error("the store {store} can't be opened: {cause}")]
    CannotOpen {
        /// The store, without a password.
        store: String,
        /// What the system said.
        cause: String,
    },
    /// There is no store.
    #[error("there is no store {0}")]
    Missing(String),
    /// The file, or the database, is something else.
    #[error("{0} is not a Playdock store: name another one")]
    NotAStore(String),
    /// A newer program made the store.
    #[error(
        "the store {store} has version {found}, made by a newer playdock; this one knows versions up to {known}: use the newer program"
    )]
    Newer {
        /// The store, without a password.
        store: String,
        /// Its version.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// Another process holds the store.
    #[error(
        "another process has locked the store, and still had after {0} s: try again when it is done"
    )]
    Locked(u64),
    /// The database can't be reached, or went away and didn't come back in time.
    #[error(
        "the database {store} can't be reached: {cause}; try again when it is back, with the same execution id where there was one"
    )]
    Unreachable {
        /// Its address, without a password.
        store: String,
        /// What the system or the database said.
        cause: String,
    },
    /// The database took too long over a statement, or gave no answer.
    #[error(
        "the database was not done after {0} s: run the same execution id again when it is less busy"
    )]
    TooSlow(u64),
    /// The database gave no answer to a commit.
    #[error("it isn't known whether the store wrote it, and the same execution id will tell: {0}")]
    InDoubt(String),
    /// All connections to the database were in use for too long.
    #[error(
        "no connection to the database became free in {0} s: try again when fewer executions run"
    )]
    Busy(u64),
    /// The disk is full.
    #[error(
        "the disk that holds the store is full: make room and try again, with the same execution id where there was one"
    )]
    Full,
    /// The disk, or the file system, failed.
    #[error("the store can't be read or written: {0}")]
    Disk(String),
    /// Another host goes on with the execution that this one ran.
    #[error("the execution was taken over by another host, which goes on with it")]
    TakenOver,
    /// The store holds something that this program can't read.
    #[error("the store holds {what}, which can't be read: {cause}")]
    Unreadable {
        /// What it holds.
        what: &'static str,
        /// Why it can't be read.
        cause: String,
    },
    /// A statement failed; it says why.
    #[error("the store refused it: {0}")]
    Refused(String),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether it is about one row, so that other rows may still be written.
    pub(crate) fn is_about_a_row(&self) -> bool {
        matches!(self, StoreError::Refused(_))
    }
}

/// How long a process waits for a lock that another one holds, in seconds.
pub(super) const LOCK_TIMEOUT_SECONDS: u64 = 5;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase,
            OutOfMemory, ReadOnly, SystemIoFailure,
        };
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => StoreError::Locked(LOCK_TIMEOUT_SECONDS),
            Some(DiskFull) => StoreError::Full,
            Some(
                SystemIoFailure | DatabaseCorrupt | NotADatabase | ReadOnly | CannotOpen
                | OutOfMemory,
            ) => StoreError::Disk(error.to_string()),
            _ => StoreError::Refused(match &error {
                // Without the statement, which is ours and says nothing to anybody else.
                rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
                other => other.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_without_the_statement() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let error = connection.execute_batch("SELECT name\n FROM nowhere").unwrap_err();
        let message = StoreError::from(error).to_string();
        assert_eq!(message, "the store refused it: no such table: nowhere");
    }
}

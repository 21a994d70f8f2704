//! Looking after a store as a whole: its version, what must always hold in it, its backups.
//!
//! Whoever looks after a store need not be able to use it: it may be of another version, damaged or
//! missing. So this is a trait of its own beside those of the store that is in use.

pub(super) mod invariants;

use super::error::StoreError;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Told how many bytes of how many are copied.
pub type CopyProgress<'a> = &'a mut dyn FnMut(u64, u64);

/// Looks after a store.
pub trait StoreMaintenance {
    /// Brings the store up to the version of this program, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    fn migrate(&self) -> Result<Migration, StoreError>;

    /// Checks everything that must always hold, at one moment, and writes nothing. Of what breaks
    /// an invariant, it names so many at most and counts the rest.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where it can't be checked at all. What is broken is no error.
    fn check(&self, most: usize) -> Result<CheckReport, StoreError>;

    /// Writes all that the store holds at one moment into a file, which doesn't exist yet, while
    /// others go on using the store. The file is there once it is whole, durable and checked.
    ///
    /// # Errors
    ///
    /// [`MaintenanceError`]; then there is no such file.
    fn backup(&self, file: &Path, progress: CopyProgress<'_>) -> Result<Backup, MaintenanceError>;

    /// Puts a backup in the place of the store, which is kept under another name, and brings it up
    /// to the version of this program.
    ///
    /// # Errors
    ///
    /// [`MaintenanceError`]; then the store is as it was.
    fn restore(
        &self,
        file: &Path,
        progress: CopyProgress<'_>,
    ) -> Result<Restored, MaintenanceError>;
}

/// What became of a store's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// Its version before; 0 where there was no store.
    pub from: i64,
    /// Its version now.
    pub to: i64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The version of the store.
    pub version: i64,
    /// How many incidents it holds.
    pub incidents: u64,
    /// How many executions it holds.
    pub executions: u64,
    /// All that was checked, in the order of checking.
    pub invariants: Vec<Checked>,
}

/// An invariant, and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its id.
    pub id: &'static str,
    /// What must always hold: a sentence.
    pub sentence: &'static str,
    /// How many break it.
    pub broken: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
}

/// What breaks an invariant, by the names that people know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The site, where it is about one.
    pub site: Option<String>,
    /// The number of the incident, where it is about one.
    pub incident: Option<String>,
    /// The id of the execution, where it is about one.
    pub execution: Option<String>,
    /// What was found.
    pub found: Option<String>,
}

impl Checked {
    /// One that nothing has broken yet.
    pub(super) fn new(id: &'static str, sentence: &'static str) -> Checked {
        Checked { id, sentence, broken: 0, problems: Vec::new() }
    }
}

impl CheckReport {
    /// How many break an invariant, of all invariants.
    pub fn broken(&self) -> u64 {
        self.invariants.iter().map(|checked| checked.broken).sum()
    }
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Its size in bytes.
    pub bytes: u64,
    /// The version of the store in it.
    pub version: i64,
    /// How many incidents it holds.
    pub incidents: u64,
    /// How many executions it holds.
    pub executions: u64,
}

/// A backup that is now the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What holds the store of before now, a file say; `None` where there was none.
    pub kept: Option<String>,
    /// The versions of the backup, and of the store now.
    pub migration: Migration,
    /// How many incidents it holds.
    pub incidents: u64,
    /// How many executions it holds.
    pub executions: u64,
}

/// Why a backup was not made, or not put in the place of a store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MaintenanceError {
    /// The store did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The backup can't be read.
    #[error("the backup {file} can't be used: {cause}")]
    BadBackup {
        /// The backup.
        file: PathBuf,
        /// Why.
        cause: StoreError,
    },
    /// The backup breaks what must always hold.
    #[error(
        "the backup {file} does not pass the check (problems: {problems}), so it was not restored: playdock --db {file} db check names them"
    )]
    BrokenBackup {
        /// The backup.
        file: PathBuf,
        /// How many.
        problems: u64,
    },
    /// What was copied breaks what must always hold, so the store does.
    #[error(
        "the store {store} does not pass the check (problems: {problems}), so a backup of it could not be restored and none was made: playdock --db {store} db check names them"
    )]
    BrokenStore {
        /// The store, without a password.
        store: String,
        /// How many.
        problems: u64,
    },
    /// There is a file already.
    #[error("{0} exists, and a backup overwrites nothing: name another file, or remove it")]
    Exists(PathBuf),
    /// The backup is the store.
    #[error("{0} is the store itself: name a backup of it")]
    SameFile(PathBuf),
    /// Another process uses the store.
    #[error(
        "another process uses the store {0}, which can only be replaced when none does: end it and try again"
    )]
    InUse(String),
    /// The disk is full.
    #[error("the disk that was to hold {0} is full: make room and try again")]
    Full(PathBuf),
    /// A file could not be written, renamed or looked at.
    #[error("{file} can't be {what}: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// What was to be done with it: "written", say.
        what: &'static str,
        /// What the system said.
        cause: String,
    },
}

impl MaintenanceError {
    /// Makes an error of a file that was to be written out of what the store in it said.
    pub(super) fn writing(file: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Full => MaintenanceError::Full(file.to_owned()),
            error => error.into(),
        }
    }

    /// Makes an error about a file out of what the system said.
    pub(super) fn file(file: &Path, what: &'static str, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => MaintenanceError::Exists(file.to_owned()),
            std::io::ErrorKind::StorageFull => MaintenanceError::Full(file.to_owned()),
            _ => {
                // A temporary file's error names that file, which nobody knows, around the system's.
                let within = error.get_ref().and_then(|error| error.source());
                let cause = within.map_or_else(|| error.to_string(), ToString::to_string);
                MaintenanceError::File { file: file.to_owned(), what, cause }
            }
        }
    }
}

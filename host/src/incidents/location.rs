//! Where a store is, and opening the one that is there: the one place that knows all kinds.

mod postgres_url;

pub use postgres_url::{NotAPostgresUrl, PostgresUrl};

use super::browse::IncidentBrowser;
use super::error::StoreError;
use super::importer::IncidentImporter;
use super::keys::ApiKeys;
use super::maintenance::StoreMaintenance;
use super::postgres::{PostgresDatabase, PostgresStore};
use super::records::ExecutionRecords;
use super::sqlite::{SqliteFile, SqliteStore};
use super::store::IncidentStore;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All that a store is to the program: incidents, what was run, keys, looking at incidents and
/// importing them.
pub trait Store:
    IncidentStore + ExecutionRecords + ApiKeys + IncidentBrowser + IncidentImporter
{
}

impl<S> Store for S where
    S: IncidentStore + ExecutionRecords + ApiKeys + IncidentBrowser + IncidentImporter
{
}

/// Where a store is. Shown, it has no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// In a file of SQLite.
    File(PathBuf),
    /// In a database of PostgreSQL.
    Postgres(PostgresUrl),
}

impl StoreLocation {
    /// The location that a text names: a `postgres://` or `postgresql://` URL, or else the path of
    /// a file.
    ///
    /// # Errors
    ///
    /// [`BadLocation`]: it is empty, another URL, or a wrong one.
    pub fn parse(text: &OsStr) -> Result<StoreLocation, BadLocation> {
        if text.is_empty() {
            return Err(BadLocation::Empty);
        }
        let Some(url) = text.to_str().filter(|text| text.contains("://")) else {
            return Ok(StoreLocation::File(PathBuf::from(text)));
        };
        match PostgresUrl::parse(url)? {
            Some(url) => Ok(StoreLocation::Postgres(url)),
            None => Err(BadLocation::OtherScheme),
        }
    }

    /// Opens the store, makes it where there is none, and brings an older one up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it can't be opened, is something else, is newer than this program, or is
    /// locked by another process.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        match self {
            StoreLocation::File(path) => {
                check_folder(path)?;
                Ok(Arc::new(SqliteStore::open(path)?))
            }
            StoreLocation::Postgres(url) => Ok(Arc::new(PostgresStore::open(url)?)),
        }
    }

    /// What looks after the store, which need not be there.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotOpen`]
    pub fn maintenance(&self) -> Result<Box<dyn StoreMaintenance>, StoreError> {
        match self {
            StoreLocation::File(path) => Ok(Box::new(SqliteFile::new(path))),
            StoreLocation::Postgres(url) => Ok(Box::new(PostgresDatabase::new(url)?)),
        }
    }
}

/// SQLite would only say that it can't open the file.
fn check_folder(path: &Path) -> Result<(), StoreError> {
    let cannot_open =
        |cause: String| StoreError::CannotOpen { store: path.display().to_string(), cause };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.exists()) {
        return Err(cannot_open(format!("the folder {} does not exist", folder.display())));
    }
    if path.is_dir() {
        return Err(cannot_open("it is a folder; name a file".to_owned()));
    }
    Ok(())
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreLocation::File(path) => write!(formatter, "{}", path.display()),
            StoreLocation::Postgres(url) => url.fmt(formatter),
        }
    }
}

/// Why a text names no place where a store could be. It never repeats the text, which may hold a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLocation {
    /// It is empty.
    #[error("the name of the store is empty: name a file, or postgres://USER@HOST/DATABASE")]
    Empty,
    /// It is a URL of something else.
    #[error("a store is a file, or postgres://USER@HOST/DATABASE: this is another kind of URL")]
    OtherScheme,
    /// It is a wrong URL of PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] NotAPostgresUrl),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_of_postgresql_or_a_file() {
        let parse = |text: &str| StoreLocation::parse(text.as_ref());
        for file in ["playdock.db", "/tmp/a:b.db", "C:\\stores\\a.db", "postgres:", "a//b.db"] {
            assert_eq!(parse(file), Ok(StoreLocation::File(file.into())));
        }
        assert_eq!(parse(""), Err(BadLocation::Empty));
        assert!(matches!(parse("postgres://h/d"), Ok(StoreLocation::Postgres(_))));
        assert!(matches!(parse("PostgreSQL://h/d"), Ok(StoreLocation::Postgres(_))));
        for other in ["postgre://u:secret@h/d", "mysql://u:secret@h/d", "://secret", "x y://secret"]
        {
            let error = parse(other).unwrap_err();
            assert_eq!(error, BadLocation::OtherScheme);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

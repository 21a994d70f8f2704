//! Looking after a store in SQLite. The work is done by `check`, `backup` and `restore`.

use super::super::error::StoreError;
use super::super::maintenance::{
    Backup, CheckReport, CopyProgress, MaintenanceError, Migration, Restored, StoreMaintenance,
};
use super::{backup, check, open, restore};
use std::path::{Path, PathBuf};

/// The file of a store, which need not be open, sound or there.
#[derive(Debug, Clone)]
pub struct SqliteFile {
    path: PathBuf,
}

impl SqliteFile {
    /// The store in `path`.
    pub fn new(path: &Path) -> SqliteFile {
        SqliteFile { path: path.to_owned() }
    }
}

impl StoreMaintenance for SqliteFile {
    fn migrate(&self) -> Result<Migration, StoreError> {
        open::open(&self.path).map(|(_, migration)| migration)
    }

    fn check(&self, most: usize) -> Result<CheckReport, StoreError> {
        check::check(&self.path, most)
    }

    fn backup(&self, file: &Path, progress: CopyProgress<'_>) -> Result<Backup, MaintenanceError> {
        backup::backup(&self.path, file, progress)
    }

    fn restore(
        &self,
        file: &Path,
        progress: CopyProgress<'_>,
    ) -> Result<Restored, MaintenanceError> {
        restore::restore(&self.path, file, progress)
    }
}

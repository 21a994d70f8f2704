//! Looking after a store in PostgreSQL. The work is done by `check`, `backup` and `restore`.

use super::super::error::StoreError;
use super::super::location::PostgresUrl;
use super::super::maintenance::{
    Backup, CheckReport, CopyProgress, MaintenanceError, Migration, Restored, StoreMaintenance,
};
use super::address::Address;
use super::connections::Connections;
use super::{backup, check, open, restore};
use std::path::Path;

/// The database of a store, which need not be in use, sound or there.
pub struct PostgresDatabase {
    connections: Connections,
}

impl PostgresDatabase {
    /// The store at a URL. Nothing is connected to yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::CannotOpen`]: what the URL says can't be used.
    pub fn new(url: &PostgresUrl) -> Result<PostgresDatabase, StoreError> {
        Ok(PostgresDatabase { connections: Connections::to(Address::of(url)?)? })
    }
}

impl StoreMaintenance for PostgresDatabase {
    fn migrate(&self) -> Result<Migration, StoreError> {
        open::migrate(&self.connections)
    }

    fn check(&self, most: usize) -> Result<CheckReport, StoreError> {
        check::check(&self.connections, most)
    }

    fn backup(&self, file: &Path, progress: CopyProgress<'_>) -> Result<Backup, MaintenanceError> {
        backup::backup(&self.connections, file, progress)
    }

    fn restore(
        &self,
        file: &Path,
        progress: CopyProgress<'_>,
    ) -> Result<Restored, MaintenanceError> {
        restore::restore(&self.connections, file, progress)
    }
}

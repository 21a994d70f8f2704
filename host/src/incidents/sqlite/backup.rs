//! Copying a store out, while others use it, into one file that needs no other beside it.
//!
//! SQLite's backup copies pages inside one reading transaction, so it sees one moment: in WAL mode a
//! writer neither waits for it nor makes it begin again; only the log grows meanwhile. `VACUUM INTO`
//! would do too, but it builds every index anew and can't tell how far it is.

use super::super::maintenance::{Backup, CopyProgress, MaintenanceError};
use super::{check, open};
use rusqlite::Connection;
use rusqlite::backup::StepResult;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;

/// How many pages are copied between two reports of progress: 16 MiB of them.
const PAGES: i32 = 4096;

/// What SQLite may have beside a file, and takes for its latest content: a log, or a journal.
pub(super) const CONTENT_BESIDE: [&str; 2] = ["-wal", "-journal"];
/// What SQLite may have beside a file that is no content: the index of the log.
pub(super) const INDEX_BESIDE: &str = "-shm";

/// Writes what the store in `path` holds into `file`, which must not exist.
pub(super) fn backup(
    path: &Path,
    file: &Path,
    progress: CopyProgress<'_>,
) -> Result<Backup, MaintenanceError> {
    as_backup(path.display().to_string(), file, |copy| fill(path, copy, file, progress))
}

/// Makes a backup of a store, named so for people, into `file`, which must not exist. `fill` writes
/// all that the store holds into a file of SQLite that nobody else knows.
pub(in super::super) fn as_backup(
    store: String,
    file: &Path,
    fill: impl FnOnce(&Path) -> Result<(), MaintenanceError>,
) -> Result<Backup, MaintenanceError> {
    // A log that was left there would be taken for a part of the backup.
    let beside = CONTENT_BESIDE.iter().map(|suffix| with_suffix(file, suffix));
    for taken in std::iter::once(file.to_owned()).chain(beside) {
        if taken.symlink_metadata().is_ok() {
            return Err(MaintenanceError::Exists(taken));
        }
    }
    let copied = Copied::filled(file, fill)?;
    let report = check::check(copied.path(), 0)?;
    match report.broken() {
        0 => {}
        problems => return Err(MaintenanceError::BrokenStore { store, problems }),
    }
    let metadata = copied.path().metadata();
    let bytes = metadata.map_err(|error| MaintenanceError::file(file, "written", &error))?.len();
    copied.become_new(file)?;
    let (version, incidents, executions) = (report.version, report.incidents, report.executions);
    Ok(Backup { bytes, version, incidents, executions })
}

/// Copies the store in `from` into `copy`, which is to become `target`.
pub(super) fn fill(
    from: &Path,
    copy: &Path,
    target: &Path,
    progress: CopyProgress<'_>,
) -> Result<(), MaintenanceError> {
    let (source, _) = open::open_to_read(from)?;
    copy_pages(&source, copy, progress)
        .map_err(|error| MaintenanceError::writing(target, error.into()))
}

/// A copy of a store that nobody else knows yet: gone when it is dropped, unless it became a file.
pub(super) struct Copied {
    /// Readable to its owner alone.
    file: NamedTempFile,
    _beside: Beside,
}

impl Copied {
    /// Copies the store in `from`, durably, into a file beside `target`.
    pub(super) fn of(
        from: &Path,
        target: &Path,
        progress: CopyProgress<'_>,
    ) -> Result<Copied, MaintenanceError> {
        Copied::filled(target, |copy| fill(from, copy, target, progress))
    }

    /// Fills a file beside `target`, durably.
    fn filled(
        target: &Path,
        fill: impl FnOnce(&Path) -> Result<(), MaintenanceError>,
    ) -> Result<Copied, MaintenanceError> {
        let mut prefix = target.file_name().unwrap_or_default().to_owned();
        prefix.push(".partial-");
        let file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder(target));
        let file = file.map_err(|error| MaintenanceError::file(target, "written", &error))?;
        let copied = Copied { _beside: Beside(file.path().to_owned()), file };
        fill(copied.path())?;
        single(copied.path()).map_err(|error| MaintenanceError::writing(target, error.into()))?;
        copied.sync(target)?;
        Ok(copied)
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file, to give it an owner and a mode.
    pub(super) fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self, target: &Path) -> Result<(), MaintenanceError> {
        let synced = self.file.as_file().sync_all();
        synced.map_err(|error| MaintenanceError::file(target, "written", &error))
    }

    /// Becomes `target`, which there must not be yet.
    pub(super) fn become_new(self, target: &Path) -> Result<(), MaintenanceError> {
        let persisted = self.file.persist_noclobber(target);
        persisted.map_err(|error| MaintenanceError::file(target, "written", &error.error))?;
        sync_folder(target)
    }

    /// Takes the place of `target`, at one stroke.
    pub(super) fn replace(self, target: &Path) -> Result<(), MaintenanceError> {
        let persisted = self.file.persist(target);
        persisted.map_err(|error| MaintenanceError::file(target, "replaced", &error.error))?;
        sync_folder(target)
    }
}

/// What SQLite has beside a copy while it is open, and leaves where it fails.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        for suffix in CONTENT_BESIDE.iter().chain([&INDEX_BESIDE]) {
            // Mostly there is none.
            let _ = std::fs::remove_file(with_suffix(&self.0, suffix));
        }
    }
}

fn copy_pages(
    source: &Connection,
    path: &Path,
    progress: CopyProgress<'_>,
) -> Result<(), rusqlite::Error> {
    // The transaction holds the moment; without it, each change by another process would make the
    // copy begin again.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let page: u64 = moment.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let mut target = Connection::open(path)?;
    // It is nobody's yet: a half copy is thrown away, and a whole one is synced as a whole.
    target.pragma_update(None, "journal_mode", "OFF")?;
    target.pragma_update(None, "synchronous", "OFF")?;
    let backup = rusqlite::backup::Backup::new(&moment, &mut target)?;
    loop {
        let step = backup.step(PAGES)?;
        let copied = backup.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * page;
        progress(bytes(copied.pagecount - copied.remaining), bytes(copied.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Somebody holds a store that is no longer in WAL mode.
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Takes a copy out of WAL mode, so that it is one file, also for whoever only reads it.
fn single(path: &Path) -> Result<(), rusqlite::Error> {
    let copy = Connection::open(path)?;
    copy.pragma_update(None, "synchronous", "OFF")?;
    copy.pragma_update(None, "journal_mode", "DELETE")
}

/// A file's name with something after it.
pub(super) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// The folder that a file is in.
pub(super) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes durable what files the folder of `file` has.
pub(super) fn sync_folder(file: &Path) -> Result<(), MaintenanceError> {
    // Elsewhere a folder can't be opened as a file, and its entries are as durable as they get.
    if cfg!(unix) {
        let synced = File::open(folder(file)).and_then(|folder| folder.sync_all());
        synced.map_err(|error| MaintenanceError::file(file, "written", &error))?;
    }
    Ok(())
}

//! Putting a backup in the place of a store.
//!
//! The backup is copied beside the store, checked and brought up to date first, while the store may
//! still be used. Then nobody else may: every process that uses a store in WAL mode holds a lock on
//! its file for as long as it has it open, whether or not it runs an execution. Its log is written
//! back and removed, since SQLite would take it for the restored store's. The store of before gets
//! a second name, and the copy takes its place by one rename: there is a store at any moment.

use super::super::error::StoreError;
use super::super::maintenance::{CheckReport, CopyProgress, MaintenanceError, Restored};
use super::backup::{CONTENT_BESIDE, Copied, INDEX_BESIDE, fill, sync_folder, with_suffix};
use super::{check, open};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Puts the backup `file` in the place of the store in `path`.
pub(super) fn restore(
    path: &Path,
    file: &Path,
    progress: CopyProgress<'_>,
) -> Result<Restored, MaintenanceError> {
    let bad = |cause| MaintenanceError::BadBackup { file: file.to_owned(), cause };
    // A link stays a link: what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if file.canonicalize().is_ok_and(|file| file == *path) {
        return Err(MaintenanceError::SameFile(path.clone()));
    }
    open::open_to_read(file).map_err(bad)?;
    let copied = Copied::of(file, path, progress)?;
    let report = checked(copied.path(), file)?;
    let writing = |error| MaintenanceError::writing(path, error);
    let (connection, migration) = open::open(copied.path()).map_err(writing)?;
    // Whoever closes last writes the log back and removes it.
    connection.close().map_err(|(_, error)| writing(error.into()))?;
    let unwritable = |error| MaintenanceError::file(path, "replaced", &error);
    let kept = match path.metadata() {
        Ok(_) => {
            let alone = Alone::with(path)?;
            like(copied.as_file(), path).map_err(unwritable)?;
            copied.sync(path)?;
            let (kept, _open) = keep(path)?;
            copied.replace(path)?;
            drop(alone);
            Some(kept.display().to_string())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            copied.sync(path)?;
            keep_beside(path, &free_name(path))?;
            copied.become_new(path)?;
            None
        }
        Err(error) => return Err(unwritable(error)),
    };
    let (incidents, executions) = (report.incidents, report.executions);
    Ok(Restored { kept, migration, incidents, executions })
}

/// Copies a backup into a file of which nobody else knows, once it is checked, to be brought up to
/// date and read there. What the check found goes with it.
pub(in super::super) fn copy_of_backup(
    file: &Path,
    copy: &Path,
) -> Result<CheckReport, MaintenanceError> {
    fill(file, copy, copy, &mut |_, _| ())?;
    checked(copy, file)
}

/// Checks the copy of a backup.
fn checked(copy: &Path, file: &Path) -> Result<CheckReport, MaintenanceError> {
    let file = || file.to_owned();
    let report = check::check(copy, 0);
    let report = report.map_err(|cause| MaintenanceError::BadBackup { file: file(), cause })?;
    match report.broken() {
        0 => Ok(report),
        problems => Err(MaintenanceError::BrokenBackup { file: file(), problems }),
    }
}

/// A store that no other process uses, for as long as this lives.
struct Alone {
    _store: Option<Connection>,
    _file: Option<File>,
}

impl Alone {
    /// Takes the store, and writes its log back into it.
    fn with(path: &Path) -> Result<Alone, MaintenanceError> {
        match take(path) {
            Ok(store) => Ok(Alone { _store: Some(store), _file: None }),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Err(MaintenanceError::InUse(path.display().to_string()))
                }
                // What is damaged is to be replaced all the more.
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    Ok(Alone { _store: None, _file: Some(take_damaged(path)?) })
                }
                _ => Err(StoreError::from(error).into()),
            },
        }
    }
}

fn take(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(path, flags)?;
    // This fails while anybody else has the store open. Only without a log can the file stand
    // alone; and whoever opened it before and waits for the lock will find that it was moved, and
    // write nothing.
    store.pragma_update(None, "journal_mode", "DELETE")?;
    // Readers too are kept out until the connection is closed.
    store.execute_batch("BEGIN EXCLUSIVE")?;
    let mode: String = store.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("delete") {
        // Somebody opened it in between, and took it back into WAL mode.
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(busy, None));
    }
    Ok(store)
}

/// Takes the file itself: the locks of SQLite are locks of parts of it.
fn take_damaged(path: &Path) -> Result<File, MaintenanceError> {
    let opened = File::options().read(true).write(true).open(path);
    let file = opened.map_err(|error| MaintenanceError::file(path, "replaced", &error))?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FlockOperation, fcntl_lock};
        use rustix::io::Errno;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN | Errno::ACCESS) => {
                return Err(MaintenanceError::InUse(path.display().to_string()));
            }
            // A file system without locks has kept nobody out before either.
            Err(error) => log::debug!("{} can't be locked: {error}", path.display()),
            Ok(()) => {}
        }
    }
    Ok(file)
}

/// Gives the file the owner and the mode of the store that it replaces.
#[cfg(unix)]
fn like(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (wanted, has) = (path.metadata()?, file.metadata()?);
    if (wanted.uid(), wanted.gid()) != (has.uid(), has.gid()) {
        fchown(file, Some(wanted.uid()), Some(wanted.gid()))?;
    }
    file.set_permissions(wanted.permissions())
}

#[cfg(not(unix))]
fn like(_file: &File, _path: &Path) -> io::Result<()> {
    Ok(())
}

/// Gives the store a second name, under which it stays, and returns that, and what is to stay open
/// for as long as the store is this process's alone.
fn keep(path: &Path) -> Result<(PathBuf, Option<File>), MaintenanceError> {
    let kept = free_name(path);
    let open = second_name(path, &kept);
    let open = open.map_err(|error| MaintenanceError::file(&kept, "made", &error))?;
    keep_beside(path, &kept)?;
    Ok((kept, open))
}

/// A name for a store of before that no file has yet, nor what SQLite had beside one.
fn free_name(path: &Path) -> PathBuf {
    let is_free = |name: &PathBuf| {
        let beside = CONTENT_BESIDE.iter().map(|suffix| with_suffix(name, suffix));
        std::iter::once(name.clone()).chain(beside).all(|it| it.symlink_metadata().is_err())
    };
    let mut names = (1_u64..).map(|number| with_suffix(path, &format!(".replaced-{number}")));
    names.find(is_free).unwrap_or_else(|| with_suffix(path, ".replaced"))
}

/// Moves what SQLite left beside the store, if it could not be written back, to the kept one.
fn keep_beside(path: &Path, kept: &Path) -> Result<(), MaintenanceError> {
    for suffix in CONTENT_BESIDE {
        let (from, to) = (with_suffix(path, suffix), with_suffix(kept, suffix));
        match second_name(&from, &to).and_then(|_| std::fs::remove_file(&from)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(MaintenanceError::file(&from, "moved", &error));
            }
            _ => {}
        }
    }
    let index = with_suffix(path, INDEX_BESIDE);
    match std::fs::remove_file(&index) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(MaintenanceError::file(&index, "removed", &error))
        }
        _ => sync_folder(path),
    }
}

/// Gives a file another name beside its own; on a file system where it can have only one, a copy.
/// Then the file is returned: to close it gives up all locks that this process has on it.
fn second_name(file: &Path, name: &Path) -> io::Result<Option<File>> {
    match std::fs::hard_link(file, name) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) => {
            copy(file, name).map(Some)
        }
        linked => linked.map(|()| None),
    }
}

/// Copies a file, durably, and returns it.
fn copy(file: &Path, name: &Path) -> io::Result<File> {
    let mut from = File::open(file)?;
    let mut to = File::create_new(name)?;
    to.set_permissions(from.metadata()?.permissions())?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()?;
    Ok(from)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rusqlite::ErrorCode::DatabaseBusy;

    #[test]
    fn a_store_that_is_copied_stays_this_process_alone() {
        const TRIES: &str = "PLAYDOCK_TEST_TRIES";
        let read = |path: &Path| {
            let other = Connection::open(path).unwrap();
            other.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        };
        if let Some(path) = std::env::var_os(TRIES) {
            let busy = read(path.as_ref()).unwrap_err().sqlite_error_code();
            return assert_eq!(busy, Some(DatabaseBusy));
        }
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a.db"), folder.path().join("b.db"));
        open::open(&path).unwrap();
        let alone = Alone::with(&path).unwrap();
        let open = copy(&path, &kept).unwrap();
        // Locks are those of a process, so another one tries.
        let mut other = std::process::Command::new(std::env::current_exe().unwrap());
        let name =
            "incidents::sqlite::restore::tests::a_store_that_is_copied_stays_this_process_alone";
        let status = other.args(["--exact", name]).env(TRIES, &path).status().unwrap();
        assert!(status.success());
        drop((open, alone));
        assert!(read(&kept).unwrap() > 0);
    }
}

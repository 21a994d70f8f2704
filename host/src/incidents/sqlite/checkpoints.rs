//! Bringing what the write-ahead log holds into the file, beside the thread that writes: a bulk
//! close would wait for that about as long as for its own commits.

use super::super::error::StoreError;
use super::open::{self, PAGES_PER_CHECKPOINT};
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};
use std::ffi::c_int;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How many pages the log may have. A log can begin anew only when all of it is in the file, and who
/// goes on writing adds to it meanwhile; so from here on, the writer waits for the thread, and brings
/// the rest there itself.
const MOST_PAGES: c_int = 4 * PAGES_PER_CHECKPOINT;

/// The thread; it ends when the connection is closed that it was made for.
pub(super) struct Checkpoints(Option<JoinHandle<()>>);

impl Checkpoints {
    /// Those of what is committed on a connection to the store in `path`.
    pub(super) fn of(writer: &mut Connection, path: &Path) -> Result<Checkpoints, StoreError> {
        let (due, asked) = channel();
        let mut pages_then = 0;
        // SQLite lets one of them at it at a time, and the other go on without.
        let turn = Arc::new(Mutex::new(()));
        let threads_turn = turn.clone();
        writer.wal_hook(Some(move |log: &mut Wal, pages: c_int| {
            pages_then = pages_then.min(pages);
            if pages >= MOST_PAGES {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                // As below.
                let _ = log.checkpoint();
            } else if pages >= pages_then + PAGES_PER_CHECKPOINT {
                pages_then = pages;
                let _ = due.send(());
            }
            Ok(())
        }))?;
        let path = path.to_owned();
        let thread = std::thread::spawn(move || {
            let mut connection = None;
            while asked.recv().is_ok() {
                // Where it fails it is done another time: what is in the log is as durable as what is
                // in the file.
                connection = connection.or_else(|| open::connect(&path).ok());
                let checkpoint = |connection: &Connection| {
                    connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)
                };
                let _turn = threads_turn.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = connection.as_ref().map(checkpoint);
            }
        });
        Ok(Checkpoints(Some(thread)))
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // Nothing in it panics, and whatever became of it, the log is whole.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_brought_into_the_file_and_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        // The writer goes first, also where this fails: the thread ends with it.
        let (checkpoints, writer) = {
            let (mut writer, _) = open::open(&path).unwrap();
            (Checkpoints::of(&mut writer, &path).unwrap(), writer)
        };
        writer.execute_batch("CREATE TABLE note (text)").unwrap();
        let note = "INSERT INTO note VALUES (zeroblob(4000000))";
        for _ in 0..40 {
            writer.execute_batch(note).unwrap();
        }
        let size = |name: &str| folder.path().join(name).metadata().unwrap().len();
        assert!(size("a.db") > 60_000_000, "{}", size("a.db"));
        let most = u64::try_from(MOST_PAGES).unwrap() * 4096 * 5 / 4;
        assert!(size("a.db-wal") < most, "{}", size("a.db-wal"));
        drop(writer);
        drop(checkpoints);
        let notes: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM note", [], |row| row.get(0))
            .unwrap();
        assert_eq!(notes, 40);
    }
}

//! Backups, also while others write.

use super::{checked, open_incidents, rows_of, start_closing, store, wait_until_some_are_closed};
use playdock_tests::{Finished, Playdock, parameters};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::{Duration, Instant};

/// What the folder has of a name, and what begins with it.
pub(super) fn files(playdock: &Playdock, name: &str) -> Vec<String> {
    let files = std::fs::read_dir(playdock.folder()).expect("it can be listed");
    let names = files.map(|it| it.expect("it can be read").file_name());
    let mut names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
    names.retain(|it| it.starts_with(name));
    names.sort_unstable();
    names
}

/// Kills a run of the program when it has begun to write a copy.
pub(super) fn kill_in_the_middle(playdock: &Playdock, mut child: Child, partial: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while files(playdock, partial).is_empty() {
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        assert!(Instant::now() < until, "it didn't begin within a minute");
    }
    child.kill().expect("it can be killed");
    let ended = child.wait().expect("it can be waited for");
    ended.code().is_none()
}

#[test]
fn a_backup_is_one_file_that_holds_what_the_store_does_and_is_its_owners_alone() {
    let playdock = store();
    let finished = playdock.run(&["db", "backup", "copy.db", "--output", "json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let answer = finished.answer();
    assert_eq!((&answer["incidents"], &answer["executions"]), (&json!(4), &json!(3)));
    let copy = playdock.folder().join("copy.db");
    let facts = copy.metadata().expect("it is there");
    assert_eq!(answer["bytes"], facts.len());
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(checked(&playdock, "copy.db").0.code, Some(0));
    assert_eq!(files(&playdock, "copy.db"), ["copy.db"]);
    assert_eq!(rows_of(&playdock, "copy.db"), rows_of(&playdock, "playdock.db"));
    // Whoever opens it as a store has one that is as durable as any.
    let listed = playdock.run(&["--db", "copy.db", "incidents", "list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let mode = rusqlite::Connection::open(copy).expect("it can be opened");
    let mode: String =
        mode.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("it has one");
    assert_eq!(mode, "wal");
}

#[test]
fn nothing_is_overwritten_nor_mixed_with_what_was_left_there() {
    let playdock = store();
    for (taken, target) in [("a.db", "a.db"), ("b.db-wal", "b.db"), ("c.db-journal", "c.db")] {
        playdock.file(taken, "mine");
        let finished = playdock.run(&["db", "backup", target]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.errors.contains(&format!("{taken} exists")), "{finished:?}");
        let left = std::fs::read_to_string(playdock.folder().join(taken));
        assert_eq!(left.expect("it is there"), "mine");
        assert_eq!(files(&playdock, target), [taken]);
    }
    let finished = playdock.run(&["db", "backup", "no/such/a.db"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
}

#[test]
fn a_store_that_breaks_what_must_hold_is_not_backed_up() {
    let playdock = store();
    playdock.write("UPDATE incident SET version = 0 WHERE number = 'INC-4'");
    let finished = playdock.run(&["db", "backup", "copy.db"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("does not pass the check (problems: 1)"), "{finished:?}");
    assert!(files(&playdock, "copy.db").is_empty());
}

#[test]
fn backups_during_a_bulk_close_are_each_of_one_moment_and_nobody_waits() {
    let playdock = open_incidents(20_000);
    let mut closing = start_closing(&playdock);
    wait_until_some_are_closed(&playdock);
    let mut closed = Vec::new();
    for number in 0.. {
        let running = closing.try_wait().expect("it can be asked").is_none();
        let copy = format!("copy-{number}.db");
        let finished = playdock.run(&["db", "backup", &copy]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let (finished, report) = checked(&playdock, &copy);
        assert_eq!(finished.code, Some(0), "{report}");
        let copy = rusqlite::Connection::open(playdock.folder().join(copy));
        let count = "SELECT count(*) FROM incident WHERE status = 'Closed'";
        let count = copy.and_then(|it| it.query_row(count, [], |row| row.get::<_, usize>(0)));
        closed.push(count.expect("it can be read"));
        if !running {
            break;
        }
    }
    assert!(closed.is_sorted() && closed[0] > 0, "{closed:?}");
    assert_eq!(closed.last(), Some(&20_000));
    assert!(closed[0] < 20_000, "the first backup came too late: {closed:?}");
    assert!(closing.wait().expect("it can be waited for").success());
}

#[test]
fn a_writer_that_never_rests_starves_no_backup() {
    let playdock = open_incidents(5_000);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let writer = playdock.store();
            let mut longest = Duration::ZERO;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let began = Instant::now();
                let touch = "UPDATE incident SET owner = hex(randomblob(8)) WHERE id % 50 = 0";
                writer.execute_batch(touch).expect("it can be written");
                longest = longest.max(began.elapsed());
            }
            longest
        });
        let finished = playdock.run(&["db", "backup", "copy.db"]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let longest = writing.join().expect("it wrote");
        assert!(longest < Duration::from_secs(5), "a write took {longest:?}");
    });
    assert_eq!(checked(&playdock, "copy.db").0.code, Some(0));
}

#[test]
fn killed_in_the_middle_there_is_no_backup_and_the_store_is_whole() {
    let playdock = open_incidents(20_000);
    let mut killed = 0;
    for _ in 0..5 {
        let child = playdock.start(playdock.command(&["db", "backup", "copy.db"]));
        let was_killed = kill_in_the_middle(&playdock, child, "copy.db.partial-");
        killed += usize::from(was_killed);
        assert_eq!(checked(&playdock, "playdock.db").0.code, Some(0));
        for name in files(&playdock, "copy.db") {
            if name == "copy.db" {
                assert_eq!(checked(&playdock, "copy.db").0.code, Some(0));
            }
            std::fs::remove_file(playdock.folder().join(name)).expect("it can be removed");
        }
    }
    assert!(killed > 0, "it was never killed in the middle");
}

/// Runs something on a disk that has so much room beside the store's file; says what it said and
/// which files are left there.
pub(super) fn on_a_small_disk(
    playdock: &Playdock,
    arguments: &[&str],
    beside: Option<&str>,
    kibibytes: u64,
) -> Option<Finished> {
    let mount = "mount -t tmpfs tmpfs /tmp";
    let mut probe = std::process::Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "sh", "-c", mount]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        // A container may forbid it.
        eprintln!("not tested: no file system can be mounted here, even in a namespace");
        return None;
    }
    let size = |name: &str| {
        let facts = std::fs::metadata(playdock.folder().join(name));
        facts.expect("it is there").len() / 1024
    };
    let brought = format!("playdock.db {}", beside.unwrap_or_default());
    let room = brought.split_whitespace().map(size).sum::<u64>() + kibibytes;
    let script = "brought=$1; shift; mkdir -p disk && mount -t tmpfs -o size=\"$0\"k tmpfs disk \
        && cp $brought disk && cd disk && { \"$@\"; code=$?; }; \
        ls >&2; cp playdock.db ..; exit $code";
    let program = playdock.command(arguments);
    let mut unshare = std::process::Command::new("unshare");
    unshare.current_dir(playdock.folder()).args(["--map-root-user", "--mount", "sh", "-c", script]);
    unshare.arg(room.to_string()).arg(brought);
    unshare.arg(program.get_program()).args(program.get_args());
    Some(playdock.start(unshare).wait_with_output().expect("it can be waited for").into())
}

#[test]
fn on_a_full_disk_there_is_no_backup_nor_half_of_one() {
    let playdock = open_incidents(5_000);
    let arguments = ["db", "backup", "copy.db"];
    let Some(finished) = on_a_small_disk(&playdock, &arguments, None, 150) else { return };
    assert_eq!(finished.code, Some(5), "{finished:?}");
    let said = "the disk that was to hold copy.db is full: make room and try again";
    assert!(finished.errors.contains(said), "{finished:?}");
    let left: Vec<&str> = finished.errors.lines().filter(|it| it.starts_with("copy")).collect();
    assert!(left.is_empty(), "{finished:?}");
    assert_eq!(checked(&playdock, "playdock.db").0.code, Some(0));
}

#[test]
fn a_store_that_was_killed_with_its_log_is_backed_up_with_what_is_in_it() {
    let playdock = open_incidents(20_000);
    let mut closing = start_closing(&playdock);
    wait_until_some_are_closed(&playdock);
    closing.kill().expect("it can be killed");
    closing.wait().expect("it can be waited for");
    assert!(playdock.folder().join("playdock.db-wal").exists());
    let (finished, report) = checked(&playdock, "playdock.db");
    assert_eq!(finished.code, Some(0), "{report}");
    let finished = playdock.run(&["db", "backup", "copy.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(rows_of(&playdock, "copy.db"), rows_of(&playdock, "playdock.db"));
    // The copy goes on with the execution as the store would.
    let numbers: Vec<String> = (0..20_000).map(|it| format!("INC-{it}")).collect();
    let id = ["--execution-id", "nightly-1", "--db", "copy.db"];
    let finished = playdock.close(&parameters(&numbers), &id);
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    assert_eq!(checked(&playdock, "copy.db").0.code, Some(0));
}

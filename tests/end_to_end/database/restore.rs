//! Backups in the place of stores.

use super::backup::{files, kill_in_the_middle, on_a_small_disk};
use super::{checked, open_incidents, rows_of, start_closing, store, wait_until_some_are_closed};
use playdock_tests::{Playdock, incident, parameters};
use serde_json::json;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

fn backed_up() -> Playdock {
    let playdock = store();
    let finished = playdock.run(&["db", "backup", "copy.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    playdock
}

fn assert_refused(playdock: &Playdock, file: &str, code: i32, words: &str) {
    let before = rows_of(playdock, "playdock.db");
    let finished = playdock.run(&["db", "restore", file]);
    assert_eq!(finished.code, Some(code), "{finished:?}");
    assert!(finished.errors.contains(words), "{finished:?}");
    assert_eq!(finished.errors.lines().count(), 1, "{finished:?}");
    assert!(files(playdock, "playdock.db.").is_empty(), "{:?}", files(playdock, "playdock.db"));
    assert_eq!(rows_of(playdock, "playdock.db"), before);
}

#[test]
fn a_backup_takes_the_place_of_the_store_which_is_kept_with_its_mode() {
    let playdock = backed_up();
    let path = playdock.folder().join("playdock.db");
    let then = rows_of(&playdock, "playdock.db");
    playdock.import(&incident("INC-9", json!({})));
    let later = rows_of(&playdock, "playdock.db");
    let mode = Permissions::from_mode(0o640);
    std::fs::set_permissions(&path, mode).expect("the mode can be changed");

    let finished = playdock.run(&["db", "restore", "copy.db", "--output", "json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(rows_of(&playdock, "playdock.db"), then);
    assert_eq!(checked(&playdock, "playdock.db").0.code, Some(0));
    let answer = finished.answer();
    assert_eq!(answer["incidents"], 4);
    let kept = answer["kept"].as_str().expect("text").to_owned();
    assert!(kept.ends_with("playdock.db.replaced-1"), "{kept}");
    assert_eq!(rows_of(&playdock, &kept), later);
    assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o640);

    // And back, as the text says it.
    let finished = playdock.run(&["db", "restore", &kept]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.output.contains("playdock.db.replaced-2\n"), "{finished:?}");
    assert_eq!(rows_of(&playdock, "playdock.db"), later);
    let finished = playdock.close(&parameters(&["INC-9"]), &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn where_there_is_no_store_there_is_one_then() {
    let playdock = backed_up();
    let finished = playdock.run(&["db", "restore", "copy.db", "--db", "new.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(files(&playdock, "new.db"), ["new.db"]);
    assert_eq!(rows_of(&playdock, "new.db"), rows_of(&playdock, "playdock.db"));
}

#[test]
fn what_is_no_sound_backup_is_refused_and_the_store_stays() {
    let playdock = backed_up();
    playdock.file("text.db", "a letter, a diary, or anything else\n".repeat(100));
    assert_refused(&playdock, "text.db", 2, "text.db is not a Playdock store");
    assert_refused(&playdock, "none.db", 2, "there is no store none.db");
    assert_refused(&playdock, "playdock.db", 2, "is the store itself");

    let copy = || rusqlite::Connection::open(playdock.folder().join("copy.db"));
    let meddle = |statement: &str| copy().and_then(|copy| copy.execute_batch(statement));
    meddle("UPDATE incident SET version = 0 WHERE id = 4").expect("it can be written");
    assert_refused(
        &playdock,
        "copy.db",
        2,
        "the backup copy.db does not pass the check (problems: 1)",
    );
    meddle("PRAGMA user_version = 99").expect("it can be written");
    assert_refused(&playdock, "copy.db", 2, "made by a newer playdock");
}

#[test]
fn a_store_in_use_is_not_replaced() {
    let playdock = backed_up();
    // A host that has it open, though it runs nothing and has no transaction.
    let host = playdock.host();
    assert_refused(&playdock, "copy.db", 5, "another process uses the store");
    drop(host);
    // Somebody who reads it.
    let reader = playdock.store();
    reader.execute_batch("BEGIN; SELECT count(*) FROM incident").expect("it can be read");
    assert_refused(&playdock, "copy.db", 5, "another process uses the store");
    drop(reader);
    let finished = playdock.run(&["db", "restore", "copy.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn during_an_execution_it_is_refused_and_the_execution_ends_as_it_would() {
    let playdock = open_incidents(20_000);
    assert_eq!(playdock.run(&["db", "backup", "copy.db"]).code, Some(0));
    let mut closing = start_closing(&playdock);
    wait_until_some_are_closed(&playdock);
    let finished = playdock.run(&["db", "restore", "copy.db"]);
    let still_ran = closing.try_wait().expect("it can be asked").is_none();
    assert!(closing.wait().expect("it can be waited for").success());
    assert!(still_ran, "it ended too soon to say anything");
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("another process uses the store"), "{finished:?}");
    assert_eq!(checked(&playdock, "playdock.db").0.code, Some(0));
    let closed = "SELECT count(*) FROM incident WHERE status = 'Closed'";
    assert_eq!(playdock.value::<usize>(closed), 20_000);
}

/// A copy of a store and its log as a crash leaves them, under another name.
fn crashed_store(playdock: &Playdock, name: &str) {
    let holder = playdock.store();
    holder.execute_batch("SELECT count(*) FROM incident").expect("it can be read");
    playdock.write("UPDATE incident SET owner = 'of the log', version = version + 1");
    for suffix in ["", "-wal"] {
        let from = playdock.folder().join(format!("playdock.db{suffix}"));
        let to = playdock.folder().join(format!("{name}{suffix}"));
        assert!(std::fs::copy(from, to).expect("it can be copied") > 0);
    }
}

#[test]
fn a_log_that_a_crash_left_goes_into_the_kept_store_and_not_into_the_restored_one() {
    let playdock = backed_up();
    let backup = rows_of(&playdock, "copy.db");
    crashed_store(&playdock, "crashed.db");
    let finished = playdock.run(&["db", "restore", "copy.db", "--db", "crashed.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(files(&playdock, "crashed.db"), ["crashed.db", "crashed.db.replaced-1"]);
    assert_eq!(rows_of(&playdock, "crashed.db"), backup);
    assert_eq!(checked(&playdock, "crashed.db").0.code, Some(0));
    let kept = rows_of(&playdock, "crashed.db.replaced-1");
    assert!(kept.iter().any(|row| row.contains("of the log")), "{kept:?}");
    assert_eq!(kept, rows_of(&playdock, "playdock.db"));
}

#[test]
fn a_log_without_its_store_and_a_damaged_store_are_set_aside() {
    let playdock = backed_up();
    let backup = rows_of(&playdock, "copy.db");
    crashed_store(&playdock, "lost.db");
    std::fs::remove_file(playdock.folder().join("lost.db")).expect("it can be removed");
    let finished = playdock.run(&["db", "restore", "copy.db", "--db", "lost.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(files(&playdock, "lost.db"), ["lost.db", "lost.db.replaced-1-wal"]);
    assert_eq!(rows_of(&playdock, "lost.db"), backup);
    assert_eq!(checked(&playdock, "lost.db").0.code, Some(0));

    playdock.file("damaged.db", "no header at all ".repeat(1000));
    playdock.file("damaged.db-journal", "nor a journal");
    let finished = playdock.run(&["db", "restore", "copy.db", "--db", "damaged.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(rows_of(&playdock, "damaged.db"), backup);
    assert_eq!(checked(&playdock, "damaged.db").0.code, Some(0));
    let kept = std::fs::read_to_string(playdock.folder().join("damaged.db.replaced-1"));
    assert!(kept.expect("it is kept").starts_with("no header at all"));
}

#[test]
fn killed_at_any_moment_there_is_a_store_and_it_is_whole() {
    let playdock = open_incidents(5_000);
    assert_eq!(playdock.run(&["db", "backup", "copy.db"]).code, Some(0));
    let mut killed = 0;
    for round in 0..10 {
        playdock.write("UPDATE incident SET version = version + 1 WHERE id = 1");
        let mut command = playdock.command(&["db", "restore", "copy.db"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        killed += usize::from(if round % 2 == 0 {
            kill_in_the_middle(&playdock, child, "playdock.db.partial-")
        } else {
            // Rather at the end.
            while files(&playdock, "playdock.db.replaced-").is_empty()
                && child.try_wait().expect("it can be asked").is_none()
            {}
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for").code().is_none()
        });
        let (finished, report) = checked(&playdock, "playdock.db");
        assert_eq!(finished.code, Some(0), "{report}");
        for name in files(&playdock, "playdock.db.replaced-") {
            assert_eq!(checked(&playdock, &name).0.code, Some(0), "{name}");
        }
        for name in files(&playdock, "playdock.db.") {
            std::fs::remove_file(playdock.folder().join(name)).expect("it can be removed");
        }
    }
    assert!(killed > 0, "it was never killed in the middle");
}

#[test]
fn on_a_full_disk_the_store_stays() {
    let playdock = open_incidents(5_000);
    assert_eq!(playdock.run(&["db", "backup", "copy.db"]).code, Some(0));
    playdock.import(&incident("INC-new", json!({})));
    let before = playdock.dump();
    let arguments = ["db", "restore", "copy.db"];
    let Some(finished) = on_a_small_disk(&playdock, &arguments, Some("copy.db"), 150) else {
        return;
    };
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("is full: make room and try again"), "{finished:?}");
    assert!(!finished.errors.contains("partial") && !finished.errors.contains("replaced-"));
    assert_eq!(playdock.dump(), before);
    assert_eq!(checked(&playdock, "playdock.db").0.code, Some(0));
}

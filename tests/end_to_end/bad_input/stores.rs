//! Stores that can't be used: locked, full, newer, or something else.

#[cfg(target_os = "linux")]
use playdock_tests::{Finished, Random};
use playdock_tests::{Playdock, incident, parameters};
use serde_json::{Value, json};
#[cfg(target_os = "linux")]
use std::collections::HashSet;
use std::time::{Duration, Instant};

fn open_incidents(count: usize) -> (Playdock, Vec<String>) {
    let numbers: Vec<String> = (0..count).map(|it| format!("INC-{it}")).collect();
    let lines = numbers.iter().map(|number| incident(number, json!({})));
    (Playdock::with_incidents(lines), numbers)
}

#[test]
fn a_store_that_another_process_has_locked_is_left_alone_after_five_seconds() {
    let (playdock, numbers) = open_incidents(2);
    let before = playdock.dump();
    let other = playdock.store();
    other.execute_batch("BEGIN EXCLUSIVE").expect("the store can be locked");
    let began = Instant::now();
    let finished = playdock.close(&parameters(&numbers), &[]);
    let took = began.elapsed();
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert_eq!(finished.output, "");
    assert!(finished.errors.contains("another process has locked the store"), "{finished:?}");
    assert_eq!(finished.errors.lines().count(), 1, "{finished:?}");
    let patient = Duration::from_millis(4500)..Duration::from_secs(20);
    assert!(patient.contains(&took), "{took:?}");
    drop(other);
    assert_eq!(playdock.dump(), before);
    assert_eq!(playdock.close(&parameters(&numbers), &[]).code, Some(0));
}

#[test]
fn a_lock_that_is_given_back_in_time_is_waited_for() {
    let (playdock, numbers) = open_incidents(2);
    let other = playdock.store();
    other.execute_batch("BEGIN IMMEDIATE").expect("the store can be locked");
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        drop(other);
    });
    let finished = playdock.close(&parameters(&numbers), &[]);
    later.join().expect("the lock is given back");
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

/// Closes incidents in a store on a disk that has so much room beside the store's file.
#[cfg(target_os = "linux")]
fn close_on_a_small_disk(playdock: &Playdock, parameters: &Value, kibibytes: u64) -> Finished {
    playdock.file("parameters.json", parameters.to_string());
    let store = std::fs::metadata(playdock.folder().join("playdock.db"));
    let size = store.expect("the store is there").len() / 1024 + kibibytes;
    // A mount of its own, which is gone with the program: the store goes there and comes back.
    let script = "mkdir -p disk && mount -t tmpfs -o size=\"$0\"k tmpfs disk \
        && cp playdock.db parameters.json disk && cd disk && { \"$@\"; code=$?; } ; \
        cp playdock.db .. && { [ ! -e playdock.db-wal ] || cp playdock.db-wal ..; }; exit $code";
    let arguments = [
        "invoke",
        "CloseIncidentInBulk",
        "--params",
        "parameters.json",
        "--site",
        "Security Operations",
        "--output",
        "json",
        "--execution-id",
        "nightly-1",
    ];
    let program = playdock.command(&arguments);
    let mut unshare = std::process::Command::new("unshare");
    unshare.current_dir(playdock.folder()).args(["--map-root-user", "--mount", "sh", "-c", script]);
    unshare.arg(format!("{size}")).arg(program.get_program()).args(program.get_args());
    playdock.start(unshare).wait_with_output().expect("it can be waited for").into()
}

#[cfg(target_os = "linux")]
fn a_small_disk_can_be_made() -> bool {
    let mount = "mount -t tmpfs tmpfs /tmp";
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--map-root-user", "--mount", "sh", "-c", mount]);
    unshare.output().is_ok_and(|output| output.status.success())
}

/// Compares what an interrupted run said of each incident with what became of it.
#[cfg(target_os = "linux")]
fn assert_that_it_said_what_the_store_has(
    playdock: &Playdock,
    finished: &Finished,
    numbers: &[String],
) {
    let closed = playdock.rows("SELECT number FROM incident WHERE status = 'Closed'");
    let closed: HashSet<String> = closed.into_iter().collect();
    let outcomes = finished.outcomes();
    assert!(outcomes.iter().map(|(number, _)| number).eq(numbers));
    for (number, said) in &outcomes {
        match closed.contains(number) {
            true => assert_eq!(said, "Successful", "{number}: {}", finished.errors),
            false => assert!(["store-error", "not-attempted"].contains(&said.as_str()), "{number}"),
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_what_was_committed_is_whole_and_the_same_id_does_the_rest() {
    if !a_small_disk_can_be_made() {
        // A container may forbid it.
        eprintln!("not tested: no file system can be mounted here, even in a namespace");
        return;
    }
    let (playdock, numbers) = open_incidents(12_000);
    let parameters = parameters(&numbers);
    let mut closed_before = 0;
    // Room for no commit, and then for more and more of them.
    for room in (700..).step_by(300) {
        let finished = close_on_a_small_disk(&playdock, &parameters, room);
        if finished.code == Some(0) {
            break;
        }
        assert_eq!(finished.code, Some(5), "{}", finished.errors);
        playdock.assert_nothing_is_half_closed();
        let closed: usize = playdock.value("SELECT count(*) FROM incident WHERE status = 'Closed'");
        assert!((closed_before..=numbers.len()).contains(&closed), "{closed}");
        closed_before = closed;
        // A batch may find room that a larger one before it did not.
        assert_that_it_said_what_the_store_has(&playdock, &finished, &numbers);

        let error = finished.error();
        if closed == numbers.len() {
            assert!(error.contains("the end of the execution could not be noted"), "{error}");
            continue;
        }
        assert!(error.contains("The disk that holds the store is full"), "{error}");
        let left = format!("{} of 12000", numbers.len() - closed);
        assert!(error.contains(&left), "{left}: {error}");
    }
    assert!(closed_before > 0, "no commit found room");
    let rest = playdock.close(&parameters, &["--execution-id", "nightly-1"]);
    assert_eq!(rest.code, Some(0), "{}", rest.errors);
    assert!(rest.outcomes().iter().all(|(_, said)| said == "Successful"));
    assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), numbers.len());
    playdock.assert_nothing_is_half_closed();
}

/// `PLAYDOCK_ROUNDS` says how many stores are filled, `PLAYDOCK_SEED` where their disks end.
#[cfg(target_os = "linux")]
#[test]
fn wherever_the_disk_is_full_each_row_of_the_answer_says_what_the_store_has() {
    if !a_small_disk_can_be_made() {
        eprintln!("not tested: no file system can be mounted here, even in a namespace");
        return;
    }
    let number = |variable, otherwise| match std::env::var(variable) {
        Ok(number) => number.parse().expect("it is a number"),
        Err(_) => otherwise,
    };
    let mut random = Random::new(number("PLAYDOCK_SEED", 1));
    for _ in 0..number("PLAYDOCK_ROUNDS", 2) {
        let (playdock, mut numbers) = open_incidents(12_000);
        random.shuffle(&mut numbers);
        let parameters = parameters(&numbers);
        let mut room = 200;
        for _ in 0..4 {
            room += random.below(1200);
            let finished = close_on_a_small_disk(&playdock, &parameters, room as u64);
            playdock.assert_nothing_is_half_closed();
            if finished.code == Some(0) {
                break;
            }
            assert_eq!(finished.code, Some(5), "{}", finished.errors);
            // Where not even the journal found room, there is no answer.
            if !finished.output.is_empty() {
                assert_that_it_said_what_the_store_has(&playdock, &finished, &numbers);
            }
        }
        let rest = playdock.close(&parameters, &["--execution-id", "nightly-1"]);
        assert_eq!(rest.code, Some(0), "{}", rest.errors);
        assert_eq!(playdock.value::<usize>("SELECT count(*) FROM audit"), numbers.len());
        playdock.assert_nothing_is_half_closed();
    }
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let (playdock, numbers) = open_incidents(1);
    let version: i64 = playdock.value("PRAGMA user_version");
    playdock.write(&format!("PRAGMA user_version = {}", version + 1));
    let before = playdock.dump();
    for finished in
        [playdock.close(&parameters(&numbers), &[]), playdock.run(&["incidents", "list"])]
    {
        assert_eq!(finished.code, Some(5), "{finished:?}");
        assert_eq!(finished.output, "");
        assert!(finished.errors.contains("newer playdock"), "{finished:?}");
    }
    assert_eq!(playdock.dump(), before);
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let playdock = Playdock::new();
    let text = "a letter, a diary, or anything else\n".repeat(100);
    let foreign = playdock.file("text.db", &text);
    let other = playdock.folder().join("songs.db");
    let songs = rusqlite::Connection::open(&other).expect("a database can be made");
    songs.execute_batch("CREATE TABLE song (title)").expect("a table can be made");
    drop(songs);
    let songs = std::fs::read(&other).expect("it can be read");

    let parameters = parameters(&["1"]);
    for path in [&foreign, &other] {
        let name = path.to_string_lossy();
        let finished = playdock.close(&parameters, &["--db", &name]);
        assert_eq!(finished.code, Some(5), "{finished:?}");
        assert!(finished.errors.contains("is not a Playdock store"), "{finished:?}");
        assert!(finished.errors.contains(&*name), "{finished:?}");
    }
    assert_eq!(std::fs::read_to_string(foreign).expect("it can be read"), text);
    assert!(std::fs::read(other).expect("it can be read") == songs);

    let folder = playdock.folder().to_string_lossy().into_owned();
    let finished = playdock.close(&parameters, &["--db", &folder]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
}

#[test]
fn the_password_of_a_store_is_never_repeated() {
    let playdock = Playdock::new();
    for url in [
        "postgres://jane:s3cret@127.0.0.1:1/d",
        "postgres://127.0.0.1:1/d?user=jane&password=s3cret",
        "postgres://jane:s3cret/@127.0.0.1:1/d",
        "postgres://jane:@s3cret@127.0.0.1:1/d",
        "postgre://jane:s3cret@127.0.0.1:1/d",
    ] {
        for arguments in [&["incidents", "list"][..], &["db", "check"], &["db", "migrate"]] {
            let named = playdock.run(&[arguments, &["-vvv", "--db", url]].concat());
            let mut command = playdock.command(&[arguments, &["-vvv"]].concat());
            let set = command.env("PLAYDOCK_DB", url).output().expect("the program runs");
            for finished in [named, set.into()] {
                assert!(matches!(finished.code, Some(2 | 5)), "{finished:?}");
                assert!(!format!("{finished:?}").contains("s3cret"), "{finished:?}");
                assert!(finished.errors.contains("postgres"), "{finished:?}");
            }
        }
    }
}

#[test]
fn a_store_that_is_named_wrongly_is_not_made_to_be_looked_at() {
    let (playdock, _) = open_incidents(1);
    for arguments in [
        &["incidents", "list"][..],
        &["incidents", "show", "INC-0"],
        &["executions", "list"],
        &["executions", "show", "e"],
        &["keys", "list"],
        &["keys", "revoke", "soc"],
        &["db", "check"],
    ] {
        let finished = playdock.run(&[arguments, &["--db", "playdok.db"]].concat());
        assert_eq!(finished.code, Some(5), "{finished:?}");
        let errors = "playdock: there is no store playdok.db: name another with --db\n";
        assert_eq!(finished.errors, errors, "{arguments:?}");
    }
    assert!(!playdock.folder().join("playdok.db").exists());
    // Who makes one in passing is told.
    let made = playdock.run(&["keys", "create", "soc", "--db", "playdok.db"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let errors = "WARN: playdock: playdok.db was not there, and is an empty store now\n";
    assert_eq!(made.errors, errors);
}

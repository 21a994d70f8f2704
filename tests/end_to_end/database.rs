//! Looking after a store as a whole: its version, what must always hold in it, its backups.

#[cfg(target_os = "linux")]
mod backup;
mod check;
#[cfg(target_os = "linux")]
mod in_postgres;
#[cfg(target_os = "linux")]
mod restore;

use playdock_tests::{Finished, Playdock, incident, parameters, with};
use serde_json::{Value, json};

/// A store with an incident of each fate: closed by an execution, closed by two after one another,
/// closed where it came from, open, and a number that there is no incident of.
fn store() -> Playdock {
    let waived = json!({
        "fields": [{"section": "A", "name": "B", "required_on_close": true, "value": null}],
        "conclusion": "<p>Before.</p>",
    });
    let playdock = Playdock::with_incidents([
        incident("INC-1", waived),
        incident("INC-2", json!({})),
        incident("INC-3", json!({"status": "Closed"})),
        incident("INC-4", json!({"tasks": [{"title": "T", "required": true}]})),
    ]);
    let bypass = |numbers: &[&str]| {
        let parameters = with(parameters(numbers), "Bypass All Required Fields", json!("Yes"));
        with(parameters, "Conclusion", json!("After."))
    };
    let all = bypass(&["INC-1", "INC-2", "INC-3", "INC-4", "none"]);
    let finished = playdock.close(&all, &["--execution-id", "first"]);
    assert_eq!(finished.code, Some(3), "{finished:?}");
    playdock.write(
        "UPDATE incident SET status = 'Open', closed_at = NULL, closed_by = NULL,
             closed_in = NULL, version = version + 1 WHERE number = 'INC-2'",
    );
    let finished = playdock.close(&bypass(&["INC-2"]), &["--execution-id", "second"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let wrong = with(bypass(&["INC-2"]), "Username", json!("nobody"));
    let finished = playdock.close(&wrong, &["--execution-id", "wrong"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    playdock
}

/// A store of so many open incidents, and parameters that close them all, in a file.
#[cfg(target_os = "linux")]
fn open_incidents(count: usize) -> Playdock {
    let numbers: Vec<String> = (0..count).map(|it| format!("INC-{it}")).collect();
    let playdock = Playdock::with_incidents(numbers.iter().map(|it| incident(it, json!({}))));
    playdock.file("parameters.json", parameters(&numbers).to_string());
    playdock
}

/// Starts to close all of [`open_incidents`].
#[cfg(target_os = "linux")]
fn start_closing(playdock: &Playdock) -> std::process::Child {
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", "parameters.json"];
    arguments.extend(["--site", "Security Operations", "--execution-id", "nightly-1"]);
    let mut command = playdock.command(&arguments);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command.spawn().expect("the program starts")
}

/// Waits until some incidents are closed.
#[cfg(target_os = "linux")]
fn wait_until_some_are_closed(playdock: &Playdock) {
    let closed = "SELECT count(*) FROM incident WHERE status = 'Closed'";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while playdock.value::<usize>(closed) == 0 {
        assert!(std::time::Instant::now() < until, "nothing was closed within a minute");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// What a check of a store said, for programs.
fn checked(playdock: &Playdock, store: &str) -> (Finished, Value) {
    let finished = playdock.run(&["db", "check", "--db", store, "--output", "json"]);
    let report = finished.answer();
    (finished, report)
}

/// Every row of every table of a store beside the one of the folder.
#[cfg(target_os = "linux")]
fn rows_of(playdock: &Playdock, store: &str) -> Vec<String> {
    let other = playdock.folder().join(store);
    let other = rusqlite::Connection::open(other).expect("it can be opened");
    let mut dump = Vec::new();
    for table in ["site", "user", "user_site", "incident", "task", "field", "execution"] {
        dump.extend(table_of(&other, table));
    }
    for table in ["ledger", "audit"] {
        dump.extend(table_of(&other, table));
    }
    dump
}

#[cfg(target_os = "linux")]
fn table_of(store: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut statement = store.prepare(&format!("SELECT * FROM {table}")).expect("there is one");
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let value = |column| row.get::<_, rusqlite::types::Value>(column);
        let values = (0..columns).map(|it| value(it).map(|value| format!("{value:?}")));
        Ok(format!("{table}: {}", values.collect::<Result<Vec<_>, _>>()?.join("|")))
    });
    rows.and_then(Iterator::collect).expect("it can be read")
}

#[test]
fn a_store_is_made_once_and_brought_up_once() {
    let playdock = Playdock::new();
    let migrate = || playdock.run(&["db", "migrate", "--output", "json"]).answer();
    let version = migrate()["to"].as_i64().expect("it is a number");
    assert_eq!(migrate(), json!({"from": version, "to": version}));
    let said = playdock.run(&["db", "migrate"]).output;
    assert_eq!(said, format!("playdock.db has version {version} already\n"));
}

#[test]
fn what_looks_at_a_store_makes_none_and_leaves_others_alone() {
    let playdock = Playdock::new();
    let text = "a letter, a diary, or anything else\n".repeat(100);
    playdock.file("text.db", &text);
    for action in [&["check"][..], &["backup", "new.db"]] {
        for (store, words) in [
            ("playdock.db", "there is no store playdock.db: name another with --db"),
            ("text.db", "text.db is not a Playdock store"),
            (".", "it is a folder"),
        ] {
            let finished = playdock.run(&[&["db", "--db", store], action].concat());
            assert_eq!(finished.code, Some(5), "{finished:?}");
            assert!(finished.errors.contains(words), "{finished:?}");
            assert_eq!(finished.errors.lines().count(), 1, "{finished:?}");
        }
    }
    let files = std::fs::read_dir(playdock.folder()).expect("it can be listed");
    assert_eq!(files.count(), 1);
    let left = std::fs::read_to_string(playdock.folder().join("text.db"));
    assert_eq!(left.expect("it can be read"), text);
}

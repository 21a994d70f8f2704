//! Looking after a store in PostgreSQL: the same subcommands, and what they say of a database.

use super::check::{BREAKS, broken};
use super::{open_incidents, start_closing, store, wait_until_some_are_closed};
use playdock_tests::{Finished, Playdock, PostgresServer, in_postgres, incident, parameters};
use serde_json::{Value, json};

/// Breaks of [`BREAKS`] that the database itself refuses, but for the first, which is said otherwise.
const REFUSED: [&str; 4] = ["DROP TRIGGER", "'Shut'", "'gone'", "before_version = 1 WHERE"];

/// What [`store`] makes, in a database.
fn store_in_postgres() -> Playdock {
    let mut made = None;
    in_postgres(|| made = Some(store()));
    made.expect("it was made")
}

/// Runs statements as whoever may do anything, without triggers and foreign keys.
fn meddle(playdock: &Playdock, statements: &str) -> Result<(), postgres::Error> {
    let database = playdock.database().expect("it is in one");
    let mut client = database.server().superuser(database.name());
    client.batch_execute(
        "SET search_path TO playdock, public; SET session_replication_role TO replica",
    )?;
    client.batch_execute(statements)
}

fn checked(playdock: &Playdock) -> (Finished, Value) {
    let finished = playdock.run(&["db", "check", "--output", "json"]);
    let report = finished.answer();
    (finished, report)
}

/// Every row of every table, but when the schema was made.
fn rows(playdock: &Playdock) -> Vec<String> {
    let mut rows = playdock.dump();
    rows.retain(|row| !row.starts_with("version:"));
    rows.sort_unstable();
    rows
}

#[test]
fn a_store_is_made_once_and_what_is_none_is_left_alone() {
    let playdock = Playdock::in_database(PostgresServer::shared().database());
    for action in [&["db", "check"][..], &["db", "backup", "new.db"]] {
        let finished = playdock.run(action);
        assert_eq!(finished.code, Some(5), "{finished:?}");
        assert!(finished.errors.contains("there is no store postgres://"), "{finished:?}");
        assert_eq!(finished.errors.lines().count(), 1, "{finished:?}");
    }
    assert!(!playdock.folder().join("new.db").exists());

    let other = "CREATE SCHEMA playdock; CREATE TABLE playdock.diary (entry text)";
    playdock.write(other);
    for action in [&["db", "migrate"][..], &["db", "check"], &["db", "backup", "new.db"]] {
        let finished = playdock.run(action);
        assert_eq!(finished.code, Some(5), "{finished:?}");
        let words = "its schema playdock holds something else: name another database";
        assert!(finished.errors.contains(words), "{finished:?}");
    }
    playdock.write("DROP SCHEMA playdock CASCADE");

    let migrate = || playdock.run(&["db", "migrate", "--output", "json"]).answer();
    let first = migrate();
    assert_eq!(first["from"], 0);
    assert_eq!(migrate(), json!({"from": first["to"], "to": first["to"]}));
    assert_eq!(playdock.run(&["db", "check"]).code, Some(0));
    playdock.write("INSERT INTO version (version) VALUES (99)");
    let finished = playdock.run(&["db", "check"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("newer playdock"), "{finished:?}");
}

#[test]
fn each_invariant_that_is_broken_is_found_or_cannot_be_broken() {
    let playdock = store_in_postgres();
    let (finished, report) = checked(&playdock);
    assert_eq!(finished.code, Some(0), "{report}");
    let tables = playdock.rows(
        "SELECT table_name FROM information_schema.tables
         WHERE table_schema = 'playdock' AND table_type = 'BASE TABLE'",
    );
    let each = |statement: &dyn Fn(&str) -> String| -> String {
        tables.iter().map(|table| statement(table)).collect()
    };
    let keep = each(&|table| format!("CREATE TABLE whole.\"{table}\" AS TABLE \"{table}\";"));
    meddle(&playdock, &format!("CREATE SCHEMA whole; {keep}")).expect("it can be copied");
    let reset = each(&|table| {
        format!("DELETE FROM \"{table}\"; INSERT INTO \"{table}\" TABLE whole.\"{table}\";")
    });
    for (statements, expected, said) in BREAKS {
        if REFUSED.iter().any(|refused| statements.contains(refused)) {
            assert!(meddle(&playdock, statements).is_err(), "{statements}");
            continue;
        }
        let meddled = meddle(&playdock, statements);
        meddled.unwrap_or_else(|error| panic!("{statements}: {error}"));
        let (finished, report) = checked(&playdock);
        assert_eq!(finished.code, Some(5), "{statements}: {finished:?}");
        let found: Vec<&str> =
            broken(&report).iter().map(|it| it["id"].as_str().expect("text")).collect();
        assert_eq!(found, *expected, "{statements}: {report}");
        let first = broken(&report)[0].to_string();
        assert!(first.contains(said), "{statements}: {first}");
        meddle(&playdock, &reset).expect("it can be reset");
    }
    assert_eq!(checked(&playdock).0.code, Some(0));
    meddle(&playdock, "DROP SCHEMA whole CASCADE").expect("it can be dropped");

    for (statement, said) in [
        ("DROP TRIGGER task_updated ON task", "the trigger task_updated is missing"),
        ("ALTER TABLE incident ALTER number TYPE varchar(40)", "incident.number is another one"),
    ] {
        meddle(&playdock, statement).expect("it can be changed");
        let (finished, report) = checked(&playdock);
        assert_eq!(finished.code, Some(5), "{finished:?}");
        assert_eq!(broken(&report)[0]["id"], "schema", "{report}");
        assert!(broken(&report)[0].to_string().contains(said), "{report}");
    }
}

#[test]
fn a_backup_takes_the_place_of_the_store_which_is_kept() {
    let playdock = store_in_postgres();
    let then = rows(&playdock);
    let finished = playdock.run(&["db", "backup", "copy.db", "--output", "json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.answer()["incidents"], 4);
    assert_eq!(playdock.run(&["db", "check", "--db", "copy.db"]).code, Some(0));
    let again = playdock.run(&["db", "backup", "copy.db"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    playdock.import(&incident("INC-9", json!({})));

    // A host that has it open, though it runs nothing.
    let host = playdock.open();
    let finished = playdock.run(&["db", "restore", "copy.db"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("another process uses the store"), "{finished:?}");
    drop(host);
    playdock.file("text.db", "a letter, a diary, or anything else\n".repeat(100));
    let finished = playdock.run(&["db", "restore", "text.db"]);
    assert_eq!(finished.code, Some(2), "{finished:?}");

    let finished = playdock.run(&["db", "restore", "copy.db", "--output", "json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(rows(&playdock), then);
    assert_eq!(checked(&playdock).0.code, Some(0));
    assert_eq!(finished.answer()["kept"], "the schema playdock_replaced_1");
    let kept = "SELECT number FROM playdock_replaced_1.incident WHERE number = 'INC-9'";
    assert_eq!(playdock.rows(kept), ["INC-9"]);
    // What is inserted from now on has keys of its own, and a file takes the same backup.
    playdock.import(&incident("INC-10", json!({})));
    let finished = playdock.close(&parameters(&["INC-10"]), &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(checked(&playdock).0.code, Some(0));
    let finished = playdock.run(&["db", "restore", "copy.db", "--db", "file.db"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(playdock.run(&["db", "check", "--db", "file.db"]).code, Some(0));
    meddle(&playdock, "DROP SCHEMA playdock_replaced_1 CASCADE").expect("it can be dropped");
}

#[test]
fn during_an_execution_a_backup_is_of_one_moment_and_a_restore_is_refused() {
    let mut made = None;
    in_postgres(|| made = Some(open_incidents(20_000)));
    let playdock = made.expect("it was made");
    let mut closing = start_closing(&playdock);
    wait_until_some_are_closed(&playdock);
    let backup = playdock.run(&["db", "backup", "copy.db"]);
    let restore = playdock.run(&["db", "restore", "copy.db"]);
    let still_ran = closing.try_wait().expect("it can be asked").is_none();
    assert!(closing.wait().expect("it can be waited for").success());
    assert_eq!(backup.code, Some(0), "{backup:?}");
    assert_eq!(playdock.run(&["db", "check", "--db", "copy.db"]).code, Some(0));
    if still_ran {
        assert_eq!(restore.code, Some(5), "{restore:?}");
        assert!(restore.errors.contains("another process uses the store"), "{restore:?}");
    }
    playdock.assert_nothing_is_half_closed();
}

//! Two executions at once, what changes between look and close, and an incident that the store
//! refuses to write.

use super::{ID, audited, open_incidents, status};
use playdock_host::execution::Ended;
use playdock_tests::{
    Finished, Playdock, WatchedStore, answer_rows, closing, in_postgres_too, outcome, outcomes,
    parameters, with,
};
use serde_json::{Value, json};
use std::process::Child;
use std::sync::Barrier;
use std::time::Duration;

in_postgres_too!(
    two_processes_with_one_id_close_each_incident_once,
    three_executions_of_the_same_incidents_close_each_once,
    what_changes_between_look_and_close_is_not_missed,
    an_incident_that_keeps_changing_is_left_open_and_the_others_close,
);

fn finish(child: Child) -> Finished {
    let output = child.wait_with_output().expect("it can be waited for");
    Finished {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).expect("output is UTF-8"),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn two_processes_with_one_id_close_each_incident_once() {
    let (playdock, numbers) = open_incidents(2000);
    let parameters = playdock.file("parameters.json", parameters(&numbers).to_string());
    let file = parameters.to_string_lossy();
    let mut arguments = vec!["invoke", "CloseIncidentInBulk", "--params", &file];
    arguments.extend(["--site", "Security Operations", "--output", "json"]);
    arguments.extend(ID);
    let both = [(); 2].map(|()| playdock.start(playdock.command(&arguments)));
    let both = both.map(finish);
    assert!(both.iter().any(|finished| finished.code == Some(0)), "{both:?}");
    for finished in &both {
        match finished.code {
            Some(0) => assert_eq!(finished.rows().len(), 2000),
            _ => assert!(
                finished.code == Some(2) && finished.errors.contains("running"),
                "{finished:?}"
            ),
        }
    }
    assert_eq!(audited(&playdock), 2000);
    playdock.assert_nothing_is_half_closed();
}

#[test]
fn three_executions_of_the_same_incidents_close_each_once() {
    let (playdock, numbers) = open_incidents(2000);
    let ids = ["a", "b", "c"];
    let all = ids.map(|id| {
        let name = format!("{id}.json");
        let conclusion = with(parameters(&numbers), "Conclusion", json!(id));
        playdock.file(&name, conclusion.to_string());
        let arguments = [
            "invoke",
            "CloseIncidentInBulk",
            "--params",
            &name,
            "--output",
            "json",
            "--site",
            "Security Operations",
        ];
        playdock.start(playdock.command(&arguments))
    });
    let answers = all.map(|child| finish(child).outcomes());
    for index in 0..numbers.len() {
        let mut said: Vec<&str> = answers.iter().map(|answer| answer[index].1.as_str()).collect();
        said.sort_unstable();
        assert_eq!(said, ["Successful", "already-closed", "already-closed"], "{index}");
    }
    assert_eq!(audited(&playdock), 2000);
    let conclusions: i64 = playdock.value("SELECT max(length(conclusion)) FROM incident");
    assert_eq!(conclusions, "<p>a</p>".len() as i64);
    playdock.assert_nothing_is_half_closed();
}

/// Closes INC-0, INC-1 and INC-2 while somebody writes into the store before each batch.
fn close_while(playdock: &Playdock, sql: &str, only_once: bool) -> Vec<Value> {
    let (write, sql) = (playdock.writer(), sql.to_owned());
    let meddle = move |batch| {
        if batch == 0 || !only_once {
            write(&sql);
        }
    };
    let store = WatchedStore::new(playdock, meddle);
    let invocation = closing(&parameters(&["INC-0", "INC-1", "INC-2"]), "nightly-1");
    let answer = store.host().execute(&invocation).expect("there is an answer");
    assert_eq!(answer.ended, Ended::Finished, "{}", answer.error);
    answer_rows(&answer)
}

#[test]
fn what_changes_between_look_and_close_is_not_missed() {
    let id = "(SELECT id FROM incident WHERE number = 'INC-1')";
    for (sql, said, stored) in [
        (
            format!("INSERT INTO task VALUES ({id}, 9, 'Call the user', TRUE, 'Pending')"),
            "required-tasks-pending",
            "Open",
        ),
        (
            format!(
                "INSERT INTO field VALUES ({id}, 9, 'Closure', 'Loss', 'Activity', TRUE, TRUE, 'null')"
            ),
            "required-fields-missing",
            "Open",
        ),
        (
            "UPDATE incident SET status = 'Closed', closed_by = 'jane', version = version + 1
             WHERE number = 'INC-1'"
                .to_owned(),
            "already-closed",
            "Closed",
        ),
        // A change that blocks nothing: it is judged anew, and closes.
        (
            format!("INSERT INTO task VALUES ({id}, 9, 'Tidy up', FALSE, 'Pending')"),
            "Successful",
            "Closed",
        ),
    ] {
        let (playdock, _) = open_incidents(3);
        let rows = close_while(&playdock, &sql, true);
        let said_of_all: Vec<_> = rows.iter().map(outcome).collect();
        let expected = [("INC-0", "Successful"), ("INC-1", said), ("INC-2", "Successful")];
        assert_eq!(said_of_all, outcomes(&expected), "{sql}");
        assert_eq!(status(&playdock, "INC-1"), stored, "{sql}");
        let closed_here = rows.iter().filter(|row| outcome(row).1 == "Successful").count();
        assert_eq!(audited(&playdock), closed_here as i64, "{sql}");
    }
}

#[test]
fn an_incident_that_keeps_changing_is_left_open_and_the_others_close() {
    let (playdock, _) = open_incidents(3);
    let sql = "UPDATE incident SET version = version + 1 WHERE number = 'INC-1'";
    let rows = close_while(&playdock, sql, false);
    let said: Vec<_> = rows.iter().map(outcome).collect();
    let expected =
        [("INC-0", "Successful"), ("INC-1", "changed-meanwhile"), ("INC-2", "Successful")];
    assert_eq!(said, outcomes(&expected));
    assert_eq!(rows[1]["Status"], "Open");
    assert_eq!(status(&playdock, "INC-1"), "Open");
}

#[test]
fn an_incident_that_the_store_refuses_to_write_fails_alone() {
    // Of many incidents, what is certain to be done is told before it is.
    let tables = ["UPDATE ON incident", "INSERT ON audit"];
    let cases = tables.into_iter().flat_map(|table| [(table, 50), (table, 2000)]);
    for (table, count) in cases {
        let (playdock, numbers) = open_incidents(count);
        let (incident, new) = match table {
            "INSERT ON audit" => ("NEW.incident", ""),
            _ => ("NEW.id", "NEW.status = 'Closed' AND "),
        };
        playdock.write(&format!(
            "CREATE TRIGGER refuse BEFORE {table}
             WHEN {new} {incident} = (SELECT id FROM incident WHERE number = 'INC-31')
             BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        ));
        let finished = playdock.close(&parameters(&numbers), &ID);
        assert_eq!(finished.code, Some(3), "{finished:?}");
        for (number, said) in finished.outcomes() {
            let expected = if number == "INC-31" { "store-error" } else { "Successful" };
            assert_eq!(said, expected, "{number}");
        }
        let row = &finished.rows()[31];
        assert!(row["Error message"].to_string().contains("not this one"), "{row}");
        assert_eq!(row["Status"], "Open");
        assert_eq!(status(&playdock, "INC-31"), "Open");
        assert_eq!(audited(&playdock), count as i64 - 1);
        playdock.assert_nothing_is_half_closed();
    }
}

/// A ledger that can't be written is found out when the command has gone on: nothing of the batch
/// is closed, and nothing is said to be.
#[test]
fn where_a_line_of_the_ledger_is_refused_nothing_is_closed_and_the_same_id_does_it_later() {
    let (playdock, numbers) = open_incidents(50);
    playdock.write(
        "CREATE TRIGGER refuse BEFORE INSERT ON ledger
         WHEN NEW.incident = (SELECT id FROM incident WHERE number = 'INC-31')
         BEGIN SELECT RAISE(ABORT, 'not this line'); END",
    );
    let finished = playdock.close(&parameters(&numbers), &ID);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.error().contains("not this line"), "{finished:?}");
    assert!(finished.outcomes().iter().all(|(_, said)| said == "store-error"), "{finished:?}");
    assert_eq!(audited(&playdock), 0);
    playdock.assert_nothing_is_half_closed();

    playdock.write("DROP TRIGGER refuse");
    let finished = playdock.close(&parameters(&numbers), &ID);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.outcomes().iter().all(|(_, said)| said == "Successful"), "{finished:?}");
    assert_eq!(audited(&playdock), 50);
    playdock.assert_nothing_is_half_closed();
}

/// The second one hears that its incidents changed before the first one's commit stands, and must
/// not be shown them as they were before it.
#[test]
fn two_executions_in_one_commit_close_each_incident_once_and_look_again_after_it() {
    let (playdock, numbers) = open_incidents(300);
    let path = playdock.folder().join("playdock.db");
    let both = Barrier::new(2);
    let meddle = move |batch| {
        if batch < 2 && both.wait().is_leader() {
            // While it is locked, both wait for the writer, which then takes them together.
            let store = rusqlite::Connection::open(&path).expect("the store can be opened");
            store.execute_batch("BEGIN IMMEDIATE").expect("the store can be locked");
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                drop(store);
            });
        }
        if batch < 2 {
            both.wait();
        }
    };
    let store = WatchedStore::new(&playdock, meddle);
    let host = store.host();
    let close = &|id| {
        let answer = host.execute(&closing(&parameters(&numbers), id));
        answer_rows(&answer.expect("there is an answer"))
    };
    let answers: [Vec<Value>; 2] = std::thread::scope(|scope| {
        let running = ["a", "b"].map(|id| scope.spawn(move || close(id)));
        running.map(|it| it.join().expect("it ends"))
    });
    for index in 0..numbers.len() {
        let mut said = answers.each_ref().map(|rows| outcome(&rows[index]).1);
        said.sort_unstable();
        assert_eq!(said, ["Successful", "already-closed"], "{index}");
    }
    assert_eq!(audited(&playdock), 300);
    assert!(store.looks().values().all(|looks| *looks == 3), "{:?}", store.looks());
    playdock.assert_nothing_is_half_closed();
}

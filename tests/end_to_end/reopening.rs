//! A second command, which reopens: what holds for closings holds for it, checked by the store's
//! own invariants too.

use playdock_host::execution::{Cancellation, Ended, Progress};
use playdock_tests::{
    Playdock, SITE_AND_USER, answer_rows, in_postgres_too, incident, invocation, outcome,
    parameters,
};
use serde_json::{Value, json};
use std::sync::Arc;

in_postgres_too!(
    a_closed_incident_is_reopened_with_its_audit_and_the_answer_is_repeated,
    an_interrupted_reopening_goes_on_and_leaves_closed_what_was_closed_since,
);

fn closed(count: usize) -> (Playdock, Vec<String>) {
    let playdock = Playdock::with_plugins(&["close_incident_in_bulk", "reopen_incidents"]);
    let numbers: Vec<String> = (0..count).map(|it| format!("INC-{it}")).collect();
    let lines = numbers.iter().map(|number| incident(number, json!({})));
    playdock.import(&format!("{SITE_AND_USER}{}", lines.collect::<String>()));
    let finished = playdock.close(&parameters(&numbers), &["--execution-id", "closing"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    (playdock, numbers)
}

fn asked(numbers: &[String]) -> Value {
    json!({"Incident Numbers": numbers, "Status": "On Hold", "Username": "admin user",
        "Reason": "It happened again."})
}

fn holds(playdock: &Playdock) {
    let finished = playdock.run(&["db", "check"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn a_closed_incident_is_reopened_with_its_audit_and_the_answer_is_repeated() {
    let (playdock, mut numbers) = closed(2);
    playdock.import(&incident("INC-9", json!({"status": "In Progress"})));
    numbers.extend(["INC-9".to_owned(), "missing".to_owned()]);
    let id = ["--execution-id", "reopening"];

    let before = playdock.dump();
    let preview = playdock.invoke("ReopenIncidents", &asked(&numbers), &["--preview"]);
    assert_eq!(playdock.dump(), before);
    let reasons: Vec<String> = preview.outcomes().into_iter().map(|it| it.1).collect();
    assert_eq!(reasons, ["would-reopen", "would-reopen", "already-open", "not-found"]);

    let first = playdock.invoke("ReopenIncidents", &asked(&numbers), &id);
    assert_eq!(first.code, Some(3), "{first:?}");
    assert_eq!(
        playdock.rows(
            "SELECT status, version, closed_at, closed_by, closed_in, conclusion
             FROM incident ORDER BY number"
        ),
        [
            "On Hold|3|NULL|NULL|NULL|<p>It happened again.</p>",
            "On Hold|3|NULL|NULL|NULL|<p>It happened again.</p>",
            "In Progress|1|NULL|NULL|NULL|",
        ]
    );
    assert_eq!(
        playdock.rows(
            "SELECT before_status, before_version, before_closed_by, acting_user FROM audit
             WHERE action = 'reopen' AND before_closed_at IS NOT NULL"
        ),
        ["Closed|2|admin user|admin user"; 2]
    );
    assert_eq!(
        playdock.rows("SELECT outputs FROM execution WHERE execution_id = 'reopening'"),
        [r#"{"failed":1,"reopened":3}"#]
    );
    let stored = playdock.dump();
    let again = playdock.invoke("ReopenIncidents", &asked(&numbers), &id);
    assert_eq!((again.code, again.output), (first.code, first.output));
    assert_eq!(playdock.dump(), stored);
    holds(&playdock);

    let shown = playdock.run(&["executions", "show", "reopening", "--output", "json"]);
    assert!(shown.output.contains("\"change\":\"reopen\""), "{}", shown.output);
}

#[test]
fn who_may_not_change_incidents_reopens_none_and_another_site_is_not_reached() {
    let (playdock, numbers) = closed(1);
    playdock.write("UPDATE user SET may_close = 0");
    let refused = playdock.invoke("ReopenIncidents", &asked(&numbers), &[]);
    assert_eq!(refused.outcomes()[0].1, "not-permitted");
    playdock.write("UPDATE user SET may_close = 1; UPDATE site SET name = 'Client B'");
    playdock.import(SITE_AND_USER);
    let elsewhere = playdock.invoke("ReopenIncidents", &asked(&numbers), &[]);
    assert_eq!(elsewhere.outcomes()[0].1, "not-found");
    assert_eq!(playdock.rows("SELECT status FROM incident"), ["Closed"]);
}

#[test]
fn an_interrupted_reopening_goes_on_and_leaves_closed_what_was_closed_since() {
    let (playdock, numbers) = closed(9000);
    let host = playdock.host();
    let mut first = invocation("ReopenIncidents", &asked(&numbers), "reopening");
    let cancellation = Cancellation::default();
    first.cancellation = cancellation.clone();
    let cancel: Progress = Arc::new(move |_, _| cancellation.cancel());
    first.progress = Some(cancel);
    let interrupted = host.execute(&first).expect("there is an answer");
    assert_eq!(interrupted.ended, Ended::Cancelled);
    let reopened: i64 = playdock.value("SELECT count(*) FROM incident WHERE status = 'On Hold'");
    assert!(0 < reopened && reopened < 9000, "{reopened}");
    assert_eq!(interrupted.outputs["reopened"], reopened);

    let again = playdock.rows("SELECT number FROM incident WHERE status = 'On Hold' LIMIT 1");
    let closing = invocation("CloseIncidentInBulk", &parameters(&again), "again");
    host.execute(&closing).expect("there is an answer");
    let second = invocation("ReopenIncidents", &asked(&numbers), "reopening");
    let finished = host.execute(&second).expect("there is an answer");
    assert_eq!(finished.error, "1 of 9000 incidents was not reopened");
    let outcomes = answer_rows(&finished);
    let failed: Vec<_> =
        outcomes.iter().map(outcome).filter(|(_, said)| said != "Successful").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].1, "closed-since");
    let audited: i64 = playdock.value("SELECT count(*) FROM audit WHERE action = 'reopen'");
    assert_eq!(audited, 9000, "each was reopened once");
    holds(&playdock);
}

#[test]
fn an_incident_that_changes_between_look_and_change_is_judged_anew() {
    let (playdock, numbers) = closed(1);
    playdock.write(
        "CREATE TRIGGER meddle AFTER UPDATE OF lease_until ON execution
         BEGIN UPDATE incident SET version = version + 1 WHERE version < 4; END",
    );
    let id = ["--execution-id", "reopening"];
    let finished = playdock.invoke("ReopenIncidents", &asked(&numbers), &id);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(playdock.rows("SELECT status || version FROM incident"), ["On Hold5"]);
    assert_eq!(playdock.rows("SELECT before_version FROM audit WHERE action = 'reopen'"), ["4"]);
}

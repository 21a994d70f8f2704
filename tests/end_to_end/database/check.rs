//! What must always hold in a store: each is broken once, found, and named.

use super::{checked, store};
use playdock_tests::Playdock;
use serde_json::Value;
use std::collections::BTreeSet;

/// A way to break a store, the invariants that it breaks, and what is said of the first.
pub(super) type Break = (&'static str, &'static [&'static str], &'static str);

pub(super) const BREAKS: &[Break] = &[
    ("DROP TRIGGER task_updated", &["schema"], "the trigger task_updated is missing"),
    (
        "INSERT INTO task (incident, position, title, required, status)
             VALUES (99, 0, 'T', TRUE, 'Pending')",
        &["no-orphan"],
        "a row of task belongs to a row of incident that is missing",
    ),
    (
        "INSERT INTO ledger (execution, sequence, position, number, row)
             SELECT 99, 0, 0, 'N', min(id) FROM ledger_row",
        &["no-orphan"],
        "a row of ledger belongs to a row of execution that is missing",
    ),
    (
        "INSERT INTO ledger (execution, sequence, position, number, row)
             SELECT max(id), 77, 77, 'N', 99 FROM execution",
        &["no-orphan"],
        "a row of ledger belongs to a row of ledger_row that is missing",
    ),
    ("DELETE FROM site", &["no-orphan"], "a row of"),
    ("UPDATE incident SET status = 'Shut' WHERE number = 'INC-3'", &["status"], "status Shut"),
    ("UPDATE execution SET state = 'gone' WHERE id = 1", &["state"], "state gone"),
    ("UPDATE incident SET version = 0 WHERE number = 'INC-4'", &["version"], "INC-4"),
    ("UPDATE incident SET version = 1 WHERE number = 'INC-1'", &["version"], "INC-1"),
    ("UPDATE incident SET closed_at = 5 WHERE number = 'INC-4'", &["open"], "a date"),
    ("UPDATE incident SET closed_by = 'jane' WHERE number = 'INC-4'", &["open"], "the user jane"),
    ("UPDATE incident SET closed_in = 1 WHERE number = 'INC-4'", &["open"], "execution\":\"first"),
    (
        "UPDATE incident SET closed_at = NULL, closed_by = NULL WHERE number = 'INC-1'",
        &["closed", "closed-audited"],
        "no date and no user",
    ),
    (
        "UPDATE incident SET closed_by = 'jane' WHERE number = 'INC-1'",
        &["closed-audited"],
        "an audit entry with another date or user",
    ),
    (
        "UPDATE incident SET closed_at = closed_at + 1 WHERE number = 'INC-1'",
        &["closed-audited"],
        "an audit entry with another date or user",
    ),
    (
        "DELETE FROM audit WHERE incident = 1",
        &["closed-audited", "ledger-audited"],
        "no audit entry",
    ),
    (
        "INSERT INTO audit SELECT 99, incident, execution, action, at, acting_user, before_status,
             before_version + 1, before_closed_at, before_closed_by, before_conclusion_bytes, waived,
             before_owner, owner FROM audit WHERE incident = 1;
         UPDATE incident SET version = version + 1 WHERE number = 'INC-1'",
        &["closed-once"],
        "2 audit entries",
    ),
    ("UPDATE audit SET before_status = 'Closed' WHERE incident = 1", &["audit-before"], "INC-1"),
    ("UPDATE audit SET before_closed_at = 7 WHERE incident = 1", &["audit-before"], "INC-1"),
    (
        "UPDATE audit SET before_version = 1 WHERE incident = 2",
        &["audit-before"],
        "status Open, version 1",
    ),
    (
        "UPDATE incident SET conclusion = '' WHERE number = 'INC-1'",
        &["audit-conclusion"],
        "0 bytes, and before it had 14",
    ),
    (
        "UPDATE audit SET acting_user = 'jane' WHERE incident = 1;
         UPDATE incident SET closed_by = 'jane' WHERE number = 'INC-1'",
        &["audit-user"],
        "in the name of jane",
    ),
    (
        "UPDATE audit SET at = 7 WHERE incident = 1;
         UPDATE incident SET closed_at = 7 WHERE number = 'INC-1'",
        &["audit-time"],
        "at 7 ms",
    ),
    ("UPDATE execution SET clock = 7 WHERE execution_id = 'second'", &["audit-time"], "INC-2"),
    ("UPDATE field SET value = 'x'", &["fields-readable"], "the field A > B"),
    ("UPDATE audit SET waived = '[' WHERE incident = 1", &["fields-readable"], "what was waived"),
    ("UPDATE execution SET state = 'running' WHERE id = 1", &["running"], "first"),
    (
        "UPDATE execution SET state = 'running', finished_at = NULL, return_data = NULL
             WHERE id = 1",
        &["running"],
        "first",
    ),
    ("UPDATE execution SET return_data = NULL WHERE id = 1", &["ended"], "finished"),
    ("UPDATE execution SET return_data = 'Fine' WHERE id = 1", &["ended", "result"], "finished"),
    ("UPDATE execution SET lease_until = 7 WHERE id = 1", &["ended"], "finished"),
    (
        "UPDATE execution SET state = 'interrupted', outputs = NULL WHERE id = 1",
        &["ended"],
        "interrupted",
    ),
    ("UPDATE execution SET finished_at = 7 WHERE id = 3", &["execution-time"], "to 7 ms"),
    ("UPDATE execution SET outputs = '{' WHERE id = 1", &["execution-readable"], "first"),
    ("UPDATE execution SET isolation = NULL WHERE id = 1", &["conditions"], "first"),
    ("UPDATE ledger SET number = 'x' WHERE incident = 1", &["ledger-line"], "at position 0"),
    ("UPDATE ledger SET number = NULL WHERE incident IS NULL", &["ledger-line"], "at position 4"),
    (
        "UPDATE ledger SET change = 'close' WHERE incident IS NULL",
        &["ledger-line"],
        "at position 4",
    ),
    (
        "UPDATE ledger SET change = 'reopen' WHERE execution = 1 AND incident = 1",
        &["ledger-closed", "ledger-audited"],
        "INC-1",
    ),
    (
        "UPDATE ledger SET change = 'merge' WHERE execution = 1 AND incident = 1",
        &["ledger-line", "ledger-closed", "ledger-audited"],
        "at position 0",
    ),
    (
        "UPDATE audit SET action = 'reopen' WHERE execution = 1 AND incident = 1",
        &["closed-audited", "audit-before", "ledger-audited"],
        "INC-1",
    ),
    (
        "UPDATE audit SET action = 'assign' WHERE execution = 1 AND incident = 1",
        &["closed-audited", "audit-owner", "ledger-audited"],
        "no audit entry",
    ),
    (
        "UPDATE audit SET before_owner = 'jane' WHERE incident = 1",
        &["audit-owner"],
        "from jane to none",
    ),
    ("UPDATE audit SET owner = 'jane' WHERE incident = 1", &["audit-owner"], "from none to jane"),
    (
        "UPDATE ledger SET position = 0 WHERE execution = 1 AND position = 4",
        &["ledger-positions"],
        "5 lines, 4 positions up to 3",
    ),
    (
        "UPDATE ledger SET position = 7 WHERE execution = 1 AND position = 4",
        &["ledger-positions"],
        "5 lines, 5 positions up to 7",
    ),
    ("UPDATE execution SET site = 'Elsewhere' WHERE id = 2", &["ledger-site"], "INC-2"),
    (
        "UPDATE ledger SET change = NULL WHERE execution = 1 AND incident = 1",
        &["ledger-closed"],
        "INC-1",
    ),
    ("DELETE FROM audit WHERE incident = 2 AND execution = 1", &["ledger-audited"], "INC-2"),
    (
        "UPDATE ledger SET change = NULL, incident = NULL, number = 'x'
             WHERE execution = 1 AND incident = 2",
        &["audit-in-ledger"],
        "INC-2",
    ),
    (
        "UPDATE ledger_row SET reason = 'would-close'
             WHERE id = (SELECT row FROM ledger WHERE execution = 1 AND position = 4)",
        &["no-preview"],
        "none",
    ),
    (
        "UPDATE execution SET return_data = 'Successful' WHERE id = 1",
        &["result"],
        "Successful, with 5 lines of which 2 failed",
    ),
    ("UPDATE execution SET return_data = 'Failed' WHERE id = 2", &["result"], "second"),
];

/// A store whose schema was changed by hand, so that a site has two incidents of a number.
const WITHOUT_UNIQUE: &str = "ALTER TABLE incident RENAME COLUMN number TO number_before;
    ALTER TABLE incident ADD COLUMN number TEXT NOT NULL DEFAULT 'INC-1'";

pub(super) fn broken(report: &Value) -> Vec<&Value> {
    let invariants = report["invariants"].as_array().expect("an array");
    invariants.iter().filter(|it| it["broken"] != 0).collect()
}

fn meddle(playdock: &Playdock, statements: &str) {
    playdock.write(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {statements}"
    ));
}

#[test]
fn each_invariant_that_is_broken_is_found_and_named() {
    let playdock = store();
    let path = playdock.folder().join("playdock.db");
    let whole = std::fs::read(&path).expect("it can be read");
    let (finished, report) = checked(&playdock, "playdock.db");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let ids = |report: &Value| -> BTreeSet<String> {
        let invariants = report["invariants"].as_array().expect("an array");
        invariants.iter().map(|it| it["id"].as_str().expect("text").to_owned()).collect()
    };
    // What nothing but a broken schema lets in.
    let mut never_broken = ids(&report);
    never_broken.remove("number-unique");
    // A file that is damaged has a test of its own.
    never_broken.remove("intact");
    for (statements, expected, said) in BREAKS {
        std::fs::write(&path, &whole).expect("it can be written");
        meddle(&playdock, statements);
        let before = std::fs::read(&path).expect("it can be read");
        let (finished, report) = checked(&playdock, "playdock.db");
        assert_eq!(finished.code, Some(5), "{statements}: {finished:?}");
        let found: Vec<&str> =
            broken(&report).iter().map(|it| it["id"].as_str().expect("text")).collect();
        assert_eq!(found, *expected, "{statements}: {report}");
        let first = broken(&report)[0].to_string();
        assert!(first.contains(said), "{statements}: {first}");
        assert!(std::fs::read(&path).expect("it can be read") == before, "{statements}");
        for id in found {
            never_broken.remove(id);
        }
    }
    assert_eq!(never_broken, BTreeSet::new(), "these were not tested");
}

#[test]
fn a_schema_that_was_changed_is_found_before_all_else() {
    let playdock = store();
    meddle(&playdock, WITHOUT_UNIQUE);
    let (finished, report) = checked(&playdock, "playdock.db");
    assert_eq!(finished.code, Some(5), "{finished:?}");
    let problems = broken(&report)[0].to_string();
    assert!(problems.contains("the table incident is another one"), "{problems}");
    let said = playdock.run(&["db", "check"]).output;
    assert!(said.ends_with("playdock.db: damaged; the other checks were not made\n"), "{said}");
}

#[test]
fn a_damaged_page_is_found() {
    let playdock = store();
    let path = playdock.folder().join("playdock.db");
    let mut bytes = std::fs::read(&path).expect("it can be read");
    // The first page has the header and the schema; damage the rest.
    for byte in &mut bytes[4096 * 3..4096 * 5] {
        *byte = 0x5a;
    }
    std::fs::write(&path, bytes).expect("it can be written");
    let (finished, report) = checked(&playdock, "playdock.db");
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert_eq!(broken(&report)[0]["id"], "intact", "{report}");
}

#[test]
fn problems_are_named_for_people_and_counted_beyond_the_limit() {
    let playdock = store();
    let finished = playdock.run(&["db", "check"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let passed = ", 4 incidents and 3 executions: all ";
    assert!(finished.output.contains(passed), "{finished:?}");
    meddle(&playdock, "UPDATE incident SET version = 0, title = char(27) WHERE number <> 'INC-4'");
    let finished = playdock.run(&["db", "check", "--limit", "1"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert_eq!(
        finished.output,
        "version: An incident has a version of at least 1, above that of each change in its \
         audit. Not so:\n  \
         incident INC-1, site Security Operations: version 0\n  \
         … and 5 more; --limit shows them\nplaydock.db: 6 problems\n"
    );
}

#[test]
fn a_store_of_a_newer_program_is_not_checked() {
    let playdock = store();
    playdock.write("PRAGMA user_version = 99");
    let finished = playdock.run(&["db", "check"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.errors.contains("newer playdock"), "{finished:?}");
}

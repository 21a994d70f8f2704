//! What an execution leaves in the store: dates, conclusions, the journal; and what a preview
//! leaves, which is nothing.

use super::CLOCK;
use playdock_tests::{Playdock, in_postgres_too, incident, parameters, with};
use serde_json::json;

in_postgres_too!(
    a_preview_says_what_would_be_done_and_writes_nothing,
    the_journal_tells_who_ran_what_and_what_became_of_each_incident,
);

#[test]
fn dates_are_shown_in_the_time_zone_of_the_site_and_kept_in_utc() {
    for (zone, clock, in_context, in_table, stored) in [
        (
            "America/Los_Angeles",
            "2021-07-04T00:05:59Z",
            "07/03/2021 05:05 PM PDT",
            "Jul 03, 2021 05:05 PM PDT",
            1_625_357_159_000_i64,
        ),
        (
            "America/Los_Angeles",
            "2021-01-27T20:00:00Z",
            "01/27/2021 12:00 PM PST",
            "Jan 27, 2021 12:00 PM PST",
            1_611_777_600_000,
        ),
        (
            "Europe/Berlin",
            "2021-07-03T22:00:00Z",
            "07/04/2021 12:00 AM CEST",
            "Jul 04, 2021 12:00 AM CEST",
            1_625_349_600_000,
        ),
        (
            "Asia/Dubai",
            "2021-12-31T21:30:00Z",
            "01/01/2022 01:30 AM +04",
            "Jan 01, 2022 01:30 AM +04",
            1_640_986_200_000,
        ),
    ] {
        let playdock = Playdock::new();
        let site = json!({"kind": "site", "name": "Security Operations", "time_zone": zone});
        let user = json!({"kind": "user", "username": "admin user",
            "sites": ["Security Operations"]});
        playdock.import(&format!("{site}\n{user}\n{}", incident("1", json!({}))));
        let finished = playdock.close(&parameters(&["1"]), &["--clock", clock]);
        assert_eq!(finished.rows()[0]["Close Date"], in_context, "{finished:?}");
        let table = finished.answer()["result"].to_string();
        assert!(table.contains(&format!("<td>{in_table}</td>")), "{table}");
        assert_eq!(playdock.value::<i64>("SELECT closed_at FROM incident"), stored);
    }
}

#[test]
fn without_a_fixed_clock_the_close_date_is_now() {
    let playdock = Playdock::with_incidents([incident("1", json!({}))]);
    let now = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
    let before: i64 = playdock.value(now);
    playdock.close(&parameters(&["1"]), &[]);
    let after: i64 = playdock.value(now);
    let closed: i64 = playdock.value("SELECT closed_at FROM incident");
    assert!((before - 5..=after + 5).contains(&closed), "{before} {closed} {after}");
}

#[test]
fn a_conclusion_is_appended_as_a_paragraph_of_its_own_and_escaped() {
    let there = "<h2>Findings</h2><p>A &amp; B <b>bold</b></p>";
    let playdock = Playdock::with_incidents([
        incident("1", json!({"conclusion": there})),
        incident("2", json!({})),
    ]);
    let conclusion = "Closed <in bulk> & \"done\".\nReally.\r\nIt's over.";
    let parameters = with(parameters(&["1", "2"]), "Conclusion", json!(conclusion));
    assert_eq!(playdock.close(&parameters, &[]).code, Some(0));
    let appended =
        "<p>Closed &lt;in bulk&gt; &amp; &quot;done&quot;.<br>Really.<br>It&#39;s over.</p>";
    let stored = playdock.rows("SELECT conclusion FROM incident ORDER BY number");
    assert_eq!(stored, [format!("{there}{appended}"), appended.to_owned()]);
    // The audit says where what was appended begins.
    let lengths = playdock.rows("SELECT before_conclusion_bytes FROM audit ORDER BY incident");
    assert_eq!(lengths, [there.len().to_string(), "0".to_owned()]);
}

#[test]
fn a_preview_says_what_would_be_done_and_writes_nothing() {
    let tasks = json!({"tasks": [{"title": "Reset password", "required": true}]});
    let playdock = Playdock::with_incidents([
        incident("1", json!({})),
        incident("2", tasks),
        incident("3", json!({"status": "Closed"})),
    ]);
    let before = playdock.dump();
    let parameters = with(parameters(&["1", "2", "3", "4"]), "Conclusion", json!("Done."));
    let finished = playdock.close(&parameters, &["--preview"]);
    let expected = [
        ("1", "would-close"),
        ("2", "required-tasks-pending"),
        ("3", "already-closed"),
        ("4", "not-found"),
    ];
    assert_eq!(
        finished.outcomes(),
        expected.map(|(number, said)| (number.to_owned(), said.to_owned()))
    );
    assert_eq!(finished.code, Some(3), "{finished:?}");
    assert_eq!(playdock.dump(), before);

    // A preview that fails as a whole leaves nothing either.
    let finished = playdock.close(&with(parameters, "Username", json!("nobody")), &["--preview"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(playdock.dump(), before);
}

#[test]
fn the_journal_tells_who_ran_what_and_what_became_of_each_incident() {
    let playdock = Playdock::with_incidents([incident("1", json!({})), incident("2", json!({}))]);
    let more = [&CLOCK[..], &["--execution-id", "nightly-1"]].concat();
    let parameters = parameters(&["2", "missing", "1"]);
    assert_eq!(playdock.close(&parameters, &more).code, Some(3));
    let journal = "SELECT execution_id, command, plugin, mode, site, requested_by, acting_user,
         json, clock, state, return_data, error,
         CASE WHEN finished_at >= started_at THEN 'in time' END
         FROM execution JOIN execution_parameters ON execution_parameters.execution = execution.id";
    let error = "1 of 3 incidents was not closed: 1 does not exist";
    let line = format!(
        "nightly-1|CloseIncidentInBulk|close-incident-in-bulk|automatic|Security Operations|NULL|\
         admin user|{parameters}|1611756480000|finished|Partially Successful|{error}|in time"
    );
    assert_eq!(playdock.rows(journal), [line]);
    // Beside the clock of the rehearsal, the journal has the real time.
    let started: i64 = playdock.value("SELECT started_at FROM execution");
    assert!(started > 1_700_000_000_000, "{started}");

    let ledger = "SELECT position, coalesce(incident.number, ledger.number), change, result, reason
         FROM ledger JOIN ledger_row ON ledger_row.id = ledger.row
         LEFT JOIN incident ON incident.id = ledger.incident ORDER BY position";
    assert_eq!(
        playdock.rows(ledger),
        [
            "0|2|close|Successful|NULL",
            "1|missing|NULL|Failed|not-found",
            "2|1|close|Successful|NULL",
        ]
    );
    let audit = "SELECT number, execution_id, action, at, audit.acting_user, before_status,
             before_version, before_closed_at, before_closed_by
         FROM audit JOIN incident ON incident.id = incident
             JOIN execution ON execution.id = execution ORDER BY number";
    let entry =
        |number| format!("{number}|nightly-1|close|1611756480000|admin user|Open|1|NULL|NULL");
    assert_eq!(playdock.rows(audit), [entry(1), entry(2)]);

    let shown = playdock.run(&["executions", "show", "nightly-1", "--output", "json"]);
    let shown = shown.answer();
    assert_eq!(shown["acting_user"], "admin user");
    assert_eq!(shown["parameters"], parameters);
    assert_eq!(shown["incidents"][1]["reason"], "not-found");
    assert_eq!(shown["incidents"][2]["number"], "1");
}

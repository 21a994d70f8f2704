//! What an import does to a new store, and to one that it filled before.

mod closed;
mod examples;
mod left_out;

use std::io::Cursor;

use rusqlite::Connection;

use super::*;
use crate::incidents::import::{CsvRows, JsonLines, Map};

const SITES: &str = r#"{"kind":"site","name":"A","time_zone":"Europe/Lisbon"}
{"kind":"site","name":"B"}
"#;

fn store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    connection.execute_batch(include_str!("../schema.sql")).unwrap();
    connection
}

/// As a caller does it: what fails is rolled back.
fn import_at(store: &mut Connection, text: &str, at: i64) -> Result<ImportSummary, String> {
    let transaction = store.transaction().unwrap();
    let mut ignore = |_| ();
    let summary = import(&transaction, JsonLines::new(Cursor::new(text), &mut ignore), at)
        .map_err(|error| error.to_string())?;
    transaction.commit().unwrap();
    Ok(summary)
}

fn filled(incidents: &str) -> Connection {
    let mut store = store();
    import_at(&mut store, &format!("{SITES}{incidents}"), 1).unwrap();
    store
}

fn incident(members: &str) -> String {
    format!(r#"{{"kind":"incident","number":"1","site":"A",{members}}}"#)
}

/// One value of the only incident, as text.
fn value(store: &Connection, expression: &str) -> String {
    let sql = format!("SELECT CAST(coalesce({expression}, 'NULL') AS TEXT) FROM incident");
    store.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn list(store: &Connection, sql: &str) -> Vec<String> {
    let mut statement = store.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn an_incident_and_a_user_may_come_before_their_site() {
    let mut store = store();
    let text = [
        &incident(
            r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe","type":"Phishing",
            "title":"T","severity":"High","owner":"jane","created":"1970-01-01T00:00:01.5Z",
            "conclusion":"C","tasks":[{"title":"Reset","required":true},{"title":"Call"}],
            "fields":[{"section":"S","name":"F","required_on_close":true,"value":[0.5]}]"#,
        )
        .replace('\n', ""),
        r#"{"kind":"user","username":"u","sites":["B","A"]}"#,
        SITES,
    ]
    .join("\n");
    let summary = import_at(&mut store, &text, 3).unwrap();
    assert_eq!((summary.sites, summary.users, summary.incidents_added), (2, 1, 1));
    let facts = "status || closed_at || closed_by || type || title || severity || owner
        || created_at || conclusion || imported_at || coalesce(closed_in, '-')";
    assert_eq!(value(&store, facts), "Closed2000joePhishingTHighjane1500C3-");
    let tasks = "SELECT position || title || required || status FROM task ORDER BY position";
    assert_eq!(list(&store, tasks), ["0Reset1Pending", "1Call0Pending"]);
    let fields =
        "SELECT section || name || kind || required_on_close || visible || value FROM field";
    assert_eq!(list(&store, fields), ["SFActivity11[0.5]"]);
    let sites =
        "SELECT site.name || time_zone FROM user_site JOIN site ON site.id = site ORDER BY 1";
    assert_eq!(list(&store, sites), ["AEurope/Lisbon", "BUTC"]);
}

#[test]
fn a_site_that_nobody_describes_is_an_error_and_nothing_is_imported() {
    let mut store = store();
    let text = format!("{SITES}{}\n", incident("\"title\":\"T\""))
        + r#"{"kind":"user","username":"u","sites":["Nowhere"]}
{"kind":"incident","number":"2","site":"Nowhere"}
{"kind":"incident","number":"2","site":"Elsewhere"}"#;
    assert_eq!(
        import_at(&mut store, &text, 1).expect_err("no such site"),
        "line 4: the site \"Nowhere\" is neither in the store nor in the file; add a line of the kind \"site\" for it"
    );
    let counts = "SELECT CAST((SELECT count(*) FROM site) + (SELECT count(*) FROM user)
        + (SELECT count(*) FROM incident) AS TEXT)";
    assert_eq!(list(&store, counts), ["0"]);
    import_at(&mut store, SITES, 1).unwrap();
    // The store knows the site now.
    assert_eq!(import_at(&mut store, &incident("\"title\":\"T\""), 1).unwrap().incidents_added, 1);
}

#[test]
fn a_bad_line_undoes_the_lines_before_it() {
    let mut store = store();
    let error = import_at(&mut store, &format!("{SITES}{{}}"), 1).expect_err("a bad line");
    assert!(error.starts_with("line 3: "), "{error}");
    assert!(list(&store, "SELECT name FROM site").is_empty());
}

#[test]
fn an_error_of_the_store_is_passed_on() {
    let mut store = store();
    store.execute_batch("DROP TABLE user_site").unwrap();
    let text = r#"{"kind":"user","username":"u","sites":[]}"#;
    let error = import_at(&mut store, text, 1).expect_err("no table");
    assert!(error.starts_with("the store refused it: no such table"), "{error}");
}

#[test]
fn an_unchanged_incident_keeps_its_version() {
    let text = incident(r#""tasks":[{"title":"T"}],"fields":[{"name":"F","value":{"b":1,"a":2}}]"#);
    let mut store = filled(&text);
    let version = value(&store, "version");
    let summary = import_at(&mut store, &text, 9).unwrap();
    assert_eq!((summary.incidents_unchanged, summary.incidents_updated), (1, 0));
    assert_eq!(value(&store, "version"), version);
    assert_eq!(value(&store, "imported_at"), "9");
}

#[test]
fn every_changed_fact_changes_the_version() {
    let mut store = filled(&incident("\"title\":\"T\""));
    let steps = [
        r#""title":"U""#,
        r#""title":"U","type":"X""#,
        r#""title":"U","severity":"Low""#,
        r#""title":"U","owner":"Ann""#,
        r#""title":"U","created":"1970-01-01T00:00:01Z""#,
        r#""title":"U","conclusion":"C""#,
        r#""title":"U","status":"On Hold""#,
        r#""title":"U","status":"On Hold","tasks":[{"title":"T"}]"#,
        r#""title":"U","status":"On Hold","tasks":[{"title":"T","required":true}]"#,
        r#""title":"U","status":"On Hold","fields":[{"name":"F"}]"#,
        r#""title":"U","status":"On Hold","fields":[{"name":"F","value":false}]"#,
        r#""fields":[]"#,
        r#""tasks":[]"#,
        r#""title":"U","status":"Closed""#,
        r#""title":"U","status":"Closed","closed":"1970-01-01T00:00:02Z""#,
        r#""title":"U","status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#,
    ];
    for members in steps {
        let version: u64 = value(&store, "version").parse().unwrap();
        let summary = import_at(&mut store, &incident(members), 9).unwrap();
        assert_eq!(summary.incidents_updated, 1, "{members}");
        assert!(value(&store, "version").parse::<u64>().unwrap() > version, "{members}");
    }
    assert_eq!(value(&store, "status || closed_at || closed_by"), "Closed2000joe");
    assert!(list(&store, "SELECT title FROM task UNION SELECT name FROM field").is_empty());
}

#[test]
fn sites_and_users_are_updated_and_a_users_sites_replaced() {
    let user = r#"{"kind":"user","username":"u","sites":["A"]}"#;
    let mut store = filled(user);
    let text = r#"{"kind":"site","name":"A","time_zone":"Asia/Tokyo"}
{"kind":"user","username":"u","sites":["B","B"],"active":false,"may_close":false}"#;
    import_at(&mut store, text, 9).unwrap();
    assert_eq!(list(&store, "SELECT time_zone FROM site WHERE name = 'A'"), ["Asia/Tokyo"]);
    assert_eq!(list(&store, "SELECT username || active || may_close FROM user"), ["u00"]);
    let sites = "SELECT name FROM user_site JOIN site ON site.id = site";
    assert_eq!(list(&store, sites), ["B"]);
}

#[test]
fn the_last_line_of_a_number_stands_at_its_site_alone() {
    let mut store = store();
    let lines = [
        incident("\"title\":\"T\""),
        incident("\"title\":\"U\""),
        r#"{"kind":"incident","number":"1","site":"B","title":"other"}"#.to_owned(),
    ];
    let summary = import_at(&mut store, &format!("{SITES}{}", lines.join("\n")), 1).unwrap();
    // Each incident counts once.
    assert_eq!((summary.incidents_added, summary.incidents_updated), (2, 0));
    assert_eq!(summary.repeated, 1);
    let again =
        [incident("\"title\":\"U\""), incident("\"title\":\"V\""), incident("\"type\":\"\"")];
    let again = import_at(&mut store, &again.join("\n"), 1).unwrap();
    assert_eq!((again.incidents_updated, again.incidents_unchanged, again.repeated), (1, 0, 1));
    assert_eq!(list(&store, "SELECT title FROM incident ORDER BY title"), ["V", "other"]);
}

#[test]
fn rows_of_a_csv_file_are_written_likewise() {
    let mut store = filled(r#"{"kind":"user","username":"u","sites":["A"]}"#);
    let map = Map::parse(
        "leave_out = [\"Gone\"]\n[site]\nname = \"B\"\n[columns]\nnumber = \"id\"\nstatus = \"state\"
[states]\nNew = \"Open\"\nDone = \"Closed\"\n[[users]]\nusername = \"u\"\nmay_close = false",
    );
    let (map, mut ignore) = (map.unwrap(), |_| ());
    let transaction = store.transaction().unwrap();
    let text = Cursor::new("id,state\n1,Done\n2,New\n1,New\n3,Gone\n");
    let rows = CsvRows::new(text, &map, &mut ignore).unwrap();
    let summary = import(&transaction, rows, 1).unwrap();
    transaction.commit().unwrap();
    assert_eq!((summary.incidents_added, summary.left_out), (2, 1));
    let incidents = "SELECT number || status FROM incident ORDER BY number";
    assert_eq!(list(&store, incidents), ["1Open", "2Open"]);
    // A map knows one site alone: it takes the user from no other.
    let sites = "SELECT name || may_close FROM user_site JOIN site ON site.id = site
        JOIN user ON user.id = user ORDER BY name";
    assert_eq!(list(&store, sites), ["A0", "B0"]);
}

//! What an import does to a new store, and to one that it filled before.

mod assigned;
mod closed;
mod examples;
mod left_out;

use playdock_host::incidents::import::{CsvRows, ImportSummary, JsonLines, Map};
use playdock_host::incidents::{IncidentDetail, Store};
use playdock_plugin_api::Timestamp;
use playdock_tests::{Playdock, in_postgres_too};
use serde_json::json;
use std::io::Cursor;
use std::sync::Arc;

in_postgres_too!(
    an_incident_and_a_user_may_come_before_their_site,
    a_site_that_nobody_describes_is_an_error_and_nothing_is_imported,
    a_bad_line_undoes_the_lines_before_it,
    an_unchanged_incident_keeps_its_version,
    every_changed_fact_changes_the_version,
    sites_and_users_are_updated_and_a_users_sites_replaced,
    the_last_line_of_a_number_stands_at_its_site_alone,
    rows_of_a_csv_file_are_written_likewise,
    many_lines_are_imported_once_whoever_imports_them_too,
);

const SITES: &str = r#"{"kind":"site","name":"A","time_zone":"Europe/Lisbon"}
{"kind":"site","name":"B"}
"#;

fn store() -> (Playdock, Arc<dyn Store>) {
    let playdock = Playdock::new();
    let store = playdock.open();
    (playdock, store)
}

fn filled(incidents: &str) -> (Playdock, Arc<dyn Store>) {
    let (playdock, store) = store();
    import(&*store, &format!("{SITES}{incidents}"));
    (playdock, store)
}

fn try_import(store: &dyn Store, lines: &str) -> Result<ImportSummary, String> {
    let imported = store.import(&mut JsonLines::new(Cursor::new(lines), &mut |_| ()));
    imported.map_err(|error| error.to_string())
}

fn import(store: &dyn Store, lines: &str) -> ImportSummary {
    try_import(store, lines).unwrap_or_else(|error| panic!("{error}"))
}

fn import_csv(store: &dyn Store, map: &str, text: &str) -> ImportSummary {
    let map = Map::parse(map).expect("the map is right");
    let mut ignore = |_| ();
    let rows = CsvRows::new(Cursor::new(text), &map, &mut ignore);
    store.import(&mut rows.expect("the header is right")).expect("the rows are right")
}

/// An incident 1 of the site A, with these members.
fn incident(members: &str) -> String {
    format!("{{\"kind\":\"incident\",\"number\":\"1\",\"site\":\"A\",{members}}}\n")
}

/// The incident 1 of the site A.
fn shown(store: &dyn Store) -> IncidentDetail {
    let found = store.incident("1", Some("A")).expect("the store answers");
    found.into_iter().next().expect("it is there")
}

/// Its type, title, status, severity, owner, creation, closing and conclusion.
fn facts(store: &dyn Store) -> String {
    let it = shown(store);
    let instant =
        |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.milliseconds().to_string());
    let line = &it.line;
    [
        line.incident_type.clone(),
        line.title.clone(),
        line.status.clone(),
        line.severity.clone(),
        line.owner.clone(),
        instant(it.created_at),
        instant(line.closed_at),
        line.closed_by.clone().unwrap_or("-".to_owned()),
        it.conclusion,
    ]
    .join("|")
}

/// Its tasks and fields.
fn rules(store: &dyn Store) -> Vec<String> {
    let it = shown(store);
    let tasks = it.tasks.iter().map(|task| format!("{} {}", task.title, task.required));
    let fields =
        it.fields.iter().map(|field| format!("{} {}", field.name, field.required_on_close));
    tasks.chain(fields).collect()
}

/// Whether a user is active, may close, and where.
fn user(store: &dyn Store, name: &str) -> (bool, bool, Vec<String>) {
    let found = store.user(name).expect("the store answers").expect("it is there");
    let mut sites = found.sites;
    sites.sort();
    (found.active, found.may_close, sites)
}

fn zone(store: &dyn Store, site: &str) -> Option<String> {
    store.site(site).expect("the store answers").map(|site| site.time_zone)
}

#[test]
fn an_incident_and_a_user_may_come_before_their_site() {
    let (_playdock, store) = store();
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
    let before = Timestamp::now().milliseconds();
    let summary = import(&*store, &text);
    assert_eq!((summary.sites, summary.users, summary.incidents_added), (2, 1, 1));
    assert_eq!(facts(&*store), "Phishing|T|Closed|High|jane|1500|2000|joe|C");
    let it = shown(&*store);
    assert!(it.imported_at.milliseconds() >= before);
    assert_eq!(it.closed_in, None);
    let tasks: Vec<_> =
        it.tasks.iter().map(|it| (it.title.as_str(), it.required, it.status.as_str())).collect();
    assert_eq!(tasks, [("Reset", true, "Pending"), ("Call", false, "Pending")]);
    let field = &it.fields[0];
    assert_eq!((field.section.as_str(), field.kind.as_str()), ("S", "Activity"));
    assert!(field.visible && field.required_on_close && field.value == json!([0.5]));
    assert_eq!(user(&*store, "u"), (true, true, vec!["A".to_owned(), "B".to_owned()]));
    assert_eq!(zone(&*store, "A").as_deref(), Some("Europe/Lisbon"));
    assert_eq!(zone(&*store, "B").as_deref(), Some("UTC"));
}

#[test]
fn a_site_that_nobody_describes_is_an_error_and_nothing_is_imported() {
    let (playdock, store) = store();
    let text = format!("{SITES}{}", incident("\"title\":\"T\""))
        + r#"{"kind":"user","username":"u","sites":["Nowhere"]}
{"kind":"incident","number":"2","site":"Nowhere"}
{"kind":"incident","number":"2","site":"Elsewhere"}"#;
    assert_eq!(
        try_import(&*store, &text).expect_err("there is no such site"),
        "line 4: the site \"Nowhere\" is neither in the store nor in the file; add a line of the kind \"site\" for it"
    );
    let counts = "SELECT (SELECT count(*) FROM site) + (SELECT count(*) FROM \"user\")
        + (SELECT count(*) FROM incident)";
    assert_eq!(playdock.value::<usize>(counts), 0);
    import(&*store, SITES);
    // The store knows the site now.
    assert_eq!(import(&*store, &incident("\"title\":\"T\"")).incidents_added, 1);
}

#[test]
fn a_bad_line_undoes_the_lines_before_it() {
    let (_playdock, store) = store();
    let lines = format!("{SITES}{}{{}}", incident("\"title\":\"T\""));
    let error = try_import(&*store, &lines).expect_err("it is a bad line");
    assert!(error.starts_with("line 4: "), "{error}");
    assert!(store.site_names().expect("the store answers").is_empty());
    assert!(store.incident("1", None).expect("the store answers").is_empty());
}

#[test]
fn an_unchanged_incident_keeps_its_version() {
    let text = incident(r#""tasks":[{"title":"T"}],"fields":[{"name":"F","value":{"b":1,"a":2}}]"#);
    let (_playdock, store) = filled(&text);
    let before = shown(&*store);
    let summary = import(&*store, &text);
    assert_eq!((summary.incidents_unchanged, summary.incidents_updated), (1, 0));
    let after = shown(&*store);
    assert_eq!(after.version, before.version);
    assert!(after.imported_at.milliseconds() >= before.imported_at.milliseconds());
}

#[test]
fn every_changed_fact_changes_the_version() {
    let (_playdock, store) = filled(&incident("\"title\":\"T\""));
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
        let version = shown(&*store).version;
        let summary = import(&*store, &incident(members));
        assert_eq!(summary.incidents_updated, 1, "{members}");
        assert!(shown(&*store).version > version, "{members}");
    }
    assert_eq!(facts(&*store), "X|U|Closed|Low|Ann|1000|2000|joe|C");
    assert!(rules(&*store).is_empty());
}

#[test]
fn sites_and_users_are_updated_and_a_users_sites_replaced() {
    let (_playdock, store) = filled(r#"{"kind":"user","username":"u","sites":["A"]}"#);
    let text = r#"{"kind":"site","name":"A","time_zone":"Asia/Tokyo"}
{"kind":"user","username":"u","sites":["B","B"],"active":false,"may_close":false}"#;
    import(&*store, text);
    assert_eq!(zone(&*store, "A").as_deref(), Some("Asia/Tokyo"));
    assert_eq!(user(&*store, "u"), (false, false, vec!["B".to_owned()]));
}

#[test]
fn the_last_line_of_a_number_stands_at_its_site_alone() {
    let (playdock, store) = store();
    let lines = [
        incident("\"title\":\"T\""),
        incident("\"title\":\"U\""),
        r#"{"kind":"incident","number":"1","site":"B","title":"other"}"#.to_owned(),
    ];
    let summary = import(&*store, &format!("{SITES}{}", lines.concat()));
    // Each incident counts once.
    assert_eq!((summary.incidents_added, summary.incidents_updated), (2, 0));
    assert_eq!(summary.repeated, 1);
    let again =
        [incident("\"title\":\"U\""), incident("\"title\":\"V\""), incident("\"type\":\"\"")];
    let again = import(&*store, &again.concat());
    assert_eq!((again.incidents_updated, again.incidents_unchanged, again.repeated), (1, 0, 1));
    assert_eq!(playdock.rows("SELECT title FROM incident ORDER BY site"), ["V", "other"]);
}

#[test]
fn rows_of_a_csv_file_are_written_likewise() {
    let (playdock, store) = filled(r#"{"kind":"user","username":"u","sites":["A"]}"#);
    let map = "leave_out = [\"Gone\"]\n[site]\nname = \"B\"\n[columns]\nnumber = \"id\"
status = \"state\"\n[states]\nNew = \"Open\"\nDone = \"Closed\"\n[[users]]\nusername = \"u\"
may_close = false";
    let summary = import_csv(&*store, map, "id,state\n1,Done\n2,New\n1,New\n3,Gone\n");
    assert_eq!((summary.incidents_added, summary.left_out), (2, 1));
    let incidents = playdock.rows("SELECT number, status FROM incident ORDER BY number");
    assert_eq!(incidents, ["1|Open", "2|Open"]);
    // A map knows one site alone: it takes the user from no other.
    assert_eq!(user(&*store, "u"), (true, false, vec!["A".to_owned(), "B".to_owned()]));
}

#[test]
fn many_lines_are_imported_once_whoever_imports_them_too() {
    let (playdock, store) = store();
    let lines = (0..2000).map(|number| {
        format!(
            "{{\"kind\":\"incident\",\"number\":\"{number}\",\"site\":\"A\",\"title\":\"T\",\
             \"tasks\":[{{\"title\":\"a\"}},{{\"title\":\"b\"}}],\"fields\":[{{\"name\":\"F\"}}]}}\n"
        )
    });
    let lines = format!("{}{SITES}", lines.collect::<String>());
    let added: u64 = std::thread::scope(|scope| {
        let import = |_| {
            let (playdock, lines) = (&playdock, &lines);
            scope.spawn(move || import(&*playdock.open(), lines).incidents_added)
        };
        let threads: Vec<_> = (0..3).map(import).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
    });
    assert_eq!(added, 2000);
    assert_eq!(import(&*store, &lines).incidents_unchanged, 2000);
    let counts = "SELECT (SELECT count(*) FROM incident), (SELECT count(*) FROM task),
        (SELECT count(*) FROM field)";
    assert_eq!(playdock.rows(counts), ["2000|4000|2000"]);
}

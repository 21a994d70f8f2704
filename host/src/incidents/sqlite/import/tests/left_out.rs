//! What a file leaves out stays as the store has it.

use super::*;

fn full() -> Connection {
    let members = [
        r#""type":"Phishing","title":"T","status":"On Hold","severity":"Low","owner":"jane""#,
        r#""created":"1970-01-01T00:00:01.5Z","conclusion":"C""#,
        r#""tasks":[{"title":"Reset","required":true}]"#,
        r#""fields":[{"section":"S","name":"F","required_on_close":true}]"#,
    ];
    filled(&incident(&members.join(",")))
}

const FACTS: &str =
    "type || title || status || severity || owner || coalesce(created_at, '-') || conclusion";

fn rules(store: &Connection) -> Vec<String> {
    let sql =
        "SELECT title || required FROM task UNION ALL SELECT name || required_on_close FROM field";
    list(store, sql)
}

fn import_csv(store: &mut Connection, map: &str, text: &str) -> ImportSummary {
    let map = Map::parse(map).unwrap();
    let mut ignore = |_| ();
    let transaction = store.transaction().unwrap();
    let rows = CsvRows::new(Cursor::new(text), &map, &mut ignore).unwrap();
    let summary = import(&transaction, rows, 9).unwrap();
    transaction.commit().unwrap();
    summary
}

#[test]
fn a_line_of_one_fact_keeps_the_others_and_the_rules() {
    let mut store = full();
    let summary = import_at(&mut store, &incident(r#""severity":"High""#), 9).unwrap();
    assert_eq!(summary.incidents_updated, 1);
    assert_eq!(value(&store, FACTS), "PhishingTOn HoldHighjane1500C");
    assert_eq!(rules(&store), ["Reset1", "F1"]);
    let summary = import_at(&mut store, &incident(r#""severity":"High""#), 9).unwrap();
    assert_eq!(summary.incidents_unchanged, 1);
}

#[test]
fn null_and_the_empty_list_are_not_left_out() {
    let mut store = full();
    let text = incident(r#""owner":null,"created":null,"tasks":[],"fields":[{"name":"G"}]"#);
    import_at(&mut store, &text, 9).unwrap();
    assert_eq!(value(&store, FACTS), "PhishingTOn HoldLow-C");
    assert_eq!(rules(&store), ["G0"]);
}

#[test]
fn a_row_changes_the_columns_of_its_map_alone() {
    let mut store = full();
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\nowner = \"who\"\ntitle = \"what\"";
    let summary = import_csv(&mut store, map, "id,what,who\n1,U,\n");
    assert_eq!(summary.incidents_updated, 1);
    assert_eq!(value(&store, FACTS), "PhishingUOn HoldLow1500C");
    assert_eq!(rules(&store), ["Reset1", "F1"]);
    // The map says nothing of the zone.
    let zones = "SELECT time_zone FROM site ORDER BY name";
    assert_eq!(list(&store, zones), ["Europe/Lisbon", "UTC"]);
    // Fields that a map lists are all that there are then; tasks it can't list.
    let map = format!("{map}\n[[required_on_close]]\ncolumn = \"why\"");
    import_csv(&mut store, &map, "id,what,who,why\n1,U,,\n");
    assert_eq!(rules(&store), ["Reset1", "why1"]);
}

#[test]
fn a_site_and_a_user_keep_what_their_line_leaves_out() {
    let user = r#"{"kind":"user","username":"u","sites":["A"],"active":false,"may_close":false}"#;
    let mut store = filled(user);
    let text = r#"{"kind":"site","name":"A"}
{"kind":"user","username":"u"}
{"kind":"user","username":"new"}"#;
    import_at(&mut store, text, 9).unwrap();
    let zones = "SELECT time_zone FROM site ORDER BY name";
    assert_eq!(list(&store, zones), ["Europe/Lisbon", "UTC"]);
    let users = "SELECT username || active || may_close || count(site) FROM user
        LEFT JOIN user_site ON user.id = user GROUP BY user.id ORDER BY user.id";
    assert_eq!(list(&store, users), ["u001", "new110"]);

    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\n[[users]]\nusername = \"u\"";
    import_csv(&mut store, map, "id\n");
    assert_eq!(list(&store, users), ["u001", "new110"]);
    import_at(&mut store, r#"{"kind":"user","username":"u","sites":[],"active":true}"#, 9).unwrap();
    assert_eq!(list(&store, users), ["u100", "new110"]);
}

#[test]
fn a_status_that_is_left_out_keeps_nothing_closed() {
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    let mut store = filled(&incident(closed));
    let facts = "status || coalesce(closed_at, '-') || coalesce(closed_by, '-') || conclusion";
    let summary = import_at(&mut store, &incident(r#""conclusion":"C""#), 9).unwrap();
    assert_eq!((summary.kept_closed.count, summary.incidents_updated), (0, 1));
    assert_eq!(value(&store, facts), "Closed2000joeC");
    // As closed as before, so by whom and when is kept too; unless the file says otherwise.
    import_at(&mut store, &incident(r#""status":"Closed","closed_by":null"#), 9).unwrap();
    assert_eq!(value(&store, facts), "Closed2000-C");
}

#[test]
fn a_new_closing_keeps_nothing_of_an_earlier_one() {
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    let mut store = filled(&incident(closed));
    store.execute_batch("UPDATE incident SET status = 'Open'").unwrap();
    import_at(&mut store, &incident(r#""status":"Closed""#), 9).unwrap();
    let facts = "status || coalesce(closed_at, '-') || coalesce(closed_by, '-')";
    assert_eq!(value(&store, facts), "Closed--");
}

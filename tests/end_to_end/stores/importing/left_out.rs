//! What a file leaves out stays as the store has it.

use super::{facts, filled, import, import_csv, incident, rules, user, zone};
use playdock_host::incidents::Store;
use playdock_tests::{Playdock, in_postgres_too};
use std::sync::Arc;

in_postgres_too!(
    a_line_of_one_fact_keeps_the_others_and_the_rules,
    null_and_the_empty_list_are_not_left_out,
    a_row_changes_the_columns_of_its_map_alone,
    a_site_and_a_user_keep_what_their_line_leaves_out,
    a_status_that_is_left_out_keeps_nothing_closed,
    a_new_closing_keeps_nothing_of_an_earlier_one,
);

fn full() -> (Playdock, Arc<dyn Store>) {
    let members = [
        r#""type":"Phishing","title":"T","status":"On Hold","severity":"Low","owner":"jane""#,
        r#""created":"1970-01-01T00:00:01.5Z","conclusion":"C""#,
        r#""tasks":[{"title":"Reset","required":true}]"#,
        r#""fields":[{"section":"S","name":"F","required_on_close":true}]"#,
    ];
    filled(&incident(&members.join(",")))
}

#[test]
fn a_line_of_one_fact_keeps_the_others_and_the_rules() {
    let (_playdock, store) = full();
    let summary = import(&*store, &incident(r#""severity":"High""#));
    assert_eq!(summary.incidents_updated, 1);
    assert_eq!(facts(&*store), "Phishing|T|On Hold|High|jane|1500|-|-|C");
    assert_eq!(rules(&*store), ["Reset true", "F true"]);
    let summary = import(&*store, &incident(r#""severity":"High""#));
    assert_eq!(summary.incidents_unchanged, 1);
}

#[test]
fn null_and_the_empty_list_are_not_left_out() {
    let (_playdock, store) = full();
    let text = incident(r#""owner":null,"created":null,"tasks":[],"fields":[{"name":"G"}]"#);
    import(&*store, &text);
    assert_eq!(facts(&*store), "Phishing|T|On Hold|Low||-|-|-|C");
    assert_eq!(rules(&*store), ["G false"]);
}

#[test]
fn a_row_changes_the_columns_of_its_map_alone() {
    let (_playdock, store) = full();
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\nowner = \"who\"\ntitle = \"what\"";
    let summary = import_csv(&*store, map, "id,what,who\n1,U,\n");
    assert_eq!(summary.incidents_updated, 1);
    assert_eq!(facts(&*store), "Phishing|U|On Hold|Low||1500|-|-|C");
    assert_eq!(rules(&*store), ["Reset true", "F true"]);
    // The map says nothing of the zone.
    assert_eq!(zone(&*store, "A").as_deref(), Some("Europe/Lisbon"));
    // Fields that a map lists are all that there are then; tasks it can't list.
    let map = format!("{map}\n[[required_on_close]]\ncolumn = \"why\"");
    import_csv(&*store, &map, "id,what,who,why\n1,U,,\n");
    assert_eq!(rules(&*store), ["Reset true", "why true"]);
}

#[test]
fn a_site_and_a_user_keep_what_their_line_leaves_out() {
    let line = r#"{"kind":"user","username":"u","sites":["A"],"active":false,"may_close":false}"#;
    let (_playdock, store) = filled(line);
    let text = r#"{"kind":"site","name":"A"}
{"kind":"user","username":"u"}
{"kind":"user","username":"new"}"#;
    import(&*store, text);
    assert_eq!(zone(&*store, "A").as_deref(), Some("Europe/Lisbon"));
    let before = (false, false, vec!["A".to_owned()]);
    assert_eq!(user(&*store, "u"), before);
    assert_eq!(user(&*store, "new"), (true, true, Vec::new()));

    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\n[[users]]\nusername = \"u\"";
    import_csv(&*store, map, "id\n");
    assert_eq!(user(&*store, "u"), before);
    import(&*store, r#"{"kind":"user","username":"u","sites":[],"active":true}"#);
    assert_eq!(user(&*store, "u"), (true, false, Vec::new()));
}

#[test]
fn a_status_that_is_left_out_keeps_nothing_closed() {
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    let (_playdock, store) = filled(&incident(closed));
    let summary = import(&*store, &incident(r#""conclusion":"C""#));
    assert_eq!((summary.kept_closed.count, summary.incidents_updated), (0, 1));
    assert_eq!(facts(&*store), "||Closed|||-|2000|joe|C");
    // As closed as before, so by whom and when is kept too; unless the file says otherwise.
    import(&*store, &incident(r#""status":"Closed","closed_by":null"#));
    assert_eq!(facts(&*store), "||Closed|||-|2000|-|C");
}

#[test]
fn a_new_closing_keeps_nothing_of_an_earlier_one() {
    let closed = r#""status":"Closed","closed":"1970-01-01T00:00:02Z","closed_by":"joe""#;
    let (playdock, store) = filled(&incident(closed));
    playdock.write("UPDATE incident SET status = 'Open'");
    import(&*store, &incident(r#""status":"Closed""#));
    assert_eq!(facts(&*store), "||Closed|||-|-|-|");
}

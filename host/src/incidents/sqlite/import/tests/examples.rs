//! The example files that come with the project are imported as they are.

use super::*;

const ROWS: &str = include_str!("../../../../../../plugin/examples/incidents.csv");
const MAP: &str = include_str!("../../../../../../plugin/examples/incidents-map.toml");
const LINES: &str = include_str!("../../../../../../plugin/examples/incidents.jsonl");

#[test]
fn the_rows_and_their_map_go_into_a_store_with_the_lines() {
    let mut store = store();
    assert_eq!(import_at(&mut store, LINES, 1).unwrap().incidents_added, 5);

    let map = Map::parse(MAP).unwrap();
    let mut ignore = |_| ();
    let transaction = store.transaction().unwrap();
    let rows = CsvRows::new(Cursor::new(ROWS), &map, &mut ignore).unwrap();
    let summary = import(&transaction, rows, 2).unwrap();
    transaction.commit().unwrap();
    assert_eq!((summary.incidents_added, summary.left_out), (6, 1));

    // Pacific time, and a text with a comma and a quote.
    let closed = "SELECT number || ' ' || title || ' ' ||
        datetime(closed_at / 1000, 'unixepoch') || ' ' || closed_by
        FROM incident WHERE status = 'Closed' AND imported_at = 2";
    assert_eq!(
        list(&store, closed),
        [
            "20210128-304 Port scan from a \"guest\" network, reported twice 2021-01-28 23:30:00 jane"
        ]
    );
    let fields =
        "SELECT section || ' > ' || name || ' ' || required_on_close || ' ' || value FROM field
        JOIN incident ON incident.id = incident WHERE imported_at = 2 ORDER BY number";
    assert_eq!(
        list(&store, fields)[..2],
        ["Closure > Root cause 1 \"Phishing\"", "Closure > Root cause 1 null"]
    );
    // The user of the map is the one whom the lines gave the site before.
    let users = "SELECT username FROM user JOIN user_site ON user.id = user ORDER BY 1";
    assert_eq!(list(&store, users), ["admin user", "jane", "trainee"]);
}

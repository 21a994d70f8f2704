//! What rows and their map say together. The rows are made up; their columns are ServiceNow's.

use std::io::Cursor;

use serde_json::json;

use super::*;
use crate::incidents::import::FieldKind;
use crate::incidents::import::map::tests::documented;

const HEADER: &str = "number,incident_state,category,u_symptom,priority,assigned_to,opened_at,\
                      closed_code,resolved_by,closed_at";

fn read_with(map: &str, text: impl AsRef<[u8]>) -> Result<Vec<NumberedRecord>, String> {
    let map = Map::parse(map).unwrap();
    CsvRows::new(Cursor::new(text), &map, &mut |_| ())
        .and_then(Iterator::collect)
        .map_err(|error| error.to_string())
}

fn read(rows: &str) -> Result<Vec<NumberedRecord>, String> {
    read_with(&documented(), format!("{HEADER}\n{rows}"))
}

fn incidents(records: Vec<NumberedRecord>) -> Vec<(u64, Incident)> {
    let incident = |NumberedRecord { line, record }| match record {
        Record::Incident(incident) => Some((line, *incident)),
        _ => None,
    };
    records.into_iter().filter_map(incident).collect()
}

#[test]
fn the_map_gives_the_site_and_the_users_before_the_rows() {
    let records = read("").unwrap();
    let site = Site { name: "Service Desk".into(), time_zone: Some("Europe/Lisbon".into()) };
    let user = User {
        username: "admin user".into(),
        active: None,
        may_close: Some(true),
        sites: Some(UserSites::Also("Service Desk".into())),
    };
    let expected = [Record::Site(site), Record::User(user)];
    assert_eq!(records, expected.map(|record| NumberedRecord { line: 1, record }));
}

#[test]
fn the_last_row_of_a_number_stands() {
    let rows = "INC1,New,Network,?,3 - Moderate,?,29/2/2016 01:16,?,?,?\n\
                INC2,Anything,Mail,,,,not a date,,,\n\
                INC1,Closed,Network,Slow,2 - High,Ann,29/2/2016 01:16,code 5,Bob,5/7/2016 12:00\n\
                INC2,Awaiting User Info,?,Lost,4 - Low,Cy,1/3/2016 07:38,?,Dan,6/3/2016 16:00\n";
    let found = incidents(read(rows).unwrap());
    let closed = Incident {
        number: "INC1".into(),
        site: "Service Desk".into(),
        r#type: Some("Network".into()),
        title: Some("Slow".into()),
        status: Some(Status::Closed),
        severity: Some("2 - High".into()),
        owner: Some("Ann".into()),
        created: Some(Some("2016-02-29T01:16:00Z".parse().unwrap())),
        // Summer time.
        closed: Some(Some("2016-07-05T11:00:00Z".parse().unwrap())),
        closed_by: Some("Bob".into()),
        // The map names no column for it, and never one for tasks.
        conclusion: None,
        tasks: None,
        fields: Some(vec![Field {
            section: "Closure".into(),
            name: "Close code".into(),
            kind: FieldKind::Activity,
            required_on_close: true,
            visible: true,
            value: json!("code 5"),
        }]),
    };
    assert_eq!(found[0], (4, closed));
    let (line, open) = &found[1];
    assert_eq!((*line, open.status), (5, Some(Status::OnHold)));
    // What a row that isn't closed says of a closing is no fact; what the map calls empty is empty.
    assert_eq!((&open.closed, &open.closed_by), (&None, &None));
    assert_eq!(open.r#type.as_deref(), Some("IT incident"));
    assert_eq!(open.fields.as_ref().unwrap()[0].value, json!(null));
}

#[test]
fn a_number_whose_last_state_is_left_out_is_left_out() {
    let rows = "INC1,New,,,,,,,,\nINC1,Awaiting Problem,,,,,nonsense,,,\nINC2,New,,,,,,,,\n";
    let records = read(rows).unwrap();
    assert_eq!(records[2], NumberedRecord { line: 3, record: Record::LeftOut });
    assert_eq!(incidents(records)[0].1.number, "INC2");
}

#[test]
fn what_the_map_names_no_column_for_is_left_out_and_an_empty_cell_is_not() {
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\ncreated = \"at\"";
    let found = read_with(map, "\u{feff}id,at\r\n\r\n 7 ,2021-01-26T22:10:00Z\r\n\"8\",\r\n");
    let found = incidents(found.unwrap());
    assert_eq!((found[0].0, found[1].0), (3, 4));
    let (seven, eight) = (&found[0].1, &found[1].1);
    assert_eq!((seven.number.as_str(), seven.status, &seven.title), ("7", None, &None));
    assert_eq!((&seven.r#type, &seven.fields), (&None, &None));
    assert_eq!(seven.created, Some(Some("2021-01-26T22:10:00Z".parse().unwrap())));
    assert_eq!(eight.created, Some(None));

    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\ntype = \"t\"\nowner = \"t\"";
    let found = incidents(read_with(map, "id,t\n1,\n").unwrap());
    let empty = Some(String::new());
    assert_eq!((&found[0].1.r#type, &found[0].1.owner), (&empty, &empty));
}

#[test]
fn a_quote_that_is_never_closed_is_named_by_its_row() {
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\ntitle = \"t\"";
    let unclosed = |line| {
        format!(
            "line {line}: a quote of this row is never closed; close it, or double it if it belongs \
             to the text"
        )
    };
    for (text, line) in [
        ("id,t\n\"1,a\n2,b\n", 2),
        ("id,t\r\n\"1,a\r\n2,b", 2),
        // The row has as many cells as the header, and the rows after it would be lost in one.
        ("id,t\n\n1,\"a\n\n2,b\n", 3),
        ("id,t\n1,a\n2,\"", 3),
        ("id,\"t\n1,a", 1),
    ] {
        assert_eq!(read_with(map, text).expect_err("an open quote"), unclosed(line), "{text:?}");
    }
    // A later quote closes it: then the cells don't fit.
    let error = read_with(map, "id,t\n\"1,a\n2,\"b,c\",d\n").expect_err("an open quote");
    assert!(error.starts_with("line 2: this row has "), "{error}");
    for whole in ["id,t\n1,\"a\n\"", "id,t\n1,\"END\"", "id,t\n1,\"a\"\n", "id,t\nEND,END"] {
        assert_eq!(incidents(read_with(map, whole).unwrap()).len(), 1, "{whole:?}");
    }
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"";
    for (whole, count) in [("id\nEND", 1), ("id\nEND\n", 1), ("id\nEND\nEN", 2), ("id", 0)] {
        assert_eq!(incidents(read_with(map, whole).unwrap()).len(), count, "{whole:?}");
    }
}

#[test]
fn line_numbers_count_blank_lines_and_breaks_within_cells() {
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"\ntitle = \"t\"";
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let lines = ["id,t", "", "1,\"a", "", "b\"", "2,c", "", "", "3,d"];
            let found = incidents(read_with(map, lines.join(end) + last).unwrap());
            let found: Vec<_> =
                found.iter().map(|(line, at)| (*line, at.number.as_str())).collect();
            assert_eq!(found, [(3, "1"), (6, "2"), (9, "3")], "{end:?} {last:?}");
        }
    }
}

#[test]
fn reports_progress_over_both_readings() {
    let rows: String = (0..10_000).map(|number| format!("{number}\n")).collect();
    let text = format!("id\n{rows}");
    let map = Map::parse("[site]\nname = \"A\"\n[columns]\nnumber = \"id\"").unwrap();
    let mut heard = Vec::new();
    let mut progress = |bytes| heard.push(bytes);
    let records = CsvRows::new(Cursor::new(&text), &map, &mut progress).unwrap();
    assert_eq!(records.count(), 10_001);
    assert!(heard.len() > 4 && heard.is_sorted());
    assert_eq!(heard.last(), Some(&(text.len() as u64)));
}

#[test]
fn names_the_line_and_the_column() {
    let cases = [
        (
            "INC1,New,,,,,,,,\nINC2,Opn,,,,,,,,",
            "line 3, column \"incident_state\": the map does not know the state \"Opn\"; add it to \"states\" or to \"leave_out\"",
        ),
        (
            "INC1,New,,,,,2016-02-29,,,",
            "line 2, column \"opened_at\": \"2016-02-29\" is no date of the form %d/%m/%Y %H:%M",
        ),
        (
            "INC1,New,,,,,30/2/2016 01:16,,,",
            "line 2, column \"opened_at\": \"30/2/2016 01:16\" is no date of the form %d/%m/%Y %H:%M",
        ),
        (
            "?,New,,,,,,,,",
            "line 2, column \"number\": the row has no incident number; give it one or take it out",
        ),
        (
            "INC1,New,,,,,,,,\nINC2,New",
            "line 3: this row has 2 cells, the header has 10; look for a stray comma or quote",
        ),
    ];
    for (rows, sentence) in cases {
        assert_eq!(read(rows).expect_err("the rows are wrong"), sentence);
    }
    let headers = [
        ("number,incident_stat", "line 1: there is no column \"u_symptom\", which the map names"),
        (
            "number,u_symptom,category,incident_stat",
            "line 1: there is no column \"incident_state\", which the map names; did you mean \"incident_stat\"?",
        ),
        (
            "number,number",
            "line 1: there are several columns \"number\", which the map names; rename all but one",
        ),
        ("", "line 1: there is no column \"number\", which the map names"),
    ];
    for (header, sentence) in headers {
        assert_eq!(read_with(&documented(), header).expect_err("the header is wrong"), sentence);
    }
    let map = "[site]\nname = \"A\"\n[columns]\nnumber = \"id\"";
    let latin = read_with(map, b"id\n1\n\xe9\n").expect_err("no UTF-8");
    assert_eq!(latin, "line 3: this is not UTF-8 text; save the file as UTF-8");
}

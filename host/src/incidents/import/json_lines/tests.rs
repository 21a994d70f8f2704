//! What a JSON Lines file may say, what it may leave out, and how its errors read.

use std::io::Cursor;

use serde_json::{Value, json};

use super::*;
use crate::incidents::import::FieldKind;

fn read(text: impl AsRef<[u8]>) -> Result<Vec<NumberedRecord>, String> {
    JsonLines::new(Cursor::new(text), &mut |_| ())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn error(text: impl AsRef<[u8]>) -> String {
    read(text).expect_err("the text is wrong")
}

fn incident(text: &str) -> Incident {
    match read(text).unwrap().remove(0).record {
        Record::Incident(incident) => *incident,
        other => panic!("{other:?}"),
    }
}

fn incident_with(member: &str) -> String {
    format!(r#"{{"kind":"incident","number":"1","site":"A",{member}}}"#)
}

#[test]
fn reads_every_member() {
    let records = read(concat!(
        r#"{"kind":"incident","number":" 20210127-198 ","site":"A","type":"Phishing","#,
        r#""title":"T","status":"Closed","severity":"High","owner":"jane","#,
        r#""created":"2021-01-26T22:10:00Z","closed":"2021-01-27T01:00:00+01:00","#,
        r#""closed_by":"joe","conclusion":"<p>x</p>","tasks":[{"title":"Reset password","#,
        r#""required":true,"status":"Done"}],"fields":[{"section":"Closure","name":"Cause","#,
        r#""kind":"Info Activity","required_on_close":true,"visible":false,"value":{"a":[1]}}]}"#,
        "\n",
        r#"{"kind":"user","username":"u","sites":["A"],"may_close":false,"active":false}"#,
        "\n",
        r#"{"kind":"site","name":"A","time_zone":"America/Los_Angeles"}"#,
    ));
    let expected = [
        Record::Incident(Box::new(Incident {
            number: "20210127-198".into(),
            site: "A".into(),
            r#type: Some("Phishing".into()),
            title: Some("T".into()),
            status: Some(Status::Closed),
            severity: Some("High".into()),
            owner: Some("jane".into()),
            created: Some(Some("2021-01-26T22:10:00Z".parse().unwrap())),
            closed: Some(Some("2021-01-27T00:00:00Z".parse().unwrap())),
            closed_by: Some("joe".into()),
            conclusion: Some("<p>x</p>".into()),
            tasks: Some(vec![Task {
                title: "Reset password".into(),
                required: true,
                status: "Done".into(),
            }]),
            fields: Some(vec![Field {
                section: "Closure".into(),
                name: "Cause".into(),
                kind: FieldKind::InfoActivity,
                required_on_close: true,
                visible: false,
                value: json!({"a": [1]}),
            }]),
        })),
        Record::User(User {
            username: "u".into(),
            active: Some(false),
            may_close: Some(false),
            sites: Some(UserSites::Only(vec!["A".into()])),
        }),
        Record::Site(Site { name: "A".into(), time_zone: Some("America/Los_Angeles".into()) }),
    ];
    let expected = (1..).zip(expected).map(|(line, record)| NumberedRecord { line, record });
    assert_eq!(records.unwrap(), expected.collect::<Vec<_>>());
}

#[test]
fn what_a_line_leaves_out_its_record_leaves_out() {
    let bare = incident(r#"{"kind":"incident","number":"1","site":"A"}"#);
    let nothing = Incident {
        number: "1".into(),
        site: "A".into(),
        r#type: None,
        title: None,
        status: None,
        severity: None,
        owner: None,
        created: None,
        closed: None,
        closed_by: None,
        conclusion: None,
        tasks: None,
        fields: None,
    };
    assert_eq!(bare, nothing);
    let others = read(
        r#"{"kind":"site","name":"A"}
{"kind":"site","name":"A","time_zone":null}
{"kind":"user","username":"u"}"#,
    );
    let [site, null_zone, user] = &others.unwrap()[..] else { panic!() };
    assert_eq!(site.record, Record::Site(Site { name: "A".into(), time_zone: None }));
    assert_eq!(null_zone.record, site.record);
    let username = "u".into();
    let user_alone = User { username, active: None, may_close: None, sites: None };
    assert_eq!(user.record, Record::User(user_alone));
}

#[test]
fn within_a_list_most_members_have_defaults() {
    let given = incident(&incident_with(
        r#""tasks":[{"title":"T"},{"title":"T","status":null}],"fields":[{"name":"F"}]"#,
    ));
    let task = Task { title: "T".into(), required: false, status: "Pending".into() };
    assert_eq!(given.tasks.unwrap(), [task.clone(), task]);
    let field = Field {
        section: String::new(),
        name: "F".into(),
        kind: FieldKind::Activity,
        required_on_close: false,
        visible: true,
        value: Value::Null,
    };
    assert_eq!(given.fields.unwrap(), [field]);
    let empty = incident(&incident_with(r#""tasks":[],"fields":[]"#));
    assert_eq!((empty.tasks, empty.fields), (Some(Vec::new()), Some(Vec::new())));
}

#[test]
fn null_empties_a_text_and_an_instant() {
    let nulls = r#""title":null,"owner":null,"created":null,"closed":null,"closed_by":null"#;
    let nulls = incident(&incident_with(nulls));
    let empty = Some(String::new());
    assert_eq!((&nulls.title, &nulls.owner, &nulls.closed_by), (&empty, &empty, &empty));
    assert_eq!((nulls.created, nulls.closed), (Some(None), Some(None)));
    assert_eq!(nulls.severity, None);
}

#[test]
fn skips_a_byte_order_mark_and_blank_lines_but_counts_them() {
    let records = read("\u{feff}\r\n\n  \n{\"kind\":\"site\",\"name\":\"A\"}\r\n\n").unwrap();
    assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [4]);
    assert_eq!(read("\u{feff}{\"kind\":\"site\",\"name\":\"A\"}").unwrap().len(), 1);
    assert_eq!(read("").unwrap(), []);
}

#[test]
fn nothing_follows_an_error() {
    let mut ignore = |_| ();
    let mut records =
        JsonLines::new(Cursor::new("x\n{\"kind\":\"site\",\"name\":\"A\"}"), &mut ignore);
    assert!(records.next().is_some_and(|record| record.is_err()));
    assert!(records.next().is_none());
}

#[test]
fn reports_progress_in_bytes() {
    let text = "{\"kind\":\"site\",\"name\":\"A\"}\n".repeat(10_000);
    let mut heard = Vec::new();
    assert_eq!(JsonLines::new(Cursor::new(&text), &mut |bytes| heard.push(bytes)).count(), 10_000);
    assert!(heard.len() > 2 && heard.is_sorted());
    assert_eq!(heard.last(), Some(&(text.len() as u64)));
}

#[test]
fn names_the_line_and_the_reason() {
    let cases = [
        (
            "\n\n".to_owned() + &incident_with(r#""tasks":[{"title":"T","requierd":true}]"#),
            r#"line 3: unknown member "requierd" in a task; did you mean "required"?"#,
        ),
        (
            incident_with(r#""fields":[{"name":"F","required_on_closing":true}]"#),
            r#"line 1: unknown member "required_on_closing" in a field; did you mean "required_on_close"?"#,
        ),
        (incident_with(r#""colour":"red""#), r#"line 1: unknown member "colour" in an incident"#),
        (
            r#"{"kind":"site","nmae":"A"}"#.into(),
            r#"line 1: unknown member "nmae" in a site; did you mean "name"?"#,
        ),
        (
            incident_with(r#""title":"a","title":"b""#),
            r#"line 1: the member "title" is given twice in an incident; keep one"#,
        ),
        ("{}".into(), r#"line 1: a line needs the member "kind""#),
        (r#"{"kind":"user"}"#.into(), r#"line 1: a user needs the member "username""#),
        (
            r#"{"kind":"asset","name":"A"}"#.into(),
            r#"line 1: unknown kind "asset"; give "site", "user" or "incident""#,
        ),
        (
            r#"{"kind":"incident","number":"  ","site":"A"}"#.into(),
            r#"line 1: the member "number" of an incident is blank; give it a text"#,
        ),
        (
            r#"{"kind":"incident","number":7,"site":"A"}"#.into(),
            r#"line 1: the member "number" of an incident must be text, not 7"#,
        ),
        (
            incident_with(r#""tasks":[{"title":"T","required":"yes"}]"#),
            r#"line 1: the member "required" of a task must be true or false, not "yes""#,
        ),
        (
            incident_with(r#""tasks":["Reset"]"#),
            r#"line 1: the member "tasks" of an incident must be a list of objects, not "Reset""#,
        ),
        (
            incident_with(r#""created":"26/1/2021""#),
            r#"line 1: the member "created" of an incident must be an instant like "2021-01-26T22:10:00Z" or null, not "26/1/2021""#,
        ),
        (
            incident_with(r#""status":"closed""#),
            r#"line 1: the member "status" of an incident is wrong: "closed" is none of Open, In Progress, On Hold, Closed"#,
        ),
        (
            incident_with(r#""fields":[{"name":"F","kind":"Info"}]"#),
            r#"line 1: the member "kind" of a field is wrong: "Info" is none of Activity, Info Activity"#,
        ),
        (
            incident_with(r#""closed":"2021-01-26T22:10:00Z""#),
            r#"line 1: the incident has "closed" but not the status "Closed"; give both or neither"#,
        ),
        (
            incident_with(r#""status":"On Hold","closed_by":"joe""#),
            r#"line 1: the incident has "closed_by" but not the status "Closed"; give both or neither"#,
        ),
        (
            "number,site\n1,A".into(),
            "line 1: this is not one whole JSON object; incidents import takes a CSV file with --map MAP.toml",
        ),
        (
            "\"number\";\"site\"\n1;A".into(),
            "line 1: this is not one whole JSON object; incidents import takes a CSV file with --map MAP.toml",
        ),
        (
            "\nnumber,site".into(),
            "line 2: this is not one whole JSON object: expected ident (at byte 3)",
        ),
        (
            r#"{"kind":"site",name:"A"}"#.into(),
            "line 1: this is not one whole JSON object: key must be a string (at byte 16)",
        ),
        (
            r#"{"kind":"site","name":"A","time_zone":"America/Los_Angles"}"#.into(),
            r#"line 1: unknown time zone "America/Los_Angles", give an IANA name such as "Europe/Lisbon"; did you mean "America/Los_Angeles"?"#,
        ),
        (
            r#"{"kind":"site""#.into(),
            "line 1: this is not one whole JSON object: EOF while parsing an object (at byte 14)",
        ),
        (
            "[1]".into(),
            "line 1: this is not one whole JSON object: invalid type: sequence, expected an object (at byte 0)",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(error(&text), sentence, "{text}");
    }
    let latin = b"{\"kind\":\"site\",\"name\":\"\xe9\"}";
    assert_eq!(error(latin), "line 1: this is not UTF-8 text; save the file as UTF-8");
}

#[test]
fn a_value_that_nobody_could_read_again_is_an_error() {
    let deep =
        format!(r#""fields":[{{"name":"F","value":{}1{}}}]"#, "[".repeat(500), "]".repeat(500));
    assert!(error(incident_with(&deep)).contains(r#"the member "value" of a field must be JSON"#));
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let mut ignore = |_| ();
    let mut records = JsonLines::new(std::io::BufReader::new(Broken), &mut ignore);
    let error = records.next().unwrap().expect_err("nothing can be read");
    assert_eq!(error.to_string(), "the file could not be read to its end: the disk is gone");
}

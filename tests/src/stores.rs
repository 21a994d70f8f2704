//! What the tests put into stores, and how they look into them.

use crate::playdock::{Finished, Playdock};
use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use std::path::Path;
use std::str::FromStr;

/// The site and the user of the contract's request, to import.
pub const SITE_AND_USER: &str = r#"{"kind":"site","name":"Security Operations","time_zone":"America/Los_Angeles"}
{"kind":"user","username":"admin user","sites":["Security Operations"]}
"#;

/// A line to import: an open incident in the site Security Operations, but for the members of
/// `more`.
pub fn incident(number: &str, more: Value) -> String {
    let mut line = json!({"kind": "incident", "number": number, "site": "Security Operations"});
    if let (Value::Object(line), Value::Object(mut more)) = (&mut line, more) {
        line.append(&mut more);
    }
    format!("{line}\n")
}

/// Parameters that close these incidents, with both bypasses off.
pub fn parameters<T: AsRef<str>>(numbers: &[T]) -> Value {
    json!({
        "Incident Numbers": numbers.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        "Bypass Required Pending Tasks": "No",
        "Username": "admin user",
    })
}

/// Parameters with one of them set, or added.
pub fn with(mut parameters: Value, name: &str, value: Value) -> Value {
    parameters[name] = value;
    parameters
}

impl Playdock {
    /// A new folder whose store has the site and the user of the contract's request, and these
    /// lines.
    pub fn with_incidents(lines: impl IntoIterator<Item = String>) -> Playdock {
        let playdock = Playdock::new();
        let lines: String = lines.into_iter().collect();
        playdock.import(&format!("{SITE_AND_USER}{lines}"));
        playdock
    }

    /// One value out of the store.
    pub fn value<T: FromStr>(&self, query: &str) -> T {
        let rows = self.rows(query);
        let value = rows.first().and_then(|row| row.parse().ok());
        value.unwrap_or_else(|| panic!("{query}: {rows:?}"))
    }

    /// Writes into the store beside the program.
    pub fn write(&self, statements: &str) {
        self.writer()(statements);
    }

    /// What writes into the store beside the program, wherever it goes.
    pub fn writer(&self) -> Box<dyn Fn(&str) + Send + Sync> {
        #[cfg(target_os = "linux")]
        if let Some(database) = self.database() {
            let connect = database.connector();
            return Box::new(move |statements| {
                let written = connect().batch_execute(statements);
                written.unwrap_or_else(|error| panic!("{statements}: {error}"));
            });
        }
        let path = self.folder().join("playdock.db");
        Box::new(move |statements| {
            let written = open(&path).execute_batch(statements);
            written.unwrap_or_else(|error| panic!("{statements}: {error}"));
        })
    }

    /// Every row that a query has, each as text with `|` between its values.
    pub fn rows(&self, query: &str) -> Vec<String> {
        #[cfg(target_os = "linux")]
        if let Some(database) = self.database() {
            let rows = database.client().simple_query(query);
            let rows = rows.unwrap_or_else(|error| panic!("{query}: {error}"));
            return rows.iter().filter_map(as_text).collect();
        }
        let store = self.store();
        let mut statement = store.prepare(query).expect("the query is right");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => "NULL".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                })
            });
            let values: Result<Vec<String>, rusqlite::Error> = values.collect();
            Ok(values?.join("|"))
        });
        let rows = rows.and_then(Iterator::collect);
        rows.unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Every row of every table.
    pub fn dump(&self) -> Vec<String> {
        let tables = self.rows(match self.is_in_a_file() {
            true => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            false => {
                "SELECT table_name FROM information_schema.tables
                 WHERE table_schema = 'playdock' AND table_type = 'BASE TABLE' ORDER BY table_name"
            }
        });
        assert!(!tables.is_empty(), "there is no store");
        let mut dump = Vec::new();
        for table in tables {
            let rows = self.rows(&format!("SELECT * FROM \"{table}\""));
            dump.extend(rows.iter().map(|row| format!("{table}: {row}")));
        }
        dump
    }

    /// Checks that all changes in the store are closings, one of each incident that is closed, and of
    /// none half. How many are closed.
    pub fn assert_each_is_closed_once(&self) -> usize {
        // At one moment: a server of PostgreSQL may still commit what a host sent before it was killed.
        let counts = self.rows(
            "SELECT (SELECT count(*) FROM incident WHERE status = 'Closed'),
                 (SELECT count(*) FROM audit), (SELECT count(DISTINCT incident) FROM audit)",
        );
        let counts: Vec<usize> =
            counts[0].split('|').map(|count| count.parse().expect("it is a number")).collect();
        assert_eq!((counts[1], counts[2]), (counts[0], counts[0]));
        self.assert_nothing_is_half_closed();
        counts[0]
    }

    /// Checks that every incident is closed with all that belongs to it, or not at all: closed by
    /// an execution means a date, a user, one audit entry and one line in the ledger that says so.
    /// The program's own check, which knows more, must find nothing either.
    pub fn assert_nothing_is_half_closed(&self) {
        let half = self.rows(
            "WITH audits AS (SELECT incident, execution, count(*) AS number FROM audit GROUP BY 1, 2),
             notes AS (SELECT incident, execution, count(*) AS number FROM ledger
                 WHERE change IS NOT NULL GROUP BY 1, 2)
             SELECT incident.number, status, closed_at, closed_by, closed_in, audits.number,
                 notes.number
             FROM incident
                 LEFT JOIN audits ON audits.incident = incident.id
                     AND audits.execution = closed_in
                 LEFT JOIN notes ON notes.incident = incident.id AND notes.execution = closed_in
             WHERE CASE status
                 WHEN 'Closed' THEN closed_at IS NULL OR closed_by IS NULL OR closed_in IS NULL
                     OR coalesce(audits.number, 0) <> 1 OR coalesce(notes.number, 0) <> 1
                 ELSE closed_at IS NOT NULL OR closed_by IS NOT NULL OR closed_in IS NOT NULL
             END
             LIMIT 5",
        );
        assert!(half.is_empty(), "half closed: {half:#?}");
        if self.is_in_a_file() {
            assert_eq!(self.rows("PRAGMA integrity_check"), ["ok"]);
        }
        let checked = self.run(&["db", "check"]);
        assert_eq!(checked.code, Some(0), "{}{}", checked.output, checked.errors);
    }
}

/// Opens a store in SQLite beside the program.
pub(crate) fn open(path: &Path) -> rusqlite::Connection {
    let store = rusqlite::Connection::open(path).expect("the store can be opened");
    store.busy_timeout(std::time::Duration::from_secs(10)).expect("a time-out can be set");
    store
}

/// A row of PostgreSQL.
#[cfg(target_os = "linux")]
fn as_text(message: &postgres::SimpleQueryMessage) -> Option<String> {
    let postgres::SimpleQueryMessage::Row(row) = message else { return None };
    let values = (0..row.len()).map(|column| row.get(column).unwrap_or("NULL"));
    Some(values.collect::<Vec<_>>().join("|"))
}

impl Finished {
    /// The rows of the answer's `contextData`, in their order.
    pub fn rows(&self) -> Vec<Value> {
        match self.answer()["contextData"].take() {
            Value::Array(rows) => rows,
            other => panic!("contextData is {other}"),
        }
    }

    /// Of each row its number and its reason, or its result where it has no reason.
    pub fn outcomes(&self) -> Vec<(String, String)> {
        self.rows().iter().map(outcome).collect()
    }

    /// The answer's `error`.
    pub fn error(&self) -> String {
        text(&self.answer()["error"])
    }
}

/// The number of a row and its reason, or its result where it has no reason.
pub fn outcome(row: &Value) -> (String, String) {
    let said = row.get("Reason").unwrap_or(&row["Result"]);
    (text(&row["Incident Number"]), text(said))
}

/// Numbers, each with what is to be said of it, to compare with the outcomes of an answer.
pub fn outcomes(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(number, said): &(&str, &str)| ((*number).to_owned(), (*said).to_owned());
    pairs.iter().map(owned).collect()
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

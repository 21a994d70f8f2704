//! Checking what must always hold in a store, in one transaction that writes nothing.
//!
//! Each invariant is one statement over whole tables, so that a million incidents take seconds.
//! Those of all stores are in `maintenance/invariants/`; here is what SQLite itself can tell, and how
//! they are all run.

use super::super::error::StoreError;
use super::super::maintenance::{CheckReport, Checked, Problem, invariants};
use super::open;
use rusqlite::{Connection, ErrorCode, Row};
use std::collections::HashMap;
use std::path::Path;

/// The version since which the lines of ledgers share their rows, and parameters have a table.
const SHARED_ROWS: i64 = 4;

/// The version since which these refer to an `id` without a foreign key: table, column and parent.
const WITHOUT_FOREIGN_KEYS: i64 = 6;
const REFERENCES: [[&str; 3]; 5] = [
    ["audit", "incident", "incident"],
    ["audit", "execution", "execution"],
    ["ledger", "execution", "execution"],
    ["ledger", "incident", "incident"],
    ["ledger", "row", "ledger_row"],
];

/// The lines of all ledgers and the parameters of all executions, by one name each, whatever tables
/// they lie in.
fn views(version: i64) -> String {
    let (lines, parameters) = match version < SHARED_ROWS {
        true => ("ledger", "SELECT id AS execution, parameters AS json FROM execution"),
        false => ("ledger_line", "SELECT execution, json FROM execution_parameters"),
    };
    format!(
        "CREATE TEMP VIEW line AS
         SELECT execution, sequence, position, incident, number, change, result, reason, cells
         FROM {lines};
         CREATE TEMP VIEW given AS {parameters}"
    )
}

/// Checks the store in `path`, and names so many problems of each invariant at most.
pub(super) fn check(path: &Path, most: usize) -> Result<CheckReport, StoreError> {
    let (connection, version) = open::open_to_read(path)?;
    connection.execute_batch(&views(version))?;
    let transaction = connection.unchecked_transaction()?;
    let report = all(&transaction, version, most)?;
    transaction.finish()?;
    Ok(report)
}

fn all(connection: &Connection, version: i64, most: usize) -> Result<CheckReport, StoreError> {
    let count = |table| -> Result<u64, StoreError> {
        let count = format!("SELECT count(*) FROM {table}");
        Ok(connection.query_row(&count, [], |row| row.get(0))?)
    };
    let mut report = CheckReport { version, incidents: 0, executions: 0, invariants: Vec::new() };
    report.invariants.push(intact(connection, most)?);
    if report.broken() == 0 {
        report.invariants.push(whole_schema(connection, version, most)?);
    }
    if report.broken() > 0 {
        // What the other statements would find, if they could be run, would say nothing.
        return Ok(report);
    }
    report.incidents = count("incident")?;
    report.executions = count("execution")?;
    report.invariants.push(references(connection, version, most)?);
    for invariant in invariants::of_version(version) {
        let mut checked = Checked::new(invariant.id, invariant.sentence);
        let mut statement = connection.prepare(invariant.broken)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            checked.add(most, || problem(row))?;
        }
        report.invariants.push(checked);
    }
    Ok(report)
}

impl Checked {
    /// Counts a problem, and keeps it if it is one of the first.
    fn add(
        &mut self,
        most: usize,
        problem: impl FnOnce() -> Result<Problem, rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        if self.problems.len() < most {
            self.problems.push(problem()?);
        }
        self.broken += 1;
        Ok(())
    }
}

fn problem(row: &Row<'_>) -> Result<Problem, rusqlite::Error> {
    Ok(Problem {
        site: row.get(0)?,
        incident: row.get(1)?,
        execution: row.get(2)?,
        found: row.get(3)?,
    })
}

fn found(what: String) -> Problem {
    Problem { found: Some(what), ..Problem::default() }
}

/// Pages and indexes.
fn intact(connection: &Connection, most: usize) -> Result<Checked, StoreError> {
    let mut checked =
        Checked::new("intact", "What is stored is as it was written, and every index agrees.");
    let read = |checked: &mut Checked| -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let said: String = row.get(0)?;
            if said != "ok" {
                checked.add(most, || Ok(found(said)))?;
            }
        }
        Ok(())
    };
    match read(&mut checked) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            checked.add(most, || Ok(found(error.to_string())))?;
        }
        read => read?,
    }
    Ok(checked)
}

/// Tables, indexes, triggers and views are those of the version. Others beside them do no harm.
fn whole_schema(connection: &Connection, version: i64, most: usize) -> Result<Checked, StoreError> {
    let sentence = "Tables, indexes and triggers are those of the store's version.";
    let mut checked = Checked::new("schema", sentence);
    let is = schema(connection)?;
    let mut should: Vec<_> = schema(&open::example(version)?)?.into_iter().collect();
    should.sort_unstable();
    for ((kind, name), statement) in should {
        let wrong = match is.get(&(kind.clone(), name.clone())) {
            None => "is missing",
            Some(other) if *other != statement => "is another one",
            Some(_) => continue,
        };
        checked.add(most, || Ok(found(format!("the {kind} {name} {wrong}"))))?;
    }
    Ok(checked)
}

/// Each object of a schema by its kind and its name, with its statement.
type Schema = HashMap<(String, String), Option<String>>;

fn schema(connection: &Connection) -> Result<Schema, StoreError> {
    let mut statement = connection.prepare("SELECT type, name, sql FROM main.sqlite_schema")?;
    let objects = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(objects.collect::<Result<_, _>>()?)
}

/// What refers to something finds it.
fn references(connection: &Connection, version: i64, most: usize) -> Result<Checked, StoreError> {
    let sentence = "Whatever belongs to an incident, an execution, a site or a user finds it.";
    let mut checked = Checked::new("no-orphan", sentence);
    let mut lost = vec!["SELECT \"table\", parent FROM pragma_foreign_key_check".to_owned()];
    if version >= WITHOUT_FOREIGN_KEYS {
        lost.extend(REFERENCES.map(|[table, column, parent]| {
            format!(
                "SELECT '{table}', '{parent}' FROM {table} AS child WHERE {column} IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM {parent} AS parent
                         WHERE parent.id = child.{column})"
            )
        }));
    }
    for statement in lost {
        let mut statement = connection.prepare(&statement)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            checked.add(most, || {
                let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
                Ok(found(format!("a row of {table} belongs to a row of {parent} that is missing")))
            })?;
        }
    }
    Ok(checked)
}

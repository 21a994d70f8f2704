//! Checking what must always hold in a store in PostgreSQL, in one transaction that leaves nothing
//! behind.
//!
//! Those of all stores are in `maintenance/invariants/`. What PostgreSQL itself sees to is not asked
//! again, but that its tables, triggers and functions are those of the store's version, and that
//! whatever belongs to something finds it.

use super::super::error::StoreError;
use super::super::maintenance::{CheckReport, Checked, Problem, invariants};
use super::connections::{Client, Connections, SCHEMA};
use super::failed::Failed;
use super::look::unsigned;
use super::open;
use std::collections::BTreeMap;

/// The schema in which an example of a store is made for comparison; it is never committed.
const EXAMPLE: &str = "playdock_example";

/// What the invariants need beside the tables.
const VIEWS: &str = "WITH line AS (SELECT * FROM ledger_line),
    given AS (SELECT execution, json FROM execution_parameters)";

/// What belongs to what: a table, its column, and the table in which it must be found.
const REFERENCES: [[&str; 3]; 13] = [
    ["user_site", "user", "user"],
    ["user_site", "site", "site"],
    ["incident", "site", "site"],
    ["incident", "closed_in", "execution"],
    ["task", "incident", "incident"],
    ["field", "incident", "incident"],
    ["execution", "api_key", "api_key"],
    ["execution_parameters", "execution", "execution"],
    ["ledger", "execution", "execution"],
    ["ledger", "incident", "incident"],
    ["ledger", "row", "ledger_row"],
    ["audit", "incident", "incident"],
    ["audit", "execution", "execution"],
];

/// Checks the store, and names so many problems of each invariant at most.
pub(super) fn check(connections: &Connections, most: usize) -> Result<CheckReport, StoreError> {
    connections.once(async |client| {
        let version = open::version(client, connections).await?;
        if version == 0 {
            return Err(StoreError::Missing(connections.address().to_string()).into());
        }
        // Not read-only, for the example's sake.
        client
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL statement_timeout TO 0;
                 SET LOCAL plan_cache_mode TO auto; SET LOCAL work_mem TO '64MB'",
            )
            .await?;
        let report = all(client, version, most).await?;
        client.batch_execute("ROLLBACK").await?;
        Ok(report)
    })
}

/// Checks everything, in the transaction that is open.
pub(super) async fn all(client: &Client, version: i64, most: usize) -> Result<CheckReport, Failed> {
    let mut report = CheckReport { version, incidents: 0, executions: 0, invariants: Vec::new() };
    report.invariants.push(whole_schema(client, most).await?);
    if report.broken() > 0 {
        // What the other statements would find, if they could be run, would say nothing.
        return Ok(report);
    }
    report.incidents = count(client, "SELECT FROM incident").await?;
    report.executions = count(client, "SELECT FROM execution").await?;
    report.invariants.push(references(client, most).await?);
    for invariant in invariants::of_version(version) {
        let mut checked = Checked::new(invariant.id, invariant.sentence);
        checked.broken = count(client, &format!("{VIEWS} {}", invariant.broken)).await?;
        if checked.broken > 0 {
            let first = format!("{VIEWS} SELECT * FROM ({}) AS broken LIMIT $1", invariant.broken);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            for row in client.query(&first, &[&most]).await? {
                checked.problems.push(Problem {
                    site: row.try_get(0)?,
                    incident: row.try_get(1)?,
                    execution: row.try_get(2)?,
                    found: row.try_get(3)?,
                });
            }
        }
        report.invariants.push(checked);
    }
    Ok(report)
}

/// How many rows a query has.
async fn count(client: &Client, query: &str) -> Result<u64, Failed> {
    let count = format!("SELECT count(*) FROM ({query}) AS counted");
    Ok(unsigned(client.query_one(&count, &[]).await?.try_get(0)?))
}

/// Tables, views, indexes, triggers and functions are those of the version. Others beside them do no
/// harm.
async fn whole_schema(client: &Client, most: usize) -> Result<Checked, Failed> {
    let sentence = "Tables, indexes, triggers and functions are those of the store's version.";
    let mut checked = Checked::new("schema", sentence);
    let is = objects(client, SCHEMA).await?;
    client
        .batch_execute(&format!(
            "SAVEPOINT example; CREATE SCHEMA {EXAMPLE}; SET LOCAL search_path TO {EXAMPLE}"
        ))
        .await?;
    open::make(client, 0).await?;
    let should = objects(client, EXAMPLE).await?;
    client.batch_execute("ROLLBACK TO example").await?;
    for (name, definition) in should {
        let wrong = match is.get(&name) {
            None => "is missing",
            Some(other) if *other != definition => "is another one",
            Some(_) => continue,
        };
        if checked.problems.len() < most {
            let found = Some(format!("the {name} {wrong}"));
            checked.problems.push(Problem { found, ..Problem::default() });
        }
        checked.broken += 1;
    }
    Ok(checked)
}

/// Each object of a schema by its kind and its name, with what defines it, but for the schema's name.
async fn objects(client: &Client, schema: &str) -> Result<BTreeMap<String, String>, Failed> {
    let objects = "
        SELECT 'column ' || relname || '.' || attname, format_type(atttypid, atttypmod)
            || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END || ' ' || attidentity::text
            || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
            || ' ' || (SELECT collname FROM pg_collation WHERE pg_collation.oid = attcollation
                UNION ALL SELECT '' LIMIT 1)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v')
            AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
            || CASE WHEN convalidated THEN '' ELSE ' not validated' END
        FROM pg_constraint WHERE connamespace = to_regnamespace($1)
        UNION ALL
        SELECT 'view ' || relname, pg_get_viewdef(oid)
        FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'v'
        UNION ALL
        SELECT 'index ' || relname, pg_get_indexdef(indexrelid)
            || CASE WHEN indisvalid THEN '' ELSE ' not valid' END
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = to_regnamespace($1)
        UNION ALL
        SELECT 'trigger ' || tgname, pg_get_triggerdef(pg_trigger.oid) || ' ' || tgenabled::text
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = to_regnamespace($1) AND NOT tgisinternal
        UNION ALL
        SELECT 'function ' || proname, prosrc
        FROM pg_proc WHERE pronamespace = to_regnamespace($1)";
    let rows = client.query(objects, &[&schema]).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let (name, definition): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let definition = definition.unwrap_or_default().replace(&format!("{schema}."), "");
        found.insert(name, definition);
    }
    Ok(found)
}

/// What refers to something finds it.
async fn references(client: &Client, most: usize) -> Result<Checked, Failed> {
    let sentence = "Whatever belongs to an incident, an execution, a site or a user finds it.";
    let mut checked = Checked::new("no-orphan", sentence);
    for [table, column, parent] in REFERENCES {
        let lost = format!(
            "SELECT FROM \"{table}\" AS child WHERE \"{column}\" IS NOT NULL
                 AND NOT EXISTS (SELECT FROM \"{parent}\" AS parent WHERE parent.id = child.\"{column}\")"
        );
        let broken = count(client, &lost).await?;
        let free = most.saturating_sub(checked.problems.len());
        for _ in 0..broken.min(u64::try_from(free).unwrap_or(u64::MAX)) {
            let found = format!("a row of {table} belongs to a row of {parent} that is missing");
            checked.problems.push(Problem { found: Some(found), ..Problem::default() });
        }
        checked.broken += broken;
    }
    Ok(checked)
}

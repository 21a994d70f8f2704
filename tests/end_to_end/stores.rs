//! What every store does, asked through the traits that hosts use: each test runs over a store in
//! SQLite and over one in PostgreSQL.

mod browsing;
mod changing;
#[cfg(target_os = "linux")]
mod connecting;
#[cfg(target_os = "linux")]
mod doubtful;
mod executions;
mod importing;
mod keys;
mod looking;
mod overlapping;
mod recording;
#[cfg(target_os = "linux")]
mod trusting;

use playdock_host::incidents::import::JsonLines;
use playdock_host::incidents::{
    Begun, ChangeToMake, EntryOutcome, ExecutionKey, IncidentKey, LedgerEntry, NewExecution,
    RecordBatch, Store, StoreError,
};
use playdock_plugin_api::messages::Row;
use playdock_plugin_api::{ChangeKind, Mode, OutcomeResult, Status, Timestamp};
use playdock_tests::{PATIENCE, Playdock, SITE_AND_USER, incident};
use serde_json::json;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// The site of [`SITE_AND_USER`].
const SITE: &str = "Security Operations";

/// A store that these lines were imported into.
fn store_with(lines: &str) -> (Playdock, Arc<dyn Store>) {
    let playdock = Playdock::new();
    let store = playdock.open();
    let imported = store.import(&mut JsonLines::new(lines.as_bytes(), &mut |_| ()));
    imported.expect("the lines are right");
    (playdock, store)
}

/// A store with open incidents of these numbers, and their keys.
fn store_of(numbers: &[&str]) -> (Playdock, Arc<dyn Store>, Vec<IncidentKey>) {
    let lines: String = numbers.iter().map(|number| incident(number, json!({}))).collect();
    let (playdock, store) = store_with(&format!("{SITE_AND_USER}{lines}"));
    let keys = keys_of(&*store, numbers);
    (playdock, store, keys)
}

/// The keys of incidents that were imported.
fn keys_of(store: &dyn Store, numbers: &[&str]) -> Vec<IncidentKey> {
    let keys = store.resolve(SITE, numbers).expect("the store answers");
    keys.into_iter().map(|key| key.expect("it was imported")).collect()
}

/// An execution that nobody began yet.
fn new_execution(id: &str) -> NewExecution {
    let text = |text: &str| text.to_owned();
    NewExecution {
        id: text(id),
        command: text("Command"),
        plugin: text("plugin"),
        plugin_version: text("1.0.0"),
        plugin_digest: text("digest"),
        conditions: None,
        mode: Mode::Automatic,
        site: text(SITE),
        requested_by: None,
        api_key: None,
        acting_user: Some(text("admin user")),
        parameters: text("{\"a\":1}"),
        parameters_digest: text("parameters"),
        clock: None,
        columns: text("[]"),
    }
}

/// Begins an execution; a new one is durable then.
fn begin(store: &dyn Store, new: &NewExecution) -> Begun {
    let (told, durable) = channel();
    let tell = move || {
        let _ = told.send(());
    };
    let begun = store.begin(new, Box::new(tell)).expect("it can be begun");
    if matches!(begun, Begun::New(_)) {
        durable.recv_timeout(PATIENCE).expect("it becomes durable");
    }
    begun
}

/// Begins a new execution.
fn begin_new(store: &dyn Store, id: &str) -> ExecutionKey {
    match begin(store, &new_execution(id)) {
        Begun::New(key) => key,
        other => panic!("{id}: {other:?}"),
    }
}

/// A closing, now, of an incident that has this version.
fn closing(version: u64) -> ChangeToMake {
    ChangeToMake {
        kind: ChangeKind::Close,
        status: Status::Closed,
        owner: None,
        at: Timestamp::now(),
        version,
        waived: None,
    }
}

/// A row that says this.
fn row(message: &str) -> Arc<Row> {
    Arc::new(Row {
        result: OutcomeResult::Successful,
        reason: None,
        message: Some(message.to_owned()),
        cells: Vec::new(),
    })
}

fn entry(incident: IncidentKey, position: u64, change: Option<ChangeToMake>) -> LedgerEntry {
    let incident = Some(incident);
    LedgerEntry { incident, number: None, position, row: 0, change, replaces: None }
}

/// A batch whose entries share a row.
fn batch(execution: ExecutionKey, entries: Vec<LedgerEntry>) -> RecordBatch {
    RecordBatch {
        execution,
        acting_user: "admin user".to_owned(),
        conclusion: None,
        rows: vec![row("done")],
        entries,
    }
}

/// Records a batch, and waits until it is durable.
fn record(store: &dyn Store, batch: RecordBatch) -> Result<Vec<EntryOutcome>, StoreError> {
    let (outcomes, commit) = store.record(batch).judged()?;
    commit.wait()?;
    Ok(outcomes)
}

/// What became of entries, in words.
fn words(outcomes: &[EntryOutcome]) -> Vec<&'static str> {
    let word = |outcome: &EntryOutcome| match outcome {
        EntryOutcome::Written => "written",
        EntryOutcome::ChangedMeanwhile => "changed meanwhile",
        EntryOutcome::Failed(_) => "failed",
    };
    outcomes.iter().map(word).collect()
}

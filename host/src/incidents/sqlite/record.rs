//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all.
//!
//! Changes that are alike are made by one statement: a statement for each would cost several times
//! as much. And as a rule it is certain what can be changed before it is, so that a command can go on
//! with the next incidents.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::executions;
use super::ledger::Ledger;
use super::picked::Picked;
use playdock_plugin_api::{ChangeKind, Status};
use rusqlite::{Connection, params};
use std::collections::{HashMap, HashSet};

/// Writes a batch inside the transaction that is open, and tells what becomes of each entry as soon
/// as that is certain. An error that is about a row says nothing of the others, which
/// [`record_singly`] finds out.
pub(super) fn record(
    connection: &Connection,
    batch: &RecordBatch,
    tell: impl FnOnce(Vec<EntryOutcome>),
) -> Result<(), StoreError> {
    let changes = Changes::of(connection, batch, &batch.entries)?;
    if !changes.all_stand(connection)? {
        let outcomes = changes.make(connection)?;
        tell(outcomes.clone());
        return note(connection, batch, &batch.entries, &outcomes);
    }
    // Whoever waits goes on meanwhile.
    tell(vec![EntryOutcome::Written; batch.entries.len()]);
    let outcomes = changes.make(connection)?;
    if outcomes.iter().any(|outcome| !matches!(outcome, EntryOutcome::Written)) {
        let what = "an incident that could be changed was not changed".to_owned();
        return Err(StoreError::Refused(what));
    }
    note(connection, batch, &batch.entries, &outcomes)
}

/// So many changes take so long that the command goes on meanwhile.
const MANY: usize = 256;

/// The most bytes of a conclusion that is surely not too long to be stored.
const SURELY_NOT_TOO_LONG: u64 = 500_000_000;

/// The changes of entries of a batch, those that are alike together.
struct Changes<'a> {
    batch: &'a RecordBatch,
    entries: &'a [LedgerEntry],
    alike: Vec<(&'a ChangeToMake, Picked)>,
}

impl<'a> Changes<'a> {
    /// Those of entries, for whoever may write for their execution; that is seen to first.
    fn of(
        connection: &Connection,
        batch: &'a RecordBatch,
        entries: &'a [LedgerEntry],
    ) -> Result<Changes<'a>, StoreError> {
        // Only whoever holds the lease may write; writing renews it.
        executions::renew(connection, batch.execution)?;
        let alike = alike(entries).into_iter();
        let alike = alike.map(|(change, incidents)| (change, Picked::new(incidents))).collect();
        Ok(Changes { batch, entries, alike })
    }

    /// Whether they are many, and all will be made as long as the store can write at all: every
    /// incident is as it was judged, and nothing about one of them can go wrong.
    fn all_stand(&self, connection: &Connection) -> Result<bool, StoreError> {
        let of_incidents: usize = self.alike.iter().map(|(_, picked)| picked.count()).sum();
        let wanted = self.entries.iter().filter(|entry| entry.change.is_some()).count();
        if of_incidents < wanted.max(MANY) || others_meddle(connection)? {
            return Ok(false);
        }
        let added = self.batch.conclusion.as_ref().map_or(0, String::len) as u64;
        for (change, picked) in &self.alike {
            let Ok(version) = i64::try_from(change.version) else { return Ok(false) };
            let [first, last, which] = picked.parameters();
            let mut statement = connection.prepare_cached(&format!(
                "SELECT count(*), coalesce(max(octet_length(conclusion)), 0)
                 FROM incident WHERE {}",
                stands(change.kind, picked)
            ))?;
            let (standing, longest): (usize, u64) = statement
                .query_row(params![first, last, which, version], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let fits = longest.saturating_add(added) <= SURELY_NOT_TOO_LONG;
            let is_known = !matches!(change.status, Status::Other(_));
            if standing < picked.count() || !fits || !is_known {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes them inside the transaction that is open, with their audit entries, and says what
    /// becomes of each entry. An error that is about a row says nothing of the others, which
    /// [`record_singly`] finds out.
    fn make(self, connection: &Connection) -> Result<Vec<EntryOutcome>, StoreError> {
        let mut changed_meanwhile = HashSet::new();
        for (change, picked) in self.alike {
            changed_meanwhile.extend(make(connection, self.batch, change, picked)?);
        }
        let stands = |entry: &LedgerEntry| match (&entry.change, entry.incident) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(it)) => {
                changed_meanwhile.is_empty() || !changed_meanwhile.contains(&it.0)
            }
        };
        let outcome = |entry| match stands(entry) {
            true => EntryOutcome::Written,
            false => EntryOutcome::ChangedMeanwhile,
        };
        Ok(self.entries.iter().map(outcome).collect())
    }
}

/// Whether anybody has added to the tables of incidents and of the audit what may refuse a row: a
/// trigger, say.
fn others_meddle(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE tbl_name IN ('incident', 'audit')
             AND name NOT IN ('incident', 'sqlite_autoindex_incident_1', 'incident_deleted',
                 'audit', 'audit_by_incident'))",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The incidents for which the same change is to be made.
fn alike(entries: &[LedgerEntry]) -> Vec<(&ChangeToMake, Vec<i64>)> {
    let mut alike: Vec<(&ChangeToMake, Vec<i64>)> = Vec::new();
    let mut known: HashMap<&ChangeToMake, usize> = HashMap::new();
    let mut last = 0;
    for entry in entries {
        let (Some(change), Some(incident)) = (&entry.change, entry.incident) else { continue };
        // Neighbours often change alike.
        if alike.get(last).is_none_or(|(of_last, _)| *of_last != change) {
            last = *known.entry(change).or_insert(alike.len());
        }
        match alike.get_mut(last) {
            Some((_, incidents)) => incidents.push(incident.0),
            None => alike.push((change, vec![incident.0])),
        }
    }
    alike
}

/// Writes the lines of those entries into the ledger that are to be written.
fn note(
    connection: &Connection,
    batch: &RecordBatch,
    entries: &[LedgerEntry],
    outcomes: &[EntryOutcome],
) -> Result<(), StoreError> {
    let mut ledger = Ledger::of(connection, batch)?;
    let written = entries.iter().zip(outcomes);
    let written = written.filter(|(_, outcome)| matches!(outcome, EntryOutcome::Written));
    let entries: Vec<&LedgerEntry> = written.map(|(entry, _)| entry).collect();
    let (appended, replacing): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.replaces.is_none());
    ledger.append(&appended)?;
    replacing.into_iter().try_for_each(|entry| ledger.replace(entry))
}

/// Writes the entries of a batch each on its own, so that one which can't be written leaves the
/// others.
pub(super) fn record_singly(
    connection: &Connection,
    batch: &RecordBatch,
) -> Result<Vec<EntryOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        connection.execute_batch("SAVEPOINT entry")?;
        match record_one(connection, batch, entry) {
            Ok(outcome) => outcomes.extend(outcome),
            Err(error) if error.is_about_a_row() => {
                connection.execute_batch("ROLLBACK TO entry")?;
                outcomes.push(EntryOutcome::Failed(error));
            }
            Err(error) => return Err(error),
        }
        connection.execute_batch("RELEASE entry")?;
    }
    Ok(outcomes)
}

fn record_one(
    connection: &Connection,
    batch: &RecordBatch,
    entry: &LedgerEntry,
) -> Result<Vec<EntryOutcome>, StoreError> {
    let entries = std::slice::from_ref(entry);
    let outcomes = Changes::of(connection, batch, entries)?.make(connection)?;
    note(connection, batch, entries, &outcomes)?;
    Ok(outcomes)
}

/// Changes those of the incidents that stand at the version that was judged, and returns the others.
fn make(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    picked: Picked,
) -> Result<Vec<i64>, StoreError> {
    // No incident has a version that the store can't hold.
    let Ok(version) = i64::try_from(change.version) else { return Ok(picked.into_ids()) };
    let changed = match change.kind {
        ChangeKind::Close | ChangeKind::Reopen => {
            close_or_reopen(connection, batch, change, version, &picked)?
        }
        ChangeKind::Assign => assign(connection, batch, change, version, &picked)?,
    };
    if changed == picked.count() {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached(
        "SELECT incident FROM audit
         WHERE incident IN rarray(?1) AND before_version = ?2 AND execution = ?3",
    )?;
    let changed =
        statement.query_map((picked.list(), version, batch.execution.0), |row| row.get(0))?;
    let changed: HashSet<i64> = changed.collect::<Result<_, _>>()?;
    Ok(picked.into_ids().into_iter().filter(|incident| !changed.contains(incident)).collect())
}

/// The condition under which incidents stand as they were judged; ?4 is the version.
fn stands(kind: ChangeKind, picked: &Picked) -> String {
    let status = match kind {
        ChangeKind::Close => " AND status <> 'Closed'",
        ChangeKind::Reopen => " AND status = 'Closed'",
        ChangeKind::Assign => "",
    };
    format!("{} AND version = ?4{status}", picked.condition())
}

/// Closes or reopens those of the incidents that are as they were judged; returns how many.
fn close_or_reopen(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    version: i64,
    picked: &Picked,
) -> Result<usize, StoreError> {
    let (execution, at) = (batch.execution.0, change.at.milliseconds());
    let closes = change.kind == ChangeKind::Close;
    let condition = stands(change.kind, picked);
    let [first, last, which] = picked.parameters();
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived)
         SELECT id, ?5, ?6, ?7, ?8, status, version, closed_at, closed_by,
             octet_length(conclusion), ?9
         FROM incident WHERE {condition}"
    ))?;
    let (user, kind, waived) = (&batch.acting_user, change.kind.as_str(), &change.waived);
    statement.execute(params![first, last, which, version, execution, kind, at, user, waived])?;
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE incident SET status = ?5, version = version + 1, closed_at = ?6,
             closed_by = ?7, closed_in = ?8, conclusion = conclusion || ?9
         WHERE {condition}"
    ))?;
    let status = change.status.as_str();
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    // An open incident has no date, user or execution of a closing.
    let (at, user) = (closes.then_some(at), closes.then_some(user));
    let closed_in = closes.then_some(execution);
    Ok(statement
        .execute(params![first, last, which, version, status, at, user, closed_in, conclusion])?)
}

/// Assigns those of the incidents that are as they were judged; returns how many.
fn assign(
    connection: &Connection,
    batch: &RecordBatch,
    change: &ChangeToMake,
    version: i64,
    picked: &Picked,
) -> Result<usize, StoreError> {
    let (execution, at, user) = (batch.execution.0, change.at.milliseconds(), &batch.acting_user);
    let condition = stands(change.kind, picked);
    let [first, last, which] = picked.parameters();
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes,
             before_owner, owner)
         SELECT id, ?5, 'assign', ?6, ?7, status, version, closed_at, closed_by,
             octet_length(conclusion), owner, ?8
         FROM incident WHERE {condition}"
    ))?;
    let owner = &change.owner;
    statement.execute(params![first, last, which, version, execution, at, user, owner])?;
    let mut statement = connection.prepare_cached(&format!(
        "UPDATE incident SET owner = ?5, version = version + 1, conclusion = conclusion || ?6
         WHERE {condition}"
    ))?;
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    Ok(statement.execute(params![first, last, which, version, owner, conclusion])?)
}

//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all,
//! and only while the execution is this host's.
//!
//! A batch is one transaction of two round trips: the lease, the changes and the audit entries, which
//! say what becomes of each entry; then the ledger and the commit. Incidents are locked in the order of
//! their keys, so batches of several hosts wait for each other and don't deadlock.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::connections::{Client, Connections};
use super::failed::Failed;
use super::leases::{self, Leases, Name};
use super::ledger::{self, Line, Place};
use super::look::can_be_stored;
use playdock_plugin_api::Reason;
use playdock_plugin_api::messages::Row;
use std::collections::HashSet;
use std::time::Instant;
use tokio_postgres::Statement;

/// Writes a batch, and says what becomes of its entries as soon as that is known. What it says
/// stands once this returns.
pub(super) fn record(
    connections: &Connections,
    leases: &Leases,
    batch: &RecordBatch,
    mut judged: impl FnMut(Vec<EntryOutcome>),
) -> Result<(), StoreError> {
    let name = leases.name(batch.execution)?;
    let began = Instant::now();
    let mut writing = Writing { batch, name: &name, doubtful: None };
    // What can't be stored is known before; the rest goes together.
    let unstorable = unstorable(batch);
    let entries: Vec<&LedgerEntry> =
        batch.entries.iter().zip(&unstorable).filter(|(_, no)| !**no).map(|(it, _)| it).collect();
    let mut told: Option<HashSet<i64>> = None;
    let together = connections.repeat(async |client| {
        if writing.was_committed(client).await? {
            return Ok(());
        }
        let (mut place, changed_meanwhile) = writing.change(client, &entries).await?;
        match &told {
            None => {
                judged(outcomes(batch, &unstorable, &changed_meanwhile));
                told = Some(changed_meanwhile.clone());
            }
            // What was said of them is no longer so, and can't be taken back.
            Some(told) if *told != changed_meanwhile => {
                let store = connections.address().to_string();
                let cause = "it went away, and incidents changed meanwhile".to_owned();
                return Err(StoreError::Unreachable { store, cause }.into());
            }
            Some(_) => {}
        }
        writing.note_and_commit(client, &mut place, &entries, &changed_meanwhile).await
    });
    match together {
        Err(error) if error.is_about_a_row() && told.is_none() => {
            let mut became = Vec::new();
            connections.repeat(async |client| {
                if !writing.was_committed(client).await? {
                    became = writing.singly(client).await?;
                }
                Ok(())
            })?;
            judged(became);
        }
        together => together?,
    }
    leases.renewed(batch.execution, began);
    Ok(())
}

/// A batch that is being written.
struct Writing<'a> {
    batch: &'a RecordBatch,
    name: &'a Name,
    /// A line of a transaction of which it isn't known whether it was committed.
    doubtful: Option<Line>,
}

impl Writing<'_> {
    /// Whether an earlier attempt was committed, after all. Where the lease is still this host's, its
    /// row is locked, so that an attempt that is still under way ends first; where it is not, whoever
    /// took it has waited for that.
    async fn was_committed(&mut self, client: &Client) -> Result<bool, Failed> {
        let Some(line) = self.doubtful else { return Ok(false) };
        let renewal = leases::renewal(client).await?;
        client.batch_execute("BEGIN").await?;
        let renewed = leases::renew(client, &renewal, self.batch.execution, self.name).await;
        let stands = ledger::stands(client, self.batch.execution, line).await?;
        client.batch_execute("COMMIT").await?;
        if !stands {
            renewed?;
            self.doubtful = None;
        }
        Ok(stands)
    }

    /// Begins a transaction in which the changes of entries are made, and tells which incidents no
    /// longer stand at their versions.
    async fn change(
        &self,
        client: &Client,
        entries: &[&LedgerEntry],
    ) -> Result<(Place, HashSet<i64>), Failed> {
        // First all are prepared, so that each goes off at once, and in this order.
        let (renewal, finding, changing) =
            tokio::try_join!(leases::renewal(client), Place::finding(client), changing(client))?;
        let (execution, rows) = (self.batch.execution, self.batch.rows.len());
        let ((), (), place, changed_meanwhile) = tokio::try_join!(
            biased;
            async { Ok(client.batch_execute("BEGIN").await?) },
            leases::renew(client, &renewal, execution, self.name),
            Place::find(client, &finding, execution, rows),
            make_changes(client, &changing, self.batch, entries),
        )?;
        Ok((place, changed_meanwhile))
    }

    /// Writes the ledger of entries, but for those of incidents that changed meanwhile.
    async fn note_and_commit(
        &mut self,
        client: &Client,
        place: &mut Place,
        entries: &[&LedgerEntry],
        changed_meanwhile: &HashSet<i64>,
    ) -> Result<(), Failed> {
        let written: Vec<&LedgerEntry> = match changed_meanwhile.is_empty() {
            true => entries.to_vec(),
            false => {
                let stands = |it: &&&LedgerEntry| !has_changed(it, changed_meanwhile);
                entries.iter().filter(stands).copied().collect()
            }
        };
        self.doubtful = place.write(client, self.batch, &written).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
    }

    /// Writes the entries each on its own, in one transaction, so that one which can't be written
    /// leaves the others.
    async fn singly(&mut self, client: &Client) -> Result<Vec<EntryOutcome>, Failed> {
        let (mut place, _) = self.change(client, &[]).await?;
        let mut outcomes = Vec::with_capacity(self.batch.entries.len());
        for entry in &self.batch.entries {
            client.batch_execute("SAVEPOINT entry").await?;
            match self.one(client, &mut place, entry).await {
                Ok((outcome, line)) => {
                    outcomes.push(outcome);
                    self.doubtful = line.or(self.doubtful);
                }
                Err(Failed::Final(error)) if error.is_about_a_row() => {
                    client.batch_execute("ROLLBACK TO entry").await?;
                    outcomes.push(EntryOutcome::Failed(error));
                }
                Err(failed) => return Err(failed),
            }
            client.batch_execute("RELEASE entry").await?;
        }
        client.batch_execute("COMMIT").await?;
        Ok(outcomes)
    }

    async fn one(
        &self,
        client: &Client,
        place: &mut Place,
        entry: &LedgerEntry,
    ) -> Result<(EntryOutcome, Option<Line>), Failed> {
        let changing = changing(client).await?;
        if !make_changes(client, &changing, self.batch, &[entry]).await?.is_empty() {
            return Ok((EntryOutcome::ChangedMeanwhile, None));
        }
        Ok((EntryOutcome::Written, place.write(client, self.batch, &[entry]).await?))
    }
}

/// The statement that makes changes.
async fn changing(client: &Client) -> Result<Statement, Failed> {
    let changing = client
        .prepare_cached(
            "WITH before AS MATERIALIZED (
                 SELECT incident.id, incident.status, incident.version, incident.closed_at,
                     incident.closed_by, octet_length(incident.conclusion) AS conclusion_bytes,
                     CASE wanted.kind WHEN 'assign' THEN incident.owner END AS owner,
                     wanted.kind, wanted.at, wanted.status AS new_status, wanted.waived,
                     wanted.owner AS new_owner
                 FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[],
                     $6::text[], $7::text[])
                     AS wanted (id, version, kind, at, status, waived, owner)
                 JOIN incident ON incident.id = wanted.id
                 WHERE incident.version = wanted.version AND CASE wanted.kind
                     WHEN 'close' THEN incident.status <> 'Closed'
                     WHEN 'reopen' THEN incident.status = 'Closed' ELSE TRUE END
                 FOR NO KEY UPDATE OF incident),
             changed AS (
                 UPDATE incident SET status = before.new_status, version = incident.version + 1,
                     closed_at = CASE before.kind WHEN 'close' THEN before.at
                         WHEN 'assign' THEN incident.closed_at END,
                     closed_by = CASE before.kind WHEN 'close' THEN $8
                         WHEN 'assign' THEN incident.closed_by END,
                     closed_in = CASE before.kind WHEN 'close' THEN $9::bigint
                         WHEN 'assign' THEN incident.closed_in END,
                     owner = coalesce(before.new_owner, incident.owner),
                     conclusion = conclusion || $10
                 FROM before WHERE incident.id = before.id)
             INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
                 before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived,
                 before_owner, owner)
             SELECT id, $9, kind, at, $8, status, version, closed_at, closed_by, conclusion_bytes,
                 waived, owner, new_owner
             FROM before",
        )
        .await?;
    Ok(changing)
}

/// Makes the changes of entries with their audit entries, inside the transaction that is open, and
/// tells which of the incidents no longer stand at their versions.
async fn make_changes(
    client: &Client,
    changing: &Statement,
    batch: &RecordBatch,
    entries: &[&LedgerEntry],
) -> Result<HashSet<i64>, Failed> {
    let mut changes: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some((entry.incident?.0, entry.change.as_ref()?)))
        .collect();
    if changes.is_empty() {
        return Ok(HashSet::new());
    }
    changes.sort_unstable_by_key(|(incident, _)| *incident);
    let ids: Vec<i64> = changes.iter().map(|(incident, _)| *incident).collect();
    // No incident has a version that the store can't hold.
    let versions: Vec<i64> =
        changes.iter().map(|(_, change)| i64::try_from(change.version).unwrap_or(-1)).collect();
    let kinds: Vec<&str> = changes.iter().map(|(_, change)| change.kind.as_str()).collect();
    let times: Vec<i64> = changes.iter().map(|(_, change)| change.at.milliseconds()).collect();
    let statuses: Vec<&str> = changes.iter().map(|(_, change)| change.status.as_str()).collect();
    let waived: Vec<Option<&str>> =
        changes.iter().map(|(_, change)| change.waived.as_deref()).collect();
    let owners: Vec<Option<&str>> =
        changes.iter().map(|(_, change)| change.owner.as_deref()).collect();
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    let (user, execution) = (&batch.acting_user, batch.execution.0);
    let changed = client
        .execute(
            changing,
            &[
                &ids,
                &versions,
                &kinds,
                &times,
                &statuses,
                &waived,
                &owners,
                user,
                &execution,
                &conclusion,
            ],
        )
        .await?;
    if changed == changes.len() as u64 {
        return Ok(HashSet::new());
    }
    // An execution changes an incident once, unless what it did was undone.
    let statement = client
        .prepare_cached(
            "SELECT wanted.id FROM unnest($1::bigint[], $2::bigint[]) AS wanted (id, version)
             WHERE NOT EXISTS (SELECT FROM audit WHERE audit.incident = wanted.id
                 AND before_version = wanted.version AND execution = $3)",
        )
        .await?;
    let rows = client.query(&statement, &[&ids, &versions, &execution]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What becomes of each entry of a batch.
fn outcomes(
    batch: &RecordBatch,
    unstorable: &[bool],
    changed_meanwhile: &HashSet<i64>,
) -> Vec<EntryOutcome> {
    let outcome = |(entry, unstorable): (&LedgerEntry, &bool)| match unstorable {
        true => {
            let cause = "PostgreSQL can't hold the character U+0000, which its text has";
            EntryOutcome::Failed(StoreError::Refused(cause.to_owned()))
        }
        false if has_changed(entry, changed_meanwhile) => EntryOutcome::ChangedMeanwhile,
        false => EntryOutcome::Written,
    };
    batch.entries.iter().zip(unstorable).map(outcome).collect()
}

fn has_changed(entry: &LedgerEntry, changed_meanwhile: &HashSet<i64>) -> bool {
    match (&entry.change, entry.incident) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(_), Some(incident)) => {
            !changed_meanwhile.is_empty() && changed_meanwhile.contains(&incident.0)
        }
    }
}

/// Which entries have a text that PostgreSQL can't hold. JSON has it in another form.
fn unstorable(batch: &RecordBatch) -> Vec<bool> {
    let text = |text: Option<&str>| text.is_some_and(|text| !can_be_stored(text));
    let row =
        |row: &Row| text(row.message.as_deref()) || text(row.reason.as_ref().map(Reason::as_str));
    let rows: Vec<bool> = batch.rows.iter().map(|it| row(it)).collect();
    let conclusion = text(batch.conclusion.as_deref());
    let change = |change: &ChangeToMake| conclusion || text(change.owner.as_deref());
    let entry = |entry: &LedgerEntry| {
        rows[entry.row]
            || text(entry.number.as_deref())
            || entry.change.as_ref().is_some_and(change)
    };
    batch.entries.iter().map(entry).collect()
}

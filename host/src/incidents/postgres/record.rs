//! Writing outcomes: the change, its audit entry and its line in the ledger, together or not at all,
//! and only while the execution is this host's.
//!
//! A batch is one transaction of two round trips: the lease, the changes and the audit entries, which
//! say what becomes of each entry; then the ledger and the commit.

use super::super::error::StoreError;
use super::super::store::{ChangeToMake, EntryOutcome, LedgerEntry, RecordBatch};
use super::changes::{self, Changes};
use super::connections::{Client, Connections};
use super::failed::Failed;
use super::leases::{self, Leases, Name};
use super::ledger::{self, Line, Place};
use super::look::can_be_stored;
use playdock_plugin_api::Reason;
use playdock_plugin_api::messages::Row;
use std::collections::HashSet;
use std::time::Instant;

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
            let singly = connections.repeat(async |client| {
                if !writing.was_committed(client).await? {
                    writing.singly(client, &mut became).await?;
                }
                Ok(())
            });
            singly.or_else(|error| writing.unless_committed(connections, error))?;
            judged(became);
        }
        together => together.or_else(|error| writing.unless_committed(connections, error))?,
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
        let taken_over = match renewed {
            Ok(()) => false,
            Err(Failed::Final(StoreError::TakenOver)) => true,
            Err(failed) => return Err(failed),
        };
        let stands = ledger::stands(client, self.batch.execution, line).await?;
        client.batch_execute("COMMIT").await?;
        if !stands {
            self.doubtful = None;
        }
        match taken_over && !stands {
            true => Err(StoreError::TakenOver.into()),
            false => Ok(stands),
        }
    }

    /// Its writing ended with an error, which may be that of a commit that stands.
    fn unless_committed(
        &mut self,
        connections: &Connections,
        error: StoreError,
    ) -> Result<(), StoreError> {
        if self.doubtful.is_none() {
            return Err(error);
        }
        match connections.repeat(async |client| self.was_committed(client).await) {
            Ok(true) => Ok(()),
            Ok(false) | Err(StoreError::TakenOver) => Err(error),
            Err(_) => Err(StoreError::InDoubt(error.to_string())),
        }
    }

    /// Begins a transaction in which the changes of entries are made, and tells which incidents no
    /// longer stand at their versions.
    async fn change(
        &self,
        client: &Client,
        entries: &[&LedgerEntry],
    ) -> Result<(Place, HashSet<i64>), Failed> {
        let changes = Changes::of(entries);
        // First all are prepared, so that each goes off at once, and in this order.
        let (renewal, finding, making) = tokio::try_join!(
            leases::renewal(client),
            Place::finding(client),
            changes.making(client)
        )?;
        let (execution, rows) = (self.batch.execution, self.batch.rows.len());
        let ((), (), place, changed_meanwhile) = tokio::try_join!(
            biased;
            async { Ok(client.batch_execute(changes::BEGIN).await?) },
            leases::renew(client, &renewal, execution, self.name),
            Place::find(client, &finding, execution, rows),
            changes.make(client, &making, self.batch),
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
        self.commit(client).await
    }

    /// Commits; where no answer comes, it stays in doubt whether that stands.
    async fn commit(&mut self, client: &Client) -> Result<(), Failed> {
        let committed = client.batch_execute("COMMIT").await.map_err(Failed::from);
        if !matches!(committed, Err(Failed::Lost(_))) {
            self.doubtful = None;
        }
        committed
    }

    /// Writes the entries each on its own, in one transaction, so that one which can't be written
    /// leaves the others; `became` is what becomes of them once it is committed.
    async fn singly(
        &mut self,
        client: &Client,
        became: &mut Vec<EntryOutcome>,
    ) -> Result<(), Failed> {
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
        // If the answer is lost, it may stand all the same.
        *became = outcomes;
        self.commit(client).await
    }

    async fn one(
        &self,
        client: &Client,
        place: &mut Place,
        entry: &LedgerEntry,
    ) -> Result<(EntryOutcome, Option<Line>), Failed> {
        let changes = Changes::of(&[entry]);
        let making = changes.making(client).await?;
        if !changes.make(client, &making, self.batch).await?.is_empty() {
            return Ok((EntryOutcome::ChangedMeanwhile, None));
        }
        Ok((EntryOutcome::Written, place.write(client, self.batch, &[entry]).await?))
    }
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
    let entry = |entry: &LedgerEntry| rows[entry.row] || entry.change.as_ref().is_some_and(change);
    batch.entries.iter().map(entry).collect()
}

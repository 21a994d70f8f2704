//! Making changes of incidents, each with its audit entry, and none where the incident no longer
//! stands at the version that was judged.
//!
//! One statement makes all changes of a batch. It comes to the incidents in the order of their keys,
//! so whoever changes the same ones at that moment waits, and nobody for each other. What an
//! incident was before is read at the moment at which the statement begins; since it must have the
//! same version when it is changed, it was the same then.

use super::super::records::ExecutionKey;
use super::super::store::{ChangeToMake, LedgerEntry, RecordBatch};
use super::connections::Client;
use super::failed::Failed;
use std::collections::HashSet;
use tokio_postgres::Statement;

/// Begins a transaction in which incidents are found by their keys, in the order of those, however
/// few there are yet.
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan TO off;
    SET LOCAL enable_bitmapscan TO off; SET LOCAL enable_hashjoin TO off;
    SET LOCAL enable_mergejoin TO off";

/// The statement that makes changes.
pub(super) async fn making(client: &Client) -> Result<Statement, Failed> {
    let making = "WITH changed AS (
             UPDATE incident SET status = wanted.status, version = incident.version + 1,
                 closed_at = CASE wanted.kind WHEN 'close' THEN wanted.at
                     WHEN 'assign' THEN incident.closed_at END,
                 closed_by = CASE wanted.kind WHEN 'close' THEN $8
                     WHEN 'assign' THEN incident.closed_by END,
                 closed_in = CASE wanted.kind WHEN 'close' THEN $9::bigint
                     WHEN 'assign' THEN incident.closed_in END,
                 owner = coalesce(wanted.owner, incident.owner),
                 conclusion = incident.conclusion || $10
             FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[],
                 $6::text[], $7::text[])
                 AS wanted (id, version, kind, at, status, waived, owner)
             JOIN incident AS before ON before.id = wanted.id
             WHERE incident.id = wanted.id
                 AND incident.version = wanted.version AND before.version = wanted.version
                 AND CASE wanted.kind WHEN 'close' THEN incident.status <> 'Closed'
                     WHEN 'reopen' THEN incident.status = 'Closed' ELSE TRUE END
             RETURNING wanted.*, before.status AS before_status,
                 before.closed_at AS before_closed_at, before.closed_by AS before_closed_by,
                 octet_length(before.conclusion) AS before_conclusion_bytes,
                 CASE wanted.kind WHEN 'assign' THEN before.owner END AS before_owner)
         INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
             before_version, before_closed_at, before_closed_by, before_conclusion_bytes, waived,
             before_owner, owner)
         SELECT id, $9, kind, at, $8, before_status, version, before_closed_at, before_closed_by,
             before_conclusion_bytes, waived, before_owner, owner
         FROM changed";
    Ok(client.prepare_cached(making).await?)
}

/// Makes the changes of entries inside the transaction that is open, and tells which of the
/// incidents no longer stand at their versions.
pub(super) async fn make(
    client: &Client,
    making: &Statement,
    batch: &RecordBatch,
    entries: &[&LedgerEntry],
) -> Result<HashSet<i64>, Failed> {
    let mut changes: Vec<(i64, &ChangeToMake)> = entries
        .iter()
        .filter_map(|entry| Some((entry.incident?.0, entry.change.as_ref()?)))
        .collect();
    if changes.is_empty() {
        return Ok(HashSet::new());
    }
    changes.sort_unstable_by_key(|(incident, _)| *incident);
    let changes = changes.as_slice();
    let incidents: Vec<i64> = changes.iter().map(|(incident, _)| *incident).collect();
    // No incident has a version that the store can't hold.
    let versions = column(changes, |change| i64::try_from(change.version).unwrap_or(-1));
    let conclusion = batch.conclusion.as_deref().unwrap_or_default();
    let changed = client
        .execute(
            making,
            &[
                &incidents,
                &versions,
                &column(changes, |change| change.kind.as_str()),
                &column(changes, |change| change.at.milliseconds()),
                &column(changes, |change| change.status.as_str()),
                &column(changes, |change| change.waived.as_deref()),
                &column(changes, |change| change.owner.as_deref()),
                &batch.acting_user,
                &batch.execution.0,
                &conclusion,
            ],
        )
        .await?;
    match changed == changes.len() as u64 {
        true => Ok(HashSet::new()),
        false => left(client, batch.execution, &incidents, &versions).await,
    }
}

fn column<'a, T>(
    changes: &[(i64, &'a ChangeToMake)],
    of: impl Fn(&'a ChangeToMake) -> T,
) -> Vec<T> {
    changes.iter().map(|(_, change)| of(change)).collect()
}

/// Which of the incidents an execution did not change at these versions.
async fn left(
    client: &Client,
    execution: ExecutionKey,
    incidents: &[i64],
    versions: &[i64],
) -> Result<HashSet<i64>, Failed> {
    let statement = client
        .prepare_cached(
            "SELECT wanted.id FROM unnest($1::bigint[], $2::bigint[]) AS wanted (id, version)
             WHERE NOT EXISTS (SELECT FROM audit WHERE audit.incident = wanted.id
                 AND before_version = wanted.version AND execution = $3)",
        )
        .await?;
    let rows = client.query(&statement, &[&incidents, &versions, &execution.0]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

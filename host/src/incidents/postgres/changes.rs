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
use super::near;
use std::collections::HashSet;
use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

/// Begins a transaction in which incidents are found by their keys, in the order of those, however
/// few there are yet.
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan TO off;
    SET LOCAL enable_bitmapscan TO off; SET LOCAL enable_hashjoin TO off;
    SET LOCAL enable_mergejoin TO off";

/// From there on, they are found by a walk.
const WALK: &str = "SET LOCAL enable_mergejoin TO on; SET LOCAL enable_nestloop TO off";
/// And from there on by their keys again.
const FIND: &str = "SET LOCAL enable_mergejoin TO off; SET LOCAL enable_nestloop TO on";

/// The changes of a batch, in the order of their incidents.
pub(super) struct Changes<'a> {
    changes: Vec<(i64, &'a ChangeToMake)>,
    incidents: Vec<i64>,
    versions: Vec<i64>,
    /// The first and the last of the incidents, where they lie close together: a walk over all
    /// between costs less than to search for each.
    near: Option<(i64, i64)>,
    /// Whether the changes differ in nothing but the version, as most do.
    alike: bool,
}

impl<'a> Changes<'a> {
    /// Those of these entries.
    pub(super) fn of(entries: &[&'a LedgerEntry]) -> Changes<'a> {
        let mut changes: Vec<(i64, &ChangeToMake)> = entries
            .iter()
            .filter_map(|entry| Some((entry.incident?.0, entry.change.as_ref()?)))
            .collect();
        changes.sort_unstable_by_key(|(incident, _)| *incident);
        let incidents: Vec<i64> = changes.iter().map(|(incident, _)| *incident).collect();
        // No incident has a version that the store can't hold.
        let version = |change: &ChangeToMake| i64::try_from(change.version).unwrap_or(-1);
        let versions = changes.iter().map(|(_, change)| version(change)).collect();
        let alike = changes.windows(2).all(|pair| are_alike(pair[0].1, pair[1].1));
        Changes { near: near::span(&incidents), changes, incidents, versions, alike }
    }

    /// The statement that makes them.
    pub(super) async fn making(&self, client: &Client) -> Result<Statement, Failed> {
        let wanted = match self.alike {
            true => {
                "(SELECT id, version, $3::text AS kind, $4::bigint AS at, $5::text AS status,
                      $6::text AS waived, $7::text AS owner
                  FROM unnest($1::bigint[], $2::bigint[]) AS each (id, version)) AS wanted"
            }
            false => {
                "unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[],
                     $6::text[], $7::text[])
                     AS wanted (id, version, kind, at, status, waived, owner)"
            }
        };
        let near = match self.near {
            Some(_) => "AND incident.id BETWEEN $11 AND $12 AND before.id BETWEEN $11 AND $12",
            None => "",
        };
        let making = format!(
            "WITH changed AS (
                 UPDATE incident SET status = wanted.status, version = incident.version + 1,
                     closed_at = CASE wanted.kind WHEN 'close' THEN wanted.at
                         WHEN 'assign' THEN incident.closed_at END,
                     closed_by = CASE wanted.kind WHEN 'close' THEN $8
                         WHEN 'assign' THEN incident.closed_by END,
                     closed_in = CASE wanted.kind WHEN 'close' THEN $9::bigint
                         WHEN 'assign' THEN incident.closed_in END,
                     owner = coalesce(wanted.owner, incident.owner),
                     conclusion = incident.conclusion || $10
                 FROM {wanted} JOIN incident AS before ON before.id = wanted.id
                 WHERE incident.id = wanted.id {near}
                     AND incident.version = wanted.version AND before.version = wanted.version
                     AND CASE wanted.kind WHEN 'close' THEN incident.status <> 'Closed'
                         WHEN 'reopen' THEN incident.status = 'Closed' ELSE TRUE END
                 RETURNING wanted.*, before.status AS before_status,
                     before.closed_at AS before_closed_at, before.closed_by AS before_closed_by,
                     octet_length(before.conclusion) AS before_conclusion_bytes,
                     CASE wanted.kind WHEN 'assign' THEN before.owner END AS before_owner)
             INSERT INTO audit (incident, execution, action, at, acting_user, before_status,
                 before_version, before_closed_at, before_closed_by, before_conclusion_bytes,
                 waived, before_owner, owner)
             SELECT id, $9, kind, at, $8, before_status, version, before_closed_at,
                 before_closed_by, before_conclusion_bytes, waived, before_owner, owner
             FROM changed"
        );
        Ok(client.prepare_cached(&making).await?)
    }

    /// Makes them inside the transaction that is open, and tells which of the incidents no longer
    /// stand at their versions.
    pub(super) async fn make(
        &self,
        client: &Client,
        making: &Statement,
        batch: &RecordBatch,
    ) -> Result<HashSet<i64>, Failed> {
        if self.changes.is_empty() {
            return Ok(HashSet::new());
        }
        let changed = match self.near {
            None => self.execute(client, making, batch).await?,
            // How statements come to incidents is decided where one is run for the first time.
            Some(_) => {
                let ((), changed, ()) = tokio::try_join!(
                    biased;
                    async { Ok(client.batch_execute(WALK).await?) },
                    self.execute(client, making, batch),
                    async { Ok(client.batch_execute(FIND).await?) },
                )?;
                changed
            }
        };
        match changed == self.changes.len() as u64 {
            true => Ok(HashSet::new()),
            false => left(client, batch.execution, &self.incidents, &self.versions).await,
        }
    }

    async fn execute(
        &self,
        client: &Client,
        making: &Statement,
        batch: &RecordBatch,
    ) -> Result<u64, Failed> {
        let conclusion = batch.conclusion.as_deref().unwrap_or_default();
        let kind = self.parameter(|change| change.kind.as_str());
        let at = self.parameter(|change| change.at.milliseconds());
        let status = self.parameter(|change| change.status.as_str());
        let waived = self.parameter(|change| change.waived.as_deref());
        let owner = self.parameter(|change| change.owner.as_deref());
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &self.incidents,
            &self.versions,
            &*kind,
            &*at,
            &*status,
            &*waived,
            &*owner,
            &batch.acting_user,
            &batch.execution.0,
            &conclusion,
        ];
        if let Some((first, last)) = &self.near {
            parameters.extend([first as &(dyn ToSql + Sync), last]);
        }
        Ok(client.execute(making, &parameters).await?)
    }

    /// What the changes hold: once where they are alike, else for each.
    fn parameter<T: ToSql + Sync + 'a>(
        &self,
        of: impl Fn(&'a ChangeToMake) -> T,
    ) -> Box<dyn ToSql + Sync + 'a> {
        match self.changes.first() {
            Some((_, first)) if self.alike => Box::new(of(first)),
            _ => Box::new(self.changes.iter().map(|(_, change)| of(change)).collect::<Vec<T>>()),
        }
    }
}

fn are_alike(one: &ChangeToMake, other: &ChangeToMake) -> bool {
    let ChangeToMake { kind, status, owner, at, version: _, waived } = one;
    (kind, status, owner) == (&other.kind, &other.status, &other.owner)
        && (at, waived) == (&other.at, &other.waived)
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

//! Writing incidents of a file over what the store has of them, many at once.
//!
//! Which facts an import may change is said by `importer/facts.rs`; that a task or field changes the
//! version of its incident is a matter of the schema's triggers. Tasks and fields are written by
//! `parts.rs`.

use super::super::connections::Client;
use super::super::failed::Failed;
use super::parts::{Fields, Part, Tasks};
use super::{Stopped, Tally};
use crate::incidents::import::Incident;
use crate::incidents::importer::facts::{Facts, Kept, Stored};
use crate::incidents::importer::tally::Outcome;
use playdock_plugin_api::Timestamp;
use std::collections::{HashMap, HashSet};
use tokio_postgres::Row;

/// How many incidents are written together.
const AT_ONCE: usize = 2000;

/// Incidents that are to be written.
pub(super) struct Incidents {
    imported_at: i64,
    waiting: Vec<(i64, Incident)>,
    /// The sites and numbers of those that wait: none waits twice, since the last counts.
    known: HashSet<(i64, String)>,
}

/// The rows of incidents, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<i64>,
    sites: Vec<i64>,
    numbers: Vec<String>,
    facts: Vec<Facts>,
}

impl Incidents {
    pub(super) fn new(imported_at: Timestamp) -> Incidents {
        let imported_at = imported_at.milliseconds();
        Incidents { imported_at, waiting: Vec::new(), known: HashSet::new() }
    }

    /// Adds an incident of a site, and writes those that wait where there are enough of them.
    pub(super) async fn add(
        &mut self,
        client: &Client,
        tally: &mut Tally,
        site: i64,
        incident: Incident,
    ) -> Result<(), Stopped> {
        let is_new = self.known.insert((site, incident.number.clone()));
        if !is_new || self.waiting.len() >= AT_ONCE {
            self.flush(client, tally).await?;
            self.known.insert((site, incident.number.clone()));
        }
        self.waiting.push((site, incident));
        Ok(())
    }

    /// Writes those that wait.
    pub(super) async fn flush(
        &mut self,
        client: &Client,
        tally: &mut Tally,
    ) -> Result<(), Stopped> {
        self.known.clear();
        let waiting = std::mem::take(&mut self.waiting);
        let mut stored = stored(client, &waiting).await?;
        let mut new_ids = new_ids(client, waiting.len() - stored.len()).await?.into_iter();
        let (mut added, mut updated, mut touched) =
            (Columns::default(), Columns::default(), Vec::new());
        let (mut tasks, mut fields) = (Part::<Tasks>::default(), Part::<Fields>::default());
        let mut outcomes = Vec::with_capacity(waiting.len());
        for (place, (site, incident)) in waiting.iter().enumerate() {
            let Some(stored) = stored.remove(&place) else {
                let Some(id) = new_ids.next() else { continue };
                let facts = Facts::default().updated(incident, &Kept::default());
                added.add(id, *site, incident, facts);
                tasks.replace(id, incident.tasks.as_deref().unwrap_or_default());
                fields.replace(id, incident.fields.as_deref().unwrap_or_default());
                outcomes.push((id, incident, Outcome::Added));
                continue;
            };
            let id = stored.id;
            if stored.is_left_alone() {
                outcomes.push((id, incident, Outcome::LeftAlone));
                continue;
            }
            let kept = stored.kept(incident);
            let now = stored.facts.updated(incident, &kept);
            let outcome = match now != stored.facts {
                true => {
                    updated.add(id, *site, incident, now);
                    Outcome::Updated
                }
                false => {
                    touched.push(id);
                    Outcome::Unchanged
                }
            };
            let outcome = kept.outcome().unwrap_or(outcome);
            tasks.compare(id, incident.tasks.as_deref());
            fields.compare(id, incident.fields.as_deref());
            outcomes.push((id, incident, outcome));
        }
        self.insert(client, added).await?;
        self.update(client, updated).await?;
        self.touch(client, touched).await?;
        let mut changed = tasks.write(client).await?;
        changed.extend(fields.write(client).await?);
        for (id, incident, outcome) in outcomes {
            let outcome = match outcome {
                Outcome::Unchanged if changed.contains(&id) => Outcome::Updated,
                outcome => outcome,
            };
            tally.incident(id, &incident.number, outcome);
        }
        Ok(())
    }

    async fn insert(&self, client: &Client, added: Columns) -> Result<(), Failed> {
        if added.ids.is_empty() {
            return Ok(());
        }
        let insert = client
            .prepare_cached(
                "INSERT INTO incident (id, site, number, imported_at, status, closed_at, closed_by,
                     conclusion, type, title, severity, owner, created_at)
                 SELECT id, site, number, $4, status, closed_at, closed_by, conclusion, type, title,
                     severity, owner, created_at
                 FROM unnest($1::bigint[], $2::bigint[], $3::text[], $5::text[], $6::bigint[],
                     $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                     $13::bigint[]) AS new (id, site, number, status, closed_at, closed_by,
                     conclusion, type, title, severity, owner, created_at)",
            )
            .await?;
        let facts = &added.facts;
        client
            .execute(
                &insert,
                &[
                    &added.ids,
                    &added.sites,
                    &added.numbers,
                    &self.imported_at,
                    &column(facts, |facts| facts.status.as_str()),
                    &column(facts, |facts| facts.closed_at),
                    &column(facts, |facts| facts.closed_by.as_deref()),
                    &column(facts, |facts| facts.conclusion.as_str()),
                    &column(facts, |facts| facts.r#type.as_str()),
                    &column(facts, |facts| facts.title.as_str()),
                    &column(facts, |facts| facts.severity.as_str()),
                    &column(facts, |facts| facts.owner.as_str()),
                    &column(facts, |facts| facts.created_at),
                ],
            )
            .await?;
        Ok(())
    }

    async fn update(&self, client: &Client, updated: Columns) -> Result<(), Failed> {
        if updated.ids.is_empty() {
            return Ok(());
        }
        // What a file closes, no execution closed.
        let update = client
            .prepare_cached(
                "UPDATE incident SET version = incident.version + 1, imported_at = $2,
                     status = new.status, closed_at = new.closed_at, closed_by = new.closed_by,
                     conclusion = new.conclusion, type = new.type, title = new.title,
                     severity = new.severity, owner = new.owner, created_at = new.created_at,
                     closed_in = CASE WHEN new.status <> 'Closed' THEN incident.closed_in END
                 FROM unnest($1::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[])
                     AS new (id, status, closed_at, closed_by, conclusion, type, title, severity,
                     owner, created_at)
                 WHERE incident.id = new.id",
            )
            .await?;
        let facts = &updated.facts;
        client
            .execute(
                &update,
                &[
                    &updated.ids,
                    &self.imported_at,
                    &column(facts, |facts| facts.status.as_str()),
                    &column(facts, |facts| facts.closed_at),
                    &column(facts, |facts| facts.closed_by.as_deref()),
                    &column(facts, |facts| facts.conclusion.as_str()),
                    &column(facts, |facts| facts.r#type.as_str()),
                    &column(facts, |facts| facts.title.as_str()),
                    &column(facts, |facts| facts.severity.as_str()),
                    &column(facts, |facts| facts.owner.as_str()),
                    &column(facts, |facts| facts.created_at),
                ],
            )
            .await?;
        Ok(())
    }

    async fn touch(&self, client: &Client, touched: Vec<i64>) -> Result<(), Failed> {
        if touched.is_empty() {
            return Ok(());
        }
        let touch = "UPDATE incident SET imported_at = $2 WHERE id = ANY ($1)";
        let touch = client.prepare_cached(touch).await?;
        client.execute(&touch, &[&touched, &self.imported_at]).await?;
        Ok(())
    }
}

impl Columns {
    fn add(&mut self, id: i64, site: i64, incident: &Incident, facts: Facts) {
        self.ids.push(id);
        self.sites.push(site);
        self.numbers.push(incident.number.clone());
        self.facts.push(facts);
    }
}

fn column<'a, T>(facts: &'a [Facts], of: impl Fn(&'a Facts) -> T) -> Vec<T> {
    facts.iter().map(of).collect()
}

/// What the store has of incidents, by their places; they are locked in the order of their keys, as
/// whoever closes them does.
async fn stored(
    client: &Client,
    waiting: &[(i64, Incident)],
) -> Result<HashMap<usize, Stored>, Failed> {
    let select = client
        .prepare_cached(
            "SELECT incident.id, closed_in, status, closed_at, closed_by, conclusion, type, title,
                 severity, owner, created_at, place
             FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS given (site, number, place)
             JOIN incident ON incident.site = given.site AND incident.number = given.number
             ORDER BY incident.id FOR NO KEY UPDATE OF incident",
        )
        .await?;
    let sites: Vec<i64> = waiting.iter().map(|(site, _)| *site).collect();
    let numbers: Vec<&str> = waiting.iter().map(|(_, incident)| incident.number.as_str()).collect();
    let rows = client.query(&select, &[&sites, &numbers]).await?;
    let place = |row: &Row| -> Result<usize, Failed> {
        Ok(usize::try_from(row.try_get::<_, i64>("place")? - 1).unwrap_or(usize::MAX))
    };
    let mut stored: HashMap<usize, Stored> =
        rows.iter().map(|row| Ok((place(row)?, read(row)?))).collect::<Result<_, Failed>>()?;
    find_last_changes(client, &mut stored).await?;
    Ok(stored)
}

/// Finds out what executions reopened and assigned. It is a statement of its own, since it must see
/// what was committed while the one before waited for its locks.
async fn find_last_changes(
    client: &Client,
    stored: &mut HashMap<usize, Stored>,
) -> Result<(), Failed> {
    let select = client
        .prepare_cached(
            "SELECT DISTINCT ON (incident, action = 'assign') incident, action, at, owner
             FROM audit WHERE incident = ANY ($1)
             ORDER BY incident, action = 'assign', before_version DESC",
        )
        .await?;
    let mut by_id: HashMap<i64, &mut Stored> =
        stored.values_mut().map(|stored| (stored.id, stored)).collect();
    let ids: Vec<i64> = by_id.keys().copied().collect();
    for row in client.query(&select, &[&ids]).await? {
        let Some(stored) = by_id.get_mut(&row.try_get(0)?) else { continue };
        match row.try_get(1)? {
            "assign" => stored.assigned_to = row.try_get(3)?,
            "reopen" => stored.reopened_at = row.try_get(2)?,
            _ => {}
        }
    }
    Ok(())
}

fn read(row: &Row) -> Result<Stored, Failed> {
    Ok(Stored {
        id: row.try_get(0)?,
        closed_in: row.try_get(1)?,
        facts: Facts {
            status: row.try_get(2)?,
            closed_at: row.try_get(3)?,
            closed_by: row.try_get(4)?,
            conclusion: row.try_get(5)?,
            r#type: row.try_get(6)?,
            title: row.try_get(7)?,
            severity: row.try_get(8)?,
            owner: row.try_get(9)?,
            created_at: row.try_get(10)?,
        },
        reopened_at: None,
        assigned_to: None,
    })
}

/// Keys for so many incidents, in the order in which they will be listed.
async fn new_ids(client: &Client, count: usize) -> Result<Vec<i64>, Failed> {
    let ids = "SELECT ARRAY(SELECT nextval('incident_id_seq') FROM generate_series(1, $1))";
    let ids = client.prepare_cached(ids).await?;
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    Ok(client.query_one(&ids, &[&count]).await?.try_get(0)?)
}

//! Writing the records of a file into the store: one transaction, all or nothing, a statement for
//! thousands of incidents.
//!
//! What an import does to each record is what it does in SQLite. It reads no files, and begins and
//! ends no transaction: those are its caller's.

mod incidents;
mod parts;

use self::incidents::Incidents;
use super::super::import::error::LineProblem;
use super::super::import::{
    ImportError, ImportSummary, Incident, NumberedRecord, Record, Site, User, UserSites,
};
use super::super::importer::tally::Tally;
use super::connections::Client;
use super::failed::Failed;
use super::look::can_be_stored;
use playdock_plugin_api::Timestamp;
use std::collections::HashMap;

/// The key of the lock that an import holds, since two would wait for each other's incidents:
/// "PLDI".
const LOCK: i64 = 0x504C_4449;

/// Why an import stopped.
pub(super) enum Stopped {
    /// The database did not do what it was asked.
    Failed(Failed),
    /// A record can't be taken.
    Record(ImportError),
}

impl<E: Into<Failed>> From<E> for Stopped {
    fn from(error: E) -> Stopped {
        Stopped::Failed(error.into())
    }
}

/// Writes the records into the store, as imported at the given instant, in the transaction that is
/// open. After an error, the caller rolls it back, for it holds what came before.
pub(super) async fn import(
    client: &Client,
    records: &mut dyn Iterator<Item = Result<NumberedRecord, ImportError>>,
    imported_at: Timestamp,
) -> Result<ImportSummary, Stopped> {
    // Reading the file may take its time.
    client
        .batch_execute(&format!(
            "SET LOCAL idle_in_transaction_session_timeout TO 0;
             SELECT pg_advisory_xact_lock({LOCK})"
        ))
        .await?;
    let mut import = Import {
        client,
        incidents: Incidents::new(imported_at),
        sites: HashMap::new(),
        tally: Tally::default(),
    };
    for record in records {
        let NumberedRecord { line, record } = record.map_err(Stopped::Record)?;
        import.write(line, record).await?;
    }
    import.incidents.flush(client, &mut import.tally).await?;
    import.tally.finish().map_err(Stopped::Record)
}

struct Import<'c> {
    client: &'c Client,
    incidents: Incidents,
    /// The id of each site mentioned so far.
    sites: HashMap<String, i64>,
    tally: Tally,
}

impl Import<'_> {
    async fn write(&mut self, line: u64, record: Record) -> Result<(), Stopped> {
        match record {
            Record::Site(site) => self.write_site(line, site).await,
            Record::User(user) => self.write_user(line, user).await,
            Record::Incident(incident) => {
                storable(line, texts(&incident))?;
                let site = self.site(&incident.site, line).await?;
                self.incidents.add(self.client, &mut self.tally, site, *incident).await
            }
            Record::LeftOut => {
                self.tally.left_out();
                Ok(())
            }
        }
    }

    /// The id of a site that a record mentions. Its own line may come later: until then it stands
    /// in the store with a time zone that nobody sees, because the transaction is still open.
    async fn site(&mut self, name: &str, line: u64) -> Result<i64, Stopped> {
        if let Some(id) = self.sites.get(name) {
            return Ok(*id);
        }
        storable(line, [name])?;
        let select = self.client.prepare_cached("SELECT id FROM site WHERE name = $1").await?;
        let id = match self.client.query_opt(&select, &[&name]).await? {
            Some(row) => row.try_get(0)?,
            None => {
                self.tally.mention(name, line);
                let insert = "INSERT INTO site (name, time_zone) VALUES ($1, 'UTC') RETURNING id";
                self.client.query_one(insert, &[&name]).await?.try_get(0)?
            }
        };
        self.sites.insert(name.to_owned(), id);
        Ok(id)
    }

    async fn write_site(&mut self, line: u64, site: Site) -> Result<(), Stopped> {
        storable(line, [site.name.as_str()])?;
        let insert = self
            .client
            .prepare_cached(
                "INSERT INTO site (name, time_zone) VALUES ($1, coalesce($2, 'UTC'))
                 ON CONFLICT (name) DO UPDATE SET time_zone = coalesce($2, site.time_zone)",
            )
            .await?;
        self.client.execute(&insert, &[&site.name, &site.time_zone]).await?;
        self.tally.site(&site.name);
        Ok(())
    }

    async fn write_user(&mut self, line: u64, user: User) -> Result<(), Stopped> {
        storable(line, [user.username.as_str()])?;
        let insert = self
            .client
            .prepare_cached(
                "INSERT INTO \"user\" AS known (username, active, may_close)
                 VALUES ($1, coalesce($2, TRUE), coalesce($3, TRUE))
                 ON CONFLICT (username) DO UPDATE SET active = coalesce($2, known.active),
                     may_close = coalesce($3, known.may_close)
                 RETURNING id",
            )
            .await?;
        let row = self
            .client
            .query_one(&insert, &[&user.username, &user.active, &user.may_close])
            .await?;
        let id: i64 = row.try_get(0)?;
        let sites = match user.sites {
            None => Vec::new(),
            Some(UserSites::Also(site)) => vec![site],
            Some(UserSites::Only(sites)) => {
                self.client.execute("DELETE FROM user_site WHERE \"user\" = $1", &[&id]).await?;
                sites
            }
        };
        let mut ids = Vec::with_capacity(sites.len());
        for site in sites {
            ids.push(self.site(&site, line).await?);
        }
        let insert = self
            .client
            .prepare_cached(
                "INSERT INTO user_site (\"user\", site) SELECT $1, unnest($2::bigint[])
                 ON CONFLICT DO NOTHING",
            )
            .await?;
        self.client.execute(&insert, &[&id, &ids]).await?;
        self.tally.user();
        Ok(())
    }
}

/// The texts of an incident, but for those that are stored as JSON.
fn texts(incident: &Incident) -> impl Iterator<Item = &str> {
    let own = [
        Some(&incident.number),
        incident.r#type.as_ref(),
        incident.title.as_ref(),
        incident.severity.as_ref(),
        incident.owner.as_ref(),
        incident.closed_by.as_ref(),
        incident.conclusion.as_ref(),
    ];
    let tasks = incident.tasks.iter().flatten().flat_map(|task| [&task.title, &task.status]);
    let fields = incident.fields.iter().flatten().flat_map(|field| [&field.section, &field.name]);
    own.into_iter().flatten().chain(tasks).chain(fields).map(String::as_str)
}

fn storable<'a>(line: u64, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Stopped> {
    match texts.into_iter().all(can_be_stored) {
        true => Ok(()),
        false => {
            let problem = LineProblem::Unstorable;
            Err(Stopped::Record(ImportError::Line { line, problem }))
        }
    }
}

//! Writing the records of a file into the store: one transaction, all or nothing.
//!
//! Importing again brings the facts up to date that the records give, and leaves the others as they
//! are. It never undoes a closing: what is closed here stays closed, and what an execution closed
//! is not touched at all.
//!
//! It reads no files, and begins and ends no transaction: those are its caller's.

mod facts;
mod incidents;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{OptionalExtension, Transaction, params};

use self::incidents::{IncidentWriter, Outcome};
use crate::incidents::import::error::LineProblem;
use crate::incidents::import::{
    ImportError, ImportSummary, NumberedRecord, Record, Site, User, UserSites,
};

/// Writes the records into the store, as imported at the given instant (milliseconds since 1970).
///
/// A number that occurs twice at one site is written twice, so that the last one counts where the
/// two differ. In the summary the incident counts once.
///
/// # Errors
///
/// The first error of the records; a site that is neither in the store nor among the records; an
/// error of SQLite. The caller then rolls the transaction back, for it holds what came before.
pub fn import(
    transaction: &Transaction<'_>,
    records: impl Iterator<Item = Result<NumberedRecord, ImportError>>,
    imported_at_ms: i64,
) -> Result<ImportSummary, ImportError> {
    let mut import = Import {
        transaction,
        incidents: IncidentWriter::new(transaction, imported_at_ms)?,
        sites: HashMap::new(),
        undescribed: HashMap::new(),
        written: HashMap::new(),
        summary: ImportSummary::default(),
    };
    for record in records {
        let NumberedRecord { line, record } = record?;
        import.write(line, record)?;
    }
    import.finish()
}

struct Import<'t> {
    transaction: &'t Transaction<'t>,
    incidents: IncidentWriter<'t>,
    /// The id of each site mentioned so far.
    sites: HashMap<String, i64>,
    /// Sites mentioned that nothing has described yet, with the line of the first mention.
    undescribed: HashMap<String, u64>,
    /// The incidents of the file, by their ids.
    written: HashMap<i64, Written>,
    summary: ImportSummary,
}

/// What became of an incident, over all its lines.
struct Written {
    outcome: Outcome,
    repeated: bool,
}

impl Import<'_> {
    fn write(&mut self, line: u64, record: Record) -> Result<(), ImportError> {
        match record {
            Record::Site(site) => self.write_site(site),
            Record::User(user) => self.write_user(line, user),
            Record::Incident(incident) => {
                let site = self.site(&incident.site, line)?;
                let (id, outcome) = self.incidents.write(site, &incident)?;
                self.note(id, &incident.number, outcome);
                Ok(())
            }
            Record::LeftOut => {
                self.summary.left_out += 1;
                Ok(())
            }
        }
    }

    fn note(&mut self, id: i64, number: &str, outcome: Outcome) {
        match self.written.entry(id) {
            Entry::Vacant(entry) => {
                let repeated = false;
                entry.insert(Written { outcome, repeated });
            }
            Entry::Occupied(mut entry) => {
                let written = entry.get_mut();
                written.repeated = true;
                if outcome <= written.outcome {
                    return;
                }
                written.outcome = outcome;
            }
        }
        match outcome {
            Outcome::KeptClosed => self.summary.kept_closed.add(number),
            Outcome::LeftAlone => self.summary.left_alone.add(number),
            // Counted at the end, when no later line can change it.
            Outcome::Unchanged | Outcome::Updated | Outcome::Added => {}
        }
    }

    /// Every site that was mentioned must have been described, here or in the store.
    fn finish(mut self) -> Result<ImportSummary, ImportError> {
        for written in self.written.values() {
            self.summary.repeated += u64::from(written.repeated);
            match written.outcome {
                Outcome::Unchanged => self.summary.incidents_unchanged += 1,
                Outcome::Updated => self.summary.incidents_updated += 1,
                Outcome::Added => self.summary.incidents_added += 1,
                // Counted with their numbers.
                Outcome::KeptClosed | Outcome::LeftAlone => {}
            }
        }
        match self.undescribed.into_iter().min_by_key(|(_, line)| *line) {
            None => Ok(self.summary),
            Some((site, line)) => {
                Err(ImportError::Line { line, problem: LineProblem::UnknownSite { site } })
            }
        }
    }

    /// The id of a site that a record mentions. Its own line may come later: until then it stands
    /// in the store with a time zone that nobody sees, because the transaction is still open.
    fn site(&mut self, name: &str, line: u64) -> Result<i64, ImportError> {
        if let Some(id) = self.sites.get(name) {
            return Ok(*id);
        }
        let known = self
            .transaction
            .prepare_cached("SELECT id FROM site WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.undescribed.insert(name.to_owned(), line);
                self.transaction
                    .prepare_cached("INSERT INTO site (name, time_zone) VALUES (?1, 'UTC')")?
                    .insert([name])?
            }
        };
        self.sites.insert(name.to_owned(), id);
        Ok(id)
    }

    fn write_site(&mut self, site: Site) -> Result<(), ImportError> {
        self.transaction
            .prepare_cached(
                "INSERT INTO site (name, time_zone) VALUES (?1, coalesce(?2, 'UTC'))
                 ON CONFLICT (name) DO UPDATE SET time_zone = coalesce(?2, time_zone)",
            )?
            .execute(params![site.name, site.time_zone])?;
        self.undescribed.remove(&site.name);
        self.summary.sites += 1;
        Ok(())
    }

    fn write_user(&mut self, line: u64, user: User) -> Result<(), ImportError> {
        let id: i64 = self
            .transaction
            .prepare_cached(
                "INSERT INTO user (username, active, may_close)
                 VALUES (?1, coalesce(?2, TRUE), coalesce(?3, TRUE))
                 ON CONFLICT (username) DO UPDATE
                 SET active = coalesce(?2, active), may_close = coalesce(?3, may_close)
                 RETURNING id",
            )?
            .query_row(params![user.username, user.active, user.may_close], |row| row.get(0))?;
        let sites = match user.sites {
            None => Vec::new(),
            Some(UserSites::Also(site)) => vec![site],
            Some(UserSites::Only(sites)) => {
                self.transaction
                    .prepare_cached("DELETE FROM user_site WHERE user = ?1")?
                    .execute([id])?;
                sites
            }
        };
        for site in sites {
            let site = self.site(&site, line)?;
            self.transaction
                .prepare_cached("INSERT OR IGNORE INTO user_site (user, site) VALUES (?1, ?2)")?
                .execute([id, site])?;
        }
        self.summary.users += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

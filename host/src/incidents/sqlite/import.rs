//! Writing the records of a file into the store: one transaction, all or nothing.
//!
//! Importing again brings the facts up to date that the records give, and leaves the others as they
//! are. It never undoes a closing: what is closed here stays closed, and what an execution closed
//! is not touched at all. Nor does it undo that an execution reopened or assigned an incident, as far as
//! the file doesn't tell that it is newer.
//!
//! It reads no files, and begins and ends no transaction: those are its caller's.

mod incidents;

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction, params};

use self::incidents::IncidentWriter;
use crate::incidents::import::{
    ImportError, ImportSummary, NumberedRecord, Record, Site, User, UserSites,
};
use crate::incidents::importer::tally::Tally;

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
        tally: Tally::default(),
    };
    for record in records {
        let NumberedRecord { line, record } = record?;
        import.write(line, record)?;
    }
    import.tally.finish()
}

struct Import<'t> {
    transaction: &'t Transaction<'t>,
    incidents: IncidentWriter<'t>,
    /// The id of each site mentioned so far.
    sites: HashMap<String, i64>,
    tally: Tally,
}

impl Import<'_> {
    fn write(&mut self, line: u64, record: Record) -> Result<(), ImportError> {
        match record {
            Record::Site(site) => self.write_site(site),
            Record::User(user) => self.write_user(line, user),
            Record::Incident(incident) => {
                let site = self.site(&incident.site, line)?;
                let (id, outcome) = self.incidents.write(site, &incident)?;
                self.tally.incident(id, &incident.number, outcome);
                Ok(())
            }
            Record::LeftOut => {
                self.tally.left_out();
                Ok(())
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
                self.tally.mention(name, line);
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
        self.tally.site(&site.name);
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
        self.tally.user();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::incidents::import::JsonLines;
    use rusqlite::Connection;

    #[test]
    fn an_error_of_the_store_is_passed_on() {
        let mut store = Connection::open_in_memory().unwrap();
        store.execute_batch(include_str!("schema.sql")).unwrap();
        store.execute_batch(include_str!("schema_5.sql")).unwrap();
        store.execute_batch("DROP TABLE user_site").unwrap();
        let transaction = store.transaction().unwrap();
        let text = r#"{"kind":"user","username":"u","sites":[]}"#;
        let mut ignore = |_| ();
        let lines = JsonLines::new(text.as_bytes(), &mut ignore);
        let error = super::import(&transaction, lines, 1).unwrap_err().to_string();
        assert!(error.starts_with("the store refused it: no such table"), "{error}");
    }
}

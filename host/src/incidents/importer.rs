//! Taking the records of a file into a store: the trait, and what all stores do alike. `facts` says
//! what a file may change of an incident, `tally` counts what became of them.

pub(super) mod facts;
pub(super) mod tally;

use super::import::{ImportError, ImportSummary, NumberedRecord};

/// Takes sites, users and incidents into a store.
///
/// Methods may be called from several threads at once.
pub trait IncidentImporter: Send + Sync {
    /// Takes in the records of a file: all of them or, on any error, none.
    ///
    /// ```no_run
    /// use playdock_host::incidents::{IncidentImporter, SqliteStore, import::JsonLines};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = SqliteStore::open("playdock.db".as_ref())?;
    /// let file = std::io::BufReader::new(std::fs::File::open("incidents.jsonl")?);
    /// println!("{}", store.import(&mut JsonLines::new(file, &mut |_bytes_read| ()))?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ImportError`] names the line that is wrong, or says what the store said.
    fn import(
        &self,
        records: &mut dyn Iterator<Item = Result<NumberedRecord, ImportError>>,
    ) -> Result<ImportSummary, ImportError>;
}

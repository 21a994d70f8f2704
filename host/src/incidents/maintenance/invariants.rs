//! What must always hold in a store: each an id, a sentence and one statement over whole tables that
//! finds what breaks it.
//!
//! The statements are in the SQL that SQLite and PostgreSQL both know. Beside the tables of the store
//! they need `line`, the lines of all ledgers with what their rows have; `given`, the parameters of
//! all executions; and `json_valid`. Who runs them provides these.

mod executions;
mod incidents;

/// What must always hold, and the statement that finds what breaks it.
pub(in super::super) struct Invariant {
    pub(in super::super) id: &'static str,
    pub(in super::super) sentence: &'static str,
    /// The first version of the store that it holds in.
    since: i64,
    /// Finds what breaks it: the site, the incident's number, the execution's id and what was found.
    pub(in super::super) broken: &'static str,
}

/// All that hold in a store of a version.
pub(in super::super) fn of_version(version: i64) -> impl Iterator<Item = &'static Invariant> {
    let all = incidents::INVARIANTS.iter().chain(executions::INVARIANTS);
    all.filter(move |invariant| invariant.since <= version)
}

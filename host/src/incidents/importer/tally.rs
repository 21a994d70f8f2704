//! What becomes of the records of a file, counted while they are written.

use super::super::import::error::LineProblem;
use super::super::import::{ImportError, ImportSummary};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What became of an incident of the file, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Outcome {
    /// No fact changed.
    Unchanged,
    /// A fact changed.
    Updated,
    /// The store didn't have it.
    Added,
    /// It stays closed although the file says that it isn't; its other facts are the file's.
    KeptClosed,
    /// It stays as an execution reopened or assigned it although the file says otherwise; its other
    /// facts are the file's.
    KeptChanged,
    /// An execution closed it: nothing of it was touched.
    LeftAlone,
}

/// What became of the records so far.
#[derive(Default)]
pub(in super::super) struct Tally {
    /// Sites mentioned that nothing has described yet, with the line of the first mention.
    undescribed: HashMap<String, u64>,
    /// The incidents of the file, by their ids in the store.
    written: HashMap<i64, Written>,
    summary: ImportSummary,
}

/// What became of an incident, over all its lines.
struct Written {
    outcome: Outcome,
    repeated: bool,
}

impl Tally {
    /// A site was mentioned that the store didn't have.
    pub(in super::super) fn mention(&mut self, site: &str, line: u64) {
        self.undescribed.insert(site.to_owned(), line);
    }

    /// A site was described.
    pub(in super::super) fn site(&mut self, name: &str) {
        self.undescribed.remove(name);
        self.summary.sites += 1;
    }

    /// A user was described.
    pub(in super::super) fn user(&mut self) {
        self.summary.users += 1;
    }

    /// The map left an incident out.
    pub(in super::super) fn left_out(&mut self) {
        self.summary.left_out += 1;
    }

    /// An incident was written, perhaps not for the first time.
    pub(in super::super) fn incident(&mut self, id: i64, number: &str, outcome: Outcome) {
        match self.written.entry(id) {
            Entry::Vacant(entry) => {
                let repeated = false;
                entry.insert(Written { outcome, repeated });
            }
            Entry::Occupied(mut entry) => {
                let written = entry.get_mut();
                written.repeated = true;
                // What was counted with its number isn't counted again.
                if outcome <= written.outcome || written.outcome >= Outcome::KeptClosed {
                    return;
                }
                written.outcome = outcome;
            }
        }
        match outcome {
            Outcome::KeptClosed => self.summary.kept_closed.add(number),
            Outcome::KeptChanged => self.summary.kept_changed.add(number),
            Outcome::LeftAlone => self.summary.left_alone.add(number),
            // Counted at the end, when no later line can change it.
            Outcome::Unchanged | Outcome::Updated | Outcome::Added => {}
        }
    }

    /// Every site that was mentioned must have been described, here or in the store.
    pub(in super::super) fn finish(mut self) -> Result<ImportSummary, ImportError> {
        for written in self.written.values() {
            self.summary.repeated += u64::from(written.repeated);
            match written.outcome {
                Outcome::Unchanged => self.summary.incidents_unchanged += 1,
                Outcome::Updated => self.summary.incidents_updated += 1,
                Outcome::Added => self.summary.incidents_added += 1,
                // Counted with their numbers.
                Outcome::KeptClosed | Outcome::KeptChanged | Outcome::LeftAlone => {}
            }
        }
        match self.undescribed.into_iter().min_by_key(|(_, line)| *line) {
            None => Ok(self.summary),
            Some((site, line)) => {
                Err(ImportError::Line { line, problem: LineProblem::UnknownSite { site } })
            }
        }
    }
}

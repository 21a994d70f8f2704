//! What an import did, for people.

use std::fmt;

use serde::Serialize;

/// Numbers that are kept as examples of incidents an import didn't take as the file has them.
const EXAMPLES: usize = 10;

/// What an import did. Each incident of the file counts once, for the most that happened to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// Sites that the file describes.
    pub sites: u64,
    /// Users that the file describes.
    pub users: u64,
    /// Incidents that the store didn't have.
    pub incidents_added: u64,
    /// Incidents of which a fact changed.
    pub incidents_updated: u64,
    /// Incidents that were as the file says.
    pub incidents_unchanged: u64,
    /// Incidents that the file says aren't closed and that stay closed; their other facts are
    /// those of the file.
    pub kept_closed: Exceptions,
    /// Incidents that keep the status, the owner or the conclusion that an execution gave them by
    /// reopening or assigning them, although the file says otherwise; their other facts are those of
    /// the file.
    pub kept_changed: Exceptions,
    /// Incidents that an execution closed, and that the import therefore didn't touch.
    pub left_alone: Exceptions,
    /// Incidents that the map leaves out because of their state.
    pub left_out: u64,
    /// Numbers that stood on several lines of one site; where the lines differ, the last counts.
    pub repeated: u64,
}

/// Incidents that an import didn't take as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exceptions {
    /// How many there are.
    pub count: u64,
    /// The numbers of the first of them, at most 10.
    pub examples: Vec<String>,
}

impl Exceptions {
    /// Counts one more.
    pub fn add(&mut self, number: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(number.to_owned());
        }
    }
}

impl ImportSummary {
    /// How many incidents the file has.
    fn incidents(&self) -> u64 {
        self.incidents_added
            + self.incidents_updated
            + self.incidents_unchanged
            + self.kept_closed.count
            + self.kept_changed.count
            + self.left_alone.count
            + self.left_out
    }
}

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let incidents = self.incidents();
        if self.sites + self.users + incidents == 0 {
            return write!(f, "There was nothing to import.");
        }
        write!(
            f,
            "Imported {}, {} and {}: {} added, {} updated, {} unchanged",
            counted(self.sites, "site"),
            counted(self.users, "user"),
            counted(incidents, "incident"),
            self.incidents_added,
            self.incidents_updated,
            self.incidents_unchanged,
        )?;
        for (exceptions, what) in [
            (&self.kept_closed, "kept closed: the file has them open"),
            (&self.kept_changed, "kept as an execution reopened or assigned them"),
            (&self.left_alone, "left alone since an execution closed them"),
        ] {
            if exceptions.count > 0 {
                write!(f, ", {} {what} ({exceptions})", exceptions.count)?;
            }
        }
        if self.left_out > 0 {
            let count = self.left_out;
            write!(f, ", {count} left out by the map because of their state")?;
        }
        write!(f, ".")?;
        match self.repeated {
            0 => Ok(()),
            1 => write!(f, " 1 number stood twice; its last line counts."),
            count => write!(f, " {count} numbers stood twice; their last lines count."),
        }
    }
}

/// The numbers: "A, B, …".
impl fmt::Display for Exceptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.examples.join(", "))?;
        if self.count > self.examples.len() as u64 {
            write!(f, ", …")?;
        }
        Ok(())
    }
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_or_two_sentences_whose_numbers_add_up() {
        let mut summary = ImportSummary::default();
        assert_eq!(summary.to_string(), "There was nothing to import.");
        summary.sites = 1;
        summary.incidents_added = 2;
        assert_eq!(
            summary.to_string(),
            "Imported 1 site, 0 users and 2 incidents: 2 added, 0 updated, 0 unchanged."
        );
        summary.kept_closed.add("A-1");
        summary.kept_changed.add("A-2");
        summary.left_out = 4;
        summary.repeated = 1;
        for number in 1..=11 {
            summary.left_alone.add(&number.to_string());
        }
        assert_eq!(
            summary.to_string(),
            "Imported 1 site, 0 users and 19 incidents: 2 added, 0 updated, 0 unchanged, 1 kept \
             closed: the file has them open (A-1), 1 kept as an execution reopened or assigned them \
             (A-2), 11 left alone since an execution closed them (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …), \
             4 left out by the map because of their state. 1 number stood twice; its last line \
             counts."
        );
    }

    #[test]
    fn is_json_for_programs() {
        let mut summary = ImportSummary::default();
        summary.left_alone.add("A-1");
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["incidents_added"], 0);
        assert_eq!(json["left_alone"], serde_json::json!({"count": 1, "examples": ["A-1"]}));
    }
}

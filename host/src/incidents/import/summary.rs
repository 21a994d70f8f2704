//! What an import did, for people.

use std::fmt;

/// Numbers that are kept as examples of incidents an import didn't take as the file has them.
const EXAMPLES: usize = 10;

/// What an import did. Each incident of the file counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Incidents that an execution closed, and that the import therefore didn't touch.
    pub left_alone: Exceptions,
    /// Incidents that the map leaves out because of their state.
    pub left_out: u64,
}

/// Incidents that an import didn't take as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Imported {}, {} and {}: {} added, {} updated, {} unchanged",
            counted(self.sites, "site"),
            counted(self.users, "user"),
            counted(
                self.incidents_added
                    + self.incidents_updated
                    + self.incidents_unchanged
                    + self.kept_closed.count,
                "incident"
            ),
            self.incidents_added,
            self.incidents_updated,
            self.incidents_unchanged,
        )?;
        if self.kept_closed.count > 0 {
            write!(
                f,
                ", {} kept closed although the file says otherwise",
                self.kept_closed
            )?;
        }
        write!(f, ".")?;
        if self.left_alone.count > 0 {
            write!(
                f,
                " Left alone because an execution closed them: {}.",
                self.left_alone
            )?;
        }
        if self.left_out > 0 {
            write!(f, " Left out because of their state: {}.", self.left_out)?;
        }
        Ok(())
    }
}

/// "3 (A, B and others)".
impl fmt::Display for Exceptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        if self.examples.is_empty() {
            return Ok(());
        }
        let others = if self.count > self.examples.len() as u64 {
            " and others"
        } else {
            ""
        };
        write!(f, " ({}{others})", self.examples.join(", "))
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
    fn reads_as_one_or_a_few_sentences() {
        let mut summary = ImportSummary {
            sites: 1,
            incidents_added: 2,
            ..Default::default()
        };
        assert_eq!(
            summary.to_string(),
            "Imported 1 site, 0 users and 2 incidents: 2 added, 0 updated, 0 unchanged."
        );
        summary.kept_closed.add("A-1");
        summary.left_out = 4;
        for number in 1..=11 {
            summary.left_alone.add(&number.to_string());
        }
        assert_eq!(
            summary.to_string(),
            "Imported 1 site, 0 users and 3 incidents: 2 added, 0 updated, 0 unchanged, 1 (A-1) \
             kept closed although the file says otherwise. Left alone because an execution closed \
             them: 11 (1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and others). Left out because of their state: \
             4."
        );
    }
}

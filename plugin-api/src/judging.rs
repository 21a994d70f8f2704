//! The loop that most commands are: look at the incidents of a selection page by page, judge each by
//! the command's rules, record what becomes of it, and judge anew what changed meanwhile.
//!
//! Which incidents are selected, and what is done with them, is the command's. One that needs another
//! loop writes its own over [`IncidentContext`].

use crate::command::CommandError;
use crate::context::{IncidentContext, IncidentPage, Recording};
use crate::incident::{Facts, Incident};
use crate::outcome::{Cell, Outcome, OutcomeResult, Reason, Refusal};
use crate::parameters::TextList;
use crate::timestamp::Timestamp;
use std::collections::{BTreeMap, HashSet};

/// How often an incident is judged when it changes between look and change.
const ATTEMPTS: usize = 5;

/// The rules of a command: what becomes of one incident.
///
/// ```
/// use playdock_plugin_api::testing::InMemoryIncidents;
/// use playdock_plugin_api::{
///     Cell, Change, ExampleIncident, Facts, Incident, Outcome, Reason, Rules, Timestamp, judge_each,
/// };
///
/// /// Assigns incidents that are nobody's to somebody.
/// struct Adoption {
///     owner: String,
/// }
///
/// impl Rules for Adoption {
///     fn judge(&self, incident: &Incident, facts: &Facts, _: Timestamp) -> Outcome {
///         match &facts.owner {
///             Some(owner) => {
///                 let message = format!("It is {owner}'s.");
///                 Outcome::failed(incident, Reason::new("has-an-owner"), message, self.cells(incident))
///             }
///             None => {
///                 let owner = self.owner.clone();
///                 let change = Change::Assign { version: facts.version, owner: owner.clone() };
///                 Outcome::changed(incident, change, vec![owner.into()])
///             }
///         }
///     }
///
///     fn cells(&self, incident: &Incident) -> Vec<Cell> {
///         vec![incident.facts.as_ref().and_then(|facts| facts.owner.clone()).into()]
///     }
/// }
///
/// let incidents = [ExampleIncident::new("1", "Open"), ExampleIncident::new("2", "Open").owner("omar")];
/// let mut incidents = InMemoryIncidents::new(incidents);
/// let rules = Adoption { owner: "jane".to_owned() };
/// let tally = judge_each(&mut incidents, &["1", "2", "3"].into_iter().collect(), &rules)?;
/// assert_eq!(incidents.incident("1").unwrap().owner.as_deref(), Some("jane"));
/// assert_eq!((tally.total(), tally.failed()), (3, 2));
/// assert_eq!(tally.failed_for(&Reason::NOT_FOUND), 1);
/// assert_eq!(tally.error("was not adopted", "were not adopted"), "2 of 3 incidents were not adopted");
/// # Ok::<(), playdock_plugin_api::CommandError>(())
/// ```
pub trait Rules {
    /// What becomes of an incident that the site has, and that was looked at `as_of` then: the time
    /// that its change bears. The host refuses changes that the acting user may not make, so rules need
    /// not look at that.
    fn judge(&self, incident: &Incident, facts: &Facts, as_of: Timestamp) -> Outcome;

    /// The cells of an incident that stays as it stands, and of one that the site doesn't have.
    fn cells(&self, incident: &Incident) -> Vec<Cell>;

    /// Plain text to append to the Conclusion section of each incident that is changed, of
    /// [`LONGEST_CONCLUSION`](crate::rich_text::LONGEST_CONCLUSION) characters at most.
    fn conclusion(&self) -> Option<&str> {
        None
    }

    /// Why an incident fails that this execution had changed before it was interrupted, where
    /// somebody has undone that since: as a code, and for people.
    fn undone(&self) -> (Reason, &str) {
        let message = "This execution had changed the incident, and somebody undid that since: it \
            stays as it is.";
        (Reason::new("undone-since"), message)
    }
}

/// Selects incidents, judges each by the rules and records what becomes of it.
///
/// An outcome that an earlier run of the same execution recorded stands. An incident that the site
/// doesn't have fails with [`NOT_FOUND`](Reason::NOT_FOUND); one that changed between look and change
/// is judged anew, a few times; one that the host refuses to change fails with the host's reason.
///
/// # Errors
///
/// What the context says; or that the host refuses even to record that incidents failed.
pub fn judge_each<R: Rules + ?Sized>(
    context: &mut dyn IncidentContext,
    numbers: &TextList<'_>,
    rules: &R,
) -> Result<Tally, CommandError> {
    let total = context.select(numbers)?;
    let mut tally = Tally::default();
    while let Some(page) = context.next_page()? {
        judge_page(context, &page, rules, &mut tally)?;
        context.progress(tally.total(), total)?;
    }
    Ok(tally)
}

fn judge_page<R: Rules + ?Sized>(
    context: &mut dyn IncidentContext,
    page: &IncidentPage,
    rules: &R,
    tally: &mut Tally,
) -> Result<(), CommandError> {
    let judge = |incident: &Incident| judge_one(rules, incident, page.as_of);
    let earlier = page.incidents.iter().filter_map(|incident| incident.earlier.as_ref());
    for earlier in earlier.filter(|earlier| !earlier.undone) {
        tally.count(earlier.result, earlier.reason.as_ref());
    }
    let mut outcomes: Vec<Outcome> = page.incidents.iter().filter_map(judge).collect();
    let mut attempt = 0;
    while !outcomes.is_empty() {
        let recording = Recording::of(&outcomes).concluding(rules.conclusion());
        let refused = context.record(&recording)?;
        tally.count_recorded(&outcomes, &refused);
        attempt += 1;
        if attempt > ATTEMPTS && !refused.is_empty() {
            let error = "The host refuses even to record that incidents failed.";
            return Err(CommandError::Failed(error.to_owned()));
        }
        let again = |refusal: &Refusal| match refusal.reason == Reason::CHANGED_MEANWHILE {
            true if attempt < ATTEMPTS => judge(&refusal.incident),
            _ => {
                let (reason, message) = (refusal.reason.clone(), refusal.message.as_str());
                Some(failed(rules, &refusal.incident, reason, message))
            }
        };
        outcomes = refused.iter().filter_map(again).collect();
    }
    Ok(())
}

/// What becomes of one incident; none where its outcome stands from before an interruption.
fn judge_one<R: Rules + ?Sized>(
    rules: &R,
    incident: &Incident,
    as_of: Timestamp,
) -> Option<Outcome> {
    match (&incident.earlier, &incident.facts) {
        (Some(earlier), _) if !earlier.undone => None,
        (Some(_), _) => {
            let (reason, message) = rules.undone();
            Some(failed(rules, incident, reason, message))
        }
        (None, Some(facts)) => Some(rules.judge(incident, facts, as_of)),
        (None, None) => {
            let message = "The site has no incident of this number.";
            Some(failed(rules, incident, Reason::NOT_FOUND, message))
        }
    }
}

fn failed<R: Rules + ?Sized>(
    rules: &R,
    incident: &Incident,
    reason: Reason,
    message: &str,
) -> Outcome {
    Outcome::failed(incident, reason, message, rules.cells(incident))
}

/// How many incidents have which outcome.
///
/// ```
/// let tally = playdock_plugin_api::Tally::default();
/// assert_eq!(tally.error("was not closed", "were not closed"), "");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    succeeded: u64,
    failed: BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, result: OutcomeResult, reason: Option<&Reason>) {
        if result == OutcomeResult::Successful {
            self.succeeded += 1;
            return;
        }
        let reason = reason.map_or("", Reason::as_str);
        match self.failed.get_mut(reason) {
            Some(count) => *count += 1,
            None => drop(self.failed.insert(reason.to_owned(), 1)),
        }
    }

    /// Counts outcomes that were recorded: those that were not refused.
    fn count_recorded(&mut self, outcomes: &[Outcome], refused: &[Refusal]) {
        let refused: HashSet<u64> = refused.iter().map(|it| it.incident.position).collect();
        for outcome in outcomes.iter().filter(|outcome| !refused.contains(&outcome.position)) {
            self.count(outcome.result, outcome.reason.as_ref());
        }
    }

    /// How many incidents there were.
    pub fn total(&self) -> u64 {
        self.succeeded + self.failed()
    }

    /// How many failed.
    pub fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    /// How many failed for a reason.
    pub fn failed_for(&self, reason: &Reason) -> u64 {
        self.failed.get(reason.as_str()).copied().unwrap_or_default()
    }

    /// The answer's `error`: empty where none failed, else how many of how many, with what `one` was,
    /// or `many` were: "was not assigned", "were not assigned".
    pub fn error(&self, one: &str, many: &str) -> String {
        match self.failed() {
            0 => String::new(),
            failed => {
                let were = if failed == 1 { one } else { many };
                format!("{failed} of {} incidents {were}", self.total())
            }
        }
    }
}

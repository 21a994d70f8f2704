//! An incident context in memory: what a host would do, for as many incidents as a test needs.

mod incident;

pub use incident::InMemoryIncident;

use crate::context::{
    Actor, ContextError, Execution, IncidentContext, IncidentPage, Intent, Mode, Recording, Site,
};
use crate::example::{Example, ExampleIncident};
use crate::incident::{Earlier, Incident};
use crate::outcome::{Outcome, Reason, Refusal};
use crate::parameters::TextList;
use crate::rich_text::{self, LONGEST_CONCLUSION};
use crate::timestamp::Timestamp;
use std::collections::{BTreeMap, HashSet};

/// What somebody else does to an incident between a command's look and its change.
type Meanwhile = Box<dyn FnMut(&mut InMemoryIncident) + Send>;

/// An incident context in memory.
///
/// Its clock stands at 2021-01-27T14:08:00Z, its site is `Security Operations`, and an automatic
/// execution acts as `admin user`, who may make every change. Whatever name an incident is assigned
/// to is that of a user, but for those that [are not](InMemoryIncidents::without_user).
///
/// ```
/// # mod command {
/// #     include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/show_status/command.rs"));
/// # }
/// # use command::ShowStatus;
/// use playdock_plugin_api::testing::{InMemoryIncidents, StaticPlugin};
/// use playdock_plugin_api::{ExampleIncident, ContextError};
///
/// let parameters = serde_json::json!({ "Incident Numbers": ["INC-1"] });
/// let mut incidents = InMemoryIncidents::new([ExampleIncident::new("INC-1", "Open")])
///     .fail_after(1, ContextError::Host("The store is gone.".to_owned()));
/// let failed = StaticPlugin::of::<ShowStatus>().invoke(&parameters, &mut incidents).unwrap_err();
/// assert_eq!(failed.to_string(), "The store is gone.");
///
/// incidents.resume();
/// StaticPlugin::of::<ShowStatus>().invoke(&parameters, &mut incidents).unwrap();
/// assert_eq!(incidents.outcomes()[0].0, "INC-1");
/// ```
pub struct InMemoryIncidents {
    incidents: BTreeMap<String, InMemoryIncident>,
    execution: Execution,
    clock: Timestamp,
    page: usize,
    reversed: bool,
    selected: Option<Vec<String>>,
    seen: usize,
    looked_at: BTreeMap<u64, Incident>,
    outcomes: BTreeMap<u64, Outcome>,
    meanwhile: Vec<(String, Meanwhile)>,
    no_users: HashSet<String>,
    calls_left: Option<(u64, ContextError)>,
}

impl Default for InMemoryIncidents {
    fn default() -> InMemoryIncidents {
        InMemoryIncidents::new([])
    }
}

impl InMemoryIncidents {
    /// A context with these incidents. One that is closed was closed a day before the clock by
    /// `somebody`.
    pub fn new(incidents: impl IntoIterator<Item = ExampleIncident>) -> InMemoryIncidents {
        let clock = Timestamp::from_milliseconds(1_611_756_480_000);
        let day_before = Timestamp::from_milliseconds(clock.milliseconds() - 86_400_000);
        let in_memory = |incident: ExampleIncident| {
            (incident.number.clone(), InMemoryIncident::new(incident, day_before))
        };
        InMemoryIncidents {
            incidents: incidents.into_iter().map(in_memory).collect(),
            execution: Execution {
                id: "test".to_owned(),
                mode: Mode::Automatic,
                intent: Intent::Apply,
                site: Site {
                    name: "Security Operations".to_owned(),
                    time_zone: "America/Los_Angeles".to_owned(),
                },
                actor: Actor {
                    username: "admin user".to_owned(),
                    may_close: true,
                    may_reopen: true,
                    may_assign: true,
                },
                requested_by: None,
            },
            clock,
            page: 3,
            reversed: false,
            selected: None,
            seen: 0,
            looked_at: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            meanwhile: Vec::new(),
            no_users: HashSet::new(),
            calls_left: None,
        }
    }

    /// A context with the incidents of an example, run as the example says; a person is `jane`.
    pub fn of(example: &Example) -> InMemoryIncidents {
        let incidents = InMemoryIncidents::new(example.incidents.iter().cloned());
        match example.mode {
            Mode::Manual => incidents.manual("jane"),
            Mode::Automatic => incidents,
        }
    }

    /// Runs the command as this person, not as a playbook.
    pub fn manual(mut self, username: &str) -> InMemoryIncidents {
        self.execution.mode = Mode::Manual;
        self.execution.actor.username = username.to_owned();
        self
    }

    /// Runs it as a preview.
    pub fn preview(mut self) -> InMemoryIncidents {
        self.execution.intent = Intent::Preview;
        self
    }

    /// Takes from the acting user the rights to close, to reopen and to assign.
    pub fn may_not_change(mut self) -> InMemoryIncidents {
        let actor = &mut self.execution.actor;
        (actor.may_close, actor.may_reopen, actor.may_assign) = (false, false, false);
        self
    }

    /// The site has no active user of this name, to whom an incident could be assigned.
    pub fn without_user(mut self, username: &str) -> InMemoryIncidents {
        self.no_users.insert(username.to_owned());
        self
    }

    /// Hands the incidents out from the last of the selection to the first; a host hands them out
    /// in the order in which it stores them.
    pub fn handed_out_in_reverse(mut self) -> InMemoryIncidents {
        self.reversed = true;
        self
    }

    /// Hands out so many incidents at once; else three.
    pub(super) fn in_pages_of(mut self, page: usize) -> InMemoryIncidents {
        self.page = page;
        self
    }

    /// Changes an incident between the command's look and its change, each time that it looks.
    pub fn meanwhile(
        mut self,
        number: &str,
        change: impl FnMut(&mut InMemoryIncident) + Send + 'static,
    ) -> InMemoryIncidents {
        self.meanwhile.push((number.to_owned(), Box::new(change)));
        self
    }

    /// Answers so many calls of the command, and every later one with this error.
    pub fn fail_after(mut self, calls: u64, error: ContextError) -> InMemoryIncidents {
        self.calls_left = Some((calls, error));
        self
    }

    /// Prepares another run of the same execution: outcomes stay, calls no longer fail.
    pub fn resume(&mut self) {
        self.selected = None;
        self.seen = 0;
        self.looked_at.clear();
        self.calls_left = None;
    }

    /// An incident as it stands now.
    pub fn incident(&self, number: &str) -> Option<&InMemoryIncident> {
        self.incidents.get(number)
    }

    /// An incident, to change it as somebody else would.
    pub fn incident_mut(&mut self, number: &str) -> Option<&mut InMemoryIncident> {
        self.incidents.get_mut(number)
    }

    /// All incidents as they stand now, by their numbers.
    pub(super) fn all(&self) -> &BTreeMap<String, InMemoryIncident> {
        &self.incidents
    }

    /// The time at which its clock stands.
    pub(super) fn clock(&self) -> Timestamp {
        self.clock
    }

    /// The numbers that the command selected, in its order.
    pub(super) fn selected(&self) -> &[String] {
        self.selected.as_deref().unwrap_or_default()
    }

    /// The outcomes recorded so far, each with its number, in the order of the input.
    pub fn outcomes(&self) -> Vec<(&str, &Outcome)> {
        let numbers = self.selected.as_deref().unwrap_or_default();
        let number =
            |position: &u64| usize::try_from(*position).ok().and_then(|index| numbers.get(index));
        self.outcomes
            .iter()
            .filter_map(|(position, outcome)| Some((number(position)?.as_str(), outcome)))
            .collect()
    }

    fn call(&mut self) -> Result<(), ContextError> {
        match &mut self.calls_left {
            None => Ok(()),
            Some((0, error)) => Err(error.clone()),
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn look(&self, position: usize) -> Incident {
        let number =
            self.selected.as_ref().map(|numbers| numbers[position].clone()).unwrap_or_default();
        let stored = self.incidents.get(&number);
        let earlier = self.outcomes.get(&(position as u64)).map(|outcome| Earlier {
            result: outcome.result,
            reason: outcome.reason.clone(),
            undone: outcome.change.as_ref().zip(stored).is_some_and(|(change, stored)| {
                change.kind().is_undone(change.owner(), &stored.facts())
            }),
        });
        Incident {
            position: position as u64,
            facts: stored.map(InMemoryIncident::facts),
            number,
            earlier,
        }
    }

    /// The position of what is handed out in this turn, or the turn of a position.
    fn turn(&self, place: usize) -> usize {
        match self.reversed {
            true => self.selected().len().wrapping_sub(place + 1),
            false => place,
        }
    }

    fn was_seen(&self, position: usize) -> bool {
        position < self.selected().len() && self.turn(position) < self.seen
    }

    /// Does to an incident what somebody else does after the command's look.
    fn meddle(&mut self, number: &str) {
        let Some(stored) = self.incidents.get_mut(number) else { return };
        for (_, change) in self.meanwhile.iter_mut().filter(|(of, _)| of == number) {
            change(stored);
            stored.version += 1;
        }
    }

    fn record_one(
        &mut self,
        conclusion: Option<&str>,
        outcome: Outcome,
    ) -> Result<Option<Refusal>, ContextError> {
        if conclusion.is_some_and(rich_text::is_too_long) {
            return Err(ContextError::Host(format!(
                "The command recorded a conclusion of more than {LONGEST_CONCLUSION} characters."
            )));
        }
        let position = usize::try_from(outcome.position).unwrap_or(usize::MAX);
        if !self.was_seen(position) {
            return Err(ContextError::Host(format!("Position {position} has not been looked at.")));
        }
        let now = self.look(position);
        if now.earlier.as_ref().is_some_and(|earlier| !earlier.undone) {
            return Err(ContextError::Host(format!("Position {position} has an outcome already.")));
        }
        let known = self.looked_at.get(&outcome.position).unwrap_or(&now);
        let before = self.outcomes.get(&outcome.position);
        let changed_before = before.is_some_and(|before| before.change.is_some());
        if let Some(change) = &outcome.change {
            let checked = change.check(known.facts.as_ref(), outcome.result, changed_before);
            let refused = |wrong| ContextError::Host(format!("The command recorded {wrong}."));
            checked.map_err(refused)?;
            let refuse = |reason, message: &str| {
                Ok(Some(Refusal { reason, message: message.to_owned(), incident: now.clone() }))
            };
            let kind = change.kind();
            if !self.execution.actor.may(kind) {
                let may_not = format!("The acting user may not {} incidents.", kind.as_str());
                return refuse(Reason::NOT_PERMITTED, &may_not);
            }
            if let Some(owner) = change.owner().filter(|owner| self.no_users.contains(*owner)) {
                let unknown = format!("The site has no active user \"{owner}\".");
                return refuse(Reason::UNKNOWN_OWNER, &unknown);
            }
            if now.facts.as_ref().is_none_or(|facts| facts.version != change.version()) {
                return refuse(Reason::CHANGED_MEANWHILE, "The incident changed meanwhile.");
            }
            let applies = self.execution.intent == Intent::Apply;
            if let Some(stored) = self.incidents.get_mut(&now.number).filter(|_| applies) {
                stored.make(change, self.clock, &self.execution.actor.username);
                stored.conclusion.extend(conclusion.map(rich_text::paragraph));
            }
        }
        self.looked_at.remove(&outcome.position);
        self.outcomes.insert(outcome.position, outcome);
        Ok(None)
    }
}

impl IncidentContext for InMemoryIncidents {
    fn execution(&self) -> &Execution {
        &self.execution
    }

    fn select(&mut self, numbers: &TextList<'_>) -> Result<u64, ContextError> {
        self.call()?;
        if self.selected.is_some() {
            return Err(ContextError::Host("Incidents are selected already.".to_owned()));
        }
        let mut known = HashSet::new();
        let selected: Vec<String> = numbers
            .iter()
            .filter(|number| known.insert(number.to_string()))
            .map(|number| number.into_owned())
            .collect();
        let count = selected.len() as u64;
        self.selected = Some(selected);
        Ok(count)
    }

    fn next_page(&mut self) -> Result<Option<IncidentPage>, ContextError> {
        self.call()?;
        let count = self.selected.as_ref().map_or(0, Vec::len);
        let incidents: Vec<Incident> =
            (self.seen..count).take(self.page).map(|turn| self.look(self.turn(turn))).collect();
        self.seen += incidents.len();
        self.looked_at.extend(incidents.iter().map(|it| (it.position, it.clone())));
        incidents.iter().for_each(|incident| self.meddle(&incident.number));
        Ok((!incidents.is_empty()).then_some(IncidentPage { as_of: self.clock, incidents }))
    }

    fn record(&mut self, recording: &Recording<'_>) -> Result<Vec<Refusal>, ContextError> {
        self.call()?;
        let mut refused = Vec::new();
        for outcome in recording.outcomes {
            refused.extend(self.record_one(recording.conclusion, outcome.clone())?);
        }
        for refusal in &refused {
            self.looked_at.insert(refusal.incident.position, refusal.incident.clone());
            self.meddle(&refusal.incident.number);
        }
        Ok(refused)
    }

    fn progress(&mut self, _done: u64, _total: u64) -> Result<(), ContextError> {
        self.call()
    }

    fn is_cancelled(&self) -> bool {
        matches!(self.calls_left, Some((0, ContextError::Cancelled)))
    }
}

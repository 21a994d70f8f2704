//! The incidents that a command was given and that have no outcome, or none that is committed.

use playdock_plugin_api::{Facts, Timestamp};

/// An incident as it was given out.
#[derive(Clone)]
pub(super) struct LookedAt {
    /// When it was looked up first: the time that its change bears.
    pub(super) as_of: Timestamp,
    /// What was found; `None` where there is no such incident.
    pub(super) facts: Option<Facts>,
}

/// Incidents that were given out, by position.
#[derive(Default)]
pub(super) struct GivenOut {
    /// For each position, the place in `kept`, from 1; 0 for none.
    places: Vec<u32>,
    kept: Vec<Option<(usize, LookedAt)>>,
    count: usize,
}

impl GivenOut {
    /// Keeps an incident, in the place of what was known of it.
    pub(super) fn insert(&mut self, position: usize, looked_at: LookedAt) {
        if position >= self.places.len() {
            self.places.resize(position + 1, 0);
        }
        match self.places[position] {
            0 => {
                self.kept.push(Some((position, looked_at)));
                self.places[position] = u32::try_from(self.kept.len()).unwrap_or(0);
                self.count += 1;
            }
            place => self.kept[place as usize - 1] = Some((position, looked_at)),
        }
    }

    /// What was given out at a position.
    pub(super) fn get(&self, position: usize) -> Option<&LookedAt> {
        let place = (*self.places.get(position)? as usize).checked_sub(1)?;
        self.kept.get(place)?.as_ref().map(|(_, looked_at)| looked_at)
    }

    /// Forgets an incident.
    pub(super) fn remove(&mut self, position: usize) {
        let Some(place) = self.places.get_mut(position).filter(|place| **place != 0) else {
            return;
        };
        self.kept[*place as usize - 1] = None;
        *place = 0;
        self.count -= 1;
        if self.count == 0 {
            self.kept.clear();
        }
    }

    /// The positions of all that are kept.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        self.kept.iter().flatten().map(|(position, _)| *position)
    }
}

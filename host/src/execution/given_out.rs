//! The incidents that a command was given and that have no outcome, or none that is committed.

use playdock_plugin_api::{Facts, Timestamp};
use std::collections::VecDeque;

/// An incident as it was given out.
#[derive(Clone)]
pub(super) struct LookedAt {
    /// When it was looked up first: the time that its change bears.
    pub(super) as_of: Timestamp,
    /// What was found; `None` where there is no such incident.
    pub(super) facts: Option<Facts>,
}

/// Incidents that were given out, by rank. They are given out in this order and their outcomes come
/// page by page, so what is kept lies together.
#[derive(Default)]
pub(super) struct GivenOut {
    /// The rank of the first that is kept.
    first: usize,
    kept: VecDeque<Option<LookedAt>>,
}

impl GivenOut {
    /// Keeps an incident, in the place of what was known of it.
    pub(super) fn insert(&mut self, rank: usize, looked_at: LookedAt) {
        if self.kept.is_empty() {
            self.first = rank;
        }
        while rank < self.first {
            self.kept.push_front(None);
            self.first -= 1;
        }
        while rank > self.first + self.kept.len() {
            self.kept.push_back(None);
        }
        match self.kept.get_mut(rank - self.first) {
            Some(known) => *known = Some(looked_at),
            None => self.kept.push_back(Some(looked_at)),
        }
    }

    /// What was given out of a rank.
    pub(super) fn get(&self, rank: usize) -> Option<&LookedAt> {
        self.kept.get(rank.checked_sub(self.first)?)?.as_ref()
    }

    /// Forgets an incident.
    pub(super) fn remove(&mut self, rank: usize) {
        let index = rank.checked_sub(self.first);
        if let Some(known) = index.and_then(|index| self.kept.get_mut(index)) {
            *known = None;
        }
        while let Some(None) = self.kept.front() {
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// The ranks of all that are kept.
    pub(super) fn ranks(&self) -> impl Iterator<Item = usize> {
        let kept = (self.first..).zip(&self.kept);
        kept.filter(|(_, looked_at)| looked_at.is_some()).map(|(rank, _)| rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_by_rank_in_whatever_order_it_comes_and_goes() {
        let looked_at = |at| LookedAt { as_of: Timestamp::from_milliseconds(at), facts: None };
        let at = |given_out: &GivenOut, rank| Some(given_out.get(rank)?.as_of.milliseconds());
        let mut given_out = GivenOut::default();
        for rank in [7, 9, 5, 9] {
            given_out.insert(rank, looked_at(rank as i64));
        }
        given_out.insert(7, looked_at(70));
        let found: Vec<Option<i64>> = (4..12).map(|rank| at(&given_out, rank)).collect();
        assert_eq!(found, [None, Some(5), None, Some(70), None, Some(9), None, None]);
        assert_eq!(given_out.ranks().collect::<Vec<_>>(), [5, 7, 9]);
        for rank in [7, 4, 5, 6, 40] {
            given_out.remove(rank);
        }
        assert_eq!(given_out.ranks().collect::<Vec<_>>(), [9]);
        given_out.remove(9);
        assert_eq!((given_out.ranks().count(), given_out.kept.len()), (0, 0));
        given_out.insert(3, looked_at(3));
        assert_eq!(at(&given_out, 3), Some(3));
    }
}

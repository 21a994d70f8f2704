//! The incidents that an execution works on: their numbers in the order of the input, their keys,
//! and the order of the store, in which they are looked up and written.

use crate::incidents::{IncidentKey, IncidentStore, StoreError};
use std::collections::HashSet;

/// What a number takes beside its text, in bytes, about.
const BESIDE_TEXT: usize = 64;

/// Numbers that are still being handed over.
#[derive(Default)]
pub(super) struct Selecting {
    numbers: Vec<String>,
    known: HashSet<String>,
    bytes: usize,
}

impl Selecting {
    /// Adds a number at its first place.
    pub(super) fn add(&mut self, number: &str) {
        if !self.known.contains(number) {
            self.bytes += number.len() + BESIDE_TEXT;
            self.known.insert(number.to_owned());
            self.numbers.push(number.to_owned());
        }
    }

    /// How many bytes they take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Finds the incidents of all numbers.
    pub(super) fn resolve(
        self,
        store: &dyn IncidentStore,
        site: &str,
    ) -> Result<Selection, StoreError> {
        drop(self.known);
        let numbers: Vec<&str> = self.numbers.iter().map(String::as_str).collect();
        let keys = store.resolve(site, &numbers)?;
        let mut order: Vec<usize> = (0..self.numbers.len()).collect();
        // Written in the order of a shuffled input, a store takes several times as long. Numbers
        // without an incident come first.
        order.sort_by_key(|position| keys.get(*position).copied().flatten());
        Ok(Selection { numbers: self.numbers, keys, order, next: 0 })
    }
}

/// The incidents of an execution; a position is a place in the input.
pub(super) struct Selection {
    numbers: Vec<String>,
    keys: Vec<Option<IncidentKey>>,
    order: Vec<usize>,
    next: usize,
}

impl Selection {
    /// The number at a position.
    pub(super) fn number(&self, position: usize) -> &str {
        self.numbers.get(position).map_or("", String::as_str)
    }

    /// The key of the incident at a position, if the site has one of this number.
    pub(super) fn key(&self, position: usize) -> Option<IncidentKey> {
        self.keys.get(position).copied().flatten()
    }

    /// The next positions in the order of the store, so many at most.
    pub(super) fn next(&mut self, count: usize) -> Vec<usize> {
        let end = (self.next + count).min(self.order.len());
        let positions = self.order[self.next..end].to_vec();
        self.next = end;
        positions
    }
}

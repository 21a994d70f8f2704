//! The incidents that an execution works on: their numbers in the order of the input, their keys,
//! and the order of the store, in which they are looked up and written.

use super::numbers::Numbers;
use crate::incidents::{IncidentKey, IncidentStore, StoreError};
use hashbrown::HashTable;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What a number takes beside its text, in bytes, about.
const BESIDE_TEXT: usize = 64;

/// Numbers that are still being handed over.
#[derive(Default)]
pub(super) struct Selecting {
    numbers: Numbers,
    /// The indexes of all numbers, each with its hash, so that a larger table can be filled without
    /// a look at the texts.
    known: HashTable<(u64, usize)>,
    hasher: RandomState,
    bytes: usize,
}

impl Selecting {
    /// Adds a number at its first place.
    pub(super) fn add(&mut self, number: &str) {
        let Selecting { numbers, known, hasher, bytes } = self;
        let hash = hasher.hash_one(number);
        let is_it = |(known, index): &(u64, usize)| *known == hash && numbers.get(*index) == number;
        if known.find(hash, is_it).is_none() {
            *bytes += number.len() + BESIDE_TEXT;
            numbers.push(number);
            known.insert_unique(hash, (hash, numbers.len() - 1), |(hash, _)| *hash);
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
        let numbers: Vec<&str> = self.numbers.iter().collect();
        let keys = store.resolve(site, &numbers)?;
        drop(numbers);
        let mut order: Vec<usize> = (0..self.numbers.len()).collect();
        // Written in the order of a shuffled input, a store takes several times as long. Numbers
        // without an incident come first.
        if !keys.is_sorted() {
            order.sort_by_key(|position| keys.get(*position).copied().flatten());
        }
        Ok(Selection { numbers: Arc::new(self.numbers), keys, order, next: 0 })
    }
}

/// The incidents of an execution; a position is a place in the input.
pub(super) struct Selection {
    numbers: Arc<Numbers>,
    keys: Vec<Option<IncidentKey>>,
    order: Vec<usize>,
    next: usize,
}

impl Selection {
    /// The numbers, by position.
    pub(super) fn numbers(&self) -> &Arc<Numbers> {
        &self.numbers
    }

    /// The number at a position.
    pub(super) fn number(&self, position: usize) -> &str {
        self.numbers.get(position)
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

    /// Gives back so many of the positions that were given last.
    pub(super) fn back(&mut self, count: usize) {
        self.next -= count;
    }
}

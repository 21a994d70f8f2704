//! The incidents that an execution works on: their numbers in the order of the input, and their
//! keys in the order of the store, in which they are looked up, judged and written.
//!
//! A *position* is a place in the input, a *rank* one in the order of the store. What a session
//! keeps it keeps by rank: of a shuffled input, what lies together is then used together.

use super::numbers::Numbers;
use super::rows::Rows;
use crate::incidents::{IncidentKey, IncidentStore, StoreError};
use hashbrown::HashTable;
use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

/// What a number takes beside its text, in bytes, about.
const BESIDE_TEXT: usize = 64;

/// Numbers that are still being handed over.
#[derive(Default)]
pub(super) struct Selecting {
    numbers: Numbers,
    /// Where the numbers don't ascend, which would tell that none is repeated: the indexes of all,
    /// each with its hash, so that a larger table can be filled without a look at the texts.
    known: Option<HashTable<(u32, u32)>>,
    hasher: RandomState,
    bytes: usize,
}

impl Selecting {
    /// Adds a number at its first place.
    pub(super) fn add(&mut self, number: &str) {
        if self.is_new(number) {
            self.bytes += number.len() + BESIDE_TEXT;
            self.numbers.push(number);
        }
    }

    /// Whether this is the first place of a number, which is then to be added.
    fn is_new(&mut self, number: &str) -> bool {
        let Selecting { numbers, known, hasher, .. } = self;
        let hash = |number: &str| folded(hasher.hash_one(number));
        let widened = |(hash, _): &(u32, u32)| u64::from(*hash) << 32 | u64::from(*hash);
        let known = match known {
            Some(known) => known,
            None => match numbers.last().map_or(Ordering::Less, |last| last.cmp(number)) {
                Ordering::Less => return true,
                Ordering::Equal => return false,
                Ordering::Greater => {
                    let mut all = HashTable::with_capacity(2 * numbers.len());
                    for (index, number) in (0..).zip(numbers.iter()) {
                        let entry = (hash(number), index);
                        all.insert_unique(widened(&entry), entry, widened);
                    }
                    known.insert(all)
                }
            },
        };
        // The most bytes that may be selected are far fewer than 2^32 numbers.
        let entry = (hash(number), u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        let is_it =
            |(hash, index): &(u32, u32)| *hash == entry.0 && numbers.get(*index as usize) == number;
        let is_new = known.find(widened(&entry), is_it).is_none();
        if is_new {
            known.insert_unique(widened(&entry), entry, widened);
        }
        is_new
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
        let Selecting { numbers, known, .. } = self;
        // The store is asked in the order of the numbers, which is often its own.
        let mut positions = match known.is_some() {
            true => numbers.in_order(),
            false => (0..).take(numbers.len()).collect(),
        };
        drop(known);
        let mut keys = {
            let in_order: Numbers =
                positions.iter().map(|position| numbers.get(*position as usize)).collect();
            let in_order: Vec<&str> = in_order.iter().collect();
            store.resolve(site, &in_order)?
        };
        // Written in another order than its own, a store takes several times as long. Numbers
        // without an incident come first.
        if !keys.is_sorted() {
            let mut ranked: Vec<_> = keys.into_iter().zip(positions).collect();
            ranked.sort_unstable();
            (keys, positions) = ranked.into_iter().unzip();
        }
        let mut ranks = vec![0; positions.len()];
        for (rank, position) in (0..).zip(&positions) {
            ranks[*position as usize] = rank;
        }
        Ok(Selection { numbers: Arc::new(numbers), keys, positions, ranks, next: 0 })
    }
}

/// Half as many bits, of which all have their part.
fn folded(hash: u64) -> u32 {
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h])
}

/// The incidents of an execution.
pub(super) struct Selection {
    /// By position.
    numbers: Arc<Numbers>,
    /// By rank.
    keys: Vec<Option<IncidentKey>>,
    /// By rank.
    positions: Vec<u32>,
    /// By position.
    ranks: Vec<u32>,
    /// The rank that comes next.
    next: usize,
}

impl Selection {
    /// The numbers, by position.
    pub(super) fn numbers(&self) -> &Arc<Numbers> {
        &self.numbers
    }

    /// The number of the incident of a rank.
    pub(super) fn number(&self, rank: usize) -> &str {
        self.positions.get(rank).map_or("", |position| self.numbers.get(*position as usize))
    }

    /// The numbers of the incidents of these ranks, one after the other.
    pub(super) fn numbers_of(&self, ranks: Range<usize>) -> Vec<String> {
        let positions = self.positions.get(ranks).unwrap_or_default();
        // Of a shuffled input, they lie all over the memory: to find many and then to read them
        // waits for it less often than to find and read each.
        let places: Vec<_> =
            positions.iter().map(|position| self.numbers.place(*position as usize)).collect();
        places.into_iter().map(|place| self.numbers.at(place).to_owned()).collect()
    }

    /// The key of the incident of a rank, if the site has one of its number.
    pub(super) fn key(&self, rank: usize) -> Option<IncidentKey> {
        self.keys.get(rank).copied().flatten()
    }

    /// The position of the incident of a rank.
    pub(super) fn position(&self, rank: usize) -> usize {
        self.positions.get(rank).map_or(usize::MAX, |position| *position as usize)
    }

    /// The rank of the incident at a position, if there is one.
    pub(super) fn rank(&self, position: u64) -> Option<usize> {
        let rank = self.ranks.get(usize::try_from(position).ok()?)?;
        Some(*rank as usize)
    }

    /// Rows by rank, as rows by position.
    pub(super) fn by_position(&self, rows: &Rows) -> Rows {
        rows.picked(self.ranks.iter().map(|rank| *rank as usize))
    }

    /// The next ranks, so many at most.
    pub(super) fn next(&mut self, count: usize) -> Range<usize> {
        let end = (self.next + count).min(self.positions.len());
        std::mem::replace(&mut self.next, end)..end
    }

    /// Gives back so many of the ranks that were given last.
    pub(super) fn back(&mut self, count: usize) {
        self.next -= count;
    }
}

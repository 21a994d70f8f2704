//! Texts one after the other in one piece of memory: the numbers of a million incidents take little
//! more than their bytes.

use std::ops::Range;

/// How many bytes of a text are compared before the text itself.
const BYTES_OF_KEY: usize = 12;
const BITS_OF_INDEX: u32 = u32::BITS;

/// Texts, by their index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    text: String,
    ends: Vec<usize>,
}

impl Numbers {
    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text at an index; empty where there is none.
    pub(super) fn get(&self, index: usize) -> &str {
        self.at(self.place(index))
    }

    /// Where the text of an index lies.
    pub(super) fn place(&self, index: usize) -> Range<usize> {
        let Some(end) = self.ends.get(index) else { return 0..0 };
        index.checked_sub(1).map_or(0, |before| self.ends[before])..*end
    }

    /// The text that lies there.
    pub(super) fn at(&self, place: Range<usize>) -> &str {
        &self.text[place]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes the longest has.
    pub(super) fn longest(&self) -> usize {
        self.iter().map(str::len).max().unwrap_or_default()
    }

    /// About how many bytes of memory they take.
    pub(super) fn memory(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>()
    }

    /// The one that was added last.
    pub(super) fn last(&self) -> Option<&str> {
        self.len().checked_sub(1).map(|index| self.get(index))
    }

    /// Their indexes, in the order of the texts, which may be 2^32 at most.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let first = self.get(0);
        let shared = self.iter().fold(first.len(), |shared, text| {
            let (text, first) = (text.as_bytes(), &first.as_bytes()[..shared]);
            text.iter().zip(first).take_while(|(a, b)| a == b).count()
        });
        // An index behind the first bytes in which texts differ: most are told apart without a look
        // at the texts, which lie all over the memory.
        let key = |(index, text): (u32, &str)| {
            let mut key = [0; 16];
            let differing = &text.as_bytes()[shared..];
            let length = differing.len().min(BYTES_OF_KEY);
            key[..length].copy_from_slice(&differing[..length]);
            key[BYTES_OF_KEY..].copy_from_slice(&index.to_be_bytes());
            u128::from_be_bytes(key)
        };
        #[allow(clippy::cast_possible_truncation, reason = "the index is the last four bytes")]
        let index = |key: u128| key as u32;
        let mut keys: Vec<u128> = (0..).zip(self.iter()).map(key).collect();
        keys.sort_unstable_by(|a, b| {
            let texts = || self.get(index(*a) as usize).cmp(self.get(index(*b) as usize));
            (a >> BITS_OF_INDEX).cmp(&(b >> BITS_OF_INDEX)).then_with(texts)
        });
        keys.into_iter().map(index).collect()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }
}

impl<'a> FromIterator<&'a str> for Numbers {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Numbers {
        let mut numbers = Numbers::default();
        texts.into_iter().for_each(|text| numbers.push(text));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_texts_whatever_they_share() {
        let of = |texts: &[&str]| {
            let numbers: Numbers = texts.iter().copied().collect();
            let order = numbers.in_order();
            order.into_iter().map(|index| texts[index as usize].to_owned()).collect::<Vec<_>>()
        };
        let long = "a text that is longer than a key ";
        let (one, two) = (format!("{long}1"), format!("{long}2"));
        for texts in [
            &[][..],
            &["b"],
            &["b", "", "a", "a\0", "\u{5d0}", "ab"],
            &["20210127-198", "20210127-1", "20210126-2000", "20210127-19"],
            &[&two, &one, "b", long, "a text"],
            &[&two, &one],
        ] {
            let mut expected = texts.to_vec();
            expected.sort_unstable();
            assert_eq!(of(texts), expected);
        }
    }
}

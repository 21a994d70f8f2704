//! Texts one after the other in one piece of memory: the numbers of a million incidents take little
//! more than their bytes.

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
        let Some(end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..*end]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
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

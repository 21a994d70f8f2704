//! The rows of an execution by position. Most incidents end alike, so rows are shared.

use playdock_plugin_api::messages::Row;
use std::sync::Arc;

/// Rows, by position; a position may have none yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    of: Vec<u32>,
    shared: Vec<Arc<Row>>,
}

/// In the place of an index: no row.
const NONE: u32 = u32::MAX;

impl Rows {
    /// So many positions without a row.
    pub(super) fn none(positions: usize) -> Rows {
        Rows { of: vec![NONE; positions], shared: Vec::new() }
    }

    /// How many positions there are.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// The row of a position.
    pub(super) fn get(&self, position: usize) -> Option<&Arc<Row>> {
        self.shared.get(*self.of.get(position)? as usize)
    }

    /// Which of the [shared](Rows::shared) rows a position has, if it has one.
    pub(super) fn index(&self, position: usize) -> Option<usize> {
        self.of.get(position).filter(|index| **index != NONE).map(|index| *index as usize)
    }

    /// The rows that positions share.
    pub(super) fn shared(&self) -> &[Arc<Row>] {
        &self.shared
    }

    /// Gives a position its row.
    pub(super) fn set(&mut self, position: usize, row: &Arc<Row>) {
        // Those that are given rows one after the other often get the same.
        let same = self.shared.iter().rev().take(8).position(|it| Arc::ptr_eq(it, row));
        let index = same.map_or(self.shared.len(), |back| self.shared.len() - 1 - back);
        if same.is_none() {
            self.shared.push(row.clone());
        }
        if let (Some(of), Ok(index)) = (self.of.get_mut(position), u32::try_from(index)) {
            *of = index;
        }
    }

    /// Changes the rows for which there is another.
    pub(super) fn replace(&mut self, other: impl Fn(&Row) -> Option<Row>) {
        for row in &mut self.shared {
            if let Some(other) = other(row) {
                *row = Arc::new(other);
            }
        }
    }

    /// The positions that have no row.
    pub(super) fn left(&self) -> impl Iterator<Item = usize> {
        self.of.iter().enumerate().filter(|(_, of)| **of == NONE).map(|(position, _)| position)
    }

    /// The rows of all positions that have one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        (0..self.len()).filter_map(|position| self.get(position).map(|row| &**row))
    }
}

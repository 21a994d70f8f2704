//! The rows of an execution, by rank while it runs and by position in its answer. Most incidents
//! end alike, so rows are shared.

use playdock_plugin_api::Cell;
use playdock_plugin_api::messages::Row;
use std::collections::HashSet;
use std::sync::Arc;

/// Rows by place, which is a rank or a position; a place may have none yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    of: Vec<u32>,
    shared: Vec<Arc<Row>>,
}

/// In the place of an index: no row.
const NONE: u32 = u32::MAX;

impl Rows {
    /// So many places without a row.
    pub(super) fn none(places: usize) -> Rows {
        Rows { of: vec![NONE; places], shared: Vec::new() }
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// About how many bytes of memory they take; a row that many share counts once.
    pub(super) fn memory(&self) -> usize {
        let mut left: HashSet<*const Row> = self.shared.iter().map(Arc::as_ptr).collect();
        let rows = self.shared.iter().filter(|row| left.remove(&Arc::as_ptr(row)));
        let row =
            |row: &Arc<Row>| size_of::<Row>() + row.cells.len() * size_of::<Cell>() + text(row);
        self.of.len() * size_of::<u32>()
            + self.shared.len() * size_of::<Arc<Row>>()
            + rows.map(row).sum::<usize>()
    }

    /// How many bytes of text the longest has.
    pub(super) fn longest(&self) -> usize {
        self.shared.iter().map(|row| text(row)).max().unwrap_or_default()
    }

    /// The row of a place.
    pub(super) fn get(&self, place: usize) -> Option<&Arc<Row>> {
        self.shared.get(*self.of.get(place)? as usize)
    }

    /// Which of the [shared](Rows::shared) rows a place has, if it has one.
    pub(super) fn index(&self, place: usize) -> Option<usize> {
        self.of.get(place).filter(|index| **index != NONE).map(|index| *index as usize)
    }

    /// The rows that places share.
    pub(super) fn shared(&self) -> &[Arc<Row>] {
        &self.shared
    }

    /// Gives a place its row.
    pub(super) fn set(&mut self, place: usize, row: &Arc<Row>) {
        // Those that are given rows one after the other often get the same.
        let same = self.shared.iter().rev().take(8).position(|it| Arc::ptr_eq(it, row));
        let index = same.map_or(self.shared.len(), |back| self.shared.len() - 1 - back);
        if same.is_none() {
            self.shared.push(row.clone());
        }
        if let (Some(of), Ok(index)) = (self.of.get_mut(place), u32::try_from(index)) {
            *of = index;
        }
    }

    /// Those of these places, in their order.
    pub(super) fn picked(&self, places: impl Iterator<Item = usize>) -> Rows {
        let of = places.map(|place| self.of.get(place).copied().unwrap_or(NONE));
        Rows { of: of.collect(), shared: self.shared.clone() }
    }

    /// Changes the rows for which there is another.
    pub(super) fn replace(&mut self, other: impl Fn(&Row) -> Option<Row>) {
        for row in &mut self.shared {
            if let Some(other) = other(row) {
                *row = Arc::new(other);
            }
        }
    }

    /// The places that have no row.
    pub(super) fn left(&self) -> impl Iterator<Item = usize> {
        self.of.iter().enumerate().filter(|(_, of)| **of == NONE).map(|(place, _)| place)
    }

    /// The rows of all places that have one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        (0..self.len()).filter_map(|place| self.get(place).map(|row| &**row))
    }
}

/// How many bytes of text a row has.
pub(super) fn text(row: &Row) -> usize {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => text.len(),
        _ => 0,
    };
    let reason = row.reason.as_ref().map_or(0, |reason| reason.as_str().len());
    reason + row.message.as_ref().map_or(0, String::len) + row.cells.iter().map(cell).sum::<usize>()
}

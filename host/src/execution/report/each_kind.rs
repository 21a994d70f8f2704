//! What rows that are alike have in common is made once for all of them.

use super::{NumberedRows, Report, ReportRow};
use playdock_plugin_api::messages::Row;
use std::ops::Range;

/// How many are kept. Each page of an execution has rows of a few kinds, and in a shuffled input
/// rows of all pages follow each other.
const KEPT: usize = 4096;

/// Hands each of these rows of a report to `take`, with what `make` made of its kind.
pub(super) fn for_each<T, E>(
    report: &Report,
    positions: Range<usize>,
    make: impl Fn(&Row) -> T,
    mut take: impl FnMut(ReportRow<'_>, &T) -> Result<(), E>,
) -> Result<(), E> {
    let NumberedRows { numbers, of } = &report.rows;
    // A few rows must not pay for places that they don't use.
    let places = of.shared().len().min(positions.len()).min(KEPT);
    let mut kept: Vec<Option<(usize, T)>> = (0..places).map(|_| None).collect();
    for position in positions {
        let Some(index) = of.index(position) else { continue };
        let row = &of.shared()[index];
        let place = &mut kept[index % places];
        if place.as_ref().is_none_or(|(known, _)| *known != index) {
            *place = Some((index, make(row)));
        }
        if let Some((_, made)) = place {
            take(ReportRow { number: numbers.get(position), row }, made)?;
        }
    }
    Ok(())
}

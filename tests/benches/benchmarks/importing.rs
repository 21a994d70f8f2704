//! How fast incidents come in.

use crate::measure::once;
use crate::stores::{Blockers, import, lines};
use crate::table;

/// Measures and writes the table.
pub(crate) fn measure(most: usize) {
    let mut rows = Vec::new();
    for count in [10_000, 100_000, 1_000_000].into_iter().filter(|count| *count <= most) {
        let lines = lines(count, Blockers::Some);
        let folder = tempfile::tempdir().unwrap();
        let time = once(|| import(&folder.path().join("a.db"), &lines));
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let a_second = count as f64 / time.as_secs_f64();
        rows.push(vec![count.to_string(), table::each(time, count), format!("{a_second:.0}")]);
    }
    table::write("Import of JSON Lines", &["incidents", "each", "a second"], &rows);
}

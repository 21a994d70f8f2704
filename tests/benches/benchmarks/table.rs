//! Results as a table in Markdown, so that it can be pasted.

use std::time::Duration;

/// Writes a table with these headings.
pub(crate) fn write(title: &str, headings: &[&str], rows: &[Vec<String>]) {
    println!("\n### {title}\n");
    let line = |cells: Vec<&str>| println!("| {} |", cells.join(" | "));
    line(headings.to_vec());
    line(headings.iter().enumerate().map(|(i, _)| if i == 0 { "---" } else { "---:" }).collect());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// A ratio, as a table shows it.
pub(crate) fn times(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// A time, in the unit that suits it.
pub(crate) fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1e-5 => format!("{:.2} us", seconds * 1e6),
        seconds if seconds < 1e-2 => format!("{:.0} us", seconds * 1e6),
        seconds if seconds < 10.0 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    }
}

/// A time for each of so many, in microseconds.
pub(crate) fn each(time: Duration, count: usize) -> String {
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let each = time.as_secs_f64() * 1e6 / count as f64;
    format!("{each:.2} us")
}

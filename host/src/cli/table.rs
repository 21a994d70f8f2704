//! Tables as people read them; in a terminal that is too narrow for one, each row as lines.

use super::terminal;
use comfy_table::{
    ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width, presets,
};
use std::io::{self, Write};

/// How many characters a cell shows at most.
const LONGEST_CELL: usize = 200;
/// In a terminal narrower than this, a table is only drawn where no cell has to be broken.
const WIDE: usize = 80;
/// The blanks on both sides of a cell.
const PADDING: usize = 2;
/// Beside them, a column of blanks before each column, and one after the last.
const BORDER: usize = 1;

/// A line below the headings, and nothing else.
const STYLE: TableStyle = presets::NOTHING.header_separator(LineStyle::new(' ', '─', ' ', ' '));

/// Writes a table with these headings and rows, as wide as the terminal, if standard output is one.
pub(super) fn write(
    out: &mut dyn Write,
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> io::Result<()> {
    let width = Table::new().width().map(usize::from);
    writeln!(out, "{}", laid_out(headings, rows, width))
}

/// The table for a terminal of this width, or for none.
fn laid_out(
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    width: Option<usize>,
) -> String {
    let headings: Vec<String> = headings.iter().map(|it| terminal::safe(it)).collect();
    let shown = |row: Vec<String>| -> Vec<String> {
        row.iter().map(|cell| terminal::clipped(cell, LONGEST_CELL)).collect()
    };
    let rows: Vec<Vec<String>> = rows.into_iter().map(shown).collect();
    let Some(width) = width else {
        return table(&headings, rows).trim_fmt();
    };
    let words =
        longest(&headings, &rows, |cell| cell.split(' ').map(characters).max().unwrap_or(0));
    let unbroken = match width < WIDE {
        true => longest(&headings, &rows, characters),
        false => words.clone(),
    };
    let columns = unbroken.iter().map(|longest| longest + PADDING + BORDER);
    if columns.sum::<usize>() + BORDER > width {
        return lines(&headings, &rows);
    }
    let mut table = table(&headings, rows);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    // A word that is broken can be neither searched for nor copied.
    for (column, longest) in table.column_iter_mut().zip(words) {
        let least = u16::try_from(longest + PADDING).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    table.trim_fmt()
}

fn table(headings: &[String], rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    table.add_rows(rows);
    table
}

/// Each row as lines of `heading: cell`, with an empty line after it.
fn lines(headings: &[String], rows: &[Vec<String>]) -> String {
    let row = |row: &Vec<String>| {
        let cells = headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let lines: Vec<String> = cells.map(|(name, cell)| format!("{name}: {cell}")).collect();
        lines.join("\n") + "\n"
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The greatest measure of each column.
fn longest(
    headings: &[String],
    rows: &[Vec<String>],
    measure: impl Fn(&str) -> usize,
) -> Vec<usize> {
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let columns = headings.iter().enumerate();
    columns
        .map(|(column, heading)| {
            let cells = cells(column).chain([heading]).map(|cell| measure(cell));
            cells.max().unwrap_or(0)
        })
        .collect()
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6d0c93ef-3ed9-4d63-a2ee-a1f1fbd0aa4a";

    fn drawn(width: Option<usize>) -> String {
        let message = "a task is pending, and a field has no value, and more is to be said of it";
        let row = vec![ID.to_owned(), String::new(), message.to_owned()];
        laid_out(&["Execution", "By", "Message"], [row], width)
    }

    #[test]
    fn a_table_is_as_wide_as_the_terminal_and_breaks_no_word() {
        for width in 80..140 {
            let table = drawn(Some(width));
            assert!(table.contains('─') && table.contains(ID), "{table}");
            assert!(table.lines().all(|line| characters(line) <= width), "{width}:\n{table}");
        }
        // 36 characters of the id, 61 of one more word, two of "By", and the blanks.
        let row = || vec![ID.to_owned(), String::new(), "x".repeat(61)];
        let drawn = |width| laid_out(&["Execution", "By", "Message"], [row()], Some(width));
        assert!(drawn(109).contains('─') && drawn(109).contains(&"x".repeat(61)));
        assert!(drawn(108).starts_with("Execution: "));
    }

    #[test]
    fn in_a_narrow_terminal_each_row_is_lines() {
        let lines = drawn(Some(60));
        assert!(lines.starts_with(&format!("Execution: {ID}\nMessage: a task")), "{lines}");
        let short = laid_out(&["A"], [vec!["b".to_owned()], vec!["c d".to_owned()]], Some(20));
        assert!(short.contains('─'), "{short}");
    }

    #[test]
    fn without_a_terminal_nothing_is_broken_and_no_line_ends_in_blanks() {
        let table = drawn(None);
        assert_eq!(table.lines().count(), 3);
        assert!(table.lines().all(|line| !line.ends_with(' ')), "{table}");
    }
}

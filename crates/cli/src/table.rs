//! Tables: columns as wide as their widest cell, cut into several below one another where the reader's window is narrower.

use crate::text::Text;
use anstyle::Style;

/// One cell, escaped; its colour counts for nothing in the width.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: Text,
    width: usize,
}

impl Cell {
    /// A cell in a style.
    pub(crate) fn styled(text: &str, style: Style) -> Self {
        let mut cell = Self::from(text);
        cell.text = cell.text.styled(style);
        cell
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        let text = Text::line(text);
        Self {
            width: text.width(),
            text,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Lines of cells as a table: columns as wide as their widest cell, two spaces between, nothing at the end of lines.
pub(crate) fn table<C: Clone + Into<Cell>>(rows: &[Vec<C>]) -> Text {
    aligned(&cells(rows))
}

/// A table that the reader can see whole: one that is too wide is cut into several below one another, each with the first `keys` columns.
pub(crate) fn table_in_view<C: Clone + Into<Cell>>(rows: &[Vec<C>], keys: usize) -> Text {
    match reader_columns() {
        Some(columns) => within(&cells(rows), keys, columns),
        None => table(rows),
    }
}

/// Columns for something that can be of any width: those of the terminal, at least 30; files and pipes get what is usual.
pub(crate) fn columns(usual: usize) -> usize {
    reader_columns().map_or(usual, |columns| columns.clamp(30, COLUMNS_MAX))
}

/// A terminal that says it is wider is mistaken.
const COLUMNS_MAX: usize = 1000;

/// How wide the reader of standard output sees, as `COLUMNS` or the terminal tells; nobody knows for files and pipes.
fn reader_columns() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    told.filter(|columns| *columns > 0).or_else(seen)
}

fn cells<C: Clone + Into<Cell>>(rows: &[Vec<C>]) -> Vec<Vec<Cell>> {
    rows.iter()
        .map(|row| row.iter().cloned().map(Into::into).collect())
        .collect()
}

fn aligned(rows: &[Vec<Cell>]) -> Text {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.width)
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = Text::default();
    for row in rows {
        // What lies between two cells is only written when a cell that shows something follows.
        let mut gap = 0;
        for (cell, width) in row.iter().zip(&widths) {
            if cell.width > 0 {
                text.push(&text!("{}{}", " ".repeat(gap), cell.text));
                gap = 0;
            }
            gap += width - cell.width + 2;
        }
        text.push(&text!("\n"));
    }
    text
}

fn within(rows: &[Vec<Cell>], keys: usize, columns: usize) -> Text {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let taken = |from: usize, to: usize| -> Vec<Vec<Cell>> {
        let part = |row: &Vec<Cell>| {
            let place = |column: usize| row.get(column).cloned().unwrap_or_default();
            (0..keys).chain(from..to).map(place).collect()
        };
        rows.iter().map(part).collect()
    };
    let width = |text: &Text| text.plain().lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut whole = Text::default();
    let mut from = keys.min(count);
    while from < count {
        // As many columns as fit, and one in any case.
        let fits = |to: &usize| width(&aligned(&taken(from, *to))) <= columns;
        let to = (from + 1..=count).take_while(fits).last().unwrap_or(from + 1);
        let part = taken(from, to);
        let says_something = |row: &&Vec<Cell>| row.iter().skip(keys).any(|cell| cell.width > 0);
        if !whole.is_empty() {
            whole.push(&text!("\n"));
        }
        whole.push(&aligned(
            &part.iter().filter(says_something).cloned().collect::<Vec<_>>(),
        ));
        from = to;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_is_cut_between_columns() {
        let rows: Vec<Vec<Cell>> = [
            ["CC", "N", "GOODPUT", "DROPS"],
            ["reno", "0", "96.5", "4"],
            ["cubic", "1", "96.4", ""],
        ]
        .iter()
        .map(|row| row.map(Cell::from).to_vec())
        .collect();
        assert_eq!(within(&rows, 1, 80), aligned(&rows));
        assert_eq!(
            within(&rows, 1, 18).plain(),
            "CC     N  GOODPUT\nreno   0  96.5\ncubic  1  96.4\n\nCC    DROPS\nreno  4\n"
        );
        let parts = within(&rows, 1, 1).plain();
        assert_eq!(parts.lines().filter(|line| line.starts_with("CC")).count(), 3);
    }

    #[test]
    fn a_table_is_aligned_whatever_is_in_it() {
        let bold = Style::new().bold();
        let rows = [
            vec![Cell::from("NAME"), Cell::from("N")],
            vec![Cell::styled("x\u{1b}\n", bold), Cell::from("12")],
            vec![Cell::styled("y", bold), Cell::from("")],
        ];
        let table = table(&rows);
        assert_eq!(table.plain(), "NAME       N\nx\\u{1b}\\n  12\ny\n");
        assert_eq!(table.colored().lines().last(), Some("\u{1b}[1my\u{1b}[0m"));
    }
}

//! Where results go: text for people or one JSON object for programs. Data to standard output, notes to standard error.

use crate::arguments::{Color, Common};
use crate::failure::Failure;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// The version of every JSON object that the command prints.
const SCHEMA: u32 = 1;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    color: Color,
}

/// The envelope: `schema` first, then what the verb says.
#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

impl Output {
    pub(crate) fn new(common: &Common) -> Self {
        let choice = match common.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            json: common.json,
            color: common.color,
        }
    }

    /// For arguments that could not be read but ask for JSON.
    pub(crate) fn json_only() -> Self {
        Self {
            json: true,
            color: Color::Never,
        }
    }

    /// Whether JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether what goes to this stream may have colour.
    pub(crate) fn colored(&self, stream: &impl IsTerminal) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Whether progress may be drawn: only for a person who watches.
    pub(crate) fn progress(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// Prints a result: `body` as JSON, or what `text` makes of it.
    pub(crate) fn result<T: Serialize>(&self, body: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let envelope = Envelope { schema: SCHEMA, body };
            let line = serde_json::to_string(&envelope).map_err(Failure::Json)?;
            self.print(&format!("{line}\n"))
        } else {
            self.print(&text())
        }
    }

    /// Prints text to standard output. A reader that has gone away is no error: `opswap list | head -1`.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// Says something beside the result; not with `--json`, where standard error stays empty unless something fails.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            anstream::eprintln!("{text}");
        }
    }
}

/// Columns for something that is `usual` wide and can be narrower: those of the terminal, at least 30; files and pipes get what is usual.
pub(crate) fn columns(usual: usize) -> usize {
    reader_columns().map_or(usual, |columns| columns.clamp(30, usual))
}

/// How wide the reader of standard output sees, as `COLUMNS` or the terminal tells; nobody knows for files and pipes.
fn reader_columns() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    told.filter(|columns| *columns > 0).or_else(seen)
}

/// A table that the reader can see whole: one that is too wide is cut into several below one another, each with the first `keys` columns.
pub(crate) fn table_in_view(rows: &[Vec<String>], keys: usize) -> String {
    match reader_columns() {
        Some(columns) => table_within(rows, keys, columns),
        None => table(rows),
    }
}

fn table_within(rows: &[Vec<String>], keys: usize, columns: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let taken = |from: usize, to: usize| -> Vec<Vec<String>> {
        let part = |row: &Vec<String>| {
            let place = |column: usize| row.get(column).cloned().unwrap_or_default();
            (0..keys).chain(from..to).map(place).collect()
        };
        rows.iter().map(part).collect()
    };
    let width = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut parts = Vec::new();
    let mut from = keys.min(count);
    while from < count {
        // As many columns as fit, and one in any case.
        let fits = |to: &usize| width(&table(&taken(from, *to))) <= columns;
        let to = (from + 1..=count).take_while(fits).last().unwrap_or(from + 1);
        let part = taken(from, to);
        let says_something = |row: &&Vec<String>| row.iter().skip(keys).any(|cell| !cell.is_empty());
        parts.push(table(&part.iter().filter(says_something).cloned().collect::<Vec<_>>()));
        from = to;
    }
    parts.join("\n")
}

/// A number and what is counted: `1 pin`, `2 pins`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// Lines of cells as a table: columns as wide as their widest cell, two spaces between, nothing at the end of lines.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_wide_table_is_cut_between_columns() {
        let rows: Vec<Vec<String>> = [
            ["CC", "N", "GOODPUT", "DROPS"],
            ["reno", "0", "96.5", "4"],
            ["cubic", "1", "96.4", ""],
        ]
        .iter()
        .map(|row| row.map(str::to_owned).to_vec())
        .collect();
        assert_eq!(super::table_within(&rows, 1, 80), super::table(&rows));
        assert_eq!(
            super::table_within(&rows, 1, 18),
            "CC     N  GOODPUT\nreno   0  96.5\ncubic  1  96.4\n\nCC    DROPS\nreno  4\n"
        );
        assert_eq!(
            super::table_within(&rows, 1, 1)
                .lines()
                .filter(|line| line.starts_with("CC"))
                .count(),
            3
        );
    }

    #[test]
    fn a_table_is_aligned() {
        let rows = [
            vec!["NAME".to_owned(), "N".to_owned()],
            vec!["x".to_owned(), "12".to_owned()],
        ];
        assert_eq!(super::table(&rows), "NAME  N\nx     12\n");
    }
}

//! Charts as text for a terminal: braille dots, two across and four down in a character, or plain ASCII.
//!
//! The text has no colours and no escape sequences, also not those of a name; [`Cell::line`] says which line a character belongs to, so that a caller that knows the terminal
//! can paint it. Written here because the drawing is a hundred lines and the plotting crates bring whole terminal toolkits.

use crate::chart::{Axis, Chart};
use crate::printable;

/// What to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Eight dots a character; needs UTF-8.
    Braille,
    /// One letter a character: `a` for the first line, `b` for the second.
    Ascii,
}

/// A run of text that belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// Which line of the chart it draws or names (its colour is in [`crate::chart::Line::colour`]); `None` for axes and titles.
    pub line: Option<usize>,
}

/// Narrower and lower than this nothing can be read.
const LEAST_WIDTH: usize = 24;
const LEAST_HEIGHT: usize = 3;
/// Lines named in the legend; the rest is counted.
const LEGEND: usize = 8;

/// Draws `chart` in `width` characters and `height` lines of dots, title, axis and legend apart.
pub fn cells(chart: &Chart, width: usize, height: usize, glyphs: Glyphs) -> Vec<Vec<Cell>> {
    let (width, height) = (width.max(LEAST_WIDTH), height.max(LEAST_HEIGHT));
    let (x_axis, y_axis) = chart.axes(4.0, (height / 3) as f64);
    let labels: Vec<String> = y_axis.ticks().map(|tick| y_axis.label(tick)).collect();
    let margin = labels.iter().map(String::len).max().unwrap_or(0);
    let canvas = Canvas::draw(chart, x_axis, y_axis, width.saturating_sub(margin + 2), height, glyphs);

    let plain = |text: String| Cell { text, line: None };
    let mut rows = vec![vec![plain(format!(
        "{} ({})",
        printable::line(&chart.title),
        chart.unit
    ))]];
    for row in 0..height {
        let label = y_axis
            .ticks()
            .find(|tick| row_of(y_axis, *tick, height) == row)
            .map(|tick| y_axis.label(tick))
            .unwrap_or_default();
        let border = if label.is_empty() {
            glyphs.border()
        } else {
            glyphs.tick()
        };
        let mut cells = vec![plain(format!("{label:>margin$} {border}"))];
        cells.extend(canvas.row(row));
        rows.push(cells);
    }
    rows.push(vec![plain(time_axis(x_axis, margin, canvas.columns, glyphs))]);
    if chart.lines.len() > 1 || chart.moments.iter().any(|(_, name)| !name.is_empty()) {
        rows.push(legend(chart, margin, glyphs));
    }
    rows
}

/// [`cells`] as one text, each row ended by a newline.
pub fn text(chart: &Chart, width: usize, height: usize, glyphs: Glyphs) -> String {
    let mut text = String::new();
    for row in cells(chart, width, height, glyphs) {
        let line: String = row.iter().map(|cell| cell.text.as_str()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

impl Glyphs {
    const fn border(self) -> char {
        match self {
            Self::Braille => '│',
            Self::Ascii => '|',
        }
    }

    const fn tick(self) -> char {
        match self {
            Self::Braille => '┤',
            Self::Ascii => '+',
        }
    }

    /// Dots in a character: across, down.
    const fn dots(self) -> (usize, usize) {
        match self {
            Self::Braille => (2, 4),
            Self::Ascii => (1, 1),
        }
    }

    fn letter(self, line: usize) -> char {
        // Letters come round again after z; the number of lines has no limit.
        char::from(b'a' + (line % 26) as u8)
    }
}

/// The row in which a value lies; row 0 is at the top.
fn row_of(axis: Axis, value: f64, rows: usize) -> usize {
    let from_below = (axis.place(value) * (rows - 1) as f64).round() as usize;
    rows - 1 - from_below.min(rows - 1)
}

/// Dots and whose they are; the last line that touches a character has it.
struct Canvas {
    columns: usize,
    glyphs: Glyphs,
    dots: Vec<u8>,
    owners: Vec<Option<usize>>,
}

impl Canvas {
    fn draw(chart: &Chart, x_axis: Axis, y_axis: Axis, columns: usize, rows: usize, glyphs: Glyphs) -> Self {
        let mut canvas = Self {
            columns,
            glyphs,
            dots: vec![0; columns * rows],
            owners: vec![None; columns * rows],
        };
        let (across, down) = glyphs.dots();
        let height = rows * down;
        for (number, line) in chart.lines.iter().enumerate() {
            for (x, range) in line.columns(x_axis, columns * across).into_iter().enumerate() {
                let Some((low, high)) = range else { continue };
                for y in row_of(y_axis, high, height)..=row_of(y_axis, low, height) {
                    canvas.dot(x, y, number);
                }
            }
        }
        canvas
    }

    fn dot(&mut self, x: usize, y: usize, owner: usize) {
        let (across, down) = self.glyphs.dots();
        let index = y / down * self.columns + x / across;
        // Unicode's braille patterns number the dots down the left column, down the right one, then the lowest row.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if let (Some(dots), Some(slot)) = (self.dots.get_mut(index), self.owners.get_mut(index)) {
            *dots |= BITS[y % down][x % across];
            *slot = Some(owner);
        }
    }

    /// One row, characters of the same line together.
    fn row(&self, row: usize) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        for column in 0..self.columns {
            let index = row * self.columns + column;
            let line = self.owners[index];
            let glyph = match (line, self.glyphs) {
                (None, _) => ' ',
                (Some(_), Glyphs::Braille) => char::from_u32(0x2800 + u32::from(self.dots[index])).unwrap_or(' '),
                (Some(line), Glyphs::Ascii) => self.glyphs.letter(line),
            };
            match cells.last_mut() {
                Some(cell) if cell.line == line => cell.text.push(glyph),
                _ => cells.push(Cell {
                    text: glyph.to_string(),
                    line,
                }),
            }
        }
        cells
    }
}

/// Numbers under the columns they belong to.
fn time_axis(axis: Axis, margin: usize, columns: usize, glyphs: Glyphs) -> String {
    let mut text = vec![' '; margin + 2 + columns];
    text[margin + 1] = match glyphs {
        Glyphs::Braille => '└',
        Glyphs::Ascii => '+',
    };
    for tick in axis.ticks() {
        let label: Vec<char> = format!("{}s", axis.label(tick)).chars().collect();
        let at = margin + 2 + (axis.place(tick) * columns.saturating_sub(1) as f64) as usize;
        let begin = at.min(text.len() - label.len().min(text.len()));
        for (offset, letter) in label.into_iter().enumerate() {
            text[begin + offset] = letter;
        }
    }
    text.into_iter().collect()
}

fn legend(chart: &Chart, margin: usize, glyphs: Glyphs) -> Vec<Cell> {
    let mut cells = vec![Cell {
        text: " ".repeat(margin + 2),
        line: None,
    }];
    for (number, line) in chart.lines.iter().enumerate().take(LEGEND) {
        let sign = match glyphs {
            Glyphs::Braille => '⣿',
            Glyphs::Ascii => glyphs.letter(number),
        };
        cells.push(Cell {
            text: format!("{sign} {}  ", printable::line(&line.label)),
            line: Some(number),
        });
    }
    let mut notes = Vec::new();
    if chart.lines.len() > LEGEND {
        notes.push(format!("and {} more", chart.lines.len() - LEGEND));
    }
    let moment = |(at, name): &(f64, String)| format!("{at}s: {}", printable::line(name));
    notes.extend(chart.moments.iter().map(moment));
    cells.push(Cell {
        text: notes.join(", "),
        line: None,
    });
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Line;

    fn sawtooth() -> Chart {
        let x: Vec<f64> = (0..300).map(|i| f64::from(i) / 10.0).collect();
        let y = |low: f64| x.iter().map(|x| low + (x % 10.0) * 15.0).collect();
        Chart {
            title: "Congestion window".to_owned(),
            unit: "packets",
            lines: vec![
                Line {
                    label: "reno".to_owned(),
                    colour: 0,
                    y: y(160.0),
                    x: x.clone(),
                },
                Line {
                    label: "cubic".to_owned(),
                    colour: 1,
                    y: y(20.0),
                    x,
                },
            ],
            moments: vec![(10.0, "cubic".to_owned())],
        }
    }

    #[test]
    fn braille() {
        insta::assert_snapshot!(text(&sawtooth(), 60, 9, Glyphs::Braille));
    }

    #[test]
    fn ascii() {
        insta::assert_snapshot!(text(&sawtooth(), 60, 9, Glyphs::Ascii));
    }

    #[test]
    fn nothing_and_a_single_point_can_be_drawn_at_any_size() {
        let mut chart = sawtooth();
        chart.moments.clear();
        for line in &mut chart.lines {
            line.x.truncate(1);
            line.y.truncate(1);
        }
        assert!(text(&chart, 0, 0, Glyphs::Braille).contains("reno"));
        chart.lines.clear();
        for (width, height) in [(0, 0), (1, 1), (500, 200)] {
            assert!(text(&chart, width, height, Glyphs::Ascii).starts_with("Congestion window (packets)\n"));
        }
    }
}

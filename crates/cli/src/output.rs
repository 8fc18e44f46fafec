//! Where results go: text for people or one JSON object for programs. Data to standard output, notes to standard error. Nothing else in the command
//! prints, and what is printed here is a [`Text`] or JSON: bytes of a stranger that a terminal would obey are escaped in both.

use crate::arguments::{Color, Common};
use crate::failure::Failure;
use crate::text::Text;
use indicatif::{ProgressBar, ProgressStyle};
use opswap::printable;
use serde::Serialize;
use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal, Write};

pub(crate) use crate::table::{Cell, columns, table, table_in_view};

/// The version of every JSON object that the command prints.
const SCHEMA: u32 = 1;

/// How results are shown.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    verb: String,
    /// Said so far; they are part of a JSON result.
    notes: RefCell<Vec<String>>,
    /// What is said once the result is there.
    afterwards: RefCell<Text>,
}

/// The envelope: what every object begins with, then what the verb says.
#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    /// Absent when the arguments could not be read.
    #[serde(skip_serializing_if = "str::is_empty")]
    verb: &'a str,
    notes: &'a [String],
    #[serde(flatten)]
    body: &'a T,
}

impl Output {
    pub(crate) fn new(common: &Common, verb: &str) -> Self {
        let choice = match common.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            json: common.json,
            verb: verb.to_owned(),
            notes: RefCell::default(),
            afterwards: RefCell::default(),
        }
    }

    /// For arguments that could not be read.
    pub(crate) fn of_unread(json: bool) -> Self {
        Self {
            json,
            verb: String::new(),
            notes: RefCell::default(),
            afterwards: RefCell::default(),
        }
    }

    /// Whether JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Prints a result: `body` as JSON, with the notes, or what `text` makes of it.
    pub(crate) fn result<T: Serialize>(&self, body: &T, text: impl FnOnce() -> Text) -> Result<(), Failure> {
        if !self.json {
            self.print(&text())?;
            self.complain(&self.afterwards.take());
            return Ok(());
        }
        let envelope = Envelope {
            schema: SCHEMA,
            verb: &self.verb,
            notes: &self.notes.borrow(),
            body,
        };
        let line = serde_json::to_string(&envelope).map_err(Failure::Json)?;
        written(writeln!(std::io::stdout().lock(), "{}", printable_json(&line)))
    }

    /// Prints text to standard output.
    pub(crate) fn print(&self, text: &Text) -> Result<(), Failure> {
        written(anstream::stdout().lock().write_all(text.colored().as_bytes()))
    }

    /// Prints an object as it is; a terminal would obey it.
    pub(crate) fn print_object(&self, bytes: &[u8]) -> Result<(), Failure> {
        if std::io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "an object is not printed on a terminal: -o OBJECT names a file".to_owned(),
            ));
        }
        written(std::io::stdout().lock().write_all(bytes))
    }

    /// Says something beside the result, in a line: on standard error, or in the `notes` of the JSON object.
    pub(crate) fn note(&self, message: &str) {
        if self.json {
            let bare = message.strip_prefix("note: ").unwrap_or(message);
            self.notes.borrow_mut().push(bare.to_owned());
        } else {
            self.complain(&text!("{}\n", message));
        }
    }

    /// As [`Output::note`], said after the result that it is about.
    pub(crate) fn note_after(&self, message: &str) {
        if self.json {
            self.note(message);
        } else {
            self.afterwards.borrow_mut().push(&text!("{}\n", message));
        }
    }

    /// As [`Output::note`], for several lines of somebody else's: a compiler's warnings.
    pub(crate) fn note_lines(&self, lines: &str) {
        if self.json {
            self.notes.borrow_mut().push(lines.trim_end().to_owned());
        } else {
            self.complain(&text!("{}\n", Text::block(lines.trim_end())));
        }
    }

    /// Prints text to standard error. That nobody reads it changes nothing.
    pub(crate) fn complain(&self, text: &Text) {
        let _nobody_reads = anstream::stderr().lock().write_all(text.colored().as_bytes());
    }

    /// A bar on standard error while something lasts, for a person who watches; hidden from everybody else.
    pub(crate) fn progress(&self) -> Progress {
        if self.json || !std::io::stderr().is_terminal() {
            return Progress::hidden();
        }
        let bar = ProgressBar::new(PROGRESS_STEPS);
        if let Ok(style) = ProgressStyle::with_template("{msg:12} {wide_bar} {percent:>3} %") {
            bar.set_style(style);
        }
        Progress(bar)
    }
}

/// A reader that has gone away is no error: `opswap list | head -1`.
fn written(result: std::io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// JSON escapes C0 controls only (RFC 8259, section 7); whatever else a terminal obeys can only stand within its strings.
fn printable_json(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if printable::is_obeyed(c) {
            let units = &mut [0; 2];
            c.encode_utf16(units)
                .iter()
                .for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
        } else {
            line.push(c);
        }
    }
    line
}

/// How far something is.
pub(crate) struct Progress(ProgressBar);

const PROGRESS_STEPS: u64 = 1000;

impl Progress {
    /// A bar that nobody sees.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// What it works on, and which share of it is done, 0 to 1.
    pub(crate) fn at(&self, label: &str, share: f64) {
        if !self.0.is_hidden() {
            self.0.set_message(printable::line(label).into_owned());
            self.0.set_position((share * PROGRESS_STEPS as f64) as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A number and what is counted: `1 pin`, `2 pins`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

#[cfg(test)]
mod tests {
    /// What is printed anywhere else would not be escaped.
    #[test]
    fn nothing_else_prints() {
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("output.rs") {
                    seen += 1;
                    let text = std::fs::read_to_string(&path).unwrap();
                    for printing in [
                        "println!",
                        "print!",
                        "io::stderr",
                        "anstream::std",
                        "stdout().",
                        "ProgressBar",
                    ] {
                        assert!(!text.contains(printing), "{}: {printing}", path.display());
                    }
                }
            }
        }
        assert!(seen > 20);
    }

    #[test]
    fn json_says_the_same_in_characters_that_nothing_obeys() {
        let hostile = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{e0041}\u{e9}\"\\";
        let line = super::printable_json(&serde_json::to_string(hostile).unwrap());
        assert!(!line.chars().any(opswap::printable::is_obeyed), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), hostile);
    }
}

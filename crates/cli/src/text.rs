//! Text that may be printed. Whatever comes from an object, a kernel, a file name, an argument or the environment is escaped on its way into a
//! [`Text`], and nothing else can be printed: `Output` takes no strings. Colours are added after the escaping, and taken off again where there is no terminal.
//!
//! [`text!`](crate::text) is `format!` for it: what stands in the literal is ours, every argument is escaped.

use anstyle::Style;
use opswap::printable;
use std::fmt::{self, Display};

/// Text without anything in it that a terminal obeys, other than our own line breaks and colours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// A piece of a line: a name, a message, a cell.
    pub(crate) fn line(foreign: &str) -> Self {
        Self(printable::line(foreign).into_owned())
    }

    /// Whole lines: a verifier's log, a compiler's words, a C header.
    pub(crate) fn block(foreign: &str) -> Self {
        Self(printable::block(foreign).into_owned())
    }

    /// What a renderer with colours of its own made of text that was escaped before.
    pub(crate) fn rendered(text: String) -> Self {
        Self(text)
    }

    /// The same in a style.
    pub(crate) fn styled(self, style: Style) -> Self {
        Self(format!("{style}{}{style:#}", self.0))
    }

    /// Appends.
    pub(crate) fn push(&mut self, more: &Self) {
        self.0.push_str(&more.0);
    }

    /// Whether there is nothing to print.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With our colours in it.
    pub(crate) fn colored(&self) -> &str {
        &self.0
    }

    /// Without colours.
    pub(crate) fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }

    /// Characters that are seen.
    pub(crate) fn width(&self) -> usize {
        self.plain().chars().count()
    }
}

impl FromIterator<Self> for Text {
    fn from_iter<I: IntoIterator<Item = Self>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(&text));
        all
    }
}

/// What can stand in [`text!`](crate::text): texts as they are, everything else escaped. `Text` has no `Display`, so that it is either.
pub(crate) trait Piece {
    /// Writes the piece, with the precision that the formatter asks for.
    fn write(&self, f: &fmt::Formatter<'_>) -> String;
}

impl Piece for Text {
    fn write(&self, _f: &fmt::Formatter<'_>) -> String {
        self.0.clone()
    }
}

impl<T: Display + ?Sized> Piece for T {
    fn write(&self, f: &fmt::Formatter<'_>) -> String {
        let written = match f.precision() {
            Some(precision) => format!("{self:.precision$}"),
            None => self.to_string(),
        };
        printable::line(&written).into_owned()
    }
}

/// An argument of [`text!`](crate::text).
pub(crate) struct Argument<'a, T: Piece + ?Sized>(pub(crate) &'a T);

impl<T: Piece + ?Sized> Display for Argument<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.write(f);
        let missing = f.width().unwrap_or(0).saturating_sub(text.chars().count());
        let (before, after) = match f.align() {
            Some(fmt::Alignment::Right) => (missing, 0),
            Some(fmt::Alignment::Center) => (missing / 2, missing - missing / 2),
            Some(fmt::Alignment::Left) | None => (0, missing),
        };
        write!(f, "{:before$}{text}{:after$}", "", "")
    }
}

/// A [`Text`] as `format!` would write it, with every argument escaped. Names within the braces are refused by the compiler, because they would not be.
#[macro_export]
macro_rules! text {
    ($literal:literal $(, $argument:expr)* $(,)?) => {{
        const { assert!($crate::text::takes_arguments_only($literal), "text! escapes arguments, and takes no names within braces") };
        $crate::text::Text::rendered(format!($literal $(, $crate::text::Argument(&$argument))*))
    }};
}

/// Whether every `{…}` of a format stands for an argument, none for a variable that it names.
pub(crate) const fn takes_arguments_only(format: &str) -> bool {
    let bytes = format.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'{' {
            if at + 1 == bytes.len() {
                return false;
            }
            match bytes[at + 1] {
                b'{' => at += 1,
                b'}' | b':' => {}
                _ => return false,
            }
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_escaped_and_texts_are_not() {
        let hostile = "a\u{1b}[2J\nb";
        let red = Style::new().fg_color(Some(anstyle::AnsiColor::Red.into()));
        let text = text!(
            "<{}> {:>6.1}|{:<4}|{}\n",
            hostile,
            2.25,
            "x",
            Text::line("y\u{9b}").styled(red)
        );
        assert_eq!(text.plain(), "<a\\u{1b}[2J\\nb>    2.2|x   |y\\u{9b}\n");
        assert!(text.colored().contains("\u{1b}[31my\\u{9b}\u{1b}[0m"));
        assert_eq!(Text::line("ab").styled(red).width(), 2);
    }

    #[test]
    fn names_within_braces_are_found() {
        for (format, only_arguments) in [
            ("{} {:.1} {{x}}", true),
            ("", true),
            ("{name}", false),
            ("{0}", false),
            ("{", false),
        ] {
            assert_eq!(takes_arguments_only(format), only_arguments, "{format}");
        }
    }
}

//! Text of strangers, made fit to print: names, source lines and messages come from objects, kernels and file names, and whoever made those may have put
//! bytes into them that a terminal obeys (ECMA-48 control sequences: another window title, other lines than were printed) or that turn the order of what is
//! read around (Unicode's bidirectional controls, UAX 9).
//!
//! What is escaped is visible afterwards: `\u{1b}` for ESC. Letters of all scripts stay; a backslash stays as it is, too.

use std::borrow::Cow;

/// For a piece of a line: also line breaks and tabs are escaped, so that a name with one in it cannot pretend to be a line of its own.
///
/// ```
/// assert_eq!(lab::printable::line("caf\u{e9} 1"), "caf\u{e9} 1");
/// assert_eq!(lab::printable::line("a\u{1b}]0;title\u{7}\nb"), "a\\u{1b}]0;title\\u{7}\\nb");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// For whole lines, such as a verifier's log: line breaks and tabs stay.
///
/// ```
/// assert_eq!(lab::printable::block("0: r0 = 1\n\t1: exit\n\u{9b}2J"), "0: r0 = 1\n\t1: exit\n\\u{9b}2J");
/// ```
pub fn block(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// Whether a character is obeyed rather than shown: C0 and C1 controls and DEL; what sets the direction of text; what parts lines or paragraphs.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction
            | '\u{2028}' | '\u{2029}' // line and paragraph separator
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // byte order mark, interlinear annotation
            | '\u{e0000}'..='\u{e007f}') // tags: letters that nobody sees
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let obeyed = |c: char| is_obeyed(c) && !stays(c);
    if !text.chars().any(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !obeyed(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_obeyed_is_left_and_nothing_else_is_touched() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b");
            let (line, block) = (line(&text), block(&text));
            assert!(!line.chars().any(is_obeyed), "{c:?}");
            assert!(
                !block.chars().any(|c| is_obeyed(c) && !matches!(c, '\n' | '\t')),
                "{c:?}"
            );
            assert_eq!(line == text, !is_obeyed(c), "{c:?}");
        }
        for harmless in ["reno", "größe", "漢字", "עברית", "a\\u{1b}", "👩\u{200d}🔬"] {
            assert_eq!(line(harmless), harmless);
        }
    }
}

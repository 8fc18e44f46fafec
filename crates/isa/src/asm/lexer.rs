//! A line of assembler text to words, numbers and signs.

use super::{AsmError, AsmReason, Position, out_of_range};

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters, digits, `_`, `.`; not starting with a digit.
    Word(&'a str),
    /// A number without its sign.
    Number(u64),
    /// An operator or bracket, one of [`SIGNS`].
    Sign(&'static str),
}

/// Longest first, so that the first match is the right one. The `s…` ones need what is before them to be no
/// part of a word, which holds because words are taken whole.
const SIGNS: &[&str] = &[
    "s>>=", "<<=", ">>=", "s/=", "s%=", "s>=", "s<=", "+=", "-=", "*=", "/=", "|=", "&=", "%=", "^=", "==", "!=", ">=",
    "<=", "s>", "s<", "=", ">", "<", "&", "(", ")", "[", "]", ",", "+", "-", "*", ":", "#", "@",
];

/// Split a line; comments are left out.
pub(super) fn tokens(line: usize, text: &str) -> Result<Vec<(Position, Token<'_>)>, AsmError> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let after_space = rest.len() == text.len() || rest.starts_with(char::is_whitespace);
        rest = rest.trim_start();
        let comment = rest.starts_with(';') || rest.starts_with("//") || (after_space && rest.starts_with('#'));
        let Some(first) = rest.chars().next().filter(|_| !comment) else {
            return Ok(out);
        };
        let column = text[..text.len() - rest.len()].chars().count() + 1;
        let position = Position { line, column };
        let (token, length) = next(rest).map_err(|e| position.error(e))?.ok_or_else(|| {
            position.error(AsmReason::Unexpected {
                expected: "an instruction",
                found: first.into(),
            })
        })?;
        out.push((position, token));
        rest = &rest[length..];
    }
}

/// The token at the start of `text` and its length in bytes.
fn next(text: &str) -> Result<Option<(Token<'_>, usize)>, AsmReason> {
    if let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        return Ok(Some((Token::Sign(sign), sign.len())));
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '$';
    let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let word = &text[..length];
    Ok(match word.chars().next() {
        None => None,
        Some(c) if c.is_ascii_digit() => Some((Token::Number(number(word)?), length)),
        Some(_) => Some((Token::Word(word), length)),
    })
}

fn number(word: &str) -> Result<u64, AsmReason> {
    let (digits, radix) = match word.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (word, 10),
    };
    u128::from_str_radix(digits, radix)
        .map_err(|_| AsmReason::Unexpected {
            expected: "a number",
            found: word.to_owned(),
        })
        .and_then(|value| {
            let wide = i128::try_from(value).unwrap_or(i128::MAX);
            u64::try_from(value).map_err(|_| out_of_range(wide, 64))
        })
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => write!(f, "{number}"),
            Self::Sign(sign) => f.write_str(sign),
        }
    }
}

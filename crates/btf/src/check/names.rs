//! Which names a kind can have (`btf_name_valid_identifier`, `btf_name_valid_section`).
//!
//! Linux's `isalpha` and `isprint` know the letters of Latin-1 (`lib/ctype.c`), so that some bytes above 0x7f are taken.

use super::rule::{NameRule, Rule};

/// `KSYM_NAME_LEN`.
const NAME_MAX: usize = 512;

/// An identifier: a letter, `_` or `.`, then those and digits.
pub(super) fn identifier(name: &[u8]) -> Result<(), Rule> {
    if name.is_empty() {
        return Err(Rule::Name(NameRule::Missing));
    }
    let ok =
        |(at, byte): (usize, u8)| is_letter(byte) || matches!(byte, b'_' | b'.') || (at > 0 && byte.is_ascii_digit());
    all(name, ok)
}

/// The name of a section: anything that can be printed.
pub(super) fn section(name: &[u8]) -> Result<(), Rule> {
    if name.is_empty() {
        return Err(Rule::Name(NameRule::Missing));
    }
    all(name, |(_, byte)| matches!(byte, 0x20..=0x7e | 0xa0..=0xff))
}

/// The first bytes are looked at before the length is.
fn all(name: &[u8], ok: impl Fn((usize, u8)) -> bool) -> Result<(), Rule> {
    let looked_at = name.iter().copied().enumerate().take(NAME_MAX);
    if let Some((at, byte)) = looked_at.into_iter().find(|&pair| !ok(pair)) {
        return Err(Rule::Name(NameRule::Byte { byte, at }));
    }
    if name.len() > NAME_MAX {
        return Err(Rule::Name(NameRule::TooLong));
    }
    Ok(())
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0xff)
}

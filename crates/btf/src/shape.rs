//! What must hold for bytes to be BTF, checked once when they are parsed or built, so that everything else can rely on it.
//!
//! Checked are the shape of the string table and of each record, that ids and names exist, and sizes. Not checked is what C
//! would not allow, such as a structure that contains itself: that is found where it matters.

use crate::error::{ParseError, ParseReason};
use crate::raw::{self, Info, Word};
use crate::{Btf, Kind, TypeId};

/// The string table as text: it begins and ends with a zero byte.
pub(crate) fn strings(strings: &[u8], at: usize, split: bool) -> Result<String, ParseError> {
    let fault = |offset, reason| Err(ParseError { offset, reason });
    if strings.is_empty() && split {
        return Ok(String::new());
    }
    if !split && strings.first() != Some(&0) {
        return fault(at, ParseReason::NoEmptyString);
    }
    if strings.last() != Some(&0) {
        return fault(at + strings.len().saturating_sub(1), ParseReason::UnterminatedString);
    }
    Ok(text(strings))
}

/// As text of the same length. Names of files in line information may be any bytes, and no kernel minds: those that are no UTF-8 become `?`,
/// which is part of no name of a type.
fn text(strings: &[u8]) -> String {
    let mut text = String::with_capacity(strings.len());
    for chunk in strings.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// Where each record starts, and the end.
pub(crate) fn starts(words: &[u32], first: u32, at: usize) -> Result<Vec<u32>, ParseError> {
    // A record has three words at least; most have four or more.
    let mut starts = Vec::with_capacity(words.len() / 4 + 1);
    let mut pos = 0;
    while pos < words.len() {
        let offset = at + pos * 4;
        let truncated = |need: usize| {
            let (need, have) = (need as u64 * 4, (words.len() - pos) as u64 * 4);
            ParseError {
                offset,
                reason: ParseReason::Truncated {
                    what: "type",
                    need,
                    have,
                },
            }
        };
        if words.len() - pos < 3 {
            return Err(truncated(3));
        }
        let info = Info(words[pos + 1]);
        let Some(kind) = info.kind() else {
            let id = TypeId(first + starts.len() as u32);
            return Err(ParseError {
                offset,
                reason: ParseReason::UnknownKind {
                    id,
                    kind: info.kind_number(),
                },
            });
        };
        let len = 3 + raw::extra_words(kind, info.vlen());
        if words.len() - pos < len {
            return Err(truncated(len));
        }
        starts.push(pos as u32);
        pos += len;
    }
    starts.push(pos as u32);
    Ok(starts)
}

/// Checks ids, names and sizes of all own records.
pub(crate) fn records(btf: &Btf, at: usize) -> Result<(), ParseError> {
    let (words, starts, _) = btf.own_parts();
    let first = btf.end_id() - (starts.len() as u32 - 1);
    let last = TypeId(btf.end_id() - 1);
    let strings_end = btf.strings_end();
    for (index, bounds) in starts.windows(2).enumerate() {
        let record = &words[bounds[0] as usize..bounds[1] as usize];
        let id = TypeId(first + index as u32);
        let kind = Info(record[1]).kind().unwrap_or(Kind::Void);
        let offset = |word: usize| at + (bounds[0] as usize + word) * 4;
        raw::try_references(kind, record.len(), |word, meaning| {
            let value = record[word];
            let reason = match meaning {
                Word::Id if value > last.0 => ParseReason::BadTypeRef {
                    id,
                    kind,
                    target: TypeId(value),
                    last,
                },
                Word::Name if value >= strings_end && value != 0 => ParseReason::BadName { id, kind, name: value },
                Word::Id | Word::Name => return Ok(()),
            };
            Err(ParseError {
                offset: offset(word),
                reason,
            })
        })?;
        if let Some((word, reason)) = size(kind, id, record) {
            return Err(ParseError {
                offset: offset(word),
                reason,
            });
        }
    }
    Ok(())
}

/// The word and reason if a size is impossible.
fn size(kind: Kind, id: TypeId, record: &[u32]) -> Option<(usize, ParseReason)> {
    let bytes = record[2];
    match kind {
        Kind::Int => {
            let (bits, bit_offset) = (record[3] & 0xff, (record[3] >> 16) & 0xff);
            // As Linux has it: an integer may have more bytes than its bits need.
            let bad = bit_offset + bits > 128 || (bit_offset + bits).div_ceil(8) > bytes;
            bad.then_some((
                3,
                ParseReason::BadInt {
                    id,
                    size: bytes,
                    bit_offset,
                    bits,
                },
            ))
        }
        Kind::Enum | Kind::Enum64 => {
            (!matches!(bytes, 1 | 2 | 4 | 8)).then_some((2, ParseReason::BadSize { id, kind, size: bytes }))
        }
        Kind::Float => {
            (!matches!(bytes, 2 | 4 | 8 | 12 | 16)).then_some((2, ParseReason::BadSize { id, kind, size: bytes }))
        }
        _ => None,
    }
}

//! The words of BTF: header, record shape, which words of a record are ids and which are names.
//!
//! Everything in the type section is 32-bit words, so types are kept as `u32`s and shared by the parser,
//! the builder and the writer. Follows `include/uapi/linux/btf.h` and `kernel/bpf/btf.c` (Linux 6.18).

use std::convert::Infallible;

use crate::Kind;
use crate::error::{ParseError, ParseReason};

pub(crate) const MAGIC: u16 = 0xeb9f;
pub(crate) const VERSION: u8 = 1;
pub(crate) const HEADER_LEN: u32 = 24;

/// Positions of the two sections, as slices of the input, and where they start in it.
pub(crate) struct Sections<'a> {
    pub(crate) types: &'a [u8],
    pub(crate) types_at: usize,
    pub(crate) strings: &'a [u8],
    pub(crate) strings_at: usize,
}

/// Checks magic, version and length of a header, which `.BTF` and `.BTF.ext` share. Returns the header's length.
pub(crate) fn header_len(data: &[u8], least: u32) -> Result<u32, ParseError> {
    let at = |offset, reason| ParseError { offset, reason };
    let Some(fixed) = data.first_chunk::<8>() else {
        let (need, have) = (8, data.len() as u64);
        return Err(at(
            0,
            ParseReason::Truncated {
                what: "header",
                need,
                have,
            },
        ));
    };
    let magic = u16::from_le_bytes([fixed[0], fixed[1]]);
    if magic == MAGIC.swap_bytes() {
        return Err(at(0, ParseReason::BigEndian));
    }
    if magic != MAGIC {
        return Err(at(0, ParseReason::BadMagic(magic)));
    }
    if fixed[2] != VERSION {
        return Err(at(2, ParseReason::BadVersion(fixed[2])));
    }
    if fixed[3] != 0 {
        return Err(at(3, ParseReason::BadFlags(fixed[3])));
    }
    let len = u32::from_le_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    if len < least {
        return Err(at(4, ParseReason::BadHeaderLength(len)));
    }
    if (data.len() as u64) < u64::from(len) {
        let (need, have) = (u64::from(len), data.len() as u64);
        return Err(at(
            0,
            ParseReason::Truncated {
                what: "header",
                need,
                have,
            },
        ));
    }
    Ok(len)
}

/// A section given by offset and length relative to the end of the header.
pub(crate) fn section<'a>(
    data: &'a [u8],
    header: u32,
    field: usize,
    what: &'static str,
) -> Result<(&'a [u8], usize), ParseError> {
    let (start, len) = (word_at(data, field), word_at(data, field + 4));
    if !start.is_multiple_of(4) && what != "string table" {
        return Err(ParseError {
            offset: field,
            reason: ParseReason::Unaligned { what, start },
        });
    }
    let from = u64::from(header) + u64::from(start);
    let have = (data.len() as u64).saturating_sub(from);
    if u64::from(len) > have || from > data.len() as u64 {
        let need = u64::from(len);
        return Err(ParseError {
            offset: field,
            reason: ParseReason::Truncated { what, need, have },
        });
    }
    let from = from as usize;
    Ok((&data[from..from + len as usize], from))
}

/// Splits the bytes of a `.BTF` section.
pub(crate) fn sections(data: &[u8]) -> Result<Sections<'_>, ParseError> {
    let header = header_len(data, HEADER_LEN)?;
    if let Some(extra) = data[HEADER_LEN as usize..header as usize]
        .iter()
        .position(|&byte| byte != 0)
    {
        let offset = HEADER_LEN as usize + extra;
        return Err(ParseError {
            offset,
            reason: ParseReason::BadHeaderLength(header),
        });
    }
    let (types, types_at) = section(data, header, 8, "type section")?;
    let (strings, strings_at) = section(data, header, 16, "string table")?;
    Ok(Sections {
        types,
        types_at,
        strings,
        strings_at,
    })
}

/// Word at a byte offset that the caller knows to be inside.
pub(crate) fn word_at(data: &[u8], offset: usize) -> u32 {
    data.get(offset..offset + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// The second word of a record.
#[derive(Clone, Copy)]
pub(crate) struct Info(pub(crate) u32);

impl Info {
    pub(crate) fn new(kind: Kind, vlen: u32, kind_flag: bool) -> Self {
        Self((kind as u32) << 24 | (vlen & 0xffff) | u32::from(kind_flag) << 31)
    }

    pub(crate) fn kind_number(self) -> u32 {
        (self.0 >> 24) & 0x1f
    }

    pub(crate) fn kind(self) -> Option<Kind> {
        Kind::from_number(self.kind_number()).filter(|&kind| kind != Kind::Void)
    }

    pub(crate) fn vlen(self) -> u32 {
        self.0 & 0xffff
    }

    pub(crate) fn kind_flag(self) -> bool {
        self.0 >> 31 != 0
    }
}

/// Number of words that follow the first three.
pub(crate) fn extra_words(kind: Kind, vlen: u32) -> usize {
    let vlen = vlen as usize;
    match kind {
        Kind::Int | Kind::Var | Kind::DeclTag => 1,
        Kind::Array => 3,
        Kind::Struct | Kind::Union | Kind::DataSec | Kind::Enum64 => vlen * 3,
        Kind::Enum | Kind::FuncProto => vlen * 2,
        Kind::Void
        | Kind::Ptr
        | Kind::Fwd
        | Kind::Typedef
        | Kind::Volatile
        | Kind::Const
        | Kind::Restrict
        | Kind::Func
        | Kind::Float
        | Kind::TypeTag => 0,
    }
}

/// What a word of a record is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Name,
    Id,
}

/// Calls `f` with the index and meaning of each word of a record that is a name or an id.
pub(crate) fn references(kind: Kind, words: usize, mut f: impl FnMut(usize, Word)) {
    let infallible: Result<(), Infallible> = try_references(kind, words, |at, meaning| {
        f(at, meaning);
        Ok(())
    });
    match infallible {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

/// As [`references`], until the first error.
pub(crate) fn try_references<E>(
    kind: Kind,
    words: usize,
    mut f: impl FnMut(usize, Word) -> Result<(), E>,
) -> Result<(), E> {
    f(0, Word::Name)?;
    match kind {
        Kind::Ptr
        | Kind::Typedef
        | Kind::Volatile
        | Kind::Const
        | Kind::Restrict
        | Kind::Func
        | Kind::Var
        | Kind::DeclTag
        | Kind::TypeTag => f(2, Word::Id),
        Kind::Array => f(3, Word::Id).and_then(|()| f(4, Word::Id)),
        Kind::Struct | Kind::Union => (3..words)
            .step_by(3)
            .try_for_each(|at| f(at, Word::Name).and_then(|()| f(at + 1, Word::Id))),
        Kind::Enum => (3..words).step_by(2).try_for_each(|at| f(at, Word::Name)),
        Kind::Enum64 => (3..words).step_by(3).try_for_each(|at| f(at, Word::Name)),
        Kind::FuncProto => {
            f(2, Word::Id)?;
            (3..words)
                .step_by(2)
                .try_for_each(|at| f(at, Word::Name).and_then(|()| f(at + 1, Word::Id)))
        }
        Kind::DataSec => (3..words).step_by(3).try_for_each(|at| f(at, Word::Id)),
        Kind::Void | Kind::Int | Kind::Fwd | Kind::Float => Ok(()),
    }
}

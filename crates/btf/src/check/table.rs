//! The records under check, by id, with the few questions that all rules ask of them.

use super::header::NAME_OFFSET_MAX;
use super::rule::{Part, Place, Refusal, Rule};
use crate::raw::Info;
use crate::{Kind, TypeId};

/// `BTF_MAX_TYPE`: the highest id.
pub(super) const ID_MAX: u32 = 0xf_ffff;

/// All records, each known to be whole.
pub(super) struct Types<'a> {
    pub(super) words: &'a [u32],
    /// Where each record starts; `void` has none, so that the record of id 1 is the first.
    pub(super) starts: Vec<u32>,
    pub(super) strings: &'a [u8],
}

/// One record.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) id: TypeId,
    pub(super) kind: Kind,
    /// All words from the record's first on; longer than the record.
    words: &'a [u32],
}

impl Record<'_> {
    pub(super) fn name(&self) -> u32 {
        self.words[0]
    }

    fn info(&self) -> Info {
        Info(self.words[1])
    }

    pub(super) fn entries(&self) -> u32 {
        self.info().vlen()
    }

    pub(super) fn kind_flag(&self) -> bool {
        self.info().kind_flag()
    }

    /// The third word: a size or the id of a type.
    pub(super) fn third(&self) -> u32 {
        self.words[2]
    }

    /// The id of the type that it refers to.
    pub(super) fn target(&self) -> TypeId {
        TypeId(self.third())
    }

    /// A word after the third.
    pub(super) fn extra(&self, index: usize) -> u32 {
        self.words[3 + index]
    }

    /// The members of a structure or union: name, type, and the word of the offset.
    pub(super) fn members(&self) -> impl ExactSizeIterator<Item = MemberWords> + '_ {
        (0..self.entries() as usize).map(|index| self.member(index))
    }

    pub(super) fn member(&self, index: usize) -> MemberWords {
        let at = index * 3;
        MemberWords {
            name: self.extra(at),
            ty: TypeId(self.extra(at + 1)),
            offset: self.extra(at + 2),
            kind_flag: self.kind_flag(),
        }
    }

    /// An integer that fills its bytes, of which there are 1, 2, 4, 8 or 16 (`btf_type_int_is_regular`).
    pub(super) fn is_plain_int(&self) -> bool {
        self.kind == Kind::Int && matches!(self.int_bits(), (8 | 16 | 32 | 64 | 128, 0))
    }

    /// Bits of an integer and the first of them.
    pub(super) fn int_bits(&self) -> (u32, u32) {
        let word = self.extra(0);
        (word & 0xff, word >> 16 & 0xff)
    }
}

/// A member as it stands in the record.
#[derive(Clone, Copy)]
pub(super) struct MemberWords {
    pub(super) name: u32,
    pub(super) ty: TypeId,
    /// As it stands: bits, or with the kind flag the width in the upper 8.
    pub(super) offset: u32,
    kind_flag: bool,
}

impl MemberWords {
    pub(super) fn bit_offset(&self) -> u32 {
        if self.kind_flag {
            self.offset & 0xff_ffff
        } else {
            self.offset
        }
    }

    pub(super) fn bits(&self) -> u32 {
        if self.kind_flag { self.offset >> 24 } else { 0 }
    }
}

impl<'a> Types<'a> {
    /// The record that starts at a word; its first three words are known to be there.
    pub(super) fn at(words: &'a [u32], start: u32, id: TypeId) -> Record<'a> {
        let words = &words[start as usize..];
        Record {
            id,
            kind: Info(words[1]).kind().unwrap_or(Kind::Void),
            words,
        }
    }

    /// One more than the last id.
    pub(super) fn end(&self) -> u32 {
        self.starts.len() as u32 + 1
    }

    /// The record; nothing for `void` and for ids that no type has.
    pub(super) fn get(&self, id: TypeId) -> Option<Record<'a>> {
        let start = self.starts.get((id.0 as usize).checked_sub(1)?)?;
        Some(Self::at(self.words, *start, id))
    }

    /// The kind; nothing for ids that no type has.
    pub(super) fn kind(&self, id: TypeId) -> Option<Kind> {
        if id.is_void() {
            return Some(Kind::Void);
        }
        self.get(id).map(|record| record.kind)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Record<'a>> + '_ {
        (1..self.end()).filter_map(|id| self.get(TypeId(id)))
    }

    pub(super) fn name(&self, offset: u32) -> &'a [u8] {
        string(self.strings, offset)
    }

    /// The type that is reached through qualifiers and typedefs.
    pub(super) fn skip_modifiers(&self, mut id: TypeId) -> TypeId {
        // A circle has been refused before anything asks.
        for _ in 0..self.end() {
            match self.get(id) {
                Some(record) if is_modifier(record.kind) => id = record.target(),
                _ => break,
            }
        }
        id
    }

    pub(super) fn refuse<T>(&self, id: TypeId, rule: Rule) -> Result<T, Refusal> {
        Err(self.refusal(id, None, rule))
    }

    pub(super) fn refuse_part<T>(&self, id: TypeId, part: Part, rule: Rule) -> Result<T, Refusal> {
        Err(self.refusal(id, Some(part), rule))
    }

    pub(super) fn refuse_member<T>(&self, id: TypeId, member: &MemberWords, rule: Rule) -> Result<T, Refusal> {
        let name = text(self.name(member.name));
        self.refuse_part(id, Part::Member(name), rule)
    }

    fn refusal(&self, id: TypeId, part: Option<Part>, rule: Rule) -> Refusal {
        let record = self.get(id);
        let place = Place {
            id,
            kind: record.map(|record| record.kind),
            name: record.map_or_else(String::new, |record| text(self.name(record.name()))),
            part,
        };
        Refusal {
            rule,
            place: Some(place),
        }
    }
}

/// Whether an offset is inside the strings (`btf_name_offset_valid`).
pub(super) fn name_is_inside(strings: &[u8], offset: u32) -> bool {
    offset <= NAME_OFFSET_MAX && (offset as usize) < strings.len()
}

/// The bytes up to the next zero byte; none for an offset outside.
pub(super) fn string(strings: &[u8], offset: u32) -> &[u8] {
    let rest = strings.get(offset as usize..).unwrap_or_default();
    let end = rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len());
    &rest[..end]
}

pub(super) fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A typedef counts as one here: its size is that of another type (`btf_type_is_modifier`).
pub(super) fn is_modifier(kind: Kind) -> bool {
    kind.is_modifier() || kind == Kind::Typedef
}

/// What nothing but a section or a tag can refer to (`btf_type_is_resolve_source_only`).
pub(super) fn is_source_only(kind: Kind) -> bool {
    matches!(kind, Kind::Var | Kind::DeclTag | Kind::DataSec)
}

/// What has no size (`btf_type_nosize`).
pub(super) fn has_no_size(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Void | Kind::Fwd | Kind::Func | Kind::FuncProto | Kind::DeclTag
    )
}

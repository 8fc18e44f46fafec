//! [`Btf`]: parse once, then look types up by id or name.
//!
//! Parsing copies the words and strings, records where each type starts and checks every id and name once;
//! types are decoded when asked for and the index of names is made at the first search. Resolution and sizes
//! are in `layout`, paths to members in `field`.

use std::ffi::CStr;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::core::names::essential;
use crate::error::{ParseError, ParseReason};
use crate::index::NameIndex;
use crate::raw::{self, Info, Word};
use crate::shape;
use crate::types::{Array, Composite, DataSec, Def, Encoding, Enum, FuncProto, Int, Linkage, Type};
use crate::{Kind, TypeId};

/// An immutable set of types. Cloning is cheap and shares.
///
/// ```
/// use btf::{Btf, Builder, Encoding, Kind};
/// let mut b = Builder::new();
/// let int = b.int("int", 4, Encoding::SIGNED);
/// b.typedef("pid_t", int);
/// let btf = b.build()?;
/// let again = Btf::parse(&btf.to_bytes())?;
/// let pid_t = again.find("pid_t", Kind::Typedef).unwrap();
/// assert_eq!(again.size_of(pid_t)?, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Btf {
    inner: Arc<Inner>,
}

struct Inner {
    base: Option<Btf>,
    /// Id of the first own type: 1, or one more than the base's last.
    first: u32,
    /// Length of the base's strings: names below are the base's.
    strings_from: u32,
    words: Vec<u32>,
    /// Where each own type starts in `words`; one more entry for the end.
    starts: Vec<u32>,
    strings: String,
    names: OnceLock<NameIndex>,
}

impl Btf {
    /// Reads BTF that stands alone, such as `/sys/kernel/btf/vmlinux` or the `.BTF` section of an object.
    ///
    /// # Errors
    /// [`ParseError`] with the offset in `data`. Big-endian BTF is refused.
    pub fn parse(data: &[u8]) -> Result<Self, ParseError> {
        Self::parse_on(data, None)
    }

    /// Reads BTF whose ids and names continue those of `base`, such as a kernel module's.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_split(data: &[u8], base: &Self) -> Result<Self, ParseError> {
        Self::parse_on(data, Some(base.clone()))
    }

    fn parse_on(data: &[u8], base: Option<Self>) -> Result<Self, ParseError> {
        let sections = raw::sections(data)?;
        let strings = shape::strings(sections.strings, sections.strings_at, base.is_some())?;
        let words: Vec<u32> = sections
            .types
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        Self::from_parts(words, strings, base, sections.types_at)
    }

    /// Checks and takes over records and strings; `at` is where the records began in the input.
    pub(crate) fn from_parts(
        words: Vec<u32>,
        strings: String,
        base: Option<Self>,
        at: usize,
    ) -> Result<Self, ParseError> {
        let too_large = ParseError {
            offset: at,
            reason: ParseReason::TooLarge,
        };
        let first = base.as_ref().map_or(1, Self::end_id);
        let strings_from = base.as_ref().map_or(0, Self::strings_end);
        let fits = u64::from(strings_from) + strings.len() as u64 <= u64::from(u32::MAX)
            && u64::from(first) + words.len() as u64 <= u64::from(u32::MAX);
        if !fits {
            return Err(too_large);
        }
        let starts = shape::starts(&words, first, at)?;
        let btf = Self {
            inner: Arc::new(Inner {
                base,
                first,
                strings_from,
                words,
                starts,
                strings,
                names: OnceLock::new(),
            }),
        };
        shape::records(&btf, at)?;
        Ok(btf)
    }

    /// The bytes of a `.BTF` section with these types (without those of the base).
    pub fn to_bytes(&self) -> Vec<u8> {
        let types_len = self.inner.words.len() as u32 * 4;
        let strings = self.inner.strings.as_bytes();
        let mut out = Vec::with_capacity(raw::HEADER_LEN as usize + types_len as usize + strings.len());
        out.extend_from_slice(&raw::MAGIC.to_le_bytes());
        out.extend_from_slice(&[raw::VERSION, 0]);
        for word in [raw::HEADER_LEN, 0, types_len, types_len, strings.len() as u32] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for word in &self.inner.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(strings);
        out
    }

    /// The type with this id, or nothing if there is none.
    pub fn type_by_id(&self, id: TypeId) -> Option<Type<'_>> {
        if id.is_void() {
            return Some(Type {
                id,
                name: "",
                def: Def::Void,
            });
        }
        let Some(record) = self.own_record(id) else {
            return self.inner.base.as_ref()?.type_by_id(id);
        };
        Some(Type {
            id,
            name: self.str_at(record[0]),
            def: self.decode(record),
        })
    }

    /// The kind of the type with this id, without decoding it.
    pub fn kind_of(&self, id: TypeId) -> Option<Kind> {
        if id.is_void() {
            return Some(Kind::Void);
        }
        match self.own_record(id) {
            Some(record) => Info(record[1]).kind(),
            None => self.inner.base.as_ref()?.kind_of(id),
        }
    }

    /// The name of the type with this id; empty if anonymous or absent.
    pub fn name_of(&self, id: TypeId) -> &str {
        self.type_by_id(id).map_or("", |ty| ty.name)
    }

    /// The first type of this name and kind; types of the base come first.
    pub fn find(&self, name: &str, kind: Kind) -> Option<TypeId> {
        self.find_all(name).find(|&id| self.kind_of(id) == Some(kind))
    }

    /// All types of this name, by id.
    pub fn find_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = TypeId> + 'a {
        // The bases are few (one in practice), so a small vector keeps the order "lowest id first".
        let mut chain: Vec<&'a Self> = std::iter::successors(Some(self), |btf| btf.inner.base.as_ref()).collect();
        chain.reverse();
        chain.into_iter().flat_map(move |btf| btf.find_own(name))
    }

    fn find_own<'a>(&'a self, name: &'a str) -> impl Iterator<Item = TypeId> + 'a {
        self.own_candidates(name).filter(move |&id| self.name_of(id) == name)
    }

    /// Own types that have this name but for a flavour (`name___x`).
    pub(crate) fn own_flavours<'a>(&'a self, name: &'a str) -> impl Iterator<Item = TypeId> + 'a {
        self.own_candidates(name)
            .filter(move |&id| essential(self.name_of(id)) == name)
    }

    fn own_candidates<'a>(&'a self, name: &'a str) -> impl Iterator<Item = TypeId> + 'a {
        let index = self.inner.names.get_or_init(|| NameIndex::new(self.own_names()));
        index.candidates(name).map(|at| TypeId(self.inner.first + at))
    }

    fn own_names(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        let starts = &self.inner.starts[..self.inner.starts.len() - 1];
        starts
            .iter()
            .map(|&start| self.str_at(self.inner.words[start as usize]))
    }

    /// All types, `void` not counted, those of the base first.
    pub fn types(&self) -> impl Iterator<Item = Type<'_>> {
        (1..self.end_id()).filter_map(|id| self.type_by_id(TypeId(id)))
    }

    /// The types of this BTF without those of the base.
    pub fn own_types(&self) -> impl Iterator<Item = Type<'_>> {
        (self.inner.first..self.end_id()).filter_map(|id| self.type_by_id(TypeId(id)))
    }

    /// Number of types, `void` and those of the base counted: the lowest id that is not used.
    pub fn end_id(&self) -> u32 {
        self.inner.first + (self.inner.starts.len() - 1) as u32
    }

    /// The base, if this is split BTF.
    pub fn base(&self) -> Option<&Self> {
        self.inner.base.as_ref()
    }

    /// The string at an offset of the string table, as `.BTF.ext` refers to it.
    pub fn string(&self, offset: u32) -> Option<&str> {
        if offset < self.inner.strings_from {
            return self.inner.base.as_ref()?.string(offset);
        }
        let rest = self.inner.strings.get((offset - self.inner.strings_from) as usize..)?;
        // `from_bytes_until_nul` searches word by word, which a search for a char would not.
        let text = CStr::from_bytes_until_nul(rest.as_bytes()).ok()?;
        rest.get(..text.count_bytes())
    }

    /// Decl tags on a type: text and component.
    pub fn decl_tags(&self, id: TypeId) -> impl Iterator<Item = (&str, Option<u32>)> {
        self.types().filter_map(move |ty| match ty.def {
            Def::DeclTag { ty: target, component } if target == id => Some((ty.name, component)),
            _ => None,
        })
    }

    /// Words, starts of records and strings of the own types.
    pub(crate) fn own_parts(&self) -> (&[u32], &[u32], &str) {
        (&self.inner.words, &self.inner.starts, &self.inner.strings)
    }

    /// Bytes of types and strings, those of the base included.
    pub(crate) fn byte_len(&self) -> usize {
        let base = self.inner.base.as_ref().map_or(0, Self::byte_len);
        base + self.inner.words.len() * 4 + self.inner.strings.len()
    }

    /// For each id whether another type refers to it.
    pub(crate) fn referenced(&self) -> Vec<bool> {
        let mut referenced = vec![false; self.end_id() as usize];
        for id in 1..self.end_id() {
            let Some(record) = self.record(TypeId(id)) else {
                continue;
            };
            let kind = Info(record[1]).kind().unwrap_or(Kind::Void);
            raw::references(kind, record.len(), |word, meaning| {
                if meaning == Word::Id {
                    referenced[record[word] as usize] = true;
                }
            });
        }
        referenced
    }

    pub(crate) fn str_at(&self, offset: u32) -> &str {
        self.string(offset).unwrap_or("")
    }

    /// One more than the last offset of a string.
    pub(crate) fn strings_end(&self) -> u32 {
        self.inner.strings_from + self.inner.strings.len() as u32
    }

    pub(crate) fn own_record(&self, id: TypeId) -> Option<&[u32]> {
        let at = id.0.checked_sub(self.inner.first)? as usize;
        let (start, end) = (*self.inner.starts.get(at)?, *self.inner.starts.get(at + 1)?);
        self.inner.words.get(start as usize..end as usize)
    }

    /// The words of a record, wherever it is.
    pub(crate) fn record(&self, id: TypeId) -> Option<&[u32]> {
        self.own_record(id).or_else(|| self.inner.base.as_ref()?.record(id))
    }

    fn decode<'a>(&'a self, record: &'a [u32]) -> Def<'a> {
        let (info, third) = (Info(record[1]), record[2]);
        let (ty, words, btf) = (TypeId(third), &record[3..], self);
        let first = words.first().copied().unwrap_or(0);
        // `find_starts` has refused unknown kinds.
        match info.kind().unwrap_or(Kind::Void) {
            Kind::Void => Def::Void,
            Kind::Int => Def::Int(Int {
                size: third,
                bits: first as u8,
                bit_offset: (first >> 16) as u8,
                encoding: Encoding::from_bits(first >> 24),
            }),
            Kind::Ptr => Def::Ptr(ty),
            Kind::Array => Def::Array(Array {
                element: TypeId(words[0]),
                index: TypeId(words[1]),
                len: words[2],
            }),
            Kind::Struct => Def::Struct(Composite {
                size: third,
                kind_flag: info.kind_flag(),
                btf,
                words,
            }),
            Kind::Union => Def::Union(Composite {
                size: third,
                kind_flag: info.kind_flag(),
                btf,
                words,
            }),
            Kind::Enum => Def::Enum(Enum {
                size: third,
                signed: info.kind_flag(),
                wide: false,
                btf,
                words,
            }),
            Kind::Enum64 => Def::Enum(Enum {
                size: third,
                signed: info.kind_flag(),
                wide: true,
                btf,
                words,
            }),
            Kind::Fwd => Def::Fwd {
                is_union: info.kind_flag(),
            },
            Kind::Typedef => Def::Typedef(ty),
            Kind::Volatile => Def::Volatile(ty),
            Kind::Const => Def::Const(ty),
            Kind::Restrict => Def::Restrict(ty),
            Kind::Func => Def::Func {
                proto: ty,
                linkage: Linkage::from_number(info.vlen()),
            },
            Kind::FuncProto => {
                let variadic = words.len() >= 2 && words[words.len() - 2..] == [0, 0];
                let words = if variadic { &words[..words.len() - 2] } else { words };
                Def::FuncProto(FuncProto {
                    ret: ty,
                    variadic,
                    btf,
                    words,
                })
            }
            Kind::Var => Def::Var {
                ty,
                linkage: Linkage::from_number(first),
            },
            Kind::DataSec => Def::DataSec(DataSec { size: third, words }),
            Kind::Float => Def::Float { size: third },
            Kind::DeclTag => Def::DeclTag {
                ty,
                component: (first != u32::MAX).then_some(first),
            },
            Kind::TypeTag => Def::TypeTag(ty),
        }
    }
}

impl fmt::Debug for Btf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Btf({} types)", self.end_id() - 1)
    }
}

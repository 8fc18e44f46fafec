//! [`Builder`]: makes BTF from scratch or on top of another.
//!
//! Equal types are stored once. A named structure, union, enumeration or typedef has one definition; a second
//! one that differs is an error, a forward declaration becomes the definition when that comes. Methods do not fail
//! one by one: the first error is kept and [`Builder::build`] returns it. Copying types from another
//! [`Btf`] is in `merge`, types of Rust in `rust`.

use std::collections::{HashMap, HashSet};

use crate::error::BuildError;
use crate::raw::Info;
use crate::types::{Encoding, Enumerator, Linkage, Member, Param, SecVar};
use crate::{Btf, Kind, TypeId};

/// Collects types; see the module's text for how equal and equally named types are treated.
///
/// ```
/// use btf::{Builder, Encoding, Kind, Member};
/// let mut b = Builder::new();
/// let head = b.declare(Kind::Struct, "list_head");
/// let pointer = b.ptr(head);
/// b.define(head, 16, &[Member::at("next", pointer, 0), Member::at("prev", pointer, 8)]);
/// let btf = b.build()?;
/// assert!(btf.find("list_head", Kind::Struct).is_some());
/// # Ok::<(), btf::BuildError>(())
/// ```
#[derive(Default)]
pub struct Builder {
    pub(crate) base: Option<Btf>,
    /// Records by id; those without words are declared and not yet defined.
    records: Vec<Record>,
    strings: String,
    string_offsets: HashMap<Box<str>, u32>,
    /// Every complete record that may be shared.
    known: HashMap<Box<[u32]>, TypeId>,
    /// Structures, unions, enumerations and typedefs by name.
    named: HashMap<(Kind, Box<str>), TypeId>,
    /// Forward declarations by the kind they declare and name.
    declared: HashMap<(Kind, Box<str>), TypeId>,
    /// Definitions that Rust types have begun.
    pub(crate) started: HashSet<(TypeId, &'static str)>,
    error: Option<BuildError>,
}

struct Record {
    kind: Kind,
    name: Box<str>,
    words: Box<[u32]>,
}

impl<'a> Member<'a> {
    /// A member that is not a bit field, at an offset in bytes.
    pub fn at(name: &'a str, ty: TypeId, byte_offset: u32) -> Self {
        Self {
            name,
            ty,
            bit_offset: byte_offset.saturating_mul(8),
            bits: None,
        }
    }

    /// A bit field: first bit from the start of the structure, number of bits.
    pub fn bit_field(name: &'a str, ty: TypeId, bit_offset: u32, bits: u8) -> Self {
        Self {
            name,
            ty,
            bit_offset,
            bits: Some(bits),
        }
    }
}

impl<'a> Param<'a> {
    /// A parameter.
    pub fn new(name: &'a str, ty: TypeId) -> Self {
        Self { name, ty }
    }
}

impl<'a> Enumerator<'a> {
    /// A value of an enumeration; negative ones as two's complement.
    pub fn new(name: &'a str, value: u64) -> Self {
        Self { name, value }
    }
}

impl Builder {
    /// Starts with nothing but `void`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts split BTF: types of `base` are used where the name is the same, new ones get higher ids.
    pub fn on(base: &Btf) -> Self {
        Self {
            base: Some(base.clone()),
            ..Self::default()
        }
    }

    /// An integer type.
    pub fn int(&mut self, name: &str, size: u32, encoding: Encoding) -> TypeId {
        let bits = size.saturating_mul(8).min(255);
        self.add(Kind::Int, name, 0, false, size, &[bits | encoding.to_bits() << 24])
    }

    /// A floating point type.
    pub fn float(&mut self, name: &str, size: u32) -> TypeId {
        self.add(Kind::Float, name, 0, false, size, &[])
    }

    /// A pointer.
    pub fn ptr(&mut self, to: TypeId) -> TypeId {
        self.add(Kind::Ptr, "", 0, false, to.0, &[])
    }

    /// `const`.
    pub fn constant(&mut self, of: TypeId) -> TypeId {
        self.add(Kind::Const, "", 0, false, of.0, &[])
    }

    /// `volatile`.
    pub fn volatile(&mut self, of: TypeId) -> TypeId {
        self.add(Kind::Volatile, "", 0, false, of.0, &[])
    }

    /// `restrict`.
    pub fn restrict(&mut self, of: TypeId) -> TypeId {
        self.add(Kind::Restrict, "", 0, false, of.0, &[])
    }

    /// A tag on a type (`rcu`, `percpu`, `user`, …).
    pub fn type_tag(&mut self, text: &str, of: TypeId) -> TypeId {
        self.add(Kind::TypeTag, text, 0, false, of.0, &[])
    }

    /// A tag on a declaration, or on one of its members or parameters.
    pub fn decl_tag(&mut self, text: &str, on: TypeId, component: Option<u32>) -> TypeId {
        self.add(Kind::DeclTag, text, 0, false, on.0, &[component.unwrap_or(u32::MAX)])
    }

    /// An array, with the index type that compilers give it; length 0 for a flexible one.
    pub fn array(&mut self, element: TypeId, len: u32) -> TypeId {
        let index = self.int("__ARRAY_SIZE_TYPE__", 4, Encoding::UNSIGNED);
        self.add(Kind::Array, "", 0, false, 0, &[element.0, index.0, len])
    }

    /// A typedef.
    pub fn typedef(&mut self, name: &str, of: TypeId) -> TypeId {
        self.add(Kind::Typedef, name, 0, false, of.0, &[])
    }

    /// A forward declaration; if the structure or union is here already, that.
    pub fn fwd(&mut self, name: &str, is_union: bool) -> TypeId {
        let kind = if is_union { Kind::Union } else { Kind::Struct };
        match self.find(name, kind) {
            Some(id) => id,
            None => self.add(Kind::Fwd, name, 0, is_union, 0, &[]),
        }
    }

    /// A structure of a size in bytes.
    pub fn struct_type(&mut self, name: &str, size: u32, members: &[Member<'_>]) -> TypeId {
        self.composite_type(Kind::Struct, name, size, members)
    }

    /// A union of a size in bytes.
    pub fn union_type(&mut self, name: &str, size: u32, members: &[Member<'_>]) -> TypeId {
        self.composite_type(Kind::Union, name, size, members)
    }

    fn composite_type(&mut self, kind: Kind, name: &str, size: u32, members: &[Member<'_>]) -> TypeId {
        let (kind_flag, words) = self.member_words(name, members);
        if name.is_empty() {
            return self.add(kind, name, members.len(), kind_flag, size, &words);
        }
        let id = self.declare(kind, name);
        self.define_words(id, size, kind_flag, members.len(), &words);
        id
    }

    /// Reserves the id of a named structure or union, so that types that refer to it can be made before it is defined.
    /// Gives the same id for the same name; a forward declaration's id is taken over.
    pub fn declare(&mut self, kind: Kind, name: &str) -> TypeId {
        if let Some(id) = self.find(name, kind) {
            return id;
        }
        let id = match self.take_fwd(kind, name) {
            Some(id) => id,
            None => {
                self.records.push(Record {
                    kind,
                    name: name.into(),
                    words: Box::default(),
                });
                self.last_id()
            }
        };
        self.named.insert((kind, name.into()), id);
        id
    }

    /// Defines what [`declare`](Self::declare) reserved. Defining it again alike changes nothing; differently is an
    /// error.
    pub fn define(&mut self, id: TypeId, size: u32, members: &[Member<'_>]) {
        let name = self.own(id).map_or_else(String::new, |record| record.name.to_string());
        let (kind_flag, words) = self.member_words(&name, members);
        self.define_words(id, size, kind_flag, members.len(), &words);
    }

    fn define_words(&mut self, id: TypeId, size: u32, kind_flag: bool, count: usize, extra: &[u32]) {
        // A type of the base stays as it is there.
        let Some(record) = self.own(id) else { return };
        let (kind, name) = (record.kind, record.name.clone());
        let words = self.record_words(kind, &name, count, kind_flag, size, extra);
        self.set(id, words);
    }

    /// Completes a declared record, or compares with the one there is.
    pub(crate) fn set(&mut self, id: TypeId, words: Box<[u32]>) {
        let first = self.first_id();
        let Some(record) = id.0.checked_sub(first).and_then(|at| self.records.get_mut(at as usize)) else {
            return;
        };
        if record.words.is_empty() {
            record.words = words;
        } else if record.words != words {
            let (kind, name) = (record.kind, record.name.to_string());
            let difference = difference(kind, &record.words, &words, &self.strings);
            self.fail(BuildError::Conflict { kind, name, difference });
        }
    }

    /// An enumeration of a size in bytes: `ENUM64` if that is 8, else `ENUM`.
    pub fn enum_type(&mut self, name: &str, size: u32, signed: bool, values: &[Enumerator<'_>]) -> TypeId {
        let wide = size == 8;
        let mut words = Vec::with_capacity(values.len() * 3);
        for value in values {
            words.extend([self.string(value.name), value.value as u32]);
            if wide {
                words.push((value.value >> 32) as u32);
            }
        }
        let kind = if wide { Kind::Enum64 } else { Kind::Enum };
        self.add(kind, name, values.len(), signed, size, &words)
    }

    /// A prototype; `variadic` adds the `…`.
    pub fn func_proto(&mut self, ret: TypeId, params: &[Param<'_>], variadic: bool) -> TypeId {
        let mut words: Vec<u32> = params
            .iter()
            .flat_map(|param| [self.string(param.name), param.ty.0])
            .collect();
        if variadic {
            words.extend([0, 0]);
        }
        self.add(Kind::FuncProto, "", words.len() / 2, false, ret.0, &words)
    }

    /// A function.
    pub fn func(&mut self, name: &str, proto: TypeId, linkage: Linkage) -> TypeId {
        self.add(Kind::Func, name, linkage.number() as usize, false, proto.0, &[])
    }

    /// A variable.
    pub fn var(&mut self, name: &str, ty: TypeId, linkage: Linkage) -> TypeId {
        self.add(Kind::Var, name, 0, false, ty.0, &[linkage.number()])
    }

    /// A section of variables.
    pub fn datasec(&mut self, name: &str, size: u32, vars: &[SecVar]) -> TypeId {
        let words: Vec<u32> = vars.iter().flat_map(|var| [var.ty.0, var.offset, var.size]).collect();
        self.add(Kind::DataSec, name, vars.len(), false, size, &words)
    }

    /// The type of this name and kind, here or in the base. Found are kinds that have one definition a name: structures,
    /// unions, enumerations, typedefs and forward declarations; in the base all.
    pub fn find(&self, name: &str, kind: Kind) -> Option<TypeId> {
        if name.is_empty() {
            return None;
        }
        let own = match kind {
            Kind::Fwd => [Kind::Struct, Kind::Union]
                .into_iter()
                .find_map(|of| self.declared.get(&(of, name.into()))),
            _ => self.named.get(&(kind, name.into())),
        };
        own.copied().or_else(|| self.base.as_ref()?.find(name, kind))
    }

    /// Finishes.
    ///
    /// # Errors
    /// The first [`BuildError`] of any call before, or a type that was declared and never defined.
    pub fn build(self) -> Result<Btf, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut words = Vec::new();
        for record in &self.records {
            if record.words.is_empty() {
                return Err(BuildError::Undefined {
                    kind: record.kind,
                    name: record.name.to_string(),
                });
            }
            words.extend_from_slice(&record.words);
        }
        let mut strings = self.strings;
        if strings.is_empty() && self.base.is_none() {
            strings.push('\0');
        }
        Ok(Btf::from_parts(words, strings, self.base, 0)?)
    }

    /// Notes an error, if it is the first.
    pub(crate) fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    /// Adds a complete record or finds its equal.
    fn add(&mut self, kind: Kind, name: &str, vlen: usize, kind_flag: bool, third: u32, extra: &[u32]) -> TypeId {
        let words = self.record_words(kind, name, vlen, kind_flag, third, extra);
        self.add_words(kind, name, words)
    }

    /// As `add`, for words that are ready.
    pub(crate) fn add_words(&mut self, kind: Kind, name: &str, words: Box<[u32]>) -> TypeId {
        if let Some(&id) = self.known.get(&words) {
            return id;
        }
        let one_per_name = matches!(kind, Kind::Typedef | Kind::Enum | Kind::Enum64) && !name.is_empty();
        if one_per_name && let Some(id) = self.find(name, kind) {
            self.set(id, words);
            return id;
        }
        if kind == Kind::Int
            && let Some(id) = self.base_int(name, &words)
        {
            return id;
        }
        let info = words[1];
        self.records.push(Record {
            kind,
            name: name.into(),
            words: words.clone(),
        });
        let id = self.last_id();
        self.known.insert(words, id);
        if one_per_name {
            self.named.insert((kind, name.into()), id);
        }
        if kind == Kind::Fwd {
            let of = if Info(info).kind_flag() {
                Kind::Union
            } else {
                Kind::Struct
            };
            self.declared.insert((of, name.into()), id);
        }
        id
    }

    pub(crate) fn record_words(
        &mut self,
        kind: Kind,
        name: &str,
        vlen: usize,
        kind_flag: bool,
        third: u32,
        extra: &[u32],
    ) -> Box<[u32]> {
        if vlen > 0xffff {
            self.fail(BuildError::TooManyEntries {
                kind,
                name: name.to_owned(),
                count: vlen,
            });
        }
        let mut words = Vec::with_capacity(3 + extra.len());
        words.extend([self.string(name), Info::new(kind, vlen as u32, kind_flag).0, third]);
        words.extend_from_slice(extra);
        words.into_boxed_slice()
    }

    /// Words of members, and whether they need the form with bit field sizes.
    fn member_words(&mut self, owner: &str, members: &[Member<'_>]) -> (bool, Vec<u32>) {
        let kind_flag = members.iter().any(|member| member.bits.is_some());
        let mut words = Vec::with_capacity(members.len() * 3);
        for member in members {
            let bits = member.bits.unwrap_or(0);
            if kind_flag && member.bit_offset > 0xff_ffff {
                let (owner, member_name) = (owner.to_owned(), member.name.to_owned());
                let bit_offset = member.bit_offset;
                self.fail(BuildError::BadBitField {
                    owner,
                    member: member_name,
                    bit_offset,
                    bits,
                });
            }
            words.extend([
                self.string(member.name),
                member.ty.0,
                member.bit_offset | u32::from(bits) << 24,
            ]);
        }
        (kind_flag, words)
    }

    pub(crate) fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(&offset) = self.string_offsets.get(text) {
            return offset;
        }
        if self.strings.is_empty() && self.base.is_none() {
            self.strings.push('\0');
        }
        let from = self.base.as_ref().map_or(0, Btf::strings_end);
        let offset = u32::try_from(from as usize + self.strings.len());
        let (Ok(offset), false) = (offset, text.contains('\0')) else {
            self.fail(BuildError::BadName(text.to_owned()));
            return 0;
        };
        self.strings.push_str(text);
        self.strings.push('\0');
        self.string_offsets.insert(text.into(), offset);
        offset
    }

    /// Turns a forward declaration into an undefined structure or union.
    fn take_fwd(&mut self, kind: Kind, name: &str) -> Option<TypeId> {
        let id = self.declared.remove(&(kind, Box::from(name)))?;
        let first = self.first_id();
        let record = self.records.get_mut((id.0 - first) as usize)?;
        self.known.remove(&record.words);
        record.kind = kind;
        record.words = Box::default();
        Some(id)
    }

    fn base_int(&self, name: &str, words: &[u32]) -> Option<TypeId> {
        let base = self.base.as_ref()?;
        let id = base.find(name, Kind::Int)?;
        (base.record(id)?[1..] == words[1..]).then_some(id)
    }

    pub(crate) fn first_id(&self) -> u32 {
        self.base.as_ref().map_or(1, Btf::end_id)
    }

    fn last_id(&self) -> TypeId {
        TypeId(self.first_id() + self.records.len() as u32 - 1)
    }

    fn own(&self, id: TypeId) -> Option<&Record> {
        self.records.get(id.0.checked_sub(self.first_id())? as usize)
    }
}

/// Says where two records of one kind and name differ.
fn difference(kind: Kind, one: &[u32], other: &[u32], strings: &str) -> String {
    if kind == Kind::Typedef {
        return format!("type {} and type {}", TypeId(one[2]), TypeId(other[2]));
    }
    if one[2] != other[2] {
        return format!("size {} and size {}", one[2], other[2]);
    }
    if one.len() != other.len() {
        return format!("{} and {} entries", Info(one[1]).vlen(), Info(other[1]).vlen());
    }
    let width = if kind == Kind::Enum { 2 } else { 3 };
    let entries = one[3..].chunks(width).zip(other[3..].chunks(width));
    match entries.into_iter().find(|(a, b)| a != b) {
        Some((a, _)) => {
            let rest = strings.get(a[0] as usize..).unwrap_or("");
            format!("at `{}`", rest.split('\0').next().unwrap_or(""))
        }
        None => "signedness or bit fields".to_owned(),
    }
}

//! What must hold of each record by itself (`btf_check_all_metas` and the `…_check_meta` of the kinds).
//!
//! Records are taken one after the other; the length of each is known only when its kind and entries are. Ids are looked at for their
//! size alone: whether there is such a type is asked when all records are known.

use super::names;
use super::rule::{NameRule, Part, Place, Refusal, Rule};
use super::table::{self, ID_MAX, Record, Types};
use crate::raw::{self, Info};
use crate::{Kind, TypeId};

/// Bits of the second word that mean something (`BTF_INFO_MASK`).
const INFO_MASK: u32 = 0x9f00_ffff;
/// Bits of an integer's word that mean something (`BTF_INT_MASK`).
const INT_MASK: u32 = 0x0fff_ffff;
/// The widest integer.
const INT_BITS_MAX: u32 = 128;

/// Takes the records apart; `length` is that of the section, whose last bytes need not make a word.
pub(super) fn records<'a>(words: &'a [u32], length: usize, strings: &'a [u8]) -> Result<Types<'a>, Refusal> {
    let mut types = Types {
        words,
        starts: Vec::with_capacity(words.len() / 4),
        strings,
    };
    let mut at = 0;
    while at * 4 < length {
        let id = TypeId(types.end());
        let used = record(&types, at, length - at * 4, id)?;
        // Linux checks records beyond the highest id and then forgets them.
        if id.0 < ID_MAX {
            types.starts.push(at as u32);
        }
        at += used;
    }
    Ok(types)
}

/// Checks one record; answers its words.
fn record(types: &Types<'_>, at: usize, left: usize, id: TypeId) -> Result<usize, Refusal> {
    // The record is not among the types yet: what is known of it stands here.
    let place = |kind: Option<Kind>, name: u32| Place {
        id,
        kind,
        name: table::text(types.name(name)),
        part: None,
    };
    let refuse = |rule, kind, name| {
        let place = Some(place(kind, name));
        Err(Refusal { rule, place })
    };
    let cut = |words: usize| Rule::RecordCut {
        need: words as u64 * 4,
        have: left as u64,
    };
    if left < 12 {
        return refuse(cut(3), None, 0);
    }
    let (name, info) = (types.words[at], Info(types.words[at + 1]));
    if info.0 & !INFO_MASK != 0 {
        return refuse(Rule::InfoBits(info.0), None, 0);
    }
    let Some(kind) = info.kind() else {
        return refuse(Rule::UnknownKind(info.kind_number()), None, 0);
    };
    if !table::name_is_inside(types.strings, name) {
        return refuse(Rule::NameOutside(name), Some(kind), 0);
    }
    let used = 3 + raw::extra_words(kind, info.vlen());
    if left < used * 4 {
        return refuse(cut(used), Some(kind), name);
    }
    let record = Types::at(types.words, at as u32, id);
    let found = by_kind(types, &record);
    found.map_err(|(part, rule)| {
        let place = Place {
            part,
            ..place(Some(kind), name)
        };
        Refusal {
            rule,
            place: Some(place),
        }
    })?;
    Ok(used)
}

type Found = Result<(), (Option<Part>, Rule)>;

fn by_kind(types: &Types<'_>, record: &Record<'_>) -> Found {
    let whole = match record.kind {
        Kind::Int => int(record),
        Kind::Ptr | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::Typedef | Kind::TypeTag => {
            reference(types, record)
        }
        Kind::Fwd => fwd(types, record),
        Kind::Array => array(record),
        Kind::Struct | Kind::Union => return composite(types, record),
        Kind::Enum | Kind::Enum64 => return enumeration(types, record),
        Kind::FuncProto => no_name(record).and_then(|()| no_kind_flag(record)),
        Kind::Func => func(types, record),
        Kind::Var => var(types, record),
        Kind::DataSec => return datasec(types, record),
        Kind::Float => float(record),
        Kind::DeclTag => decl_tag(types, record),
        // Refused as an unknown kind before.
        Kind::Void => Ok(()),
    };
    whole.map_err(|rule| (None, rule))
}

fn int(record: &Record<'_>) -> Result<(), Rule> {
    no_entries(record)?;
    no_kind_flag(record)?;
    let word = record.extra(0);
    if word & !INT_MASK != 0 {
        return Err(Rule::IntBits(word));
    }
    let (bits, bit_offset) = record.int_bits();
    let (bits, size) = (bits + bit_offset, record.third());
    if bits > INT_BITS_MAX {
        return Err(Rule::IntTooWide { bits });
    }
    if bits.div_ceil(8) > size {
        return Err(Rule::IntBeyondSize { bits, size });
    }
    match word >> 24 {
        0 | 1 | 2 | 4 => Ok(()),
        encoding => Err(Rule::IntEncoding(encoding as u8)),
    }
}

/// Pointers, qualifiers, typedefs and type tags.
fn reference(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    no_entries(record)?;
    // Since Linux 6.15 the flag of a tag says that it is an attribute by itself.
    if record.kind != Kind::TypeTag {
        no_kind_flag(record)?;
    }
    id_is_possible(record.third())?;
    match record.kind {
        Kind::Typedef => names::identifier(types.name(record.name())),
        Kind::TypeTag => tag_text(types, record),
        _ => no_name(record),
    }
}

fn fwd(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    no_entries(record)?;
    if record.third() != 0 {
        return Err(Rule::FwdType(record.third()));
    }
    names::identifier(types.name(record.name()))
}

fn array(record: &Record<'_>) -> Result<(), Rule> {
    no_name(record)?;
    no_entries(record)?;
    no_kind_flag(record)?;
    if record.third() != 0 {
        return Err(Rule::Size(record.third()));
    }
    let (element, index) = (record.extra(0), record.extra(1));
    if element == 0 {
        return Err(Rule::ArrayElement);
    }
    id_is_possible(element)?;
    if index == 0 {
        return Err(Rule::ArrayIndex);
    }
    id_is_possible(index)
}

fn composite(types: &Types<'_>, record: &Record<'_>) -> Found {
    optional_name(types, record.name()).map_err(|rule| (None, rule))?;
    let size = record.third();
    let mut before = 0;
    for member in record.members() {
        let refuse = |rule| Err((Some(Part::Member(table::text(types.name(member.name)))), rule));
        if !table::name_is_inside(types.strings, member.name) {
            return refuse(Rule::NameOutside(member.name));
        }
        if let Err(rule) = optional_name(types, member.name).and_then(|()| not_void(member.ty.0)) {
            return refuse(rule);
        }
        let bit_offset = member.bit_offset();
        if record.kind == Kind::Union && bit_offset != 0 {
            return refuse(Rule::UnionOffset { bit_offset });
        }
        if before > bit_offset {
            return refuse(Rule::MemberOrder { bit_offset, before });
        }
        if bit_offset.div_ceil(8) > size {
            return refuse(Rule::MemberOutside { bit_offset, size });
        }
        before = bit_offset;
    }
    Ok(())
}

fn enumeration(types: &Types<'_>, record: &Record<'_>) -> Found {
    let whole = |rule| (None, rule);
    if !matches!(record.third(), 1 | 2 | 4 | 8) {
        return Err(whole(Rule::EnumSize(record.third())));
    }
    optional_name(types, record.name()).map_err(whole)?;
    let words = if record.kind == Kind::Enum64 { 3 } else { 2 };
    for index in 0..record.entries() {
        let name = record.extra(index as usize * words);
        let found = if table::name_is_inside(types.strings, name) {
            names::identifier(types.name(name))
        } else {
            Err(Rule::NameOutside(name))
        };
        found.map_err(|rule| (Some(Part::Value(index)), rule))?;
    }
    Ok(())
}

fn func(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    names::identifier(types.name(record.name()))?;
    // A function has its linkage where others have the number of entries.
    let linkage = record.entries();
    if linkage > 1 {
        return Err(Rule::FuncLinkage(linkage));
    }
    no_kind_flag(record)
}

fn var(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    no_entries(record)?;
    no_kind_flag(record)?;
    names::identifier(types.name(record.name()))?;
    not_void(record.third())?;
    let linkage = record.extra(0);
    if linkage > 1 {
        return Err(Rule::VarLinkage(linkage));
    }
    Ok(())
}

fn datasec(types: &Types<'_>, record: &Record<'_>) -> Found {
    let whole = |rule| (None, rule);
    let size = record.third();
    if size == 0 {
        return Err(whole(Rule::SectionSize));
    }
    no_kind_flag(record).map_err(whole)?;
    names::section(types.name(record.name())).map_err(whole)?;
    let (mut before, mut sum) = (0, 0);
    for index in 0..record.entries() {
        let at = index as usize * 3;
        let (ty, offset, has) = (record.extra(at), record.extra(at + 1), record.extra(at + 2));
        let refuse = |rule| Err((Some(Part::Variable(index)), rule));
        if let Err(rule) = not_void(ty) {
            return refuse(rule);
        }
        if u64::from(offset) < before || offset >= size {
            return refuse(Rule::VarOffset { offset, before, size });
        }
        if has == 0 || has > size {
            return refuse(Rule::VarSize { has, limit: size });
        }
        // The sum is one of 32 bits in Linux, as are its parts.
        before = u64::from(offset.wrapping_add(has));
        if before > u64::from(size) {
            return refuse(Rule::VarBeyondSection { end: before, size });
        }
        sum += u64::from(has);
    }
    if sum > u64::from(size) {
        return Err(whole(Rule::VarBeyondSection { end: sum, size }));
    }
    Ok(())
}

fn float(record: &Record<'_>) -> Result<(), Rule> {
    no_entries(record)?;
    no_kind_flag(record)?;
    match record.third() {
        2 | 4 | 8 | 12 | 16 => Ok(()),
        size => Err(Rule::FloatSize(size)),
    }
}

/// The kind flag has the meaning that it has for a type tag.
fn decl_tag(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    tag_text(types, record)?;
    no_entries(record)?;
    let component = record.extra(0) as i32;
    if component < -1 {
        return Err(Rule::TagComponent(component));
    }
    Ok(())
}

fn no_entries(record: &Record<'_>) -> Result<(), Rule> {
    match record.entries() {
        0 => Ok(()),
        entries => Err(Rule::Entries(entries)),
    }
}

fn no_kind_flag(record: &Record<'_>) -> Result<(), Rule> {
    if record.kind_flag() {
        Err(Rule::KindFlag)
    } else {
        Ok(())
    }
}

/// By its offset: an empty name elsewhere in the strings is one too many.
fn no_name(record: &Record<'_>) -> Result<(), Rule> {
    match record.name() {
        0 => Ok(()),
        _ => Err(Rule::Name(NameRule::Unexpected)),
    }
}

/// Offset 0 is none; an empty name elsewhere is not valid.
fn optional_name(types: &Types<'_>, name: u32) -> Result<(), Rule> {
    match name {
        0 => Ok(()),
        name => names::identifier(types.name(name)),
    }
}

fn tag_text(types: &Types<'_>, record: &Record<'_>) -> Result<(), Rule> {
    if types.name(record.name()).is_empty() {
        Err(Rule::EmptyTag)
    } else {
        Ok(())
    }
}

fn id_is_possible(id: u32) -> Result<(), Rule> {
    if id > ID_MAX { Err(Rule::IdTooLarge(id)) } else { Ok(()) }
}

fn not_void(id: u32) -> Result<(), Rule> {
    if id == 0 { Err(Rule::Void) } else { id_is_possible(id) }
}

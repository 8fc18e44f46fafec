//! Whether a member fits its structure (the `…_check_member` and `…_check_kflag_member` of the kinds).
//!
//! With the kind flag the structure's own words say which members are bit fields and how wide they are; without it an integer type does.

use super::resolve::{Sized, Walk};
use super::rule::{Refusal, Rule};
use super::table::{MemberWords, Record};
use crate::Kind;

/// Bits that Linux copies for one member, at most.
const COPY_BITS_MAX: u32 = 128;
/// Bits of an enumeration that is a bit field, at most (`sizeof(int)`).
const ENUM_BITS: u32 = 32;

pub(super) fn fits(walk: &Walk<'_, '_>, record: &Record<'_>, member: &MemberWords) -> Result<(), Refusal> {
    let found = match walk.size_of(member.ty) {
        Some(sized) => by_kind(walk, record, member, sized),
        None => Err(Rule::NoSize),
    };
    found.or_else(|rule| walk.types.refuse_member(record.id, member, rule))
}

fn by_kind(walk: &Walk<'_, '_>, record: &Record<'_>, member: &MemberWords, sized: Sized) -> Result<(), Rule> {
    let with_flag = record.kind_flag();
    let size = record.third();
    match sized.kind {
        Kind::Int => {
            let Some(int) = walk.types.get(sized.id) else {
                return Err(Rule::NoSize);
            };
            if with_flag {
                int_with_flag(&int, member, size)
            } else {
                int_alone(&int, member, size)
            }
        }
        Kind::Enum | Kind::Enum64 if with_flag => enum_with_flag(member, size),
        _ if member.bits() != 0 => Err(Rule::BitFieldWidth { bits: member.bits() }),
        Kind::Float => float(member, sized.size, size),
        Kind::Ptr | Kind::Array | Kind::Struct | Kind::Union | Kind::Enum | Kind::Enum64 => {
            let bit_offset = member.bit_offset();
            if !bit_offset.is_multiple_of(8) {
                return Err(Rule::MemberUnaligned { bit_offset });
            }
            // The offset is known to be inside.
            if size.wrapping_sub(bit_offset / 8) < sized.size {
                return Err(Rule::MemberBeyondSize { size });
            }
            Ok(())
        }
        kind => Err(Rule::MemberKind(kind)),
    }
}

/// An integer type that says itself which bits it has.
fn int_alone(int: &Record<'_>, member: &MemberWords, size: u32) -> Result<(), Rule> {
    let (bits, first) = int.int_bits();
    let start = member.offset.checked_add(first).ok_or(Rule::OffsetOverflow)?;
    bits_fit(start, bits, size)
}

fn int_with_flag(int: &Record<'_>, member: &MemberWords, size: u32) -> Result<(), Rule> {
    if !int.is_plain_int() {
        return Err(Rule::BitFieldType);
    }
    let (all, _) = int.int_bits();
    let bit_offset = member.bit_offset();
    let bits = match member.bits() {
        0 if !bit_offset.is_multiple_of(8) => return Err(Rule::MemberUnaligned { bit_offset }),
        0 => all,
        bits if bits > all => return Err(Rule::BitFieldWidth { bits }),
        bits => bits,
    };
    bits_fit(bit_offset, bits, size)
}

fn bits_fit(start: u32, bits: u32, size: u32) -> Result<(), Rule> {
    let copied = bits + start % 8;
    if copied > COPY_BITS_MAX {
        return Err(Rule::BitFieldSpan);
    }
    match size.checked_sub(start / 8) {
        Some(left) if left >= copied.div_ceil(8) => Ok(()),
        _ => Err(Rule::MemberBeyondSize { size }),
    }
}

/// Linux takes an enumeration that is no bit field for one of 4 bytes here.
fn enum_with_flag(member: &MemberWords, size: u32) -> Result<(), Rule> {
    let bit_offset = member.bit_offset();
    let bits = match member.bits() {
        0 if !bit_offset.is_multiple_of(8) => return Err(Rule::MemberUnaligned { bit_offset }),
        0 => ENUM_BITS,
        bits if bits > ENUM_BITS => return Err(Rule::BitFieldWidth { bits }),
        bits => bits,
    };
    if size < (bit_offset + bits).div_ceil(8) {
        return Err(Rule::MemberBeyondSize { size });
    }
    Ok(())
}

fn float(member: &MemberWords, bytes: u32, size: u32) -> Result<(), Rule> {
    let bit_offset = member.bit_offset();
    if !bit_offset.is_multiple_of(bytes.min(8) * 8) {
        return Err(Rule::FloatUnaligned { bit_offset });
    }
    if u64::from(bit_offset / 8) + u64::from(bytes) > u64::from(size) {
        return Err(Rule::MemberBeyondSize { size });
    }
    Ok(())
}

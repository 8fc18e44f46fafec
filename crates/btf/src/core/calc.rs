//! The number that answers a relocation at a resolved access.
//!
//! `bpf_core_calc_field_relo`, `…_type_relo` and `…_enumval_relo` of `relo_core.c`.

use super::spec::Spec;
use super::{BitPlace, BitsMoved, CoreError, Fixup, RelocationKind, Resize};
use crate::types::{Def, Encoding, Member};
use crate::{Btf, TypeId};

/// A number, and what else the instruction may need to know.
struct Answer {
    value: u64,
    /// Whether compilers agree on the number.
    certain: bool,
    /// Size and type of a field that an instruction reads directly.
    access: Option<(u32, TypeId)>,
    /// For the offset of a field: its bits, counted from there, and whether it is a bit field.
    bits: Option<(BitPlace, bool)>,
}

impl Answer {
    fn certain(value: u64) -> Self {
        Self {
            value,
            certain: true,
            access: None,
            bits: None,
        }
    }
}

/// Compares the local access with a candidate's, or with none.
pub(super) fn fixup(kind: RelocationKind, local: &Spec<'_>, target: Option<&Spec<'_>>) -> Result<Fixup, CoreError> {
    let here = answer(kind, Some(local))?.unwrap_or_else(|| Answer::certain(0));
    let there = answer(kind, target)?;
    let mut fixup = Fixup {
        kind,
        local: here.value,
        target: there.as_ref().map_or(0, |answer| answer.value),
        poisoned: there.is_none(),
        validate: here.certain,
        resize: None,
        bits: None,
        target_index: None,
        target_type: target.map(|spec| spec.root),
    };
    if let (Some((local, true)), Some((target, _))) = (here.bits, there.as_ref().and_then(|there| there.bits)) {
        fixup.bits = Some(BitsMoved { local, target });
    }
    if let (Some(target), Some(there)) = (target, there)
        && let (Some((local_size, local_type)), Some((target_size, target_type))) = (here.access, there.access)
        && local_size != target_size
    {
        let allowed = may_resize(local.btf, local_type, target.btf, target_type);
        fixup.resize = Some(Resize {
            local: local_size,
            target: target_size,
            allowed,
        });
    }
    Ok(fixup)
}

/// Pointers, and integers that are not signed, keep their value when more or less of them is loaded.
fn may_resize(local: &Btf, local_type: TypeId, target: &Btf, target_type: TypeId) -> bool {
    match (
        local.type_by_id(local_type).map(|t| t.def),
        target.type_by_id(target_type).map(|t| t.def),
    ) {
        (Some(Def::Ptr(_)), Some(Def::Ptr(_))) => true,
        (Some(Def::Int(one)), Some(Def::Int(other))) => {
            one.encoding != Encoding::SIGNED && other.encoding != Encoding::SIGNED
        }
        _ => false,
    }
}

/// Nothing means that there is no answer, and that the instruction must not be reached.
fn answer(kind: RelocationKind, spec: Option<&Spec<'_>>) -> Result<Option<Answer>, CoreError> {
    use RelocationKind as K;
    let exists = u64::from(spec.is_some());
    let value = match (kind, spec) {
        (K::FieldExists | K::EnumvalExists | K::TypeExists | K::TypeMatches, _) => Answer::certain(exists),
        (K::TypeSize | K::TypeIdTarget, None) => Answer::certain(0),
        (K::TypeSize, Some(spec)) => Answer::certain(u64::from(spec.btf.size_of(spec.root)?)),
        (K::TypeIdTarget, Some(spec)) => Answer {
            value: u64::from(spec.root.0),
            certain: false,
            access: None,
            bits: None,
        },
        (K::TypeIdLocal, spec) => Answer {
            value: spec.map_or(0, |spec| u64::from(spec.root.0)),
            certain: false,
            access: None,
            bits: None,
        },
        (_, None) => return Ok(None),
        (K::EnumvalValue, Some(spec)) => Answer::certain(enum_value(spec)),
        (
            K::FieldByteOffset | K::FieldByteSize | K::FieldSigned | K::FieldLshiftU64 | K::FieldRshiftU64,
            Some(spec),
        ) => field(kind, spec)?,
    };
    Ok(Some(value))
}

fn enum_value(spec: &Spec<'_>) -> u64 {
    let accessor = spec.accessors[0];
    let Some(Def::Enum(e)) = spec.btf.type_by_id(accessor.ty).map(|ty| ty.def) else {
        return 0;
    };
    let value = e
        .enumerators()
        .nth(accessor.index as usize)
        .map_or(0, |value| value.value);
    // libbpf reads the 32 bits as signed, whatever the enumeration says.
    if e.wide {
        value
    } else {
        value as u32 as i32 as i64 as u64
    }
}

fn field(kind: RelocationKind, spec: &Spec<'_>) -> Result<Answer, CoreError> {
    let unsuited = || CoreError::Unsuited {
        kind,
        ty: spec.root,
        name: spec.btf.name_of(spec.root).to_owned(),
    };
    let Some(last) = spec.accessors.last() else {
        return Err(unsuited());
    };
    if last.name.is_none() {
        let size = spec.btf.size_of(last.ty)?;
        return match kind {
            RelocationKind::FieldByteOffset => Ok(Answer {
                value: spec.bit_offset / 8,
                certain: true,
                access: Some((size, last.ty)),
                bits: None,
            }),
            RelocationKind::FieldByteSize => Ok(Answer::certain(u64::from(size))),
            _ => Err(unsuited()),
        };
    }
    let composite = spec.btf.get(last.ty)?.composite();
    let member = composite
        .and_then(|c| c.member(last.index as usize))
        .ok_or_else(unsuited)?;
    member_answer(kind, spec, &member, unsuited)
}

fn member_answer(
    kind: RelocationKind,
    spec: &Spec<'_>,
    member: &Member<'_>,
    unsuited: impl Fn() -> CoreError,
) -> Result<Answer, CoreError> {
    let ty = spec.btf.resolve(member.ty)?;
    let size = u64::from(spec.btf.size_of(ty.id)?);
    let bit_field = member.bits.is_some();
    let (offset, load, bits) = match member.bits {
        Some(bits) => {
            let (offset, load) = load_of(spec.bit_offset, u64::from(bits), size)
                .ok_or_else(|| CoreError::BitFieldTooWide(member.name.to_owned()))?;
            (offset, load, u64::from(bits))
        }
        None => (spec.bit_offset / 8, size, size * 8),
    };
    let uncertain = |value| Answer {
        value,
        certain: !bit_field,
        access: None,
        bits: None,
    };
    Ok(match kind {
        RelocationKind::FieldByteOffset => {
            let place = BitPlace {
                bit: (spec.bit_offset - offset * 8) as u32,
                bits: bits as u32,
            };
            Answer {
                access: (!bit_field).then_some((load as u32, ty.id)),
                bits: Some((place, bit_field)),
                ..uncertain(offset)
            }
        }
        RelocationKind::FieldByteSize => uncertain(load),
        RelocationKind::FieldSigned => Answer::certain(u64::from(match ty.def {
            Def::Int(int) => int.encoding.signed,
            Def::Enum(e) => e.signed,
            _ => false,
        })),
        // Only fields of up to eight bytes are loaded whole; for others the number has no use, as in libbpf.
        RelocationKind::FieldLshiftU64 => {
            uncertain(64u64.wrapping_sub(spec.bit_offset.wrapping_add(bits).wrapping_sub(offset * 8)) & 0xffff_ffff)
        }
        RelocationKind::FieldRshiftU64 => Answer::certain(64u64.wrapping_sub(bits) & 0xffff_ffff),
        _ => return Err(unsuited()),
    })
}

/// Byte offset and size of the smallest aligned load, at least as large as the field's type, that covers a bit field.
fn load_of(bit_offset: u64, bits: u64, size: u64) -> Option<(u64, u64)> {
    let mut load = size;
    if load == 0 {
        return None;
    }
    loop {
        let offset = bit_offset / 8 / load * load;
        if bit_offset + bits <= offset.checked_add(load)?.checked_mul(8)? {
            return Some((offset, load));
        }
        if load >= 8 {
            return None;
        }
        load *= 2;
    }
}

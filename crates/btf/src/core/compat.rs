//! When two types are compatible for a field or as a whole, and when they match.
//!
//! `bpf_core_fields_are_compat`, `__bpf_core_types_are_compat` and `__bpf_core_types_match` of `relo_core.c`. Two types
//! that are compatible are of one kind; two that match also have the same members, sizes and signs.

use super::names::same;
use crate::error::LayoutError;
use crate::layout::DEPTH_MAX;
use crate::types::{Composite, Def, Enum};
use crate::{Btf, TypeId};

/// How deeply prototypes within prototypes and structures within structures are compared.
const LEVEL_MAX: usize = 32;
/// Most pairs of types that are compared for one answer; structures may be nested so that it would never end.
const PAIRS_MAX: usize = 1 << 16;

/// Whether a field of the local type can be read from one of the target's.
pub(super) fn fields_are_compat(
    local_btf: &Btf,
    mut local_id: TypeId,
    target_btf: &Btf,
    mut target_id: TypeId,
) -> Result<bool, LayoutError> {
    for _ in 0..=DEPTH_MAX {
        let (local, target) = (local_btf.resolve(local_id)?, target_btf.resolve(target_id)?);
        return Ok(match (local.def, target.def) {
            (Def::Struct(_) | Def::Union(_), Def::Struct(_) | Def::Union(_)) => true,
            (Def::Ptr(_), Def::Ptr(_)) | (Def::Float { .. }, Def::Float { .. }) => true,
            (Def::Fwd { .. }, Def::Fwd { .. }) | (Def::Enum(_), Def::Enum(_)) => {
                local.name.is_empty() || target.name.is_empty() || same(local.name, target.name)
            }
            (Def::Int(one), Def::Int(other)) => one.bit_offset == 0 && other.bit_offset == 0,
            (Def::Array(one), Def::Array(other)) => {
                (local_id, target_id) = (one.element, other.element);
                continue;
            }
            _ => false,
        });
    }
    Err(LayoutError::TooDeep(local_id))
}

/// Whether two types whose names are the same are of one kind, behind pointers and in prototypes too
/// (`bpf_core_types_are_compat`).
///
/// # Errors
/// A type that does not exist or nested deeper than [`DEPTH_MAX`].
pub fn types_are_compat(
    local_btf: &Btf,
    local_id: TypeId,
    target_btf: &Btf,
    target_id: TypeId,
) -> Result<bool, LayoutError> {
    let same_kind = match (local_btf.get(local_id)?.kind(), target_btf.get(target_id)?.kind()) {
        (one, other) if one.is_enum() => other.is_enum(),
        (one, other) => one == other,
    };
    Ok(same_kind
        && Compare {
            local: local_btf,
            target: target_btf,
            pairs: 0,
        }
        .compat(local_id, target_id, LEVEL_MAX)?)
}

/// Whether two types whose names are the same match.
pub(super) fn types_match(
    local_btf: &Btf,
    local_id: TypeId,
    target_btf: &Btf,
    target_id: TypeId,
) -> Result<bool, LayoutError> {
    Compare {
        local: local_btf,
        target: target_btf,
        pairs: 0,
    }
    .matches(local_id, target_id, false, LEVEL_MAX)
}

struct Compare<'a> {
    local: &'a Btf,
    target: &'a Btf,
    pairs: usize,
}

impl Compare<'_> {
    fn count(&mut self, id: TypeId, level: usize) -> Result<(), LayoutError> {
        self.pairs += 1;
        if level == 0 || self.pairs > PAIRS_MAX {
            Err(LayoutError::TooDeep(id))
        } else {
            Ok(())
        }
    }

    fn compat(&mut self, mut local_id: TypeId, mut target_id: TypeId, level: usize) -> Result<bool, LayoutError> {
        for _ in 0..DEPTH_MAX {
            self.count(local_id, level + 1)?;
            let (local, target) = (self.local.resolve(local_id)?, self.target.resolve(target_id)?);
            match (local.def, target.def) {
                (Def::Void, Def::Void)
                | (Def::Struct(_), Def::Struct(_))
                | (Def::Union(_), Def::Union(_))
                | (Def::Enum(_), Def::Enum(_))
                | (Def::Fwd { .. }, Def::Fwd { .. }) => return Ok(true),
                (Def::Int(one), Def::Int(other)) => return Ok(one.bit_offset == 0 && other.bit_offset == 0),
                (Def::Ptr(one), Def::Ptr(other)) => (local_id, target_id) = (one, other),
                (Def::Array(one), Def::Array(other)) => (local_id, target_id) = (one.element, other.element),
                (Def::FuncProto(one), Def::FuncProto(other)) => {
                    if one.params().len() != other.params().len() || one.variadic != other.variadic {
                        return Ok(false);
                    }
                    for (a, b) in one.params().zip(other.params()) {
                        self.count(local_id, level)?;
                        if !self.compat(a.ty, b.ty, level - 1)? {
                            return Ok(false);
                        }
                    }
                    (local_id, target_id) = (one.ret, other.ret);
                }
                _ => return Ok(false),
            }
        }
        Err(LayoutError::TooDeep(local_id))
    }

    fn matches(
        &mut self,
        mut local_id: TypeId,
        mut target_id: TypeId,
        mut behind_pointer: bool,
        level: usize,
    ) -> Result<bool, LayoutError> {
        for _ in 0..DEPTH_MAX {
            self.count(local_id, level)?;
            let (local, target) = (self.local.resolve(local_id)?, self.target.resolve(target_id)?);
            if !same(local.name, target.name) {
                return Ok(false);
            }
            match (local.def, target.def) {
                (Def::Void, Def::Void) => return Ok(true),
                (Def::Fwd { is_union: one }, Def::Fwd { is_union: other }) => return Ok(one == other),
                (Def::Fwd { is_union }, Def::Struct(_)) => return Ok(behind_pointer && !is_union),
                (Def::Fwd { is_union }, Def::Union(_)) => return Ok(behind_pointer && is_union),
                (Def::Struct(_), Def::Fwd { is_union }) => return Ok(behind_pointer && !is_union),
                (Def::Union(_), Def::Fwd { is_union }) => return Ok(behind_pointer && is_union),
                (Def::Enum(one), Def::Enum(other)) => return Ok(enums_match(one, other)),
                (Def::Struct(one), Def::Struct(other)) | (Def::Union(one), Def::Union(other)) => {
                    return if behind_pointer {
                        Ok(true)
                    } else {
                        self.members_match(one, other, level)
                    };
                }
                (Def::Int(one), Def::Int(other)) => {
                    return Ok(one.size == other.size && one.encoding.signed == other.encoding.signed);
                }
                (Def::Ptr(one), Def::Ptr(other)) => {
                    behind_pointer = true;
                    (local_id, target_id) = (one, other);
                }
                (Def::Array(one), Def::Array(other)) => {
                    if one.len != other.len {
                        return Ok(false);
                    }
                    (local_id, target_id) = (one.element, other.element);
                }
                (Def::FuncProto(one), Def::FuncProto(other)) => {
                    if one.params().len() != other.params().len() || one.variadic != other.variadic {
                        return Ok(false);
                    }
                    for (a, b) in one.params().zip(other.params()) {
                        if !self.matches(a.ty, b.ty, behind_pointer, level - 1)? {
                            return Ok(false);
                        }
                    }
                    (local_id, target_id) = (one.ret, other.ret);
                }
                _ => return Ok(false),
            }
        }
        Err(LayoutError::TooDeep(local_id))
    }

    /// Each local member has one of the same name in the target that matches.
    fn members_match(&mut self, one: Composite<'_>, other: Composite<'_>, level: usize) -> Result<bool, LayoutError> {
        if one.len() > other.len() {
            return Ok(false);
        }
        for local in one.members() {
            let mut matched = false;
            for target in other.members().filter(|target| same(local.name, target.name)) {
                if self.matches(local.ty, target.ty, false, level - 1)? {
                    matched = true;
                    break;
                }
            }
            if !matched {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Each local value has one of the same name in the target; numbers may differ.
fn enums_match(one: Enum<'_>, other: Enum<'_>) -> bool {
    one.size == other.size
        && one.enumerators().len() <= other.enumerators().len()
        && one
            .enumerators()
            .all(|local| other.enumerators().any(|target| same(local.name, target.name)))
}

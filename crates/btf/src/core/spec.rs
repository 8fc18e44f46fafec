//! [`Spec`]: where an access string leads, in the local BTF and in a candidate's.
//!
//! `bpf_core_parse_spec`, `bpf_core_spec_match` and `bpf_core_match_member` of `relo_core.c`.

use super::compat::fields_are_compat;
use super::names::same;
use super::{CoreError, Relocation};
use crate::error::LayoutError;
use crate::types::{Array, Composite, Def, Member};
use crate::{Btf, Type, TypeId};

/// Longest access string, counted in numbers; also the deepest nesting that is searched.
pub(super) const STEPS_MAX: usize = 64;
/// Most members of a candidate that are looked at for one field: anonymous members could otherwise be nested so that the
/// search never ends.
const MEMBERS_MAX: usize = 1 << 16;

/// A turning point on the way to a field: a named member, an element, or (alone) a value of an enumeration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accessor<'a> {
    /// Structure with the member, or type of the element.
    pub(super) ty: TypeId,
    /// Index of the member or element.
    pub(super) index: u32,
    /// Name of the member or value; none for an element.
    pub(super) name: Option<&'a str>,
}

/// A resolved access.
#[derive(Clone, Debug)]
pub(super) struct Spec<'a> {
    pub(super) btf: &'a Btf,
    pub(super) root: TypeId,
    pub(super) accessors: Vec<Accessor<'a>>,
    pub(super) bit_offset: u64,
}

impl<'a> Spec<'a> {
    pub(super) fn new(btf: &'a Btf, root: TypeId) -> Self {
        Self {
            btf,
            root,
            accessors: Vec::new(),
            bit_offset: 0,
        }
    }

    fn advance(&mut self, bits: u64) -> Result<(), LayoutError> {
        self.bit_offset = self
            .bit_offset
            .checked_add(bits)
            .ok_or(LayoutError::TooLarge(self.root))?;
        Ok(())
    }

    fn element(&mut self, ty: TypeId, index: u32) -> Result<(), LayoutError> {
        self.accessors.push(Accessor { ty, index, name: None });
        self.advance(u64::from(index) * u64::from(self.btf.size_of(ty)?) * 8)
    }

    /// An array without length that ends a structure may be indexed at will.
    fn is_flexible(&self, array: Array) -> bool {
        let Some(Accessor {
            ty,
            index,
            name: Some(_),
        }) = self.accessors.last().copied()
        else {
            return false;
        };
        let members = self
            .btf
            .type_by_id(ty)
            .and_then(|ty| ty.composite())
            .map_or(0, Composite::len);
        array.len == 0 && index as usize + 1 == members
    }
}

/// Reads the access string along the local types.
pub(super) fn parse<'a>(btf: &'a Btf, relocation: &Relocation<'_>) -> Result<Spec<'a>, CoreError> {
    let mut spec = Spec::new(btf, relocation.ty);
    let steps = numbers(relocation)?;
    if relocation.kind.is_type() {
        let mismatch = |reason| Err(mismatch(btf, relocation, reason));
        return if relocation.access == "0" {
            Ok(spec)
        } else {
            mismatch("a type has no fields")
        };
    }
    let root = btf.resolve(relocation.ty)?;
    if relocation.kind.is_enumval() {
        let Def::Enum(e) = root.def else {
            return Err(mismatch(btf, relocation, "it is no enumeration"));
        };
        let value = e.enumerators().nth(steps[0] as usize).filter(|_| steps.len() == 1);
        let value = value.ok_or_else(|| mismatch(btf, relocation, "there is no such value"))?;
        spec.accessors.push(Accessor {
            ty: root.id,
            index: steps[0],
            name: Some(value.name),
        });
        return Ok(spec);
    }
    spec.element(root.id, steps[0])?;
    let mut at = root.id;
    for &index in &steps[1..] {
        let ty = btf.resolve(at)?;
        match ty.def {
            Def::Struct(composite) | Def::Union(composite) => {
                let member = composite.member(index as usize);
                let member = member.ok_or_else(|| mismatch(btf, relocation, "there is no such member"))?;
                spec.advance(u64::from(member.bit_offset))?;
                if !member.name.is_empty() {
                    spec.accessors.push(Accessor {
                        ty: ty.id,
                        index,
                        name: Some(member.name),
                    });
                }
                at = member.ty;
            }
            Def::Array(array) => {
                if index >= array.len && !spec.is_flexible(array) {
                    return Err(mismatch(btf, relocation, "there is no such element"));
                }
                at = btf.skip_mods_and_typedefs(array.element)?;
                spec.element(at, index)?;
            }
            _ => return Err(mismatch(btf, relocation, "it leads into something without fields")),
        }
    }
    Ok(spec)
}

/// The numbers of `0:1:2`.
fn numbers(relocation: &Relocation<'_>) -> Result<Vec<u32>, CoreError> {
    let bad = || CoreError::BadAccess {
        ty: relocation.ty,
        access: relocation.access.to_owned(),
    };
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|&n: &u32| n <= i32::MAX as u32)
            .ok_or_else(bad)
    };
    let numbers: Vec<u32> = relocation
        .access
        .split(':')
        .take(STEPS_MAX + 1)
        .map(number)
        .collect::<Result<_, _>>()?;
    if numbers.len() > STEPS_MAX {
        Err(bad())
    } else {
        Ok(numbers)
    }
}

fn mismatch(btf: &Btf, relocation: &Relocation<'_>, reason: &'static str) -> CoreError {
    let (name, access) = (btf.name_of(relocation.ty).to_owned(), relocation.access.to_owned());
    CoreError::AccessMismatch {
        ty: relocation.ty,
        name,
        access,
        reason,
    }
}

/// The value of a candidate enumeration that has the local value's name.
pub(super) fn match_enumval<'a>(local: &Spec<'_>, btf: &'a Btf, id: TypeId) -> Result<Option<Spec<'a>>, CoreError> {
    let ty = btf.resolve(id)?;
    let (Def::Enum(e), Some(name)) = (ty.def, local.accessors[0].name) else {
        return Ok(None);
    };
    let found = e.enumerators().enumerate().find(|(_, value)| same(value.name, name));
    Ok(found.map(|(index, value)| {
        let mut spec = Spec::new(btf, id);
        spec.accessors.push(Accessor {
            ty: ty.id,
            index: index as u32,
            name: Some(value.name),
        });
        spec
    }))
}

/// Goes the local way in a candidate type; nothing if the candidate has no such way.
pub(super) fn match_field<'a>(local: &Spec<'_>, btf: &'a Btf, id: TypeId) -> Result<Option<Spec<'a>>, CoreError> {
    let mut spec = Spec::new(btf, id);
    let mut at = id;
    let mut depth = 0;
    for (step, accessor) in local.accessors.iter().enumerate() {
        let ty = btf.resolve(at)?;
        if accessor.name.is_some() {
            let local_member = local_member(local, accessor)?;
            let mut search = Search {
                btf,
                name: local_member.name,
                members: 0,
            };
            let Some(found) = search.run(ty, depth)? else {
                return Ok(None);
            };
            if !fields_are_compat(local.btf, local_member.ty, btf, found.member.ty)? {
                return Ok(None);
            }
            spec.accessors.push(Accessor {
                ty: found.owner,
                index: found.index,
                name: Some(found.member.name),
            });
            spec.advance(found.bit_offset)?;
            at = found.member.ty;
            depth = found.depth;
        } else {
            let mut element = ty.id;
            if step > 0 {
                let Def::Array(array) = ty.def else { return Ok(None) };
                if accessor.index >= array.len && !spec.is_flexible(array) {
                    return Ok(None);
                }
                element = btf.skip_mods_and_typedefs(array.element)?;
            }
            depth += 1;
            if depth > STEPS_MAX {
                return Err(LayoutError::TooDeep(id).into());
            }
            spec.element(element, accessor.index)?;
            at = element;
        }
    }
    Ok(Some(spec))
}

fn local_member<'a>(local: &Spec<'a>, accessor: &Accessor<'_>) -> Result<Member<'a>, LayoutError> {
    let composite = local.btf.get(accessor.ty)?.composite();
    composite
        .and_then(|c| c.member(accessor.index as usize))
        .ok_or(LayoutError::NoSuchType(accessor.ty))
}

/// A member found by name.
struct Found<'a> {
    owner: TypeId,
    index: u32,
    member: Member<'a>,
    bit_offset: u64,
    depth: usize,
}

/// Search for a member by name, into anonymous members in their order.
struct Search<'a, 'n> {
    btf: &'a Btf,
    name: &'n str,
    members: usize,
}

impl<'a> Search<'a, '_> {
    /// `depth` numbers of the access string are used up; each level costs one, so the recursion is bounded.
    fn run(&mut self, ty: Type<'a>, depth: usize) -> Result<Option<Found<'a>>, LayoutError> {
        let Some(composite) = ty.composite() else {
            return Ok(None);
        };
        for (index, member) in composite.members().enumerate() {
            self.members += 1;
            if depth >= STEPS_MAX || self.members > MEMBERS_MAX {
                return Err(LayoutError::TooDeep(ty.id));
            }
            let bit_offset = u64::from(member.bit_offset);
            if member.name.is_empty() {
                let inner = self.btf.resolve(member.ty)?;
                if let Some(found) = self.run(inner, depth + 1)? {
                    return Ok(Some(Found {
                        bit_offset: found.bit_offset + bit_offset,
                        ..found
                    }));
                }
            } else if member.name == self.name {
                let (owner, index) = (ty.id, index as u32);
                return Ok(Some(Found {
                    owner,
                    index,
                    member,
                    bit_offset,
                    depth: depth + 1,
                }));
            }
        }
        Ok(None)
    }
}

//! Accesses to kernel structures: which member is at an offset, and what is there.
//!
//! Follows `btf_struct_walk`, `btf_struct_access` and `btf_struct_ids_match` of Linux 6.12's `kernel/bpf/btf.c`.

use btf::{Btf, Def, Type, TypeId};

/// What is at an offset of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// Data.
    Number,
    /// A pointer to something else, which is no number although nothing is known of what it points to
    /// (`WALK_PTR_UNTRUSTED`, Linux 6.18).
    Leaf,
    /// A pointer to a structure.
    Pointer {
        ty: TypeId,
        /// It was found in a union, so it may be anything.
        in_union: bool,
        tag: Tag,
    },
}

/// What a type tag says of a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    None,
    /// `__rcu`
    Rcu,
    /// `__user` or `__percpu`: not an address that can be read here.
    Foreign,
}

/// Why there is nothing to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// Past the end of this structure.
    Beyond { size: u32 },
    /// Not a member, or not one member.
    Member,
}

/// Outcome of a step into a structure.
enum Walk {
    Number,
    Leaf,
    /// The member that starts here is this structure.
    Struct(TypeId),
    Pointer {
        ty: TypeId,
        tag: Tag,
    },
}

/// A walk into a structure, and whether it came through a union.
struct Walker<'a> {
    btf: &'a Btf,
    in_union: bool,
}

/// What `size` bytes at `offset` of a structure are.
pub(crate) fn member_at(btf: &Btf, ty: TypeId, offset: u32, size: u32) -> Result<Member, Bad> {
    let mut walker = Walker { btf, in_union: false };
    let (mut ty, mut offset) = (ty, offset);
    // Each step goes into a member, so that the depth of the type is the bound.
    for _ in 0..DEPTH_MAX {
        match walker.walk(ty, offset, size)? {
            Walk::Number => return Ok(Member::Number),
            Walk::Leaf => return Ok(Member::Leaf),
            Walk::Pointer { ty, tag } => {
                let in_union = walker.in_union;
                return Ok(Member::Pointer { ty, in_union, tag });
            }
            Walk::Struct(inner) => (ty, offset) = (inner, 0),
        }
    }
    Err(Bad::Member)
}

/// Whether a pointer at `offset` of a structure also is a pointer to the structure `wanted`: the same, or one that
/// begins with it.
pub(crate) fn is_or_begins_with(btf: &Btf, ty: TypeId, offset: u32, wanted: TypeId) -> bool {
    if offset == 0 && ty == wanted {
        return true;
    }
    let mut walker = Walker { btf, in_union: false };
    let (mut ty, mut offset) = (ty, offset);
    for _ in 0..DEPTH_MAX {
        match walker.walk(ty, offset, 1) {
            Ok(Walk::Struct(inner)) if inner == wanted => return true,
            Ok(Walk::Struct(inner)) => (ty, offset) = (inner, 0),
            Ok(Walk::Number | Walk::Leaf | Walk::Pointer { .. }) | Err(_) => return false,
        }
    }
    false
}

/// Deepest nesting of structures that is followed.
const DEPTH_MAX: usize = 64;

impl<'a> Walker<'a> {
    /// One step: into the member at the offset (`btf_struct_walk`).
    fn walk(&mut self, ty: TypeId, mut offset: u32, size: u32) -> Result<Walk, Bad> {
        let mut ty = self.resolve(ty)?;
        for _ in 0..DEPTH_MAX {
            let composite = ty.composite().ok_or(Bad::Member)?;
            self.in_union |= matches!(ty.def, Def::Union(_)) && composite.len() != 1;
            let end = offset.checked_add(size).ok_or(Bad::Member)?;
            if end > composite.size {
                return self.walk_flexible(composite, offset, size);
            }
            match self.find(composite, offset, size)? {
                Found::Walk(walk) => return Ok(walk),
                Found::Inside { id, start } => {
                    if offset == start {
                        return Ok(Walk::Struct(id));
                    }
                    offset -= start;
                    ty = self.resolve(id)?;
                }
            }
        }
        Err(Bad::Member)
    }

    /// The member that holds the offset.
    fn find(&mut self, composite: btf::Composite<'_>, offset: u32, size: u32) -> Result<Found, Bad> {
        let end = offset + size;
        for member in composite.members() {
            let start = member.byte_offset();
            if end <= start {
                break;
            }
            if let Some((first_bit, bits)) = self.btf.bit_field(&member) {
                // The whole of the bit field must be read.
                if offset <= first_bit / 8 && (first_bit + u32::from(bits)).div_ceil(8) <= end {
                    return Ok(Found::Walk(Walk::Number));
                }
                continue;
            }
            if offset < start {
                break;
            }
            let member_size = self.btf.size_of(member.ty).map_err(|_no_size| Bad::Member)?;
            let member_end = start.checked_add(member_size).ok_or(Bad::Member)?;
            if offset >= member_end {
                continue;
            }
            let (element, start, element_size) = self.element(member.ty, start, member_size, offset)?;
            return match element.def {
                Def::Struct(_) | Def::Union(_) => Ok(Found::Inside { id: element.id, start }),
                Def::Ptr(target) => self.pointer(target, offset == start && size == element_size),
                _ => self.data(end <= member_end),
            };
        }
        Err(Bad::Member)
    }

    /// Of an array the element that holds the offset: its type, start and size; else the member itself.
    fn element(&self, id: TypeId, start: u32, size: u32, offset: u32) -> Result<(Type<'a>, u32, u32), Bad> {
        let (mut ty, mut start, mut size) = (self.resolve(id)?, start, size);
        for _ in 0..DEPTH_MAX {
            let Def::Array(array) = ty.def else {
                return Ok((ty, start, size));
            };
            ty = self.resolve(array.element)?;
            size = size
                .checked_div(array.len)
                .filter(|&size| size > 0)
                .ok_or(Bad::Member)?;
            start += (offset - start) / size * size;
        }
        Err(Bad::Member)
    }

    fn pointer(&self, target: TypeId, whole: bool) -> Result<Found, Bad> {
        if !whole {
            return Err(Bad::Member);
        }
        let tag = match self.btf.type_by_id(target) {
            Some(ty) if matches!(ty.def, Def::TypeTag(_)) => match ty.name {
                "rcu" => Tag::Rcu,
                "user" | "percpu" => Tag::Foreign,
                _ => Tag::None,
            },
            _ => Tag::None,
        };
        let target = self.resolve(target)?;
        if target.composite().is_some() {
            let ty = target.id;
            return Ok(Found::Walk(Walk::Pointer { ty, tag }));
        }
        Ok(Found::Walk(Walk::Leaf))
    }

    /// Data, which must not reach into the next member (but in a union it may be read as anything).
    fn data(&self, inside: bool) -> Result<Found, Bad> {
        if inside || self.in_union {
            Ok(Found::Walk(Walk::Number))
        } else {
            Err(Bad::Member)
        }
    }

    /// Past the end of a structure there may be a flexible array.
    fn walk_flexible(&mut self, composite: btf::Composite<'_>, offset: u32, size: u32) -> Result<Walk, Bad> {
        let beyond = Bad::Beyond { size: composite.size };
        let last = composite.members().next_back().ok_or(beyond)?;
        let Def::Array(array) = self.resolve(last.ty)?.def else {
            return Err(beyond);
        };
        let start = last.byte_offset();
        if array.len != 0 || offset < start {
            return Err(beyond);
        }
        let element = self.resolve(array.element)?;
        match element.def {
            Def::Int(_) => Ok(Walk::Number),
            Def::Struct(inner) | Def::Union(inner) if inner.size > 0 => {
                let offset = (offset - start) % inner.size;
                // Inside one element there is no second flexible array to go to.
                if offset.checked_add(size).is_none_or(|end| end > inner.size) {
                    return Err(beyond);
                }
                match self.find(inner, offset, size)? {
                    Found::Walk(walk) => Ok(walk),
                    Found::Inside { .. } => Err(Bad::Member),
                }
            }
            _ => Err(beyond),
        }
    }

    fn resolve(&self, id: TypeId) -> Result<Type<'a>, Bad> {
        self.btf.resolve(id).map_err(|_no_type| Bad::Member)
    }
}

/// What [`Walker::find`] found.
enum Found {
    Walk(Walk),
    /// A structure, which starts at this offset.
    Inside {
        id: TypeId,
        start: u32,
    },
}

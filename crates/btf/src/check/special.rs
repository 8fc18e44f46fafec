//! Structures with fields that only the kernel's own functions may touch: locks, lists, trees, counts of references, kernel pointers
//! (`btf_parse_struct_metas`, `btf_parse_fields` and what they call).
//!
//! Programs can allocate such structures, so that Linux wants to know when it takes the types how one is destroyed.

use super::KernelTypes;
use super::ownership;
use super::rule::{Refusal, Rule};
use super::table::{self, MemberWords, Record, Types};
use crate::{Kind, TypeId};

/// Special fields of one structure (`BTF_FIELDS_MAX`).
const FIELDS_MAX: usize = 11;
/// Structures in structures that are looked into (`MAX_RESOLVE_DEPTH`).
const DEPTH_MAX: u32 = super::resolve::DEPTH_MAX as u32;

/// A special field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) what: What,
    /// Offset in bytes.
    offset: u32,
}

/// What a special field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    SpinLock,
    ResSpinLock,
    ListNode,
    RbNode,
    Refcount,
    /// A list or tree: the structure that it holds and the name of its node in that, as an offset into the strings.
    Root {
        is_list: bool,
        holds: TypeId,
        node: u32,
    },
    /// A pointer of a program or of the kernel to a structure; whether it owns what it points to.
    Pointer {
        tag: PointerTag,
        to: TypeId,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PointerTag {
    Untrusted,
    Owning,
    PerCpu,
}

/// Types that are special by their name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    SpinLock,
    ResSpinLock,
    ListHead,
    ListNode,
    RbRoot,
    RbNode,
    Refcount,
}

/// Name, size in bytes, alignment in bytes, and whether one structure may have but one.
const NAMED: &[(Named, &[u8], u32, u32, bool)] = &[
    (Named::SpinLock, b"bpf_spin_lock", 4, 4, true),
    (Named::ResSpinLock, b"bpf_res_spin_lock", 4, 4, true),
    (Named::ListHead, b"bpf_list_head", 16, 8, false),
    (Named::ListNode, b"bpf_list_node", 24, 8, false),
    (Named::RbRoot, b"bpf_rb_root", 16, 8, false),
    (Named::RbNode, b"bpf_rb_node", 32, 8, false),
    (Named::Refcount, b"bpf_refcount", 4, 4, false),
];

const POINTER: u32 = 8;

/// Checks all structures with special fields.
pub(super) fn check(types: &Types<'_>, kernel: KernelTypes<'_>) -> Result<(), Refusal> {
    // A structure with no more than such a lock is not looked at (`alloc_obj_fields`).
    let looked_for = NAMED.iter().filter(|(named, ..)| *named != Named::ResSpinLock);
    let mut special: Vec<TypeId> = looked_for
        .filter_map(|(_, name, ..)| struct_named(types, name))
        .collect();
    let pointers = types
        .all()
        .filter(|record| matches!(pointer(types, record.id), Ok(Some(_))));
    special.extend(pointers.map(|record| record.id));
    special.sort_unstable();
    let mut found = Vec::new();
    for record in types.all().filter(|record| record.kind == Kind::Struct) {
        if !record.members().any(|member| special.binary_search(&member.ty).is_ok()) {
            continue;
        }
        let fields = fields(types, &record, kernel).or_else(|rule| types.refuse(record.id, rule))?;
        found.push((record.id, fields));
    }
    ownership::check(types, &found)
}

/// The special fields of a structure in the order of its members.
fn fields(types: &Types<'_>, record: &Record<'_>, kernel: KernelTypes<'_>) -> Result<Vec<Found>, Rule> {
    let mut search = Search {
        types,
        found: Vec::new(),
        seen: Vec::new(),
    };
    search.structure(record, 0)?;
    let found = search.found;
    if found.is_empty() {
        return Err(Rule::NoSpecialField);
    }
    let mut end = 0;
    for field in &found {
        let size = field.what.size();
        if field.offset.saturating_add(size) > record.third() {
            return Err(Rule::NoSpecialField);
        }
        if field.offset < end {
            return Err(Rule::SpecialOverlap);
        }
        end = field.offset + size;
        match field.what {
            What::Pointer { tag, to } => destructible(types, kernel, tag, to)?,
            What::Root { is_list, holds, node } => contains(types, is_list, holds, node)?,
            _ => {}
        }
    }
    let any = |test: fn(&What) -> bool| found.iter().any(|field| test(&field.what));
    let (spin, res) = (
        any(|what| *what == What::SpinLock),
        any(|what| *what == What::ResSpinLock),
    );
    if spin && res {
        return Err(Rule::TwoLocks);
    }
    if any(|what| matches!(what, What::Root { .. })) && !spin && !res {
        return Err(Rule::RootWithoutLock);
    }
    let both_nodes = any(|what| *what == What::ListNode) && any(|what| *what == What::RbNode);
    if both_nodes && !any(|what| *what == What::Refcount) {
        return Err(Rule::NodesWithoutCount);
    }
    Ok(found)
}

impl What {
    /// Bytes.
    fn size(self) -> u32 {
        match self {
            Self::SpinLock | Self::ResSpinLock | Self::Refcount => 4,
            Self::Root { .. } => 16,
            Self::ListNode => 24,
            Self::RbNode => 32,
            Self::Pointer { .. } => POINTER,
        }
    }

    /// Whether an array may be made of it.
    fn may_repeat(self) -> bool {
        matches!(self, Self::Root { .. } | Self::Pointer { .. })
    }
}

struct Search<'a, 't> {
    types: &'a Types<'t>,
    found: Vec<Found>,
    /// Those that may be there once.
    seen: Vec<Named>,
}

impl Search<'_, '_> {
    fn structure(&mut self, record: &Record<'_>, level: u32) -> Result<(), Rule> {
        for (index, member) in record.members().enumerate() {
            let bit_offset = member.bit_offset();
            if !bit_offset.is_multiple_of(8) {
                return Err(Rule::SpecialBits);
            }
            self.member(record, index, &member, bit_offset / 8, level)?;
        }
        Ok(())
    }

    fn member(
        &mut self,
        within: &Record<'_>,
        index: usize,
        member: &MemberWords,
        offset: u32,
        level: u32,
    ) -> Result<(), Rule> {
        let (mut ty, mut count, mut depth) = (member.ty, 1u32, 0);
        while let Some(array) = self.types.get(ty).filter(|array| array.kind == Kind::Array) {
            depth += 1;
            if depth > DEPTH_MAX {
                return Err(Rule::SpecialCount);
            }
            count = count.wrapping_mul(array.extra(2));
            ty = TypeId(array.extra(0));
        }
        let Some(element) = self.types.get(ty).filter(|_| count != 0) else {
            return Ok(());
        };
        let name = self.types.name(element.name());
        let named = NAMED.iter().find(|(_, known, ..)| *known == name);
        let (what, size) = match named {
            Some(&(named, _, size, align, once)) => {
                if once && self.seen.contains(&named) {
                    return Err(Rule::SpecialCount);
                }
                self.seen.push(named);
                if !offset.is_multiple_of(align) || element.kind != Kind::Struct || element.third() != size {
                    return Ok(());
                }
                (self.by_name(named, within, index)?, size)
            }
            None if element.kind == Kind::Struct => return self.nested(&element, offset, count, level + 1),
            None => match pointer(self.types, ty) {
                _ if !offset.is_multiple_of(POINTER) => return Ok(()),
                Ok(Some(what)) => (what, POINTER),
                Ok(None) => return Ok(()),
                Err(rule) => return Err(rule),
            },
        };
        if self.found.len() == FIELDS_MAX {
            return Err(Rule::SpecialCount);
        }
        let first = self.found.len();
        self.found.push(Found { what, offset });
        self.repeat(first, FIELDS_MAX - first, count, size)
    }

    fn nested(&mut self, record: &Record<'_>, offset: u32, count: u32, level: u32) -> Result<(), Rule> {
        if level >= DEPTH_MAX {
            return Err(Rule::SpecialCount);
        }
        let first = self.found.len();
        self.structure(record, level)?;
        for field in &mut self.found[first..] {
            field.offset = field.offset.wrapping_add(offset);
        }
        if self.found.len() == first {
            return Ok(());
        }
        self.repeat(first, FIELDS_MAX - first, count, record.third())
    }

    /// The fields from `first` on are those of an array's first element.
    fn repeat(&mut self, first: usize, room: usize, count: u32, size: u32) -> Result<(), Rule> {
        if count <= 1 {
            return Ok(());
        }
        let one = self.found[first..].to_vec();
        if !one.iter().all(|field| field.what.may_repeat()) {
            return Err(Rule::SpecialArray);
        }
        if one.len() as u64 * u64::from(count) > room as u64 {
            return Err(Rule::SpecialCount);
        }
        for element in 1..count {
            self.found.extend(one.iter().map(|field| Found {
                offset: field.offset.wrapping_add(element.wrapping_mul(size)),
                ..*field
            }));
        }
        Ok(())
    }

    fn by_name(&self, named: Named, within: &Record<'_>, index: usize) -> Result<What, Rule> {
        Ok(match named {
            Named::SpinLock => What::SpinLock,
            Named::ResSpinLock => What::ResSpinLock,
            Named::ListNode => What::ListNode,
            Named::RbNode => What::RbNode,
            Named::Refcount => What::Refcount,
            Named::ListHead | Named::RbRoot => {
                let (holds, node) = contains_tag(self.types, within.id, index)?;
                let is_list = named == Named::ListHead;
                What::Root { is_list, holds, node }
            }
        })
    }
}

/// The pointer of a kernel's or a program's structure that a type is, by its tag.
fn pointer(types: &Types<'_>, id: TypeId) -> Result<Option<What>, Rule> {
    let mut ty = types.get(id);
    if let Some(volatile) = ty.filter(|ty| ty.kind == Kind::Volatile) {
        ty = types.get(volatile.target());
    }
    let Some(pointer) = ty.filter(|ty| ty.kind == Kind::Ptr) else {
        return Ok(None);
    };
    // With the kind flag a tag is another attribute of the compiler (Linux 6.15).
    let is_tag = |tag: &Record<'_>| tag.kind == Kind::TypeTag && !tag.kind_flag();
    let Some(tag) = types.get(pointer.target()).filter(is_tag) else {
        return Ok(None);
    };
    if types.kind(tag.target()) == Some(Kind::TypeTag) {
        return Err(Rule::KernelPointer);
    }
    let known = match types.name(tag.name()) {
        b"kptr_untrusted" => PointerTag::Untrusted,
        b"kptr" => PointerTag::Owning,
        b"percpu_kptr" => PointerTag::PerCpu,
        // A page of the process: for map values of their own kind, nothing that a structure owns.
        b"uptr" => return Ok(None),
        _ => return Err(Rule::KernelPointer),
    };
    let to = types.skip_modifiers(tag.target());
    if types.kind(to) != Some(Kind::Struct) {
        return Err(Rule::KernelPointer);
    }
    Ok(Some(What::Pointer { tag: known, to }))
}

/// What a list or tree says that it contains: the tag `contains:STRUCTURE:MEMBER` on the member.
fn contains_tag(types: &Types<'_>, within: TypeId, index: usize) -> Result<(TypeId, u32), Rule> {
    const KEY: &[u8] = b"contains:";
    let mut tags = types.all().filter(|record| {
        record.kind == Kind::DeclTag
            && record.target() == within
            && record.extra(0) as usize == index
            && types.name(record.name()).starts_with(KEY)
    });
    let (Some(tag), None) = (tags.next(), tags.next()) else {
        return Err(Rule::ContainsTag);
    };
    let value = &types.name(tag.name())[KEY.len()..];
    let Some(colon) = value.iter().position(|&byte| byte == b':') else {
        return Err(Rule::ContainsTag);
    };
    let holds = struct_named(types, &value[..colon]).ok_or(Rule::ContainsNothing)?;
    if value.len() == colon + 1 {
        return Err(Rule::ContainsTag);
    }
    Ok((holds, tag.name() + (KEY.len() + colon + 1) as u32))
}

/// Whether what a list or tree contains has the node (`btf_parse_graph_root`).
fn contains(types: &Types<'_>, is_list: bool, holds: TypeId, node: u32) -> Result<(), Rule> {
    let node_type: &[u8] = if is_list { b"bpf_list_node" } else { b"bpf_rb_node" };
    let Some(record) = types.get(holds) else {
        return Err(Rule::ContainsNothing);
    };
    let mut found = false;
    for member in record
        .members()
        .filter(|member| types.name(member.name) == types.name(node))
    {
        let Some(ty) = types.get(member.ty).filter(|ty| ty.kind == Kind::Struct && !found) else {
            return Err(Rule::ContainsNoNode);
        };
        // Linux reads the offset by the kind flag of the member's type, not of its structure.
        let bit_offset = if ty.kind_flag() {
            member.offset & 0xff_ffff
        } else {
            member.offset
        };
        if types.name(ty.name()) != node_type || !bit_offset.is_multiple_of(64) {
            return Err(Rule::ContainsNoNode);
        }
        found = true;
    }
    if found { Ok(()) } else { Err(Rule::ContainsNothing) }
}

/// A pointer that owns a structure of the kernel wants a destructor; one to a program's own structure does not.
fn destructible(types: &Types<'_>, kernel: KernelTypes<'_>, tag: PointerTag, to: TypeId) -> Result<(), Rule> {
    let name = types.get(to).map_or(0, |record| record.name());
    match kernel.find(&table::text(types.name(name))) {
        Some(false) if tag == PointerTag::Owning => Err(Rule::NoDestructor),
        _ => Ok(()),
    }
}

/// The first structure of a name.
fn struct_named(types: &Types<'_>, name: &[u8]) -> Option<TypeId> {
    let mut all = types.all();
    all.find(|record| record.kind == Kind::Struct && types.name(record.name()) == name)
        .map(|record| record.id)
}

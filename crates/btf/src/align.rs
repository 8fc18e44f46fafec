//! Alignment, and how C would lay a structure out.
//!
//! BTF stores offsets and sizes but neither alignment nor `packed`. Both follow from comparing the offsets with those
//! that C gives on BPF (the System V rules, as clang has them): where C would put a member further back than it is,
//! the structure is packed. `btf__align_of` of libbpf (Linux 6.12, `tools/lib/bpf/btf.c`) does the same for members
//! that are not bit fields. Where C would put a member further to the front, the printer fills the gap.

use std::collections::HashMap;

use crate::error::LayoutError;
use crate::layout::{DEPTH_MAX, POINTER_SIZE};
use crate::types::{Composite, Def, Member};
use crate::{Btf, TypeId};

/// Alignment with a memory, so that a structure is looked at once however often it is nested.
pub(crate) struct Aligner<'a> {
    btf: &'a Btf,
    known: HashMap<TypeId, Align>,
}

/// Alignment in bytes, and whether that is so because of `packed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Align {
    pub(crate) bytes: u32,
    pub(crate) packed: bool,
}

impl Align {
    fn natural(bytes: u32) -> Self {
        Self { bytes, packed: false }
    }
}

/// How much room a member needs, in bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    pub(crate) start: u64,
    pub(crate) bits: u64,
    pub(crate) bit_field: bool,
    /// Alignment of its type in bits.
    align: u64,
    /// Size of its type in bits.
    unit: u64,
}

impl Room {
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bits
    }

    /// Where C puts it if the members before end at `at`.
    pub(crate) fn natural(&self, at: u64, packed: bool) -> u64 {
        match (self.bit_field, packed) {
            (true, true) => at,
            (true, false) => {
                // A bit field lies within one unit of its type.
                let unit = self.unit.max(1);
                if at % unit + self.bits > unit {
                    at.next_multiple_of(self.align.max(1))
                } else {
                    at
                }
            }
            (false, true) => at.next_multiple_of(8),
            (false, false) => at.next_multiple_of(self.align.max(8)),
        }
    }
}

impl<'a> Aligner<'a> {
    pub(crate) fn new(btf: &'a Btf) -> Self {
        Self {
            btf,
            known: HashMap::new(),
        }
    }

    /// Alignment of any type that has a size.
    pub(crate) fn align(&mut self, id: TypeId) -> Result<Align, LayoutError> {
        self.align_at(id, 0)
    }

    /// The room a member has and needs.
    pub(crate) fn room(&mut self, member: &Member<'_>) -> Result<Room, LayoutError> {
        self.room_at(member, 0)
    }

    fn align_at(&mut self, id: TypeId, depth: usize) -> Result<Align, LayoutError> {
        if depth > DEPTH_MAX {
            return Err(LayoutError::TooDeep(id));
        }
        if let Some(&align) = self.known.get(&id) {
            return Ok(align);
        }
        let ty = self.btf.get(id)?;
        let align = match ty.def {
            // Sizes that are no power of two are made by no compiler.
            Def::Int(int) if !int.size.is_power_of_two() => Align::natural(1),
            Def::Int(int) => Align::natural(int.size.min(16)),
            Def::Enum(e) => Align::natural(e.size.min(POINTER_SIZE)),
            Def::Float { size } => Align::natural(float_align(size)),
            Def::Ptr(_) => Align::natural(POINTER_SIZE),
            Def::Array(array) => self.align_at(array.element, depth + 1)?,
            Def::Typedef(to) | Def::Volatile(to) | Def::Const(to) | Def::Restrict(to) | Def::TypeTag(to) => {
                self.align_at(to, depth + 1)?
            }
            Def::Var { ty, .. } => self.align_at(ty, depth + 1)?,
            Def::Struct(composite) => self.structure(composite, depth)?,
            Def::Union(composite) => self.union(composite, depth)?,
            Def::Void
            | Def::Fwd { .. }
            | Def::Func { .. }
            | Def::FuncProto(_)
            | Def::DataSec(_)
            | Def::DeclTag { .. } => return Err(LayoutError::Unsized { id, kind: ty.kind() }),
        };
        self.known.insert(id, align);
        Ok(align)
    }

    fn room_at(&mut self, member: &Member<'_>, depth: usize) -> Result<Room, LayoutError> {
        let align = u64::from(self.align_at(member.ty, depth + 1)?.bytes) * 8;
        let unit = u64::from(self.btf.size_of(member.ty)?) * 8;
        Ok(match self.btf.bit_field(member) {
            Some((start, bits)) => Room {
                start: u64::from(start),
                bits: u64::from(bits),
                bit_field: true,
                align,
                unit,
            },
            None => Room {
                start: u64::from(member.bit_offset),
                bits: unit,
                bit_field: false,
                align,
                unit,
            },
        })
    }

    fn structure(&mut self, composite: Composite<'a>, depth: usize) -> Result<Align, LayoutError> {
        const PACKED: Align = Align { bytes: 1, packed: true };
        let (mut most, mut at) = (1, 0);
        for member in composite.members() {
            let room = self.room_at(&member, depth)?;
            // From its own place, that is with any gap filled, C must find this very place.
            if room.natural(at, false) > room.start || room.natural(room.start, false) != room.start {
                return Ok(PACKED);
            }
            at = room.end();
            most = most.max((room.align / 8) as u32);
        }
        let packed = !composite.size.is_multiple_of(most);
        Ok(if packed { PACKED } else { Align::natural(most) })
    }

    fn union(&mut self, composite: Composite<'a>, depth: usize) -> Result<Align, LayoutError> {
        let mut most = 1;
        for member in composite.members() {
            most = most.max(self.align_at(member.ty, depth + 1)?.bytes);
        }
        let packed = !composite.size.is_multiple_of(most);
        Ok(if packed {
            Align { bytes: 1, packed }
        } else {
            Align::natural(most)
        })
    }
}

/// Floats align to their size, but for the twelve bytes of 32-bit x86's `long double`.
fn float_align(size: u32) -> u32 {
    if size.is_power_of_two() { size.min(16) } else { 4 }
}

//! [`Fixup`]: the answer to a relocation, as data.

use crate::TypeId;
use crate::core::RelocationKind;

/// The answer to a relocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixup {
    /// What was asked.
    pub kind: RelocationKind,
    /// The value for the object's own types, which the compiler has put into the instruction.
    pub local: u64,
    /// The value for the kernel's types.
    pub target: u64,
    /// There is no such thing in the kernel: the instruction must not be reached. It becomes a call of a helper that
    /// does not exist, as libbpf does it.
    pub poisoned: bool,
    /// Whether the instruction must hold `local` before; not so where compilers cannot know the value.
    pub validate: bool,
    /// Sizes in bytes of a field that is read or written directly, if the kernel's is another.
    pub resize: Option<Resize>,
    /// For the offset of a bit field: where its bits are. An instruction with this offset moves to the right bytes; masks and shifts
    /// that the compiler put beside it stay as they are, so that a plain access is wrong if the two places differ.
    pub bits: Option<BitsMoved>,
    /// Which of the targets has the type (0 is the kernel, then modules); nothing if the answer needs none.
    pub target_index: Option<usize>,
    /// The kernel's type that matched.
    pub target_type: Option<TypeId>,
}

/// Change of the size of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resize {
    /// Size of the object's field in bytes.
    pub local: u32,
    /// Size of the kernel's field in bytes.
    pub target: u32,
    /// Whether the change is right: not for signed fields, where a load of another size would extend wrongly.
    pub allowed: bool,
}

/// Where a bit field is in the object's types and in the kernel's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BitsMoved {
    /// In the object's types.
    pub local: BitPlace,
    /// In the kernel's.
    pub target: BitPlace,
}

/// A bit field's place, counted from the byte that its relocated offset names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BitPlace {
    /// The lowest bit.
    pub bit: u32,
    /// How many bits.
    pub bits: u32,
}

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

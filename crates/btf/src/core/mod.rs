//! CO-RE ("compile once, run everywhere"): what a relocation of an object means for a given kernel.
//!
//! A [`Relocation`] says: start at this local type, go along these members, and tell me the offset (size, existence,
//! …). A [`Resolver`] looks for the same type and members in the kernel's BTF and makes a [`Fixup`], which is plain
//! data; [`Fixup::patch`] then changes one instruction. So matching can be tested without programs.
//!
//! Semantics follow `tools/lib/bpf/relo_core.c` (Linux 6.12).

use crate::{Btf, RelocationRecord, TypeId};

mod calc;
mod compat;
mod error;
mod fixup;
pub(crate) mod names;
mod patch;
mod resolver;
mod spec;

pub use compat::types_are_compat;
pub use error::CoreError;
pub use fixup::{BitPlace, BitsMoved, Fixup, Resize};
pub use names::essential;
pub use patch::{Insn, POISON_HELPER, PatchError, Patched};
pub use resolver::Resolver;

macro_rules! relocation_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a relocation asks for: `enum bpf_core_relo_kind`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u32)]
        pub enum RelocationKind { $($(#[$doc])* $name = $number,)* }

        impl RelocationKind {
            /// All kinds in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The kind with this number in a record.
            pub fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name that libbpf's messages and llvm-objdump use.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

relocation_kinds! {
    /// Offset of a field in bytes.
    FieldByteOffset = 0, "byte_off";
    /// Size of a field in bytes.
    FieldByteSize = 1, "byte_sz";
    /// Whether a field is there.
    FieldExists = 2, "field_exists";
    /// Whether a field is signed.
    FieldSigned = 3, "signed";
    /// Left shift of a 64-bit load that moves a bit field to the top.
    FieldLshiftU64 = 4, "lshift_u64";
    /// Right shift that then moves it to the bottom.
    FieldRshiftU64 = 5, "rshift_u64";
    /// Type id in the object's BTF.
    TypeIdLocal = 6, "local_type_id";
    /// Type id in the kernel's BTF.
    TypeIdTarget = 7, "target_type_id";
    /// Whether a type is there.
    TypeExists = 8, "type_exists";
    /// Size of a type in bytes.
    TypeSize = 9, "type_size";
    /// Whether a value of an enumeration is there.
    EnumvalExists = 10, "enumval_exists";
    /// Number of a value of an enumeration.
    EnumvalValue = 11, "enumval_value";
    /// Whether a type is there and looks the same.
    TypeMatches = 12, "type_matches";
}

impl RelocationKind {
    /// Asks about a field.
    pub fn is_field(self) -> bool {
        (self as u32) <= Self::FieldRshiftU64 as u32
    }

    /// Asks about a value of an enumeration.
    pub fn is_enumval(self) -> bool {
        matches!(self, Self::EnumvalExists | Self::EnumvalValue)
    }

    /// Asks about a whole type.
    pub fn is_type(self) -> bool {
        !self.is_field() && !self.is_enumval()
    }
}

/// One relocation: local type, access string, what is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation<'a> {
    /// Where it starts, in the object's BTF.
    pub ty: TypeId,
    /// Indices of members and elements: `0:1:2`. For enumerations the index of the value, for types `0`.
    pub access: &'a str,
    /// What is asked for.
    pub kind: RelocationKind,
}

impl RelocationRecord {
    /// What the record means, with names from the object's BTF.
    pub fn relocation<'a>(&self, btf: &'a Btf) -> Relocation<'a> {
        Relocation {
            ty: self.ty,
            access: btf.str_at(self.access_offset),
            kind: self.kind,
        }
    }
}

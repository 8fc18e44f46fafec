//! The names of things in BTF: type ids and the nineteen kinds.
//!
//! Numbers follow `include/uapi/linux/btf.h` (Linux 6.18).

use std::fmt;

/// Number of a type inside a [`Btf`](crate::Btf); 0 is `void`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `void`, which every BTF has and none stores.
    pub const VOID: Self = Self(0);

    /// Whether this is `void`.
    pub fn is_void(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a type is: the `BTF_KIND_*` constants.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$doc])* $name = $number,)* }

        impl Kind {
            /// All kinds in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The kind with this number in a record.
            pub fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name bpftool prints: `STRUCT`, `FUNC_PROTO`, …
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// `void`: id 0, never stored.
    Void = 0, "VOID";
    /// An integer, `char` or `_Bool`.
    Int = 1, "INT";
    /// A pointer.
    Ptr = 2, "PTR";
    /// An array.
    Array = 3, "ARRAY";
    /// A structure.
    Struct = 4, "STRUCT";
    /// A union.
    Union = 5, "UNION";
    /// An enumeration with values of 32 bits.
    Enum = 6, "ENUM";
    /// A declared, not defined, structure or union.
    Fwd = 7, "FWD";
    /// A typedef.
    Typedef = 8, "TYPEDEF";
    /// `volatile`.
    Volatile = 9, "VOLATILE";
    /// `const`.
    Const = 10, "CONST";
    /// `restrict`.
    Restrict = 11, "RESTRICT";
    /// A named function.
    Func = 12, "FUNC";
    /// Return and parameter types of a function.
    FuncProto = 13, "FUNC_PROTO";
    /// A global variable.
    Var = 14, "VAR";
    /// A section of variables.
    DataSec = 15, "DATASEC";
    /// A floating point number.
    Float = 16, "FLOAT";
    /// `__attribute__((btf_decl_tag(…)))`.
    DeclTag = 17, "DECL_TAG";
    /// `__attribute__((btf_type_tag(…)))`.
    TypeTag = 18, "TYPE_TAG";
    /// An enumeration with values of 64 bits.
    Enum64 = 19, "ENUM64";
}

impl Kind {
    /// Whether this kind only qualifies another type: `const`, `volatile`, `restrict` or a type tag.
    pub fn is_modifier(self) -> bool {
        matches!(self, Self::Const | Self::Volatile | Self::Restrict | Self::TypeTag)
    }

    /// Structure or union.
    pub fn is_composite(self) -> bool {
        matches!(self, Self::Struct | Self::Union)
    }

    /// Either kind of enumeration.
    pub fn is_enum(self) -> bool {
        matches!(self, Self::Enum | Self::Enum64)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

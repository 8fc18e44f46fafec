//! Decoded views of types: [`Type`] and [`Def`], read from the words of a [`Btf`] when asked for.
//!
//! Views borrow from the `Btf` and are `Copy`. They decode; they do not resolve or lay out (see
//! [`Btf::size_of`](crate::Btf::size_of)). Follows `include/uapi/linux/btf.h` and `Documentation/bpf/btf.rst` (Linux 6.18).

use crate::{Btf, Kind, TypeId};

/// One type: its id, its name (empty if anonymous) and its definition.
#[derive(Clone, Copy, Debug)]
pub struct Type<'a> {
    /// Its id.
    pub id: TypeId,
    /// Its name; empty for anonymous types and for those that have none, such as pointers.
    pub name: &'a str,
    /// What it is.
    pub def: Def<'a>,
}

/// Definition of a type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Def<'a> {
    /// `void`.
    Void,
    /// An integer.
    Int(Int),
    /// A pointer to the given type.
    Ptr(TypeId),
    /// An array.
    Array(Array),
    /// A structure.
    Struct(Composite<'a>),
    /// A union.
    Union(Composite<'a>),
    /// An enumeration of either width.
    Enum(Enum<'a>),
    /// A forward declaration.
    Fwd {
        /// Of a union; otherwise of a structure.
        is_union: bool,
    },
    /// A typedef of the given type.
    Typedef(TypeId),
    /// `volatile` of the given type.
    Volatile(TypeId),
    /// `const` of the given type.
    Const(TypeId),
    /// `restrict` of the given type.
    Restrict(TypeId),
    /// A function.
    Func {
        /// Its prototype.
        proto: TypeId,
        /// Its linkage.
        linkage: Linkage,
    },
    /// A prototype.
    FuncProto(FuncProto<'a>),
    /// A variable.
    Var {
        /// Its type.
        ty: TypeId,
        /// Its linkage.
        linkage: Linkage,
    },
    /// A section of variables.
    DataSec(DataSec<'a>),
    /// A floating point number of this many bytes.
    Float {
        /// Size in bytes.
        size: u32,
    },
    /// A tag (the type's name is its text) on a declaration.
    DeclTag {
        /// What is tagged.
        ty: TypeId,
        /// Which member or parameter of it, if not the whole.
        component: Option<u32>,
    },
    /// A tag (the type's name is its text) on a type.
    TypeTag(TypeId),
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Int {
    /// Size in bytes.
    pub size: u32,
    /// Bits used; less than the size for bit fields of old compilers.
    pub bits: u8,
    /// First bit used.
    pub bit_offset: u8,
    /// How the bits are to be read.
    pub encoding: Encoding,
}

/// How an integer is to be read: the `BTF_INT_*` flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Encoding {
    /// Signed.
    pub signed: bool,
    /// A character.
    pub char: bool,
    /// A `_Bool`.
    pub bool: bool,
}

impl Encoding {
    /// Unsigned and nothing else.
    pub const UNSIGNED: Self = Self {
        signed: false,
        char: false,
        bool: false,
    };
    /// Signed.
    pub const SIGNED: Self = Self {
        signed: true,
        char: false,
        bool: false,
    };
    /// `char`.
    pub const CHAR: Self = Self {
        signed: false,
        char: true,
        bool: false,
    };
    /// `_Bool`.
    pub const BOOL: Self = Self {
        signed: false,
        char: false,
        bool: true,
    };

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self {
            signed: bits & 1 != 0,
            char: bits & 2 != 0,
            bool: bits & 4 != 0,
        }
    }

    pub(crate) fn to_bits(self) -> u32 {
        u32::from(self.signed) | u32::from(self.char) << 1 | u32::from(self.bool) << 2
    }
}

/// An array type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Array {
    /// Type of the elements.
    pub element: TypeId,
    /// Type of the index.
    pub index: TypeId,
    /// Number of elements; 0 for a flexible array.
    pub len: u32,
}

/// A structure or union.
#[derive(Clone, Copy)]
pub struct Composite<'a> {
    /// Size in bytes.
    pub size: u32,
    pub(crate) kind_flag: bool,
    pub(crate) btf: &'a Btf,
    pub(crate) words: &'a [u32],
}

/// A member of a structure or union.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member<'a> {
    /// Its name; empty if anonymous.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
    /// Where it starts, in bits from the start of the structure.
    pub bit_offset: u32,
    /// Number of bits if it is a bit field. (Bit fields of compilers before `kind_flag` are seen in the
    /// member's [`Int`] only; [`Btf::bit_field`](crate::Btf::bit_field) knows both.)
    pub bits: Option<u8>,
}

impl Member<'_> {
    /// Where it starts, in whole bytes.
    pub fn byte_offset(&self) -> u32 {
        self.bit_offset / 8
    }
}

impl<'a> Composite<'a> {
    /// The members in order.
    pub fn members(self) -> impl ExactSizeIterator<Item = Member<'a>> + DoubleEndedIterator + Clone {
        (0..self.len()).map(move |index| self.decode(index))
    }

    /// The member of this index.
    pub fn member(self, index: usize) -> Option<Member<'a>> {
        (index < self.len()).then(|| self.decode(index))
    }

    /// The direct member of this name and its index. Does not look into anonymous members; see [`Btf::field`](crate::Btf::field).
    pub fn member_named(self, name: &str) -> Option<(usize, Member<'a>)> {
        self.members().enumerate().find(|(_, member)| member.name == name)
    }

    /// Number of members.
    pub fn len(self) -> usize {
        self.words.len() / 3
    }

    /// Whether there are no members.
    pub fn is_empty(self) -> bool {
        self.words.is_empty()
    }

    fn decode(self, index: usize) -> Member<'a> {
        let words = &self.words[index * 3..index * 3 + 3];
        let (bit_offset, bits) = if self.kind_flag {
            (words[2] & 0xff_ffff, (words[2] >> 24) as u8)
        } else {
            (words[2], 0)
        };
        Member {
            name: self.btf.str_at(words[0]),
            ty: TypeId(words[1]),
            bit_offset,
            bits: (bits != 0).then_some(bits),
        }
    }
}

/// An enumeration.
#[derive(Clone, Copy)]
pub struct Enum<'a> {
    /// Size in bytes.
    pub size: u32,
    /// Whether the values are signed.
    pub signed: bool,
    /// Whether this is an `ENUM64`, which stores values of 64 bits.
    pub wide: bool,
    pub(crate) btf: &'a Btf,
    pub(crate) words: &'a [u32],
}

/// One value of an enumeration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enumerator<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, sign-extended to 64 bits if the enumeration is signed.
    pub value: u64,
}

impl<'a> Enum<'a> {
    /// The values in order.
    pub fn enumerators(self) -> impl ExactSizeIterator<Item = Enumerator<'a>> + Clone {
        let width = if self.wide { 3 } else { 2 };
        self.words.chunks_exact(width).map(move |words| {
            let low = words[1];
            let value = match words.get(2) {
                Some(high) => u64::from(*high) << 32 | u64::from(low),
                None if self.signed => low as i32 as i64 as u64,
                None => u64::from(low),
            };
            Enumerator {
                name: self.btf.str_at(words[0]),
                value,
            }
        })
    }

    /// The value of this name.
    pub fn value_of(self, name: &str) -> Option<u64> {
        self.enumerators().find(|e| e.name == name).map(|e| e.value)
    }
}

/// Return type and parameters of a function.
#[derive(Clone, Copy)]
pub struct FuncProto<'a> {
    /// The return type; `void` if there is none.
    pub ret: TypeId,
    /// Whether it takes further arguments (`…`).
    pub variadic: bool,
    pub(crate) btf: &'a Btf,
    pub(crate) words: &'a [u32],
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param<'a> {
    /// Its name; empty if not given.
    pub name: &'a str,
    /// Its type.
    pub ty: TypeId,
}

impl<'a> FuncProto<'a> {
    /// The parameters in order, without the `…`.
    pub fn params(self) -> impl ExactSizeIterator<Item = Param<'a>> + Clone {
        self.words.chunks_exact(2).map(move |words| Param {
            name: self.btf.str_at(words[0]),
            ty: TypeId(words[1]),
        })
    }
}

/// A section of variables.
#[derive(Clone, Copy)]
pub struct DataSec<'a> {
    /// Size in bytes; 0 in object files, where the ELF section has the size.
    pub size: u32,
    pub(crate) words: &'a [u32],
}

/// Place of a variable (or of an extern function) in a section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecVar {
    /// The `VAR` or `FUNC`.
    pub ty: TypeId,
    /// Offset in bytes; 0 in object files, where the ELF symbol has the offset.
    pub offset: u32,
    /// Size in bytes.
    pub size: u32,
}

impl<'a> DataSec<'a> {
    /// The variables in order.
    pub fn vars(self) -> impl ExactSizeIterator<Item = SecVar> + Clone + use<'a> {
        self.words.chunks_exact(3).map(|w| SecVar {
            ty: TypeId(w[0]),
            offset: w[1],
            size: w[2],
        })
    }
}

/// Linkage of a function or variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Linkage {
    /// `static`.
    Static,
    /// Global.
    Global,
    /// Extern.
    Extern,
    /// A number that has no name.
    Unknown(u32),
}

impl Linkage {
    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Static,
            1 => Self::Global,
            2 => Self::Extern,
            other => Self::Unknown(other),
        }
    }

    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Static => 0,
            Self::Global => 1,
            Self::Extern => 2,
            Self::Unknown(other) => other,
        }
    }
}

impl<'a> Type<'a> {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.def {
            Def::Void => Kind::Void,
            Def::Int(_) => Kind::Int,
            Def::Ptr(_) => Kind::Ptr,
            Def::Array(_) => Kind::Array,
            Def::Struct(_) => Kind::Struct,
            Def::Union(_) => Kind::Union,
            Def::Enum(e) if e.wide => Kind::Enum64,
            Def::Enum(_) => Kind::Enum,
            Def::Fwd { .. } => Kind::Fwd,
            Def::Typedef(_) => Kind::Typedef,
            Def::Volatile(_) => Kind::Volatile,
            Def::Const(_) => Kind::Const,
            Def::Restrict(_) => Kind::Restrict,
            Def::Func { .. } => Kind::Func,
            Def::FuncProto(_) => Kind::FuncProto,
            Def::Var { .. } => Kind::Var,
            Def::DataSec(_) => Kind::DataSec,
            Def::Float { .. } => Kind::Float,
            Def::DeclTag { .. } => Kind::DeclTag,
            Def::TypeTag(_) => Kind::TypeTag,
        }
    }

    /// The structure or union, if it is one.
    pub fn composite(&self) -> Option<Composite<'a>> {
        match self.def {
            Def::Struct(composite) | Def::Union(composite) => Some(composite),
            _ => None,
        }
    }

    /// The prototype, if it is one.
    pub fn func_proto(&self) -> Option<FuncProto<'a>> {
        match self.def {
            Def::FuncProto(proto) => Some(proto),
            _ => None,
        }
    }

    /// The enumeration, if it is one.
    pub fn enumeration(&self) -> Option<Enum<'a>> {
        match self.def {
            Def::Enum(e) => Some(e),
            _ => None,
        }
    }

    /// The type that a pointer, modifier, typedef, function, variable or tag refers to.
    pub fn target(&self) -> Option<TypeId> {
        match self.def {
            Def::Ptr(ty)
            | Def::Typedef(ty)
            | Def::Volatile(ty)
            | Def::Const(ty)
            | Def::Restrict(ty)
            | Def::TypeTag(ty)
            | Def::Func { proto: ty, .. }
            | Def::Var { ty, .. }
            | Def::DeclTag { ty, .. } => Some(ty),
            _ => None,
        }
    }
}

macro_rules! debug_entries {
    ($($ty:ident, $entries:ident;)*) => {$(
        impl std::fmt::Debug for $ty<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($ty), " "))?;
                f.debug_list().entries(self.$entries()).finish()
            }
        }
    )*};
}

debug_entries! {
    Composite, members;
    Enum, enumerators;
    FuncProto, params;
    DataSec, vars;
}

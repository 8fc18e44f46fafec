//! [`Refusal`]: which rule is broken, where, and the error number that Linux gives.
//!
//! One variant a rule, with the facts that its text needs. The texts are ours; the names in upper case are those of `bpftool btf dump`.

use std::fmt;

use crate::{Kind, TypeId};

/// Why the kernel does not take the types.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{rule}", Prefix(self))]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The type that breaks it, unless it is about the whole.
    pub place: Option<Place>,
}

/// The type that a rule is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its id.
    pub id: TypeId,
    /// Its kind; nothing if the record cannot be read as far as that.
    pub kind: Option<Kind>,
    /// Its name; empty if it has none. Bytes that are not UTF-8 are replaced.
    pub name: String,
    /// The part of it, if the rule is about a part.
    pub part: Option<Part>,
}

/// Part of a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// A member of a structure or union.
    Member(String),
    /// A value of an enumeration, counted from 0.
    Value(u32),
    /// An argument of a function, counted from 1.
    Argument(u32),
    /// What a function returns.
    Return,
    /// A variable of a section, counted from 0.
    Variable(u32),
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $({$($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)?})? $(($inner:ty))? = $errno:literal, $text:literal;)*) => {
        /// A rule of Linux's check of BTF. Sizes are in bytes unless a name says bits.
        #[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* #[error($text)] $name $({$($(#[$field_doc])* $field: $ty),*})? $(($inner))?,)*
        }

        impl Rule {
            /// The error number that Linux gives, as in `errno.h`; 524 is the kernel's own `ENOTSUPP`.
            pub fn errno(&self) -> i32 {
                match self {
                    $(rules!(@pattern $name $({$($field),*})? $(($inner))?) => $errno,)*
                }
            }

            /// The rule's name, as in this enumeration.
            pub fn name(&self) -> &'static str {
                match self {
                    $(rules!(@pattern $name $({$($field),*})? $(($inner))?) => stringify!($name),)*
                }
            }
        }
    };
    (@pattern $name:ident) => { Self::$name };
    (@pattern $name:ident {$($field:ident),*}) => { Self::$name { .. } };
    (@pattern $name:ident ($inner:ty)) => { Self::$name(_) };
}

// E2BIG 7, EFAULT 14, EEXIST 17, EINVAL 22, ELOOP 40, ENOENT 2, ENOTSUPP 524.
rules! {
    /// More than 16 MiB (`BTF_MAX_SIZE`).
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    } = 7, "{bytes} bytes; the kernel takes 16 MiB at most";
    /// Not even the header's length is there.
    NoHeaderLength = 22, "too short for the header's length";
    /// The header is longer than all there is.
    HeaderCut {
        /// Its length.
        length: u32,
    } = 22, "the header of {length} bytes is cut off";
    /// A longer header, and not of zeros.
    UnknownHeader = 7, "the header has fields that this kernel does not know";
    /// Not the magic number of BTF.
    Magic(u16) = 22, "the magic number is {0:#06x}, not 0xeb9f";
    /// A version other than 1.
    Version(u8) = 524, "version {0} is not known";
    /// Flags in the header.
    HeaderFlags(u8) = 524, "header flags {0:#x} are not known";
    /// Nothing after the header.
    NoData = 22, "nothing follows the header";
    /// A section starts outside.
    SectionOutside = 22, "a section of the header starts after the end";
    /// Bytes that belong to no section.
    SectionGap = 22, "there are bytes that belong to no section";
    /// Two sections share bytes.
    SectionOverlap = 22, "the sections of types and strings overlap";
    /// A section ends outside.
    SectionCut = 22, "a section is longer than what is left";
    /// Strings must be last.
    StringsNotLast = 22, "the strings are not at the end";
    /// The string section is empty, too long, or does not begin and end with a zero byte.
    Strings = 22, "the strings do not begin and end with a zero byte, or are none or more than 16 MiB";
    /// The types start at an offset that is no multiple of 4.
    TypesUnaligned = 22, "the types do not start at a multiple of 4";
    /// No type.
    NoTypes = 22, "there are no types";
    /// A record that is longer than what is left.
    RecordCut {
        /// Bytes that it needs.
        need: u64,
        /// Bytes that are left.
        have: u64,
    } = 22, "the record needs {need} bytes, {have} are left";
    /// Bits of the second word that have no meaning.
    InfoBits(u32) = 22, "the word of kind and length, {0:#010x}, has bits that mean nothing";
    /// A kind that this kernel does not know.
    UnknownKind(u32) = 22, "kind {0} is not known";
    /// An offset outside the strings.
    NameOutside(u32) = 22, "its name is at offset {0}, outside the strings";
    /// A name that this kind cannot have.
    Name(NameRule) = 22, "{0}";
    /// A number of entries where the kind has none.
    Entries(u32) = 22, "it has {0} entries, but its kind has none";
    /// `kind_flag` where the kind has none.
    KindFlag = 22, "it has the kind flag, but its kind has none";
    /// A size where the kind has none.
    Size(u32) = 22, "its size is {0}; its kind has none";
    /// An id above the highest that BTF can have.
    IdTooLarge(u32) = 22, "it refers to type {0}; ids end at 1048575";
    /// `void` where a size is needed.
    Void = 22, "it is `void`";
    /// An id that no type has.
    NoSuchType(TypeId) = 22, "it refers to type {0}, which there is not";
    /// A declaration that refers to a type, which it cannot.
    FwdType(u32) = 22, "a declaration refers to type {0}; it cannot";
    /// Bits of an integer's word that mean nothing.
    IntBits(u32) = 22, "the word {0:#010x} of an integer has bits that mean nothing";
    /// An integer of more than 128 bits.
    IntTooWide {
        /// Bits, offset included.
        bits: u32,
    } = 22, "an integer of {bits} bits; there are 128 at most";
    /// An integer with more bits than its size has.
    IntBeyondSize {
        /// Bits, offset included.
        bits: u32,
        /// Size in bytes.
        size: u32,
    } = 22, "an integer of {bits} bits in {size} bytes";
    /// More than one of signed, character and bool, or an encoding that is not known.
    IntEncoding(u8) = 524, "an integer's encoding {0:#x} is not one of none, signed, character and bool";
    /// Not 1, 2, 4 or 8.
    EnumSize(u32) = 22, "an enumeration of {0} bytes; there are 1, 2, 4 and 8";
    /// Not 2, 4, 8, 12 or 16.
    FloatSize(u32) = 22, "a floating point number of {0} bytes; there are 2, 4, 8, 12 and 16";
    /// The index of an array is no plain integer.
    ArrayIndex = 22, "the type of the array's index is not a plain integer";
    /// The elements of an array have no size.
    ArrayElement = 22, "the type of the array's elements has no size";
    /// Elements that are bit fields.
    ArrayOfBits = 22, "the array's elements are integers that do not fill their bytes";
    /// An array of 4 GiB or more.
    ArrayTooLarge = 22, "the array has 4 GiB or more";
    /// A member of a union that does not start at 0.
    UnionOffset {
        /// Bits.
        bit_offset: u32,
    } = 22, "a member of a union starts at bit {bit_offset}, not 0";
    /// Members that are not in the order of their offsets.
    MemberOrder {
        /// Bits.
        bit_offset: u32,
        /// Bits of the one before.
        before: u32,
    } = 22, "it starts at bit {bit_offset}, the member before it at bit {before}";
    /// A member that starts after the end.
    MemberOutside {
        /// Bits.
        bit_offset: u32,
        /// Bytes of the structure.
        size: u32,
    } = 22, "it starts at bit {bit_offset}; the structure has {size} bytes";
    /// A member that ends after the end.
    MemberBeyondSize {
        /// Bytes of the structure.
        size: u32,
    } = 22, "it ends after the structure's {size} bytes";
    /// A member that must start at a whole byte.
    MemberUnaligned {
        /// Bits.
        bit_offset: u32,
    } = 22, "it starts at bit {bit_offset}, which is not where a byte starts";
    /// A floating point number that is not aligned.
    FloatUnaligned {
        /// Bits.
        bit_offset: u32,
    } = 22, "a floating point number starts at bit {bit_offset}, which is not aligned";
    /// A bit field of a type that cannot be one, or of too many bits.
    BitFieldWidth {
        /// Bits.
        bits: u32,
    } = 22, "a bit field of {bits} bits is more than its type has, or its type can be none";
    /// A bit field's type that has an offset or an odd size.
    BitFieldType = 22, "the integer of a member must fill 1, 2, 4, 8 or 16 bytes";
    /// A bit field that reaches over 16 bytes.
    BitFieldSpan = 22, "the bits of a member lie in more than 16 bytes";
    /// An offset that does not fit 32 bits.
    OffsetOverflow = 22, "the offset of a member is 4 Gbit or more";
    /// A member of a kind that has no size.
    MemberKind(Kind) = 22, "a member of kind {0} has no size";
    /// A type that nothing but a section or tag may be made of: a variable, section or tag.
    NotReferable(Kind) = 22, "it refers to a {0}, which is not a type that something can have";
    /// A size is needed and there is none.
    NoSize = 22, "it refers to a type without a size";
    /// Types that refer to each other without a pointer in between.
    Loop = 17, "it contains itself";
    /// More than 32 types deep.
    TooDeep = 7, "it refers through more than 32 types";
    /// What resolves to nothing that can be resolved to.
    Unresolved = 22, "what it refers to resolves to no type";
    /// A linkage other than static or global.
    FuncLinkage(u32) = 22, "a function's linkage is {0}; there are static 0 and global 1";
    /// A function whose type is no prototype.
    FuncWithoutProto(u32) = 22, "a function refers to type {0}, which is not a prototype";
    /// A named function with an argument that has no name.
    UnnamedArgument = 22, "an argument of a function with a body has no name";
    /// The place of `…` has a name.
    NamedVariadic = 22, "the `…` of a prototype has a name";
    /// A linkage of a variable that is not static or global.
    VarLinkage(u32) = 22, "a variable's linkage is {0}; there are static 0 and global 1";
    /// A section of no bytes.
    SectionSize = 22, "the section has no bytes";
    /// A variable that starts before the end of the one before, or after the section.
    VarOffset {
        /// Bytes.
        offset: u32,
        /// End of the one before.
        before: u64,
        /// Bytes of the section.
        size: u32,
    } = 22, "it starts at {offset}; the one before ends at {before}, the section at {size}";
    /// A variable of no bytes, or of more than the section has, or of fewer than its type.
    VarSize {
        /// Bytes that it has in the section.
        has: u32,
        /// Bytes that are needed, or that are there.
        limit: u32,
    } = 22, "it has {has} bytes where {limit} are";
    /// A variable that ends after the section.
    VarBeyondSection {
        /// Where it ends.
        end: u64,
        /// Bytes of the section.
        size: u32,
    } = 22, "it ends at {end}; the section has {size} bytes";
    /// What is in a section is not a variable.
    NotAVariable(Kind) = 22, "a section holds variables; this is a {0}";
    /// An empty tag.
    EmptyTag = 22, "the tag is empty";
    /// A tag on something that can have none.
    TagTarget = 22, "the tag is on something that can have none";
    /// A tag on a member or argument that there is not.
    TagComponent(i32) = 22, "the tag is on member or argument {0}, which there is not";
    /// A tag on a type that stands after a qualifier.
    TagOrder = 22, "a type tag follows a qualifier; tags come first";
    /// A chain of more than 32 qualifiers.
    QualifierChain = 40, "a chain of more than 32 qualifiers, or a circle of them";
    /// A kernel pointer with two tags, with one that is not known, or to something else than a structure.
    KernelPointer = 22, "a pointer with a type tag must have one of `kptr`, `kptr_untrusted`, `percpu_kptr` and `uptr`, and lead to a structure";
    /// A structure that holds special fields at places where no compiler puts them.
    SpecialBits = 22, "a structure with special fields has a bit field";
    /// More special fields than a structure can have (11, `BTF_FIELDS_MAX`), or two of one that stands alone.
    SpecialCount = 7, "too many special fields, or two of a kind that may stand once";
    /// An array of fields that cannot be in one.
    SpecialArray = 22, "an array of special fields that may not stand in an array";
    /// Special fields on top of each other.
    SpecialOverlap = 17, "special fields overlap";
    /// What should be a special field is none.
    NoSpecialField = 14, "a member that has the name of a special type is none";
    /// The tag that says what a list or tree holds is absent, there twice, or cannot be read.
    ContainsTag = 22, "a list or tree needs one tag `contains:STRUCTURE:MEMBER`";
    /// The structure that a list or tree holds is absent, or has no such member.
    ContainsNothing = 2, "the structure or member that a list or tree is said to contain does not exist";
    /// The member is not a node, or not aligned.
    ContainsNoNode = 22, "the member that a list or tree is said to contain is not a node of it";
    /// A list or tree without a lock in the same structure.
    RootWithoutLock = 22, "a list or tree needs a lock in the same structure";
    /// Both kinds of locks.
    TwoLocks = 22, "a structure has `bpf_spin_lock` and `bpf_res_spin_lock`";
    /// Nodes of both a list and a tree without a count of references.
    NodesWithoutCount = 22, "nodes of a list and of a tree in one structure need a `bpf_refcount`";
    /// A pointer to a structure of the kernel that it cannot destroy.
    NoDestructor = 2, "the kernel has no destructor for the structure of a `kptr`";
    /// What is held has no special field, and so cannot be in a list or tree.
    ContainedWithoutNode = 14, "what a list or tree is said to contain has no special fields";
    /// A structure that is in a list or tree, has one, and holds structures that have one.
    Ownership = 40, "a structure that is in a list or tree and has one holds structures that have one";
}

/// What is wrong with a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NameRule {
    /// There must be one.
    #[error("it needs a name and has none")]
    Missing,
    /// There may be none.
    #[error("it has a name; its kind has none")]
    Unexpected,
    /// A byte that an identifier (letters, digits, `_`, `.`, no digit first), or a section's name, cannot have.
    #[error("its name has the byte {byte:#04x} at {at}, which its kind cannot have")]
    Byte {
        /// The byte.
        byte: u8,
        /// Where in the name.
        at: usize,
    },
    /// More than `KSYM_NAME_LEN` bytes.
    #[error("its name has more than 512 bytes")]
    TooLong,
}

/// Which type and which part of it, ready to stand before the rule.
struct Prefix<'a>(&'a Refusal);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.0.place else { return Ok(()) };
        write!(f, "{place}: ")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {}", self.id)?;
        if let Some(kind) = self.kind {
            write!(f, " {kind}")?;
        }
        if !self.name.is_empty() {
            write!(f, " `{}`", self.name)?;
        }
        match &self.part {
            None => Ok(()),
            Some(Part::Member(name)) if name.is_empty() => f.write_str(", a member without a name"),
            Some(Part::Member(name)) => write!(f, ", member `{name}`"),
            Some(Part::Value(index)) => write!(f, ", value {index}"),
            Some(Part::Argument(number)) => write!(f, ", argument {number}"),
            Some(Part::Return) => f.write_str(", return value"),
            Some(Part::Variable(index)) => write!(f, ", variable {index}"),
        }
    }
}

impl Rule {
    /// Whether the line of Linux's log that states the rule begins with the id of the type. Tags and special fields are looked at after all types, and what is
    /// found there is said without the type, or not at all.
    pub fn is_logged_with_type(&self) -> bool {
        !matches!(
            self,
            Self::TagOrder
                | Self::QualifierChain
                | Self::KernelPointer
                | Self::SpecialBits
                | Self::SpecialCount
                | Self::SpecialArray
                | Self::SpecialOverlap
                | Self::NoSpecialField
                | Self::ContainsTag
                | Self::ContainsNothing
                | Self::ContainsNoNode
                | Self::RootWithoutLock
                | Self::TwoLocks
                | Self::NodesWithoutCount
                | Self::NoDestructor
                | Self::ContainedWithoutNode
                | Self::Ownership
        )
    }
}

impl Refusal {
    /// A rule about the whole.
    pub(super) fn whole(rule: Rule) -> Self {
        Self { rule, place: None }
    }

    /// The error number that Linux gives.
    pub fn errno(&self) -> i32 {
        self.rule.errno()
    }
}

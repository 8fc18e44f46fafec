//! What can go wrong, one type an operation: [`ParseError`] for bytes, [`LayoutError`] for sizes and
//! resolution, [`FieldError`] for paths to members, [`BuildError`] for the builder.

use crate::{Kind, TypeId};

/// Bytes that are not BTF, with the place of the fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("BTF byte {offset}: {reason}")]
pub struct ParseError {
    /// Offset in the bytes given to the parser.
    pub offset: usize,
    /// What is wrong there.
    pub reason: ParseReason,
}

/// Why bytes are not BTF (or not `.BTF.ext`).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseReason {
    /// Something does not fit in what is left.
    #[error("{what} needs {need} bytes, {have} are left")]
    Truncated {
        /// What was to be read.
        what: &'static str,
        /// Bytes needed.
        need: u64,
        /// Bytes there.
        have: u64,
    },
    /// Not the magic number of BTF.
    #[error("magic number {0:#06x} is not BTF (0xeb9f)")]
    BadMagic(u16),
    /// BTF of a big-endian machine.
    #[error("big-endian BTF; only little-endian BTF is supported")]
    BigEndian,
    /// A version that is not 1.
    #[error("version {0}; only version 1 is known")]
    BadVersion(u8),
    /// Flags in the header, which have no meaning yet.
    #[error("header flags {0:#x}; none are known")]
    BadFlags(u8),
    /// The header says that it is shorter than a header is, or uses fields nobody knows.
    #[error("header length {0}")]
    BadHeaderLength(u32),
    /// A section is not aligned to four bytes.
    #[error("{what} at {start} is not aligned to four bytes")]
    Unaligned {
        /// Which section.
        what: &'static str,
        /// Where it starts, from the end of the header.
        start: u32,
    },
    /// The string table does not start with a zero byte.
    #[error("string table does not start with an empty string")]
    NoEmptyString,
    /// The string table does not end with a zero byte.
    #[error("string table does not end with a zero byte")]
    UnterminatedString,
    /// A kind number that is not known.
    #[error("type {id}: kind {kind} is not known")]
    UnknownKind {
        /// The type.
        id: TypeId,
        /// Its kind number.
        kind: u32,
    },
    /// A type id that is out of range.
    #[error("type {id} ({kind}) refers to type {target}, the last is {last}")]
    BadTypeRef {
        /// The type.
        id: TypeId,
        /// Its kind.
        kind: Kind,
        /// The id it refers to.
        target: TypeId,
        /// The highest id there is.
        last: TypeId,
    },
    /// A name offset outside the string table.
    #[error("type {id} ({kind}): name offset {name} is outside the string table")]
    BadName {
        /// The type.
        id: TypeId,
        /// Its kind.
        kind: Kind,
        /// The offset.
        name: u32,
    },
    /// An integer type with impossible size or bits.
    #[error("type {id}: integer of {bits} bits at bit {bit_offset} in {size} bytes")]
    BadInt {
        /// The type.
        id: TypeId,
        /// Size in bytes.
        size: u32,
        /// First bit.
        bit_offset: u32,
        /// Number of bits.
        bits: u32,
    },
    /// A size that this kind cannot have.
    #[error("type {id} ({kind}): size {size}")]
    BadSize {
        /// The type.
        id: TypeId,
        /// Its kind.
        kind: Kind,
        /// The size.
        size: u32,
    },
    /// More types or strings than ids and offsets of 32 bits (and the base) leave room for.
    #[error("too many types or strings")]
    TooLarge,
    /// Record size in `.BTF.ext` that is too small or not a multiple of four.
    #[error("{what} record size {size}")]
    BadRecordSize {
        /// Which records.
        what: &'static str,
        /// The size.
        size: u32,
    },
    /// A string offset in `.BTF.ext` that is outside the string table of `.BTF`.
    #[error("{what}: string offset {offset} is outside the string table")]
    BadString {
        /// Which string.
        what: &'static str,
        /// The offset.
        offset: u32,
    },
    /// An unknown number of a CO-RE relocation kind.
    #[error("relocation kind {0} is not known")]
    UnknownRelocation(u32),
}

/// Why a type has no size, alignment or resolution.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No type has this id.
    #[error("no type has id {0}")]
    NoSuchType(TypeId),
    /// A type without a size, such as `void`, a function or a forward declaration.
    #[error("type {id} ({kind}) has no size")]
    Unsized {
        /// The type.
        id: TypeId,
        /// Its kind.
        kind: Kind,
    },
    /// A chain of types is too long, or a circle.
    #[error("type {0} is nested too deeply or refers to itself")]
    TooDeep(TypeId),
    /// A size that does not fit in 32 bits.
    #[error("type {0} is larger than 4 GiB")]
    TooLarge(TypeId),
}

/// Why a path does not name a field.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A structure has no member of this name.
    #[error("`{owner}` has no member `{member}`")]
    NoMember {
        /// Name of the structure.
        owner: String,
        /// The member looked for.
        member: String,
    },
    /// A component follows something that is not a structure or union.
    #[error("`{before}` is not a structure, so `{member}` cannot be in it")]
    NotComposite {
        /// The part of the path before.
        before: String,
        /// The member looked for.
        member: String,
    },
    /// An index follows something that is not an array, or is outside it.
    #[error("`{before}` has no element {index}")]
    NoElement {
        /// The part of the path before.
        before: String,
        /// The index.
        index: u32,
    },
    /// The path is not of the form `a.b[1].c`.
    #[error("`{0}` is not a path to a field")]
    BadPath(String),
    /// A type on the way cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// Why types cannot be built together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two different definitions of one name.
    #[error("{kind} `{name}` is defined twice, differently: {difference}")]
    Conflict {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
        /// What differs first.
        difference: String,
    },
    /// A type was declared and never defined.
    #[error("{kind} `{name}` was declared and not defined")]
    Undefined {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// A bit field that is too wide or too far from the start for BTF.
    #[error("`{owner}.{member}`: a bit field of {bits} bits at bit {bit_offset} does not fit in BTF")]
    BadBitField {
        /// The structure.
        owner: String,
        /// The member.
        member: String,
        /// First bit.
        bit_offset: u32,
        /// Number of bits.
        bits: u8,
    },
    /// More members, parameters or values than 65,535.
    #[error("{kind} `{name}` has {count} entries, BTF has room for 65535")]
    TooManyEntries {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
        /// How many.
        count: usize,
    },
    /// A type that contains itself without a named structure in between.
    #[error("{kind} `{name}` refers to itself")]
    Circular {
        /// The kind.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// A name with a zero byte, or one that makes the string table too large.
    #[error("name {0:?} cannot be stored")]
    BadName(String),
    /// What was built is not valid BTF, for example because an id was made up.
    #[error(transparent)]
    Invalid(#[from] ParseError),
}

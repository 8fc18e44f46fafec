//! The ways in which a program can be wrong: one variant a rule, with its facts.
//!
//! Reading [`Reason`] tells every check the verifier makes. The text is made in [`report`](crate::report);
//! stable numbers and long explanations are in [`codes`](crate::Code).

use isa::{AluOp, DecodeReason, Reg, Width};

use crate::codes::Code;

/// A broken rule with its facts. Offsets and sizes are in bytes, slots are instruction indices.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the fields are named after the facts they hold; each variant is explained"
)]
pub enum Reason {
    /// A slot that is not an instruction.
    Undecodable(DecodeReason),
    /// No instructions at all.
    EmptyProgram,
    /// More slots than the limit.
    TooLong { slots: usize, max: usize },
    /// A jump that leaves its function.
    JumpOutOfRange { target: i64 },
    /// A jump or call to the second slot of a 64-bit immediate load.
    JumpIntoImmediate { target: usize },
    /// The last instruction of a function lets execution run past it.
    FallsThrough,
    /// An instruction that nothing leads to.
    Unreachable,
    /// A call to a slot outside the program.
    CallOutOfRange { target: i64 },
    /// More functions than the limit.
    TooManySubprogs { max: usize },
    /// Function information that does not agree with the functions there are.
    BadFuncInfo { slot: u32 },
    /// A function that calls itself, over others or not.
    Recursion,
    /// More functions active at once than the limit.
    CallsTooDeep { max: usize },
    /// The functions of a call path need more stack than there is.
    StackTooDeep { bytes: u32, max: u32 },
    /// An instruction that this kind of program may not use.
    InsnNotAllowed { what: &'static str },
    /// A constant shift by the width or more.
    ShiftTooWide { amount: i32, width: Width },
    /// Division by the constant zero.
    DivisionByZero,

    /// A register that was never written on this path.
    UninitRegister { reg: Reg },
    /// A write to R10.
    FramePointerWrite,
    /// Arithmetic that pointers do not have.
    PointerArithmetic { reg: Reg, kind: ValueKind, op: AluOp },
    /// 32-bit arithmetic on a pointer.
    PointerArithmetic32 { reg: Reg, kind: ValueKind },
    /// Arithmetic on a pointer that may be null.
    NullablePointerArithmetic { reg: Reg, kind: ValueKind },
    /// Arithmetic on a kind of pointer that has none.
    FixedPointerArithmetic { reg: Reg, kind: ValueKind },
    /// Arithmetic of two pointers.
    TwoPointers { op: AluOp },
    /// An offset so large that it could overflow.
    OffsetTooLarge { kind: ValueKind, bounds: Bounds },

    /// Memory access through something that is not a pointer.
    NotAPointer { reg: Reg, kind: ValueKind },
    /// Memory access through a pointer that may be null.
    NullableAccess { reg: Reg, kind: ValueKind },
    /// Access outside the stack frame.
    StackOutOfBounds { offset: i64, size: u32 },
    /// Access to the stack at an offset whose range leaves the frame.
    StackUnbounded { bounds: Bounds, size: u32 },
    /// Access across the middle of a saved pointer.
    CorruptedPointer { offset: i32, size: u32 },
    /// Access outside a map's value.
    MapValueOutOfBounds { value_size: u32, bounds: Bounds, size: u32 },
    /// Access to a special field of a map's value.
    MapSpecialField { what: &'static str, offset: u32 },
    /// A read of a map that programs may not read.
    MapNotReadable { map: String },
    /// A write to a map that programs may not write.
    MapNotWritable { map: String },
    /// Access outside memory of known size.
    MemOutOfBounds { mem_size: u32, bounds: Bounds, size: u32 },
    /// Access that is not a multiple of its size.
    Misaligned { kind: ValueKind, offset: i64, size: u32 },
    /// Access at an offset that depends on data, where it must be constant.
    VariableOffset { kind: ValueKind },
    /// A pointer that must not be moved was moved.
    OffsetNotZero { kind: ValueKind, offset: i64 },
    /// Access outside the program's context.
    CtxOutOfBounds { offset: i64, size: u32 },
    /// A write to the program's context.
    CtxReadOnly,
    /// Access outside a kernel structure.
    StructOutOfBounds {
        ty: String,
        offset: i64,
        size: u32,
        ty_size: u32,
    },
    /// Access to the middle of a member, or across members, of a kernel structure.
    StructBadAccess { ty: String, offset: i64, size: u32 },
    /// A write to a kernel structure that may not be written.
    StructReadOnly { ty: String },
    /// A write to a member of a kernel structure that may not be written.
    StructFieldReadOnly { field: String, offset: i64, size: u32 },
    /// A write beyond the end of a writable member.
    StructFieldEnd {
        field: String,
        offset: i64,
        size: u32,
        end: u32,
    },
    /// A write through a pointer that was loaded from a structure.
    UntrustedWrite { ty: String },
    /// An atomic operation on memory that has none.
    AtomicNotAllowed { kind: ValueKind },
    /// A pointer stored where only data may be.
    PointerStored { kind: ValueKind, into: ValueKind },
    /// One instruction reaches memory of kinds that need different code.
    MixedPointers { before: ValueKind, now: ValueKind },

    /// A helper that does not exist or that this program may not call.
    UnknownHelper { id: u32, name: Option<String> },
    /// A kernel function that does not exist or that this program may not call.
    UnknownKfunc { btf_id: u32, name: Option<String> },
    /// A map that does not exist.
    UnknownMap,
    /// An argument of the wrong kind.
    ArgKind {
        call: String,
        arg: u8,
        kind: ValueKind,
        wanted: Wanted,
    },
    /// A pointer argument to the wrong structure.
    ArgStruct {
        call: String,
        arg: u8,
        ty: String,
        wanted: String,
    },
    /// A pointer argument that must be trusted.
    ArgUntrusted { call: String, arg: u8, ty: String },
    /// A pointer argument that may be null.
    ArgNullable { call: String, arg: u8, kind: ValueKind },
    /// A size argument without an upper bound, or below zero, or zero where it may not be.
    ArgSize {
        call: String,
        arg: u8,
        bounds: Bounds,
        zero_ok: bool,
    },
    /// An argument that must be a known constant.
    ArgNotConstant { call: String, arg: u8 },
    /// A helper that does not work on this kind of map.
    HelperMap { call: String, map: String },
    /// A map value address of a map that has none.
    NoDirectValue { map: String, offset: u32 },
    /// An argument of a global function that does not fit its prototype.
    GlobalArg { function: String, arg: u8, kind: ValueKind },

    /// A global function that gives nothing, or something else than a number.
    GlobalResult { function: String },

    /// A reference that was not given back.
    LeakedReference { acquired_at: u32 },
    /// A reference given back that is not held.
    NotReferenced { call: String, arg: u8 },

    /// R0 at the end of the program is not what it must be.
    ReturnRange { bounds: Bounds, min: i64, max: i64 },
    /// R0 at the end of the program is not a number.
    ReturnKind { kind: ValueKind },
    /// A pointer into the stack of a function returned from it.
    ReturnsStack,

    /// A loop that can go round without changing anything.
    InfiniteLoop,
    /// More instructions on all paths together than the limit.
    TooComplex { max: u64 },
    /// More waiting branches than the limit.
    TooManyBranches { max: usize },
}

/// Kind of a value in a register or stack slot, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ValueKind {
    Uninit,
    Number,
    Constant(i64),
    Ctx,
    Stack,
    Map { name: String },
    MapValue { map: String, nullable: bool },
    Mem { size: u32, nullable: bool },
    Struct { ty: String, nullable: bool, trusted: bool },
}

/// What a call wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Wanted {
    Number,
    Ctx,
    Map,
    Memory,
    Struct,
}

/// Range of a number or of a pointer's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Smallest as a signed number.
    pub signed_min: i64,
    /// Largest as a signed number.
    pub signed_max: i64,
    /// Smallest as an unsigned number.
    pub unsigned_min: u64,
    /// Largest as an unsigned number.
    pub unsigned_max: u64,
}

/// What kind of rule was broken; one per hundred of the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Control flow, functions, form of instructions.
    Structure,
    /// What a register holds.
    Register,
    /// What may be read and written.
    Memory,
    /// Calls of helpers, kernel functions and global functions.
    Call,
    /// References that must be given back.
    Reference,
    /// What the program returns.
    Return,
    /// Work that the verification takes.
    Complexity,
}

impl Category {
    /// Lower-case words for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Structure => "program structure",
            Self::Register => "register type",
            Self::Memory => "memory access",
            Self::Call => "call",
            Self::Reference => "resource lifetime",
            Self::Return => "return value",
            Self::Complexity => "complexity",
        }
    }
}

impl Reason {
    /// Its stable code.
    pub fn code(&self) -> Code {
        use Code as C;
        match self {
            Self::Undecodable(_) => C::Undecodable,
            Self::EmptyProgram => C::EmptyProgram,
            Self::TooLong { .. } => C::TooLong,
            Self::JumpOutOfRange { .. } => C::JumpOutOfRange,
            Self::JumpIntoImmediate { .. } => C::JumpIntoImmediate,
            Self::FallsThrough => C::FallsThrough,
            Self::Unreachable => C::Unreachable,
            Self::CallOutOfRange { .. } => C::CallOutOfRange,
            Self::TooManySubprogs { .. } => C::TooManySubprogs,
            Self::BadFuncInfo { .. } => C::BadFuncInfo,
            Self::Recursion => C::Recursion,
            Self::CallsTooDeep { .. } => C::CallsTooDeep,
            Self::StackTooDeep { .. } => C::StackTooDeep,
            Self::InsnNotAllowed { .. } => C::InsnNotAllowed,
            Self::ShiftTooWide { .. } => C::ShiftTooWide,
            Self::DivisionByZero => C::DivisionByZero,
            Self::UninitRegister { .. } => C::UninitRegister,
            Self::FramePointerWrite => C::FramePointerWrite,
            Self::PointerArithmetic { .. } => C::PointerArithmetic,
            Self::PointerArithmetic32 { .. } => C::PointerArithmetic32,
            Self::NullablePointerArithmetic { .. } => C::NullablePointerArithmetic,
            Self::FixedPointerArithmetic { .. } => C::FixedPointerArithmetic,
            Self::TwoPointers { .. } => C::TwoPointers,
            Self::OffsetTooLarge { .. } => C::OffsetTooLarge,
            Self::NotAPointer { .. } => C::NotAPointer,
            Self::NullableAccess { .. } => C::NullableAccess,
            Self::StackOutOfBounds { .. } => C::StackOutOfBounds,
            Self::StackUnbounded { .. } => C::StackUnbounded,
            Self::CorruptedPointer { .. } => C::CorruptedPointer,
            Self::MapValueOutOfBounds { .. } => C::MapValueOutOfBounds,
            Self::MapSpecialField { .. } => C::MapSpecialField,
            Self::MapNotReadable { .. } => C::MapNotReadable,
            Self::MapNotWritable { .. } => C::MapNotWritable,
            Self::MemOutOfBounds { .. } => C::MemOutOfBounds,
            Self::Misaligned { .. } => C::Misaligned,
            Self::VariableOffset { .. } => C::VariableOffset,
            Self::OffsetNotZero { .. } => C::OffsetNotZero,
            Self::CtxOutOfBounds { .. } => C::CtxOutOfBounds,
            Self::CtxReadOnly => C::CtxReadOnly,
            Self::StructOutOfBounds { .. } => C::StructOutOfBounds,
            Self::StructBadAccess { .. } => C::StructBadAccess,
            Self::StructReadOnly { .. } => C::StructReadOnly,
            Self::StructFieldReadOnly { .. } => C::StructFieldReadOnly,
            Self::StructFieldEnd { .. } => C::StructFieldEnd,
            Self::UntrustedWrite { .. } => C::UntrustedWrite,
            Self::AtomicNotAllowed { .. } => C::AtomicNotAllowed,
            Self::PointerStored { .. } => C::PointerStored,
            Self::MixedPointers { .. } => C::MixedPointers,
            Self::UnknownHelper { .. } => C::UnknownHelper,
            Self::UnknownKfunc { .. } => C::UnknownKfunc,
            Self::UnknownMap => C::UnknownMap,
            Self::ArgKind { .. } => C::ArgKind,
            Self::ArgStruct { .. } => C::ArgStruct,
            Self::ArgUntrusted { .. } => C::ArgUntrusted,
            Self::ArgNullable { .. } => C::ArgNullable,
            Self::ArgSize { .. } => C::ArgSize,
            Self::ArgNotConstant { .. } => C::ArgNotConstant,
            Self::HelperMap { .. } => C::HelperMap,
            Self::NoDirectValue { .. } => C::NoDirectValue,
            Self::GlobalArg { .. } => C::GlobalArg,
            Self::GlobalResult { .. } => C::GlobalResult,
            Self::LeakedReference { .. } => C::LeakedReference,
            Self::NotReferenced { .. } => C::NotReferenced,
            Self::ReturnRange { .. } => C::ReturnRange,
            Self::ReturnKind { .. } => C::ReturnKind,
            Self::ReturnsStack => C::ReturnsStack,
            Self::InfiniteLoop => C::InfiniteLoop,
            Self::TooComplex { .. } => C::TooComplex,
            Self::TooManyBranches { .. } => C::TooManyBranches,
        }
    }
}

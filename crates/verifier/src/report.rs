//! The one place where a [`Reason`] becomes text: a sentence with the facts, notes and help.
//!
//! The sentences are for people who wrote C; register names and offsets appear where they are the fact.

use std::fmt;

use crate::failure::{Rejection, Step, Unsupported};
use crate::reason::{Bounds, Reason, ValueKind, Wanted};

/// A rejection as text, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Facts that explain it: the branches that lead there, for example.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Rejection {
    /// This rejection as text.
    pub fn text(&self) -> Text {
        Text {
            message: self.reason.to_string(),
            notes: notes(self),
            help: help(&self.reason),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(slot) = self.slot {
            write!(f, "insn {slot}: ")?;
        }
        write!(f, "{} [{}]", self.reason, self.code())
    }
}

impl std::error::Error for Rejection {}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(slot) = self.slot {
            write!(f, "insn {slot}: ")?;
        }
        write!(f, "not supported: {}", self.feature)
    }
}

impl std::error::Error for Unsupported {}

/// The branches that lead to the rejection, the last ones only, and the rounds of a loop once.
fn notes(rejection: &Rejection) -> Vec<String> {
    const SHOWN_MAX: usize = 8;
    // Where it was taken last decides its place.
    let mut branches: Vec<(String, usize)> = Vec::new();
    let mut shown = 0;
    for step in rejection.path.iter().rev() {
        let branch = branch(step);
        if let Some((_, times)) = branches.iter_mut().find(|(known, _)| *known == branch) {
            *times += 1;
        } else if branches.len() < SHOWN_MAX {
            branches.push((branch, 1));
        } else {
            break;
        }
        shown += 1;
    }
    let skipped = rejection.path.len() - shown;
    let before = (skipped > 0).then(|| format!("after {skipped} other branches"));
    let told = branches.into_iter().rev().map(|(branch, times)| match times {
        1 => branch,
        _ => format!("{branch} ({times} times)"),
    });
    before.into_iter().chain(told).collect()
}

fn branch(step: &Step) -> String {
    let way = if step.taken { "taken" } else { "not taken" };
    match &step.source {
        Some(at) => format!("branch {way} at {}:{}: {}", at.file, at.line, at.text.trim()),
        None => format!("branch {way} at insn {}", step.slot),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable(why) => write!(f, "{why}"),
            Self::EmptyProgram => f.write_str("the program has no instructions"),
            Self::TooLong { slots, max } => write!(f, "the program has {slots} instructions, more than {max}"),
            Self::JumpOutOfRange { target } => write!(f, "jump to insn {target}, which is outside the function"),
            Self::JumpIntoImmediate { target } => {
                write!(f, "jump to insn {target}, the second half of a 64-bit constant")
            }
            Self::FallsThrough => f.write_str("the function does not end with exit or a jump"),
            Self::Unreachable => f.write_str("this instruction can never be reached"),
            Self::CallOutOfRange { target } => write!(f, "call of insn {target}, which is outside the program"),
            Self::TooManySubprogs { max } => write!(f, "more than {max} functions"),
            Self::BadFuncInfo { slot } => {
                write!(f, "the function information for insn {slot} does not fit the program")
            }
            Self::Recursion => f.write_str("this call makes a function call itself"),
            Self::CallsTooDeep { max } => write!(f, "more than {max} functions would be active at once"),
            Self::StackTooDeep { bytes, max } => {
                write!(f, "this call path needs {bytes} bytes of stack, more than {max}")
            }
            Self::InsnNotAllowed { what } => write!(f, "{what} is not allowed in this program"),
            Self::ShiftTooWide { amount, width } => {
                let bits = if *width == isa::Width::W32 { 32 } else { 64 };
                write!(f, "shift by {amount} of {bits} bits")
            }
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::UninitRegister { reg } => write!(f, "{} is read before it is written", Name(*reg)),
            Self::FramePointerWrite => f.write_str("R10 is the frame pointer and cannot be written"),
            Self::PointerArithmetic { reg, kind, op } => {
                write!(f, "{} is {kind}: `{}` is not possible with it", Name(*reg), symbol(*op))
            }
            Self::PointerArithmetic32 { reg, kind } => write!(f, "32-bit arithmetic on {}, {kind}", Name(*reg)),
            Self::NullablePointerArithmetic { reg, kind } => {
                write!(
                    f,
                    "arithmetic on {}, {kind}, before it is tested against null",
                    Name(*reg)
                )
            }
            Self::FixedPointerArithmetic { reg, kind } => write!(f, "arithmetic on {}, {kind}", Name(*reg)),
            Self::TwoPointers { op } => write!(f, "`{}` of two pointers", symbol(*op)),
            Self::OffsetTooLarge { kind, bounds } => write!(f, "the offset into {kind} is {bounds}, which is too far"),
            Self::NotAPointer {
                reg,
                kind: ValueKind::Constant(offset),
            } if is_null_offset(*offset) => match offset {
                0 => write!(f, "memory access through {}, which is null", Name(*reg)),
                _ => write!(
                    f,
                    "memory access through {}, which is null and an offset of {offset}",
                    Name(*reg)
                ),
            },
            Self::NotAPointer { reg, kind } => write!(f, "memory access through {}, which is {kind}", Name(*reg)),
            Self::NullableAccess { reg, kind } => write!(f, "memory access through {}, which is {kind}", Name(*reg)),
            Self::StackOutOfBounds { offset, size } => {
                write!(f, "{size} bytes at offset {offset} are outside the stack frame")
            }
            Self::StackUnbounded { bounds, size } => write!(f, "{size} bytes of stack at {bounds} can leave the frame"),
            Self::CorruptedPointer { offset, size } => {
                write!(f, "{size} bytes of stack at {offset} cut a saved pointer")
            }
            Self::MapValueOutOfBounds {
                value_size,
                bounds,
                size,
            } => {
                write!(
                    f,
                    "{size} bytes at {bounds} can leave the map value of {value_size} bytes"
                )
            }
            Self::MapSpecialField { what, offset } => write!(f, "access to {what} at offset {offset} of the map value"),
            Self::MapNotReadable { map } => write!(f, "programs may not read map {map}"),
            Self::MapNotWritable { map } => write!(f, "programs may not write map {map}"),
            Self::MemOutOfBounds { mem_size, bounds, size } => {
                write!(f, "{size} bytes at {bounds} can leave the memory of {mem_size} bytes")
            }
            Self::Misaligned { kind, offset, size } => {
                write!(f, "{size} bytes at offset {offset} of {kind} are not aligned")
            }
            Self::VariableOffset { kind } => match kind {
                ValueKind::Struct { ty, .. } => write!(f, "the offset into struct {ty} is not a constant"),
                _ => write!(f, "the offset into {kind} is not a constant"),
            },
            Self::OffsetNotZero { kind, offset } => write!(f, "{kind} was moved by {offset} bytes"),
            Self::CtxOutOfBounds { offset, size } => {
                write!(f, "{size} bytes at offset {offset} are not an argument of the program")
            }
            Self::CtxReadOnly => f.write_str("the program's arguments cannot be written"),
            Self::StructOutOfBounds {
                ty,
                offset,
                size,
                ty_size,
            } => {
                write!(
                    f,
                    "{size} bytes at offset {offset} are outside struct {ty} of {ty_size} bytes"
                )
            }
            Self::StructBadAccess { ty, offset, size } => {
                write!(
                    f,
                    "{size} bytes at offset {offset} of struct {ty} are not one of its members"
                )
            }
            Self::StructReadOnly { ty } => write!(f, "struct {ty} is read-only for this program"),
            Self::StructFieldReadOnly { field, offset, size } => {
                write!(
                    f,
                    "{field} ({size} bytes at offset {offset}) is read-only for this program"
                )
            }
            Self::StructFieldEnd {
                field,
                offset,
                size,
                end,
            } => {
                write!(
                    f,
                    "{size} bytes at offset {offset} reach beyond {field}, which ends at {end}"
                )
            }
            Self::UntrustedWrite { ty } => write!(f, "write through a pointer to struct {ty} that may be stale"),
            Self::AtomicNotAllowed { kind } => write!(f, "atomic operation on {kind}"),
            Self::PointerStored { kind, into } => write!(f, "{kind} is stored into {into}"),
            Self::MixedPointers { before, now } => {
                write!(f, "this instruction accesses {now} here and {before} elsewhere")
            }
            Self::UnknownHelper { id, name: Some(name) } => write!(f, "helper {name}#{id} cannot be called here"),
            Self::UnknownHelper { id, name: None } => write!(f, "there is no helper {id}"),
            Self::UnknownKfunc { name: Some(name), .. } => write!(f, "kernel function {name} cannot be called here"),
            Self::UnknownKfunc { btf_id, name: None } => write!(f, "BTF id {btf_id} is no function of the kernel"),
            Self::UnknownMap => f.write_str("there is no such map"),
            Self::ArgKind {
                call,
                arg,
                kind,
                wanted,
            } => write!(f, "argument {arg} of {call} is {kind}, not {wanted}"),
            Self::ArgStruct { call, arg, ty, wanted } => {
                write!(
                    f,
                    "argument {arg} of {call} points to struct {ty}, not to struct {wanted}"
                )
            }
            Self::ArgUntrusted { call, arg, ty } => {
                write!(f, "argument {arg} of {call} must be a trusted pointer to struct {ty}")
            }
            Self::ArgNullable { call, arg, kind } => write!(f, "argument {arg} of {call} is {kind}"),
            Self::ArgSize { call, arg, bounds, .. } => write!(f, "size in argument {arg} of {call} is {bounds}"),
            Self::ArgNotConstant { call, arg } => write!(f, "argument {arg} of {call} is not a known constant"),
            Self::HelperMap { call, map } => write!(f, "{call} does not work on map {map}"),
            Self::NoDirectValue { map, offset } => {
                write!(f, "map {map} has no value that is addressed at offset {offset}")
            }
            Self::GlobalArg { function, arg, kind } => {
                write!(
                    f,
                    "argument {arg} of {function} is {kind}, which its prototype does not take"
                )
            }
            Self::GlobalResult { function } => write!(f, "global function {function} does not return a number"),
            Self::LeakedReference { acquired_at } => {
                write!(f, "the reference acquired at insn {acquired_at} is not released")
            }
            Self::NotReferenced { call, arg } => write!(f, "argument {arg} of {call} holds no reference to release"),
            Self::ReturnRange { bounds, min, max } => write!(f, "the return value is {bounds}, not in {min}..={max}"),
            Self::ReturnKind { kind } => write!(f, "the return value is {kind}, not a number"),
            Self::ReturnsStack => f.write_str("a function returns an address of its own stack"),
            Self::InfiniteLoop => {
                f.write_str("the loop comes back here with nothing changed that the verifier follows")
            }
            Self::TooComplex { max } => write!(f, "more than {max} instructions on all paths together"),
            Self::TooManyBranches { max } => write!(f, "more than {max} branches wait to be followed"),
        }
    }
}

/// Help that depends on the facts; the general advice is the code's explanation.
fn help(reason: &Reason) -> Option<String> {
    let text = match reason {
        Reason::NullableAccess { .. } | Reason::ArgNullable { .. } | Reason::NullablePointerArithmetic { .. } => {
            "test the pointer against null first".to_owned()
        }
        Reason::MapValueOutOfBounds {
            value_size,
            bounds,
            size,
        } => {
            let last = i64::from(*value_size) - i64::from(*size);
            if bounds.signed_min < 0 && bounds.signed_max <= last {
                "the index can be negative: make it unsigned or test it against 0".to_owned()
            } else {
                format!("bound the offset so that it is at most {last}")
            }
        }
        Reason::OffsetTooLarge { .. } | Reason::StackUnbounded { .. } => {
            "test the index against a constant before it is used".to_owned()
        }
        Reason::StructFieldEnd { field, .. } if field.ends_with("icsk_ca_priv") => {
            "the algorithm's own state must fit into icsk_ca_priv (104 bytes)".to_owned()
        }
        Reason::StructFieldEnd { .. } => "write the member in its own size".to_owned(),
        Reason::StructFieldReadOnly { .. } | Reason::StructReadOnly { .. } => {
            "keep your own value in icsk_ca_priv (104 bytes) or in a map".to_owned()
        }
        Reason::VariableOffset {
            kind: ValueKind::Struct { .. },
        } => "index a map or an array on the stack instead, or choose with `switch` between constant offsets: members of a kernel structure, \
              icsk_ca_priv (104 bytes) too, are reached at constant offsets only, however well the index is bounded"
            .to_owned(),
        Reason::GlobalResult { .. } => {
            "return an integer, or make the function static (`static __noinline`)".to_owned()
        }
        Reason::UninitRegister { .. } => "give the variable a value on every path; a call clears r1 to r5".to_owned(),
        Reason::LeakedReference { .. } => "release the reference on every path".to_owned(),
        Reason::NotAPointer {
            kind: ValueKind::Constant(offset),
            ..
        } if is_null_offset(*offset) => {
            "give the pointer a value on every path, or test it: the number is what is left of null, an offset into a structure".to_owned()
        }
        Reason::InfiniteLoop => {
            "count the rounds in a variable of its own and end the loop at a constant: `for (i = 0; i < 100; i++)`".to_owned()
        }
        Reason::TooComplex { .. } => "give loops smaller bounds or use fewer branches".to_owned(),
        Reason::PointerArithmetic32 { .. } => "use 64-bit variables for offsets".to_owned(),
        Reason::ArgSize { .. } => "test the size against a constant before the call".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// An offset into the first page: an access through null, which is a number to the verifier.
fn is_null_offset(number: i64) -> bool {
    (0..4096).contains(&number)
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_null = |nullable: &bool| if *nullable { " or null" } else { "" };
        match self {
            Self::Uninit => f.write_str("not initialised"),
            Self::Number => f.write_str("a number"),
            Self::Constant(value) => write!(f, "the number {value}"),
            Self::Ctx => f.write_str("the program's context"),
            Self::Stack => f.write_str("the stack"),
            Self::Map { name } => write!(f, "map {name}"),
            Self::MapValue { map, nullable } => write!(f, "a value of map {map}{}", or_null(nullable)),
            Self::Mem { size, nullable } => write!(f, "memory of {size} bytes{}", or_null(nullable)),
            Self::Struct { ty, nullable, .. } => write!(f, "a pointer to struct {ty}{}", or_null(nullable)),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Ctx => "the program's context",
            Self::Map => "a map",
            Self::Memory => "memory",
            Self::Struct => "a pointer to a kernel structure",
        })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.signed_min == self.signed_max {
            return write!(f, "{}", self.signed_min);
        }
        match (
            self.signed_min == i64::MIN && self.signed_max == i64::MAX,
            self.unsigned_max,
        ) {
            (true, u64::MAX) => f.write_str("unbounded"),
            (true, _) => write!(f, "{}..={}", self.unsigned_min, self.unsigned_max),
            (false, _) => write!(f, "{}..={}", self.signed_min, self.signed_max),
        }
    }
}

/// A register as the kernel's log writes it.
struct Name(isa::Reg);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", self.0.number())
    }
}

/// An operation as C writes it.
fn symbol(op: isa::AluOp) -> &'static str {
    use isa::AluOp as A;
    match op {
        A::Add => "+=",
        A::Sub => "-=",
        A::Mul => "*=",
        A::Div | A::SDiv => "/=",
        A::Or => "|=",
        A::And => "&=",
        A::Lsh => "<<=",
        A::Rsh => ">>=",
        A::Arsh => "s>>=",
        A::Mod | A::SMod => "%=",
        A::Xor => "^=",
        A::Mov => "=",
    }
}

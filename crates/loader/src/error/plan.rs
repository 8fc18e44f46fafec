//! Why an object cannot be loaded into a kernel with these types. Nothing has been done by then.

use crate::history;
use btf::Kind;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The object is wrong; no kernel would take it.
    Object,
    /// The kernel lacks something that the object needs, or its types differ.
    Kernel,
    /// The loader does not support it.
    Unsupported,
    /// The options ask for something that does not fit the object.
    Options,
}

/// Why an object cannot be loaded as planned. Nothing has been done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The object has no types, and something in it needs them.
    #[error("the object has no types (.BTF); compile with clang -g or gcc -gbtf")]
    NoBtf,
    /// A program of a kind that is not loaded.
    #[error("program `{program}`: programs of section `{section}` are not supported")]
    ProgramKind {
        /// The program.
        program: String,
        /// Its section.
        section: String,
    },
    /// A struct_ops program that no ops structure uses.
    #[error(
        "program `{program}` is not referenced by any ops structure; {}", unreferenced(.elsewhere)
    )]
    Unreferenced {
        /// The program.
        program: String,
        /// A variable that would be an ops structure, did it not stand in a section for other data.
        elsewhere: Option<Elsewhere>,
    },
    /// The kernel has no such ops kind.
    #[error("the kernel has no ops structure `{kind}` that programs may implement{}", history::of_kind(.kind))]
    NoOpsKind {
        /// The kind.
        kind: String,
    },
    /// A member cannot be carried over to the kernel's type.
    #[error("`{ops}.{member}`: {problem}{}", since(.kind, .member, .problem))]
    Member {
        /// The ops structure's variable.
        ops: String,
        /// Its kind.
        kind: String,
        /// The member.
        member: String,
        /// Why.
        problem: MemberProblem,
    },
    /// A program is assigned to two different members.
    #[error(
        "program `{program}` is assigned to `{first}` and to `{second}`; several ops structures may share it only in the same member of the same type"
    )]
    Reuse {
        /// The program.
        program: String,
        /// `kind.member` of one.
        first: String,
        /// `kind.member` of the other.
        second: String,
    },
    /// An ops structure or program that the options name does not exist or is not created.
    #[error("the object has no ops structure `{name}`, or it is not created; it has: {}", .names.join(", "))]
    NoSuchOps {
        /// The name.
        name: String,
        /// The ops structures there are.
        names: Vec<String>,
    },
    /// The options name a program that does not exist.
    #[error("the object has no program `{name}`")]
    NoSuchProgram {
        /// The name.
        name: String,
    },
    /// A field is to be set, but the object has not exactly one ops structure.
    #[error("which ops structure's `{field}`? Say {}; the object has: {}", said_for(.field), .names.join(", "))]
    WhichOps {
        /// The field.
        field: String,
        /// The ops structures there are.
        names: Vec<String>,
    },
    /// A field cannot be set so.
    #[error("cannot set `{ops}.{field}` to `{value}`: {problem}")]
    Set {
        /// The ops structure's variable.
        ops: String,
        /// The field.
        field: String,
        /// The value.
        value: String,
        /// Why.
        problem: Box<SetProblem>,
    },
    /// The kernel has no such function or variable.
    #[error("the kernel has no {what} `{name}`{}", needed_by(.program))]
    NoKernelSymbol {
        /// The first program or sub-program that needs it, if any does.
        program: Option<String>,
        /// `function` or `variable`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The kernel's function or variable has another type than declared.
    #[error("the kernel's {what} `{name}` has another type than the object declares{}", needed_by(.program))]
    KernelSymbolType {
        /// The first program or sub-program that needs it, if any does.
        program: Option<String>,
        /// `function` or `variable`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A CO-RE relocation has no answer.
    #[error("function `{function}`, instruction {slot}{}: {problem}", at(.source_line))]
    Core {
        /// The function.
        function: String,
        /// The slot in it.
        slot: u32,
        /// `file:line`, when known.
        source_line: Option<String>,
        /// Why.
        problem: Box<CoreProblem>,
    },
    /// A program with its sub-programs is longer than jumps reach, or calls itself through too many functions.
    #[error("program `{program}` with its sub-programs is too large")]
    TooLarge {
        /// The program.
        program: String,
    },
    /// A map whose definition the loader does not carry out.
    #[error("map `{map}`: {feature} is not supported")]
    Map {
        /// The map.
        map: String,
        /// What is not supported.
        feature: &'static str,
    },
    /// The options ask for an instruction that the object does not have; a bug of the reader.
    #[error("instruction {slot} of `{function}` refers to something that the object does not have")]
    Dangling {
        /// The function.
        function: String,
        /// The slot in it.
        slot: u32,
    },
}

/// Why a member cannot be carried over to the kernel's type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberProblem {
    /// The kernel's structure has no such member, and the object gives it a value.
    #[error("the kernel's structure has no such member, and the object gives it a value")]
    Absent,
    /// A bit field.
    #[error("bit fields cannot be carried over")]
    BitField,
    /// Of another kind than in the kernel.
    #[error("is a {object} in the object, a {kernel} in the kernel")]
    Kind {
        /// Kind in the object.
        object: Kind,
        /// Kind in the kernel.
        kernel: Kind,
    },
    /// Of another size than in the kernel.
    #[error("has {object} bytes in the object, {kernel} in the kernel")]
    Size {
        /// Size in the object.
        object: u32,
        /// Size in the kernel.
        kernel: u32,
    },
    /// A program is assigned, but the kernel's member is no function pointer.
    #[error("a program is assigned, but in the kernel it is no function pointer")]
    NotAFunction,
    /// A pointer with a value that is no program.
    #[error("a pointer to something other than a program")]
    Pointer,
    /// Its size cannot be found out.
    #[error("its size cannot be told from the types")]
    NoSize,
}

/// Why a field cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetProblem {
    /// The ops structure has no such field.
    #[error("there is no such field")]
    NoSuchField {
        /// The fields that it has.
        known: Vec<String>,
    },
    /// Neither a number nor a `char` array.
    #[error("it is neither a number nor a text (a function can only be set to `null`)")]
    NotData,
    /// The text is longer than the array.
    #[error("at most {room} bytes fit")]
    TooLong {
        /// Bytes that fit, without the NUL.
        room: u32,
    },
    /// The number does not fit the type.
    #[error("numbers from {least} to {most} fit")]
    Range {
        /// The smallest that fits.
        least: i128,
        /// The largest that fits.
        most: i128,
    },
    /// A word that is neither a number nor a known name.
    #[error("`{name}` is neither a number nor a known name{}", known_names(.known))]
    NoSuchName {
        /// The word.
        name: String,
        /// Names that are known for this field.
        known: Vec<&'static str>,
    },
}

/// Why a CO-RE relocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreProblem {
    /// It cannot be resolved.
    #[error(transparent)]
    Resolve(#[from] btf::core::CoreError),
    /// The answer does not fit the instruction.
    #[error(transparent)]
    Patch(#[from] btf::core::PatchError),
}

impl PlanError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoBtf | Self::Unreferenced { .. } | Self::Reuse { .. } | Self::TooLarge { .. } => Fault::Object,
            Self::Dangling { .. } => Fault::Object,
            Self::ProgramKind { .. } | Self::Map { .. } => Fault::Unsupported,
            Self::NoOpsKind { .. } | Self::NoKernelSymbol { .. } | Self::KernelSymbolType { .. } => Fault::Kernel,
            Self::Member { problem, .. } => match problem {
                MemberProblem::Absent
                | MemberProblem::Kind { .. }
                | MemberProblem::Size { .. }
                | MemberProblem::NotAFunction => Fault::Kernel,
                MemberProblem::BitField => Fault::Unsupported,
                MemberProblem::Pointer | MemberProblem::NoSize => Fault::Object,
            },
            Self::NoSuchOps { .. } | Self::NoSuchProgram { .. } | Self::WhichOps { .. } | Self::Set { .. } => {
                Fault::Options
            }
            Self::Core { problem, .. } => match **problem {
                CoreProblem::Resolve(_) => Fault::Object,
                CoreProblem::Patch(_) => Fault::Kernel,
            },
        }
    }
}

/// The name is set by `--as` too, which has no place for the structure's.
fn said_for(field: &str) -> String {
    match field {
        "name" => "FILE:NAME, or OPS.name where a field is set".to_owned(),
        field => format!("OPS.{field}"),
    }
}

/// A variable of an ops structure's type that stands where data stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The variable.
    pub variable: String,
    /// Its type, without `struct`.
    pub kind: String,
    /// The section it stands in.
    pub section: String,
}

fn unreferenced(elsewhere: &Option<Elsewhere>) -> String {
    match elsewhere {
        Some(Elsewhere {
            variable,
            kind,
            section,
        }) => format!(
            "`{variable}` (struct {kind}) is none, for it stands in section `{section}`: write SEC(\".struct_ops.link\") before it"
        ),
        None => "assign it to a member or begin its section with `?`".to_owned(),
    }
}

fn at(source_line: &Option<String>) -> String {
    source_line
        .as_ref()
        .map_or_else(String::new, |place| format!(" ({place})"))
}

fn since(kind: &str, member: &str, problem: &MemberProblem) -> String {
    match problem {
        MemberProblem::Absent => history::of_member(kind, member),
        _ => String::new(),
    }
}

fn needed_by(program: &Option<String>) -> String {
    program
        .as_ref()
        .map_or_else(String::new, |program| format!(", which `{program}` needs"))
}

fn known_names(known: &[&str]) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!("; known here: {}", known.join(", "))
    }
}

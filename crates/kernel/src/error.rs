//! Why a kernel cannot be built. What commands answer is in `bpf`.

/// Why [`Builder::build`](crate::Builder::build) gives no kernel: a family contradicts itself or another one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// `CONFIG_HZ` is 0 or more than a million.
    #[error("{hz} ticks a second are not possible")]
    Hz {
        /// What was asked for.
        hz: u32,
    },
    /// The types of the families do not go together.
    #[error("the types of the kernel do not go together")]
    Types(#[from] btf::BuildError),
    /// The types cannot be laid out.
    #[error("a type of the kernel has no layout")]
    Layout(#[from] btf::LayoutError),
    /// Two families for one kind.
    #[error("there are two families for {kind}")]
    Twice {
        /// The ops structure's name.
        kind: &'static str,
    },
    /// A family added no structure of its name.
    #[error("the family of {kind} has not added struct {kind}")]
    NoStruct {
        /// The ops structure's name.
        kind: &'static str,
    },
    /// A member that an ops structure cannot have: without a name, a bit field, or a function with more than five or other than
    /// integer and pointer arguments.
    #[error("struct {kind}: member {member:?} {problem}")]
    Member {
        /// The ops structure's name.
        kind: &'static str,
        /// The member's name.
        member: String,
        /// What is wrong with it.
        problem: MemberProblem,
    },
    /// A family refused the types.
    #[error("the family of {kind} does not find its types")]
    Init {
        /// The ops structure's name.
        kind: &'static str,
    },
    /// Two different functions under one name or number.
    #[error("{name} is defined twice")]
    Function {
        /// Name of the helper or kernel function.
        name: String,
    },
}

/// What is wrong with a member of an ops structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberProblem {
    /// It has no name.
    #[error("has no name")]
    Anonymous,
    /// It is a bit field.
    #[error("is a bit field")]
    BitField,
    /// It may be implemented and has more than five arguments.
    #[error("has more than five arguments")]
    TooManyArguments,
    /// It may be implemented and has an argument or result that is no integer, enumeration or pointer.
    #[error("has an argument or result that does not fit a register")]
    NotARegister,
    /// It may be implemented but is no function.
    #[error("may be implemented and is no function")]
    NotAFunction,
    /// An argument that may be null is no pointer to a structure.
    #[error("has a nullable argument that is no pointer to a structure")]
    Nullable,
}

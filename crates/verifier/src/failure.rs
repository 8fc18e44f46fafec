//! Why there is no [`Verified`](crate::Verified): the program is wrong, it is not supported here, we have a bug, or there is no memory.
//!
//! The first three are different types, never mixed. Text is made in [`report`](crate::report) alone.

use isa::{DecodeError, Insn};

use crate::codes::Code;
use crate::program::SourceLine;
use crate::reason::{Category, Reason};

/// Outcome of a verification that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The program is wrong.
    #[error(transparent)]
    Rejected(#[from] Box<Rejection>),
    /// The program may well be right, but uses what this verifier cannot check.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// This verifier has a bug.
    #[error(transparent)]
    Internal(#[from] Internal),
    /// Nothing is known of the program: what is known of its paths takes more memory than this process can have (`ulimit -v`, for example).
    #[error("not enough memory to follow all paths of the program")]
    Memory,
}

/// The program breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which rule, with the facts.
    pub reason: Reason,
    /// The slot it is about, if it is about one.
    pub slot: Option<u32>,
    /// The instruction there.
    pub insn: Option<Insn>,
    /// The source line it came from.
    pub source: Option<SourceLine>,
    /// Branches that lead there from the start, in order.
    pub path: Vec<Step>,
}

/// A conditional jump on the way to a rejection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Slot of the jump.
    pub slot: u32,
    /// It was followed (else execution fell through).
    pub taken: bool,
    /// The source line it came from.
    pub source: Option<SourceLine>,
}

impl Rejection {
    /// The rejection of a program that does not decode.
    pub fn from_decode(error: DecodeError) -> Self {
        Self {
            reason: Reason::Undecodable(error.reason),
            slot: u32::try_from(error.slot).ok(),
            insn: None,
            source: None,
            path: Vec::new(),
        }
    }

    /// Its stable code.
    pub fn code(&self) -> Code {
        self.reason.code()
    }

    /// What kind of rule was broken.
    pub fn category(&self) -> Category {
        self.code().category()
    }
}

/// A feature that this verifier does not check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Which.
    pub feature: Feature,
    /// The slot that uses it.
    pub slot: Option<u32>,
}

/// What is not supported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Feature {
    /// A call that cannot be checked, and why.
    #[error("{call}: {what}")]
    Call {
        /// Name of the helper or kernel function.
        call: String,
        /// What is special about it.
        what: &'static str,
    },
    /// An instruction.
    #[error("{0}")]
    Insn(&'static str),
    /// An argument in the context.
    #[error("argument {index} of this operation has a type that is not modelled")]
    CtxArg {
        /// From 0.
        index: usize,
    },
    /// A field of the context.
    #[error("the context's field at offset {offset} is not modelled")]
    CtxField {
        /// In bytes.
        offset: i64,
    },
    /// A parameter of a global function.
    #[error("parameter {index} of global function {function} has a type that is not modelled")]
    GlobalParam {
        /// Name of the function.
        function: String,
        /// From 0.
        index: usize,
    },
    /// A global function with more arguments than there are registers for.
    #[error("global function {function} takes more than five arguments")]
    GlobalShape {
        /// Name of the function.
        function: String,
    },
    /// A map whose values hold this.
    #[error("map {map} holds {what}")]
    MapField {
        /// Name of the map.
        map: String,
        /// `bpf_spin_lock`, …
        what: &'static str,
    },
    /// Program types without this.
    #[error("{0}")]
    Access(&'static str),
}

/// A contradiction inside this verifier. The program is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Internal {
    /// An index that must exist does not.
    #[error("no {what} {index}")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// Its index.
        index: usize,
    },
}

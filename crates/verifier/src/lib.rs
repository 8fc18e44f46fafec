//! Is this BPF program safe, and if not, why not, said in terms of its source.
//!
//! [`verify`] follows every path of a [`Program`] with abstract values, as Linux's `kernel/bpf/verifier.c` does,
//! and answers with a [`Verified`] that only it can make, or with a [`Failure`]. What the program may use is asked
//! of an [`Environment`]; no map, file descriptor or kernel is known here.
//!
//! The rule above all others: nothing is accepted that Linux refuses. What is not understood is
//! [`Unsupported`], never accepted.
#![forbid(unsafe_code)]

mod alu;
mod bounds;
mod branch;
mod btf_access;
mod cfg;
mod check;
mod codes;
mod engine;
mod environment;
mod failure;
mod liveness;
mod memory;
mod options;
mod program;
mod provenance;
mod reason;
pub mod report;
#[cfg(test)]
mod soundness;
mod stack;
mod state;
mod states;
mod subprogs;
mod tnum;
mod trail;
mod value;
mod verified;

pub use codes::Code;
pub use environment::{
    ArgKind, CallContract, CallFlags, Context, CtxArg, CtxField, CtxHolds, Environment, MapRef, MapShape, RetKind,
    ReturnRule, SpecialField, StructAccess,
};
pub use failure::{Failure, Feature, Internal, Rejection, Step, Unsupported};
pub use options::{Keeping, Limits, MAX_BPF_STACK, MAX_CALL_FRAMES, Options};
pub use program::{FuncInfo, LineInfo, Program, ProgramDebug, SourceLine};
pub use reason::{Bounds, Category, Reason, ValueKind, Wanted};
pub use verified::{Aux, Stats, Subprog, Verified};

/// Verify a program for an environment.
///
/// # Errors
///
/// [`Failure::Rejected`] if the program breaks a rule, [`Failure::Unsupported`] if it uses what cannot be
/// checked here, [`Failure::Internal`] if this crate has a bug, [`Failure::Memory`] if this process cannot have the memory that it takes.
pub fn verify(program: &Program<'_>, environment: &dyn Environment, options: &Options) -> Result<Verified, Failure> {
    engine::run(program, environment, options)
}

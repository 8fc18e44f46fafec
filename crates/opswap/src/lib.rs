//! opswap: replace operations structures with verified BPF programs, on the running Linux kernel and in your own process.
//!
//! This is the facade: what the command `opswap` does, an application does through it. Kernels are values of one type, [`Bpf`]: [`embedded`]
//! makes one inside this process, [`linux()`] is the running one.
//!
//! ```
//! use opswap::{Verdict, check, embedded};
//!
//! let checked = check("reno", &embedded()?)?;
//! assert_eq!(checked.verdict, Verdict::Accepted);
//! # Ok::<(), opswap::Error>(())
//! ```
//!
//! Registering, swapping and rolling back on a host, by name:
//!
//! ```no_run
//! use opswap::{Host, Settings, Source};
//!
//! let host = Host::on_linux("/sys/fs/bpf".as_ref())?;
//! host.load(&Source::find("cubic")?, &Settings::default())?;
//! host.swap("bpf_cubic", &Source::find("./cubic2.bpf.o")?, &Settings::default())?;
//! host.rollback("bpf_cubic")?;
//! host.unload("bpf_cubic")?;
//! # Ok::<(), opswap::Error>(())
//! ```
#![forbid(unsafe_code)]

mod check;
mod code;
mod compile;
mod doctor;
mod error;
mod experiment;
mod explain;
mod files;
mod header;
mod host;
mod kernels;
mod kinds;
mod new;
mod selection;
pub mod shipped;
mod similar;
mod source;

pub use ::lab::printable;
pub use bpf::{Bpf, Category, Report, SourceLine};
pub use check::{Checked, CheckedError, CheckedNote, CheckedOps, CheckedProgram, Verdict, check, check_source};
pub use compile::{Cause, CompileError, Compiled, Input, build, compile, compile_word, find_clang};
pub use doctor::{Finding, Is, doctor};
pub use error::{Class, Error};
pub use experiment::{algorithm_name, compare, try_out};
pub use explain::{Explanation, explain, explanations};
pub use files::{ReadError, write_file};
pub use header::header;
pub use host::{
    Applied, Attach, Attached, FieldValue, Filled, Foreign, ForeignWhy, Host, HostError, Loaded, Namespace, NotRenewed,
    Place, Renewal, Settings, Shared, State, StillUsed, Swapped, Table, Unchanged, Unloaded,
};
pub use kernel::Limits;
pub use kernels::{Embedded, embedded, linux};
pub use kinds::{KindDetail, KindSummary, Member, MemberUse, kind, kinds};
pub use loader::{SetField, SetFieldError};
pub use new::{Created, NameFault, NewError, Template, new_program};
pub use similar::similar;
pub use source::{Source, SourceError};

/// Scenarios, runs and reports of experiments.
pub mod lab {
    pub use ::lab::*;
    pub use net::{Rate, Span};
}

/// The README's program compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

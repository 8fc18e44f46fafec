//! Why a program was refused, as plain data, the same from both kernels: the embedded kernel fills it from its verifier, `linux` by parsing the kernel's log.
//! Turning it into text for a terminal is not done here.

use std::borrow::Cow;
use std::fmt;

/// One refusal, in terms of the source as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Stable code of the reason, `SO0103` for instance; `opswap explain` has a page for each.
    pub code: Cow<'static, str>,
    /// What kind of rule was broken.
    pub category: Category,
    /// One sentence without final stop.
    pub message: String,
    /// The instruction, as the kernel's log numbers them (8-byte slots).
    pub insn: Option<u32>,
    /// The line of C that it was compiled from.
    pub source: Option<SourceLine>,
    /// Facts that help: how execution got there, what is allowed.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// File as the compiler was given it; empty when the log did not say.
    pub file: String,
    /// Line, from 1; 0 when the log did not say.
    pub line: u32,
    /// Column, from 1; 0 when unknown.
    pub column: u32,
    /// The line itself; its indentation, which the column counts, may be missing where the source is a log.
    pub text: String,
}

/// The safety categories of the kernel's own reports (kernel/bpf/diagnostics.c, Linux 7.3), and one for limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// A register does not hold what the operation needs.
    RegisterType,
    /// An access outside what may be touched.
    Memory,
    /// A reference, lock or other resource is not given back, or given back twice.
    Lifetime,
    /// A call that is not offered here, or with wrong arguments.
    Call,
    /// Not allowed at this point (may sleep, holds a lock, wrong kind of program).
    Context,
    /// The program's shape: unreachable code, jumps out of it, endless loops.
    Structure,
    /// Allowed to others or elsewhere: licence, privileges, configuration.
    Policy,
    /// Too large or too complex.
    Limit,
    /// The reason was not recognised; the message is the kernel's own.
    Unrecognised,
}

impl Category {
    /// In words, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::RegisterType => "register type",
            Self::Memory => "memory access",
            Self::Lifetime => "resource lifetime",
            Self::Call => "call",
            Self::Context => "execution context",
            Self::Structure => "program structure",
            Self::Policy => "policy",
            Self::Limit => "limit",
            Self::Unrecognised => "unrecognised",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let Some(insn) = self.insn {
            write!(f, " (instruction {insn})")?;
        }
        Ok(())
    }
}

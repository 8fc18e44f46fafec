//! An interpreter for eBPF, with a fast and a checked mode.
//!
//! [`Program`] runs verified programs on the memory of this process: no access is tested, so running one is
//! `unsafe`. [`CheckedProgram`] runs anything: every access is tested against a [`Memory`], steps are counted,
//! and what goes wrong is a [`Trap`] with its facts. It is the judge of the verifier and of compiled code.
//! Both modes share one loop and one table of operators ([`alu`]), so that they cannot disagree on what an
//! instruction means.
//!
//! What an instruction means is said by RFC 9669 and, for what came after it, by Linux 6.18
//! (`kernel/bpf/core.c`, `___bpf_prog_run`). This crate knows no map, file descriptor or kernel: a [`Linker`]
//! gives it addresses.
//!
//! `unsafe` is in `src/run.rs` only.
//!
//! ```
//! use vm::{CheckedProgram, Regions, TrapReason};
//!
//! let insns = isa::asm::assemble(
//!     "r0 = *(u32 *)(r1 +0)
//!      r0 *= 2
//!      exit",
//! )?;
//! let program = CheckedProgram::build(&insns, |_| vm::Mark::Plain, |_| None)?;
//! let mut memory = Regions::default();
//! memory.add("context", 0x1000, vec![21, 0, 0, 0], false);
//! assert_eq!(program.run(0x1000, &mut memory, 100), Ok(42));
//!
//! let trap = program.run(0x1002, &mut memory, 100).unwrap_err();
//! assert_eq!(trap.to_string(), "insn 0: 4-byte read at 0x1002: runs over the end of `context`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

pub mod alu;
mod checked;
mod interpret;
mod memory;
mod op;
#[expect(unsafe_code, reason = "verified programs run without tests")]
mod run;
mod translate;

pub use checked::{CheckedProgram, Trap, TrapReason};
pub use interpret::{BPF_MAX_LOOPS, MAX_BPF_STACK, MAX_CALL_FRAMES};
pub use memory::{Denied, Memory, Regions, Stack};
pub use run::{HelperFn, Linker, OutOfBudget, Program};
pub use translate::{BuildError, Mark};

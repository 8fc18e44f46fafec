//! eBPF instructions, versions 1 to 4: decode once into an enum, encode, assemble from text, print.
//!
//! Everything else in opswap looks at [`Insn`] and never at opcode bytes, so what an opcode means is said
//! once, here. The rules are those of RFC 9669 and, for what came after it (`may_goto`, load-acquire,
//! store-release, `addr_space_cast`), of Linux 6.18's `kernel/bpf/verifier.c` and `kernel/bpf/disasm.c`.
//!
//! This crate knows the form of instructions only. Whether a register is initialised, a jump lands inside
//! the program or a shift is too wide is the verifier's business.
//!
//! # Slots
//!
//! A program is a sequence of 8-byte slots. [`decode`](fn@decode) gives one [`Insn`] **per slot**: the second slot of a
//! 64-bit immediate load is [`Insn::LoadImm64Hi`]. An index into the decoded program is therefore the number
//! that Linux prints in its verifier log, and a jump from slot `s` goes to slot `s + 1 + off`.
//!
//! ```
//! let program = isa::asm::assemble(
//!     "   r0 = 0
//!         if r1 s> 3 goto out
//!         r0 = *(u32 *)(r1 +4)
//!     out: exit",
//! )?;
//! assert_eq!(program.len(), 4);
//! assert_eq!(program[1].to_string(), "if r1 s> 0x3 goto +1");
//!
//! let raw = isa::encode(&program)?;
//! assert_eq!(raw[2].to_bytes(), [0x61, 0x10, 4, 0, 0, 0, 0, 0]);
//! assert_eq!(isa::decode(&raw)?, program);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod asm;
mod decode;
mod display;
mod encode;
mod insn;
mod opcode;
mod raw;

pub use decode::{DecodeError, DecodeReason, Loose, decode, decode_loosely, decode_one};
pub use display::{Listing, listing};
pub use encode::{EncodeError, EncodeReason, encode};
pub use insn::{AluOp, AtomicOp, Call, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};
pub use raw::{Field, RawInsn, from_bytes, to_bytes};

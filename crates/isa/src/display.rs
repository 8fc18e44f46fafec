//! Instructions as text, in the syntax of the kernel's verifier log (`kernel/bpf/disasm.c`), with llvm's form
//! where the kernel's would lose something: `ll` marks a 64-bit immediate, jump offsets are `+4`, negative
//! immediates keep their sign. [`asm::assemble`](crate::asm::assemble) reads all of it back.

use std::fmt;

use crate::{AluOp, AtomicOp, Call, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

/// A program as text, one instruction a line with its slot before it; see [`Listing`].
pub fn listing(insns: &[Insn]) -> Listing<'_> {
    Listing(insns)
}

/// Prints a program as the verifier log does: `slot: instruction` lines, second slots left out.
///
/// ```
/// let program = isa::asm::assemble("r1 = 5 ll\n exit").unwrap();
/// assert_eq!(isa::listing(&program).to_string(), "0: r1 = 0x5 ll\n2: exit\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a>(&'a [Insn]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (slot, insn) in self.0.iter().enumerate() {
            if *insn != Insn::LoadImm64Hi {
                writeln!(f, "{slot}: {insn}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Insn {
    /// The second slot of a 64-bit immediate load prints as nothing: its text is part of the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Alu { width, op, dst, src } => {
                let (dst, sign) = (Named(width, dst), alu_sign(op));
                match src {
                    Src::Reg(src) => write!(f, "{dst} {sign} {}", Named(width, src)),
                    Src::Imm(imm) => write!(f, "{dst} {sign} {imm}"),
                }
            }
            Self::MovSx { width, dst, src, from } => {
                let (dst, src) = (Named(width, dst), Named(width, src));
                write!(f, "{dst} = (s{}){src}", from.bits())
            }
            Self::Neg { width, dst } => {
                let dst = Named(width, dst);
                write!(f, "{dst} = -{dst}")
            }
            Self::Endian { dst, kind, bits } => {
                let kind = match kind {
                    EndianKind::ToLe => "le",
                    EndianKind::ToBe => "be",
                    EndianKind::Bswap => "bswap",
                };
                write!(f, "{dst} = {kind}{bits} {dst}")
            }
            Self::AddrSpaceCast { dst, src, to, from } => {
                write!(f, "{dst} = addr_space_cast({src}, {to}, {from})")
            }
            Self::LoadImm64 { dst, imm } => write!(f, "{dst} = {imm} ll"),
            Self::LoadImm64Hi => Ok(()),
            Self::Load {
                size,
                sx,
                dst,
                base,
                off,
            } => {
                let sign = if sx { 's' } else { 'u' };
                write!(f, "{dst} = *({sign}{} *)({base} {off:+})", size.bits())
            }
            Self::Store { size, base, off, src } => match src {
                Src::Reg(src) => write!(f, "*{} = {src}", Place(size, base, off)),
                Src::Imm(imm) => write!(f, "*{} = {imm}", Place(size, base, off)),
            },
            Self::Atomic {
                op,
                size,
                base,
                off,
                src,
            } => atomic(f, op, Place(size, base, off), src),
            Self::LoadAcquire { size, dst, base, off } => write!(f, "{dst} = load_acquire({})", Place(size, base, off)),
            Self::StoreRelease { size, base, off, src } => {
                write!(f, "store_release({}, {src})", Place(size, base, off))
            }
            Self::LegacyLoad { size, index, off } => {
                let bits = size.bits();
                match index {
                    None => write!(f, "r0 = *(u{bits} *)skb[{off}]"),
                    Some(index) => write!(f, "r0 = *(u{bits} *)skb[{index} {off:+}]"),
                }
            }
            Self::Jump { off, long: false } => write!(f, "goto {off:+}"),
            Self::Jump { off, long: true } => write!(f, "gotol {off:+}"),
            Self::JumpIf {
                width,
                op,
                dst,
                src,
                off,
            } => {
                let (dst, sign) = (Named(width, dst), jmp_sign(op));
                match src {
                    Src::Reg(src) => {
                        write!(f, "if {dst} {sign} {} goto {off:+}", Named(width, src))
                    }
                    Src::Imm(imm) => write!(f, "if {dst} {sign} {} goto {off:+}", Hex(imm)),
                }
            }
            Self::MayGoto { off } => write!(f, "may_goto {off:+}"),
            Self::Call(Call::Helper(id)) => write!(f, "call helper#{id}"),
            Self::Call(Call::Subprog { off }) => write!(f, "call pc{off:+}"),
            Self::Call(Call::Kfunc { btf_id, module: 0 }) => write!(f, "call kfunc#{btf_id}"),
            Self::Call(Call::Kfunc { btf_id, module }) => {
                write!(f, "call kfunc#{btf_id}@{module}")
            }
            Self::Exit => f.write_str("exit"),
        }
    }
}

fn atomic(f: &mut fmt::Formatter<'_>, op: AtomicOp, place: Place, src: Reg) -> fmt::Result {
    let name = if place.0 == Size::DW { "atomic64" } else { "atomic" };
    let (sign, verb, fetch) = match op {
        AtomicOp::Add { fetch } => ("+=", "add", fetch),
        AtomicOp::Or { fetch } => ("|=", "or", fetch),
        AtomicOp::And { fetch } => ("&=", "and", fetch),
        AtomicOp::Xor { fetch } => ("^=", "xor", fetch),
        AtomicOp::Xchg => return write!(f, "{src} = {name}_xchg({place}, {src})"),
        AtomicOp::CmpXchg => return write!(f, "r0 = {name}_cmpxchg({place}, r0, {src})"),
    };
    if fetch {
        write!(f, "{src} = {name}_fetch_{verb}({place}, {src})")
    } else {
        write!(f, "lock *{place} {sign} {src}")
    }
}

impl fmt::Display for Imm64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Value(value) => write!(f, "{value:#x}"),
            Self::MapFd(fd) => write!(f, "map_fd({fd})"),
            Self::MapValue { fd, off } => write!(f, "map_value({fd}, {off})"),
            Self::BtfId { id, module_fd } => write!(f, "btf_id({id}, {module_fd})"),
            Self::Func { off } => write!(f, "func(pc{off:+})"),
            Self::MapIdx(idx) => write!(f, "map_idx({idx})"),
            Self::MapIdxValue { idx, off } => write!(f, "map_idx_value({idx}, {off})"),
        }
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.number())
    }
}

/// A register as operand of that width.
struct Named(Width, Reg);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.0 {
            Width::W32 => 'w',
            Width::W64 => 'r',
        };
        write!(f, "{letter}{}", self.1.number())
    }
}

/// `(u64 *)(r10 -8)`
struct Place(Size, Reg, i16);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(u{} *)({} {:+})", self.0.bits(), self.1, self.2)
    }
}

/// Hexadecimal with a sign.
struct Hex(i32);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{:#x}", self.0.unsigned_abs())
    }
}

pub(crate) fn alu_sign(op: AluOp) -> &'static str {
    match op {
        AluOp::Add => "+=",
        AluOp::Sub => "-=",
        AluOp::Mul => "*=",
        AluOp::Div => "/=",
        AluOp::SDiv => "s/=",
        AluOp::Or => "|=",
        AluOp::And => "&=",
        AluOp::Lsh => "<<=",
        AluOp::Rsh => ">>=",
        AluOp::Mod => "%=",
        AluOp::SMod => "s%=",
        AluOp::Xor => "^=",
        AluOp::Mov => "=",
        AluOp::Arsh => "s>>=",
    }
}

pub(crate) fn jmp_sign(op: JmpOp) -> &'static str {
    match op {
        JmpOp::Eq => "==",
        JmpOp::Ne => "!=",
        JmpOp::Gt => ">",
        JmpOp::Ge => ">=",
        JmpOp::Lt => "<",
        JmpOp::Le => "<=",
        JmpOp::SGt => "s>",
        JmpOp::SGe => "s>=",
        JmpOp::SLt => "s<",
        JmpOp::SLe => "s<=",
        JmpOp::Set => "&",
    }
}

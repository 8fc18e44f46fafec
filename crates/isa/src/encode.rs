//! [`Insn`] to slots: the inverse of [`decode`](fn@crate::decode).

use crate::opcode::{self, X, alu, atomic, call, class, jmp, mode, pseudo};
use crate::{Call, EndianKind, Imm64, Insn, RawInsn, Reg, Size, Src, Width};

/// Encode a program, one slot per [`Insn`].
///
/// Decoding the result gives the same instructions back.
///
/// # Errors
///
/// The first instruction that has no encoding, and why.
///
/// ```
/// use isa::{EncodeReason, Imm64, Insn, Reg};
/// let load = Insn::LoadImm64 { dst: Reg::R1, imm: Imm64::Value(1 << 32) };
/// let raw = isa::encode(&[load, Insn::LoadImm64Hi])?;
/// assert_eq!((raw[0].imm, raw[1].imm), (0, 1));
///
/// let error = isa::encode(&[load]).unwrap_err();
/// assert_eq!((error.slot, error.reason), (0, EncodeReason::MissingHi));
/// # Ok::<(), isa::EncodeError>(())
/// ```
pub fn encode(insns: &[Insn]) -> Result<Vec<RawInsn>, EncodeError> {
    let mut out = Vec::with_capacity(insns.len());
    while let Some(&insn) = insns.get(out.len()) {
        let slot = out.len();
        let fail = |reason| EncodeError { slot, reason };
        if let Insn::LoadImm64 { dst, imm } = insn {
            if insns.get(slot + 1) != Some(&Insn::LoadImm64Hi) {
                return Err(fail(EncodeReason::MissingHi));
            }
            out.extend(load_imm64(dst, imm));
        } else {
            out.push(encode_one(insn).map_err(fail)?);
        }
    }
    Ok(out)
}

/// An instruction without an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insn {slot}: {reason}")]
pub struct EncodeError {
    /// Which slot.
    pub slot: usize,
    /// What is wrong with it.
    pub reason: EncodeReason,
}

/// Why an instruction has no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeReason {
    /// [`Insn::LoadImm64`] is not followed by [`Insn::LoadImm64Hi`].
    #[error("64-bit immediate load without its second slot")]
    MissingHi,
    /// [`Insn::LoadImm64Hi`] does not follow [`Insn::LoadImm64`].
    #[error("second slot of a 64-bit immediate load without the first")]
    StrayHi,
    /// The instruction does not exist at this size.
    #[error("no such instruction at size {size:?}")]
    BadSize {
        /// The size.
        size: Size,
    },
    /// Byte order of a width other than 16, 32 or 64.
    #[error("byte swap of {bits} bits: must be 16, 32 or 64")]
    BadEndianWidth {
        /// The width.
        bits: u8,
    },
    /// A `goto` further than 16 bits reach; `gotol` could.
    #[error("goto {off:+} does not fit in 16 bits")]
    JumpTooFar {
        /// The offset.
        off: i32,
    },
}

fn encode_one(insn: Insn) -> Result<RawInsn, EncodeReason> {
    Ok(match insn {
        Insn::Alu { width, op, dst, src } => {
            let (code, off) = opcode::alu_code(op);
            let raw = slot(opcode::alu_class(width) | code, dst, Reg::R0, off, 0);
            operand(raw, src)
        }
        Insn::MovSx { width, dst, src, from } => {
            if from == Size::DW || from == Size::W && width == Width::W32 {
                return Err(EncodeReason::BadSize { size: from });
            }
            let code = opcode::alu_class(width) | alu::MOV | X;
            slot(code, dst, src, from.bits() as i16, 0)
        }
        Insn::Neg { width, dst } => slot(opcode::alu_class(width) | alu::NEG, dst, Reg::R0, 0, 0),
        Insn::Endian { dst, kind, bits } => endian(dst, kind, bits)?,
        Insn::AddrSpaceCast { dst, src, to, from } => {
            let imm = (u32::from(to) << 16 | u32::from(from)) as i32;
            let code = class::ALU64 | alu::MOV | X;
            slot(code, dst, src, opcode::ADDR_SPACE_CAST, imm)
        }
        Insn::LoadImm64 { .. } => return Err(EncodeReason::MissingHi),
        Insn::LoadImm64Hi => return Err(EncodeReason::StrayHi),
        Insn::Load {
            size,
            sx,
            dst,
            base,
            off,
        } => {
            if sx && size == Size::DW {
                return Err(EncodeReason::BadSize { size });
            }
            let mode = if sx { mode::MEMSX } else { mode::MEM };
            memory(class::LDX | mode, size, dst, base, off, 0)
        }
        Insn::Store { size, base, off, src } => match src {
            Src::Reg(src) => memory(class::STX | mode::MEM, size, base, src, off, 0),
            Src::Imm(imm) => memory(class::ST | mode::MEM, size, base, Reg::R0, off, imm),
        },
        Insn::Atomic {
            op,
            size,
            base,
            off,
            src,
        } => {
            if !matches!(size, Size::W | Size::DW) {
                return Err(EncodeReason::BadSize { size });
            }
            let imm = opcode::atomic_imm(op);
            memory(class::STX | mode::ATOMIC, size, base, src, off, imm)
        }
        Insn::LoadAcquire { size, dst, base, off } => {
            let code = class::STX | mode::ATOMIC;
            memory(code, size, dst, base, off, atomic::LOAD_ACQ)
        }
        Insn::StoreRelease { size, base, off, src } => {
            let code = class::STX | mode::ATOMIC;
            memory(code, size, base, src, off, atomic::STORE_REL)
        }
        Insn::LegacyLoad { size, index, off } => {
            if size == Size::DW {
                return Err(EncodeReason::BadSize { size });
            }
            let mode = if index.is_some() { mode::IND } else { mode::ABS };
            let src = index.unwrap_or(Reg::R0);
            memory(class::LD | mode, size, Reg::R0, src, 0, off)
        }
        Insn::Jump { off, long: true } => slot(class::JMP32 | jmp::JA, Reg::R0, Reg::R0, 0, off),
        Insn::Jump { off, long: false } => {
            let off = i16::try_from(off).map_err(|_| EncodeReason::JumpTooFar { off })?;
            slot(class::JMP | jmp::JA, Reg::R0, Reg::R0, off, 0)
        }
        Insn::JumpIf {
            width,
            op,
            dst,
            src,
            off,
        } => {
            let code = opcode::jmp_class(width) | opcode::jmp_code(op);
            operand(slot(code, dst, Reg::R0, off, 0), src)
        }
        Insn::MayGoto { off } => slot(class::JMP | jmp::JCOND, Reg::R0, Reg::R0, off, 0),
        Insn::Call(target) => call_to(target),
        Insn::Exit => slot(class::JMP | jmp::EXIT, Reg::R0, Reg::R0, 0, 0),
    })
}

fn endian(dst: Reg, kind: EndianKind, bits: u8) -> Result<RawInsn, EncodeReason> {
    if !matches!(bits, 16 | 32 | 64) {
        return Err(EncodeReason::BadEndianWidth { bits });
    }
    Ok(slot(opcode::endian_code(kind), dst, Reg::R0, 0, bits.into()))
}

fn call_to(target: Call) -> RawInsn {
    let (src, off, imm) = match target {
        Call::Helper(id) => (call::HELPER, 0, id as i32),
        Call::Subprog { off } => (call::SUBPROG, 0, off),
        Call::Kfunc { btf_id, module } => (call::KFUNC, module, btf_id as i32),
    };
    RawInsn {
        src,
        ..slot(class::JMP | jmp::CALL, Reg::R0, Reg::R0, off, imm)
    }
}

fn load_imm64(dst: Reg, imm: Imm64) -> [RawInsn; 2] {
    let (src, lo, hi) = match imm {
        Imm64::Value(value) => (pseudo::VALUE, value as i32, (value >> 32) as i32),
        Imm64::MapFd(fd) => (pseudo::MAP_FD, fd, 0),
        Imm64::MapValue { fd, off } => (pseudo::MAP_VALUE, fd, off as i32),
        Imm64::BtfId { id, module_fd } => (pseudo::BTF_ID, id as i32, module_fd),
        Imm64::Func { off } => (pseudo::FUNC, off, 0),
        Imm64::MapIdx(idx) => (pseudo::MAP_IDX, idx as i32, 0),
        Imm64::MapIdxValue { idx, off } => (pseudo::MAP_IDX_VALUE, idx as i32, off as i32),
    };
    let first = RawInsn {
        code: opcode::LD_IMM64,
        dst: dst.number(),
        src,
        off: 0,
        imm: lo,
    };
    let second = RawInsn {
        imm: hi,
        ..RawInsn::default()
    };
    [first, second]
}

fn memory(code: u8, size: Size, dst: Reg, src: Reg, off: i16, imm: i32) -> RawInsn {
    slot(code | opcode::size_code(size), dst, src, off, imm)
}

fn operand(raw: RawInsn, src: Src) -> RawInsn {
    match src {
        Src::Reg(src) => RawInsn {
            code: raw.code | X,
            src: src.number(),
            ..raw
        },
        Src::Imm(imm) => RawInsn { imm, ..raw },
    }
}

fn slot(code: u8, dst: Reg, src: Reg, off: i16, imm: i32) -> RawInsn {
    RawInsn {
        code,
        dst: dst.number(),
        src: src.number(),
        off,
        imm,
    }
}

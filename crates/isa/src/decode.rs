//! Slots to [`Insn`]: the only place that reads opcode bytes.
//!
//! A field without meaning must be zero, as RFC 9669 section 3 demands and as Linux tests in
//! `kernel/bpf/verifier.c` (`check_alu_op`, `do_check`, `resolve_pseudo_ldimm64`). Where Linux does not look (the
//! `off` of `exit`, the second immediate of a function's address) this is stricter: otherwise two byte sequences
//! would decode alike and encoding could not be the inverse.

use crate::opcode::{self, X, alu, atomic, call, class, jmp, mode, pseudo};
use crate::{AluOp, Call, EndianKind, Field, Imm64, Insn, RawInsn, Reg, Size, Src, Width};

/// Decode a program, one [`Insn`] per slot.
///
/// # Errors
///
/// The first slot that is not an instruction, and why.
///
/// ```
/// use isa::{DecodeReason, Field, RawInsn};
/// let exit = RawInsn { code: 0x95, ..RawInsn::default() };
/// assert_eq!(isa::decode(&[exit]), Ok(vec![isa::Insn::Exit]));
///
/// let odd = RawInsn { imm: 7, ..exit };
/// let error = isa::decode(&[exit, odd]).unwrap_err();
/// assert_eq!(error.slot, 1);
/// assert_eq!(error.reason, DecodeReason::ReservedField { code: 0x95, field: Field::Imm });
/// ```
pub fn decode(raw: &[RawInsn]) -> Result<Vec<Insn>, DecodeError> {
    let mut out = Vec::with_capacity(raw.len());
    while let Some(first) = raw.get(out.len()) {
        let slot = out.len();
        let insn = decode_one(*first, raw.get(slot + 1).copied()).map_err(|reason| DecodeError { slot, reason })?;
        out.push(insn);
        if insn.slots() == 2 {
            out.push(Insn::LoadImm64Hi);
        }
    }
    Ok(out)
}

/// Decode the instruction that starts at `first`; `second` is the slot behind it, if there is one.
///
/// # Errors
///
/// Why it is not an instruction.
pub fn decode_one(first: RawInsn, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
    let raw = Slot(first);
    match first.code & 7 {
        class::LD => raw.ld(second),
        class::LDX => raw.ldx(),
        class::ST => raw.st(),
        class::STX => raw.stx(),
        class::ALU => raw.alu(Width::W32),
        class::ALU64 => raw.alu(Width::W64),
        class::JMP => raw.jmp(Width::W64),
        _ => raw.jmp(Width::W32),
    }
}

/// A slot that does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insn {slot}: {reason}")]
pub struct DecodeError {
    /// Which slot.
    pub slot: usize,
    /// What is wrong with it.
    pub reason: DecodeReason,
}

/// Why a slot is not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeReason {
    /// No instruction has this opcode.
    #[error("unknown opcode {code:#04x}")]
    UnknownOpcode {
        /// The opcode byte.
        code: u8,
    },
    /// A field that this instruction does not use is not zero.
    #[error("opcode {code:#04x} uses reserved field {field}")]
    ReservedField {
        /// The opcode byte.
        code: u8,
        /// The field.
        field: Field,
    },
    /// There is no such register.
    #[error("R{number} is invalid ({field})")]
    BadRegister {
        /// `dst` or `src`.
        field: Field,
        /// 11 to 15.
        number: u8,
    },
    /// Byte order of a width other than 16, 32 or 64.
    #[error("byte swap of {imm} bits: must be 16, 32 or 64")]
    BadEndianWidth {
        /// The immediate.
        imm: i32,
    },
    /// Offset of a signed move that is not a width it can extend from.
    #[error("sign extension from {off} bits at this width")]
    BadMoveOffset {
        /// The offset.
        off: i16,
    },
    /// No atomic operation has this number, or not at this size.
    #[error("no atomic operation {imm:#x} of {size:?}")]
    BadAtomic {
        /// The immediate.
        imm: i32,
        /// Size of the access.
        size: Size,
    },
    /// `src` of a call is not a kind of call.
    #[error("no kind of call {src}")]
    BadCallKind {
        /// The field.
        src: u8,
    },
    /// `src` of a 64-bit immediate load is not a kind of immediate.
    #[error("no kind of 64-bit immediate {src}")]
    BadImm64Kind {
        /// The field.
        src: u8,
    },
    /// The program ends in the middle of a 64-bit immediate load.
    #[error("64-bit immediate load without its second slot")]
    TruncatedLoadImm64,
    /// The second slot of a 64-bit immediate load has more than an immediate, or has one where none belongs.
    #[error("second slot of the 64-bit immediate load uses {}", .field.map_or("opcode", Field::name))]
    BadSecondSlot {
        /// The field in the way; `None` for the opcode.
        field: Option<Field>,
    },
}

/// A slot on its way to become an instruction.
struct Slot(RawInsn);

impl Slot {
    fn ld(&self, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.0.code);
        match (self.0.code & 0xe0, size) {
            (mode::IMM, Size::DW) => self.load_imm64(second),
            (mode::ABS | mode::IND, Size::DW) => Err(self.unknown()),
            (mode::ABS, _) => {
                self.zero(&[Field::Dst, Field::Src, Field::Off])?;
                self.legacy_load(size, None)
            }
            (mode::IND, _) => {
                self.zero(&[Field::Dst, Field::Off])?;
                self.legacy_load(size, Some(self.src()?))
            }
            _ => Err(self.unknown()),
        }
    }

    fn legacy_load(&self, size: Size, index: Option<Reg>) -> Result<Insn, DecodeReason> {
        let off = self.0.imm;
        Ok(Insn::LegacyLoad { size, index, off })
    }

    fn load_imm64(&self, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
        let dst = self.dst()?;
        self.zero(&[Field::Off])?;
        let hi = second.ok_or(DecodeReason::TruncatedLoadImm64)?;
        let bad = |field| Err(DecodeReason::BadSecondSlot { field });
        if hi.code != 0 {
            return bad(None);
        }
        for (value, field) in [
            (i32::from(hi.dst), Field::Dst),
            (i32::from(hi.src), Field::Src),
            (i32::from(hi.off), Field::Off),
        ] {
            if value != 0 {
                return bad(Some(field));
            }
        }
        let (lo, high) = (self.0.imm, hi.imm);
        let imm = match self.0.src {
            pseudo::VALUE => Imm64::Value(u64::from(lo as u32) | u64::from(high as u32) << 32),
            pseudo::MAP_VALUE => Imm64::MapValue {
                fd: lo,
                off: high as u32,
            },
            pseudo::MAP_IDX_VALUE => Imm64::MapIdxValue {
                idx: lo as u32,
                off: high as u32,
            },
            pseudo::BTF_ID => Imm64::BtfId {
                id: lo as u32,
                module_fd: high,
            },
            pseudo::MAP_FD | pseudo::FUNC | pseudo::MAP_IDX if high != 0 => {
                return bad(Some(Field::Imm));
            }
            pseudo::MAP_FD => Imm64::MapFd(lo),
            pseudo::FUNC => Imm64::Func { off: lo },
            pseudo::MAP_IDX => Imm64::MapIdx(lo as u32),
            src => return Err(DecodeReason::BadImm64Kind { src }),
        };
        Ok(Insn::LoadImm64 { dst, imm })
    }

    fn ldx(&self) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.0.code);
        let sx = match self.0.code & 0xe0 {
            mode::MEM => false,
            mode::MEMSX if size != Size::DW => true,
            _ => return Err(self.unknown()),
        };
        self.zero(&[Field::Imm])?;
        Ok(Insn::Load {
            size,
            sx,
            dst: self.dst()?,
            base: self.src()?,
            off: self.0.off,
        })
    }

    fn st(&self) -> Result<Insn, DecodeReason> {
        if self.0.code & 0xe0 != mode::MEM {
            return Err(self.unknown());
        }
        self.zero(&[Field::Src])?;
        Ok(Insn::Store {
            size: opcode::size(self.0.code),
            base: self.dst()?,
            off: self.0.off,
            src: Src::Imm(self.0.imm),
        })
    }

    fn stx(&self) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.0.code);
        match self.0.code & 0xe0 {
            mode::MEM => {
                self.zero(&[Field::Imm])?;
                Ok(Insn::Store {
                    size,
                    base: self.dst()?,
                    off: self.0.off,
                    src: Src::Reg(self.src()?),
                })
            }
            mode::ATOMIC => self.atomic(size),
            _ => Err(self.unknown()),
        }
    }

    fn atomic(&self, size: Size) -> Result<Insn, DecodeReason> {
        let RawInsn { off, imm, .. } = self.0;
        let (dst, src) = (self.dst()?, self.src()?);
        match imm {
            atomic::LOAD_ACQ => Ok(Insn::LoadAcquire {
                size,
                dst,
                base: src,
                off,
            }),
            atomic::STORE_REL => Ok(Insn::StoreRelease {
                size,
                base: dst,
                off,
                src,
            }),
            _ => match (size, opcode::atomic_op(imm)) {
                (Size::W | Size::DW, Some(op)) => Ok(Insn::Atomic {
                    op,
                    size,
                    base: dst,
                    off,
                    src,
                }),
                _ => Err(DecodeReason::BadAtomic { imm, size }),
            },
        }
    }

    fn alu(&self, width: Width) -> Result<Insn, DecodeReason> {
        let by_register = self.0.code & X != 0;
        match self.0.code & 0xf0 {
            alu::NEG if by_register => Err(self.unknown()),
            alu::NEG => {
                self.zero(&[Field::Src, Field::Off, Field::Imm])?;
                let dst = self.dst()?;
                Ok(Insn::Neg { width, dst })
            }
            alu::END => self.endian(width),
            alu::MOV if by_register && self.0.off != 0 => self.move_extended(width),
            _ => {
                let op = opcode::alu_op(self.0.code).ok_or_else(|| self.unknown())?;
                let op = match (op, self.0.off) {
                    (AluOp::Div, 1) => AluOp::SDiv,
                    (AluOp::Mod, 1) => AluOp::SMod,
                    _ => {
                        self.zero(&[Field::Off])?;
                        op
                    }
                };
                Ok(Insn::Alu {
                    width,
                    op,
                    dst: self.dst()?,
                    src: self.operand()?,
                })
            }
        }
    }

    fn endian(&self, width: Width) -> Result<Insn, DecodeReason> {
        let kind = match (width, self.0.code & X != 0) {
            (Width::W32, false) => EndianKind::ToLe,
            (Width::W32, true) => EndianKind::ToBe,
            (Width::W64, false) => EndianKind::Bswap,
            (Width::W64, true) => return Err(self.unknown()),
        };
        self.zero(&[Field::Src, Field::Off])?;
        let bits = match self.0.imm {
            16 => 16,
            32 => 32,
            64 => 64,
            imm => return Err(DecodeReason::BadEndianWidth { imm }),
        };
        let dst = self.dst()?;
        Ok(Insn::Endian { dst, kind, bits })
    }

    /// A register move whose `off` is not zero.
    fn move_extended(&self, width: Width) -> Result<Insn, DecodeReason> {
        let RawInsn { off, imm, .. } = self.0;
        let (dst, src) = (self.dst()?, self.src()?);
        if width == Width::W64 && off == opcode::ADDR_SPACE_CAST {
            return Ok(Insn::AddrSpaceCast {
                dst,
                src,
                to: (imm as u32 >> 16) as u16,
                from: imm as u32 as u16,
            });
        }
        let from = match (width, off) {
            (_, 8) => Size::B,
            (_, 16) => Size::H,
            (Width::W64, 32) => Size::W,
            _ => return Err(DecodeReason::BadMoveOffset { off }),
        };
        self.zero(&[Field::Imm])?;
        Ok(Insn::MovSx { width, dst, src, from })
    }

    fn jmp(&self, width: Width) -> Result<Insn, DecodeReason> {
        let RawInsn { code, off, imm, .. } = self.0;
        let plain = code & X == 0;
        match (code & 0xf0, width) {
            (jmp::JA, Width::W64) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Imm])?;
                Ok(Insn::Jump {
                    off: off.into(),
                    long: false,
                })
            }
            (jmp::JA, Width::W32) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Off])?;
                Ok(Insn::Jump { off: imm, long: true })
            }
            (jmp::JCOND, Width::W64) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Imm])?;
                Ok(Insn::MayGoto { off })
            }
            (jmp::CALL, Width::W64) if plain => self.call(),
            (jmp::EXIT, Width::W64) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Off, Field::Imm])?;
                Ok(Insn::Exit)
            }
            _ => Ok(Insn::JumpIf {
                width,
                op: opcode::jmp_op(code).ok_or_else(|| self.unknown())?,
                dst: self.dst()?,
                src: self.operand()?,
                off,
            }),
        }
    }

    fn call(&self) -> Result<Insn, DecodeReason> {
        let RawInsn { src, off, imm, .. } = self.0;
        self.zero(&[Field::Dst])?;
        if src != call::KFUNC {
            self.zero(&[Field::Off])?;
        }
        Ok(Insn::Call(match src {
            call::HELPER => Call::Helper(imm as u32),
            call::SUBPROG => Call::Subprog { off: imm },
            call::KFUNC => Call::Kfunc {
                btf_id: imm as u32,
                module: off,
            },
            _ => return Err(DecodeReason::BadCallKind { src }),
        }))
    }

    /// The right operand of arithmetic and comparisons.
    fn operand(&self) -> Result<Src, DecodeReason> {
        if self.0.code & X != 0 {
            self.zero(&[Field::Imm])?;
            Ok(Src::Reg(self.src()?))
        } else {
            self.zero(&[Field::Src])?;
            Ok(Src::Imm(self.0.imm))
        }
    }

    fn dst(&self) -> Result<Reg, DecodeReason> {
        register(Field::Dst, self.0.dst)
    }

    fn src(&self) -> Result<Reg, DecodeReason> {
        register(Field::Src, self.0.src)
    }

    /// The fields that this instruction does not use.
    fn zero(&self, fields: &[Field]) -> Result<(), DecodeReason> {
        for &field in fields {
            let value = match field {
                Field::Dst => self.0.dst.into(),
                Field::Src => self.0.src.into(),
                Field::Off => self.0.off.into(),
                Field::Imm => self.0.imm,
            };
            if value != 0 {
                let code = self.0.code;
                return Err(DecodeReason::ReservedField { code, field });
            }
        }
        Ok(())
    }

    fn unknown(&self) -> DecodeReason {
        DecodeReason::UnknownOpcode { code: self.0.code }
    }
}

fn register(field: Field, number: u8) -> Result<Reg, DecodeReason> {
    Reg::new(number).ok_or(DecodeReason::BadRegister { field, number })
}

//! Slots to [`Insn`]: the only place that reads opcode bytes.
//!
//! A field without meaning must be zero, as RFC 9669 section 3 demands and as Linux tests in
//! `kernel/bpf/verifier.c` (`check_alu_op`, `do_check`, `resolve_pseudo_ldimm64`). [`decode`] wants that of every
//! slot, so that encoding is its inverse. Linux looks at most of these fields only when a path comes to the instruction, and at
//! the `off` of `exit` never: [`decode_loosely`] gives what is odd beside the instructions, for a verifier to judge.

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
        push(&mut out, insn);
    }
    Ok(out)
}

/// Decode a program as far as it can be without a look at what only matters when an instruction is reached.
///
/// # Errors
///
/// The first slot that Linux refuses wherever it stands: an unknown opcode, a broken 64-bit immediate.
///
/// ```
/// use isa::{DecodeReason, Field, Insn, RawInsn};
/// let exit = RawInsn { code: 0x95, ..RawInsn::default() };
/// let loose = isa::decode_loosely(&[RawInsn { off: 7, ..exit }, RawInsn { imm: 7, ..exit }])?;
/// assert_eq!(loose.insns, [Insn::Exit, Insn::Exit]);
/// // Linux never looks at the offset.
/// assert_eq!(loose.odd.len(), 1);
/// assert_eq!(loose.odd[0].slot, 1);
/// assert_eq!(loose.odd[0].reason, DecodeReason::ReservedField { code: 0x95, field: Field::Imm });
/// # Ok::<(), isa::DecodeError>(())
/// ```
pub fn decode_loosely(raw: &[RawInsn]) -> Result<Loose, DecodeError> {
    let (mut insns, mut odd) = (Vec::with_capacity(raw.len()), Vec::new());
    while let Some(first) = raw.get(insns.len()) {
        let slot = insns.len();
        let mut decoder = Slot::new(*first);
        let insn = decoder
            .decode(raw.get(slot + 1).copied())
            .map_err(|reason| DecodeError { slot, reason })?;
        if let Some(reason) = decoder.odd.filter(|reason| !reason.is_ignored_by_linux()) {
            odd.push(DecodeError { slot, reason });
        }
        push(&mut insns, insn);
    }
    Ok(Loose { insns, odd })
}

/// What [`decode_loosely`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loose {
    /// One for each slot. In place of an odd one stands what it would be without its oddity, or a move that means nothing: it must not run.
    pub insns: Vec<Insn>,
    /// Slots that are no instructions, in order.
    pub odd: Vec<DecodeError>,
}

fn push(insns: &mut Vec<Insn>, insn: Insn) {
    insns.push(insn);
    if insn.slots() == 2 {
        insns.push(Insn::LoadImm64Hi);
    }
}

/// Decode the instruction that starts at `first`; `second` is the slot behind it, if there is one.
///
/// # Errors
///
/// Why it is not an instruction.
pub fn decode_one(first: RawInsn, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
    let mut slot = Slot::new(first);
    let insn = slot.decode(second)?;
    slot.odd.map_or(Ok(insn), Err)
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
    #[error("R{number} is invalid")]
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

impl DecodeReason {
    /// `do_check()` looks at the other fields of `exit` (Linux 6.12 to 6.18).
    fn is_ignored_by_linux(&self) -> bool {
        const EXIT: u8 = class::JMP | jmp::EXIT;
        matches!(
            self,
            Self::ReservedField {
                code: EXIT,
                field: Field::Off
            }
        )
    }
}

/// A slot on its way to become an instruction.
struct Slot {
    raw: RawInsn,
    /// The first thing that is wrong if the instruction is reached.
    odd: Option<DecodeReason>,
}

impl Slot {
    fn new(raw: RawInsn) -> Self {
        Self { raw, odd: None }
    }

    fn decode(&mut self, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
        match self.raw.code & 7 {
            class::LD => self.ld(second),
            class::LDX => self.ldx(),
            class::ST => self.st(),
            class::STX => self.stx(),
            class::ALU => self.alu(Width::W32),
            class::ALU64 => self.alu(Width::W64),
            class::JMP => self.jmp(Width::W64),
            _ => self.jmp(Width::W32),
        }
    }

    /// Something that matters only if the instruction is reached.
    fn note(&mut self, reason: DecodeReason) {
        self.odd.get_or_insert(reason);
    }

    /// What stands for an instruction that means nothing.
    fn nothing(&mut self, reason: DecodeReason) -> Insn {
        self.note(reason);
        Insn::Alu {
            width: Width::W64,
            op: AluOp::Mov,
            dst: Reg::R0,
            src: Src::Imm(0),
        }
    }

    fn ld(&mut self, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.raw.code);
        match (self.raw.code & 0xe0, size) {
            (mode::IMM, Size::DW) => self.load_imm64(second),
            (mode::ABS | mode::IND, Size::DW) => Err(self.unknown()),
            (mode::ABS, _) => {
                self.zero(&[Field::Dst, Field::Src, Field::Off]);
                self.legacy_load(size, None)
            }
            (mode::IND, _) => {
                self.zero(&[Field::Dst, Field::Off]);
                let index = self.src();
                self.legacy_load(size, Some(index))
            }
            _ => Err(self.unknown()),
        }
    }

    fn legacy_load(&mut self, size: Size, index: Option<Reg>) -> Result<Insn, DecodeReason> {
        let off = self.raw.imm;
        Ok(Insn::LegacyLoad { size, index, off })
    }

    fn load_imm64(&mut self, second: Option<RawInsn>) -> Result<Insn, DecodeReason> {
        let dst = self.dst();
        self.zero(&[Field::Off]);
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
        let (lo, high) = (self.raw.imm, hi.imm);
        let imm = match self.raw.src {
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

    fn ldx(&mut self) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.raw.code);
        let sx = match self.raw.code & 0xe0 {
            mode::MEM => false,
            mode::MEMSX if size != Size::DW => true,
            _ => return Err(self.unknown()),
        };
        self.zero(&[Field::Imm]);
        if let Some(reason) = self.odd {
            // `resolve_pseudo_ldimm64()` looks at this one wherever it stands.
            return Err(reason);
        }
        Ok(Insn::Load {
            size,
            sx,
            dst: self.dst(),
            base: self.src(),
            off: self.raw.off,
        })
    }

    fn st(&mut self) -> Result<Insn, DecodeReason> {
        if self.raw.code & 0xe0 != mode::MEM {
            return Err(self.unknown());
        }
        self.zero(&[Field::Src]);
        Ok(Insn::Store {
            size: opcode::size(self.raw.code),
            base: self.dst(),
            off: self.raw.off,
            src: Src::Imm(self.raw.imm),
        })
    }

    fn stx(&mut self) -> Result<Insn, DecodeReason> {
        let size = opcode::size(self.raw.code);
        match self.raw.code & 0xe0 {
            mode::MEM => {
                self.zero(&[Field::Imm]);
                Ok(Insn::Store {
                    size,
                    base: self.dst(),
                    off: self.raw.off,
                    src: Src::Reg(self.src()),
                })
            }
            mode::ATOMIC => self.atomic(size),
            _ => Err(self.unknown()),
        }
    }

    fn atomic(&mut self, size: Size) -> Result<Insn, DecodeReason> {
        let RawInsn { off, imm, .. } = self.raw;
        let (dst, src) = (self.dst(), self.src());
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
                _ => Ok(self.nothing(DecodeReason::BadAtomic { imm, size })),
            },
        }
    }

    fn alu(&mut self, width: Width) -> Result<Insn, DecodeReason> {
        let by_register = self.raw.code & X != 0;
        match self.raw.code & 0xf0 {
            alu::NEG if by_register => Err(self.unknown()),
            alu::NEG => {
                self.zero(&[Field::Src, Field::Off, Field::Imm]);
                let dst = self.dst();
                Ok(Insn::Neg { width, dst })
            }
            alu::END => self.endian(width),
            alu::MOV if by_register && self.raw.off != 0 => self.move_extended(width),
            _ => {
                let op = opcode::alu_op(self.raw.code).ok_or_else(|| self.unknown())?;
                let op = match (op, self.raw.off) {
                    (AluOp::Div, 1) => AluOp::SDiv,
                    (AluOp::Mod, 1) => AluOp::SMod,
                    _ => {
                        self.zero(&[Field::Off]);
                        op
                    }
                };
                Ok(Insn::Alu {
                    width,
                    op,
                    dst: self.dst(),
                    src: self.operand(),
                })
            }
        }
    }

    fn endian(&mut self, width: Width) -> Result<Insn, DecodeReason> {
        let kind = match (width, self.raw.code & X != 0) {
            (Width::W32, false) => EndianKind::ToLe,
            (Width::W32, true) => EndianKind::ToBe,
            (Width::W64, false) => EndianKind::Bswap,
            (Width::W64, true) => return Err(self.unknown()),
        };
        self.zero(&[Field::Src, Field::Off]);
        let bits = match self.raw.imm {
            16 => 16,
            32 => 32,
            64 => 64,
            imm => return Ok(self.nothing(DecodeReason::BadEndianWidth { imm })),
        };
        let dst = self.dst();
        Ok(Insn::Endian { dst, kind, bits })
    }

    /// A register move whose `off` is not zero.
    fn move_extended(&mut self, width: Width) -> Result<Insn, DecodeReason> {
        let RawInsn { off, imm, .. } = self.raw;
        let (dst, src) = (self.dst(), self.src());
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
            _ => return Ok(self.nothing(DecodeReason::BadMoveOffset { off })),
        };
        self.zero(&[Field::Imm]);
        Ok(Insn::MovSx { width, dst, src, from })
    }

    fn jmp(&mut self, width: Width) -> Result<Insn, DecodeReason> {
        let RawInsn { code, off, imm, .. } = self.raw;
        let plain = code & X == 0;
        match (code & 0xf0, width) {
            (jmp::JA, Width::W64) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Imm]);
                Ok(Insn::Jump {
                    off: off.into(),
                    long: false,
                })
            }
            (jmp::JA, Width::W32) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Off]);
                Ok(Insn::Jump { off: imm, long: true })
            }
            (jmp::JCOND, Width::W64) if plain => {
                self.zero(&[Field::Dst, Field::Src, Field::Imm]);
                Ok(Insn::MayGoto { off })
            }
            (jmp::CALL, Width::W64) if plain => self.call(),
            (jmp::EXIT, Width::W64) if plain => {
                // The offset last, as it does not matter to Linux.
                self.zero(&[Field::Dst, Field::Src, Field::Imm, Field::Off]);
                Ok(Insn::Exit)
            }
            _ => Ok(Insn::JumpIf {
                width,
                op: opcode::jmp_op(code).ok_or_else(|| self.unknown())?,
                dst: self.dst(),
                src: self.operand(),
                off,
            }),
        }
    }

    fn call(&mut self) -> Result<Insn, DecodeReason> {
        let RawInsn { src, off, imm, .. } = self.raw;
        self.zero(&[Field::Dst]);
        if src != call::KFUNC {
            self.zero(&[Field::Off]);
        }
        Ok(Insn::Call(match src {
            call::HELPER => Call::Helper(imm as u32),
            call::SUBPROG => Call::Subprog { off: imm },
            call::KFUNC => Call::Kfunc {
                btf_id: imm as u32,
                module: off,
            },
            _ => return Ok(self.nothing(DecodeReason::BadCallKind { src })),
        }))
    }

    /// The right operand of arithmetic and comparisons.
    fn operand(&mut self) -> Src {
        if self.raw.code & X != 0 {
            self.zero(&[Field::Imm]);
            Src::Reg(self.src())
        } else {
            self.zero(&[Field::Src]);
            Src::Imm(self.raw.imm)
        }
    }

    fn dst(&mut self) -> Reg {
        self.register(Field::Dst, self.raw.dst)
    }

    fn src(&mut self) -> Reg {
        self.register(Field::Src, self.raw.src)
    }

    fn register(&mut self, field: Field, number: u8) -> Reg {
        Reg::new(number).unwrap_or_else(|| {
            self.note(DecodeReason::BadRegister { field, number });
            Reg::R0
        })
    }

    /// The fields that this instruction does not use.
    fn zero(&mut self, fields: &[Field]) {
        for &field in fields {
            let value = match field {
                Field::Dst => self.raw.dst.into(),
                Field::Src => self.raw.src.into(),
                Field::Off => self.raw.off.into(),
                Field::Imm => self.raw.imm,
            };
            if value != 0 {
                let code = self.raw.code;
                self.note(DecodeReason::ReservedField { code, field });
            }
        }
    }

    fn unknown(&self) -> DecodeReason {
        DecodeReason::UnknownOpcode { code: self.raw.code }
    }
}

//! The bits of an opcode byte, shared by [`decode`](fn@crate::decode) and [`encode`](fn@crate::encode) so that
//! each number is written once. RFC 9669 sections 3 to 5; Linux `include/uapi/linux/bpf.h` for what came after.

use crate::{AluOp, AtomicOp, EndianKind, JmpOp, Size, Width};

pub(crate) mod class {
    pub(crate) const LD: u8 = 0;
    pub(crate) const LDX: u8 = 1;
    pub(crate) const ST: u8 = 2;
    pub(crate) const STX: u8 = 3;
    pub(crate) const ALU: u8 = 4;
    pub(crate) const JMP: u8 = 5;
    pub(crate) const JMP32: u8 = 6;
    pub(crate) const ALU64: u8 = 7;
}

/// The source bit: operand is a register (`BPF_X`), or "to big endian".
pub(crate) const X: u8 = 0x08;

/// Mode of a load or store, the high three bits.
pub(crate) mod mode {
    pub(crate) const IMM: u8 = 0x00;
    pub(crate) const ABS: u8 = 0x20;
    pub(crate) const IND: u8 = 0x40;
    pub(crate) const MEM: u8 = 0x60;
    pub(crate) const MEMSX: u8 = 0x80;
    pub(crate) const ATOMIC: u8 = 0xc0;
}

/// Arithmetic codes that are not a plain [`AluOp`].
pub(crate) mod alu {
    pub(crate) const DIV: u8 = 0x30;
    pub(crate) const NEG: u8 = 0x80;
    pub(crate) const MOD: u8 = 0x90;
    pub(crate) const MOV: u8 = 0xb0;
    pub(crate) const END: u8 = 0xd0;
}

/// Jump codes that are not a comparison.
pub(crate) mod jmp {
    pub(crate) const JA: u8 = 0x00;
    pub(crate) const CALL: u8 = 0x80;
    pub(crate) const EXIT: u8 = 0x90;
    pub(crate) const JCOND: u8 = 0xe0;
}

/// `src` field of a call.
pub(crate) mod call {
    pub(crate) const HELPER: u8 = 0;
    pub(crate) const SUBPROG: u8 = 1;
    pub(crate) const KFUNC: u8 = 2;
}

/// `src` field of a 64-bit immediate load.
pub(crate) mod pseudo {
    pub(crate) const VALUE: u8 = 0;
    pub(crate) const MAP_FD: u8 = 1;
    pub(crate) const MAP_VALUE: u8 = 2;
    pub(crate) const BTF_ID: u8 = 3;
    pub(crate) const FUNC: u8 = 4;
    pub(crate) const MAP_IDX: u8 = 5;
    pub(crate) const MAP_IDX_VALUE: u8 = 6;
}

/// Immediate of an atomic instruction.
pub(crate) mod atomic {
    pub(crate) const FETCH: i32 = 1;
    pub(crate) const LOAD_ACQ: i32 = 0x100;
    pub(crate) const STORE_REL: i32 = 0x110;
}

/// `off` of a move that converts between address spaces.
pub(crate) const ADDR_SPACE_CAST: i16 = 1;

/// The whole opcode byte of a 64-bit immediate load.
pub(crate) const LD_IMM64: u8 = class::LD | mode::IMM | 0x18;

/// Code in the high four bits, and the `off` that makes a division signed.
pub(crate) fn alu_code(op: AluOp) -> (u8, i16) {
    match op {
        AluOp::Add => (0x00, 0),
        AluOp::Sub => (0x10, 0),
        AluOp::Mul => (0x20, 0),
        AluOp::Div => (alu::DIV, 0),
        AluOp::SDiv => (alu::DIV, 1),
        AluOp::Or => (0x40, 0),
        AluOp::And => (0x50, 0),
        AluOp::Lsh => (0x60, 0),
        AluOp::Rsh => (0x70, 0),
        AluOp::Mod => (alu::MOD, 0),
        AluOp::SMod => (alu::MOD, 1),
        AluOp::Xor => (0xa0, 0),
        AluOp::Mov => (alu::MOV, 0),
        AluOp::Arsh => (0xc0, 0),
    }
}

/// The inverse for unsigned operations; `None` for negation, byte order and what does not exist.
pub(crate) fn alu_op(code: u8) -> Option<AluOp> {
    Some(match code & 0xf0 {
        0x00 => AluOp::Add,
        0x10 => AluOp::Sub,
        0x20 => AluOp::Mul,
        alu::DIV => AluOp::Div,
        0x40 => AluOp::Or,
        0x50 => AluOp::And,
        0x60 => AluOp::Lsh,
        0x70 => AluOp::Rsh,
        alu::MOD => AluOp::Mod,
        0xa0 => AluOp::Xor,
        alu::MOV => AluOp::Mov,
        0xc0 => AluOp::Arsh,
        _ => return None,
    })
}

pub(crate) fn jmp_code(op: JmpOp) -> u8 {
    match op {
        JmpOp::Eq => 0x10,
        JmpOp::Gt => 0x20,
        JmpOp::Ge => 0x30,
        JmpOp::Set => 0x40,
        JmpOp::Ne => 0x50,
        JmpOp::SGt => 0x60,
        JmpOp::SGe => 0x70,
        JmpOp::Lt => 0xa0,
        JmpOp::Le => 0xb0,
        JmpOp::SLt => 0xc0,
        JmpOp::SLe => 0xd0,
    }
}

pub(crate) fn jmp_op(code: u8) -> Option<JmpOp> {
    Some(match code & 0xf0 {
        0x10 => JmpOp::Eq,
        0x20 => JmpOp::Gt,
        0x30 => JmpOp::Ge,
        0x40 => JmpOp::Set,
        0x50 => JmpOp::Ne,
        0x60 => JmpOp::SGt,
        0x70 => JmpOp::SGe,
        0xa0 => JmpOp::Lt,
        0xb0 => JmpOp::Le,
        0xc0 => JmpOp::SLt,
        0xd0 => JmpOp::SLe,
        _ => return None,
    })
}

pub(crate) fn size_code(size: Size) -> u8 {
    match size {
        Size::W => 0x00,
        Size::H => 0x08,
        Size::B => 0x10,
        Size::DW => 0x18,
    }
}

pub(crate) fn size(code: u8) -> Size {
    match code & 0x18 {
        0x00 => Size::W,
        0x08 => Size::H,
        0x10 => Size::B,
        _ => Size::DW,
    }
}

pub(crate) fn atomic_imm(op: AtomicOp) -> i32 {
    let fetching = |base: i32, fetch: bool| base | if fetch { atomic::FETCH } else { 0 };
    match op {
        AtomicOp::Add { fetch } => fetching(0x00, fetch),
        AtomicOp::Or { fetch } => fetching(0x40, fetch),
        AtomicOp::And { fetch } => fetching(0x50, fetch),
        AtomicOp::Xor { fetch } => fetching(0xa0, fetch),
        AtomicOp::Xchg => 0xe1,
        AtomicOp::CmpXchg => 0xf1,
    }
}

pub(crate) fn atomic_op(imm: i32) -> Option<AtomicOp> {
    let fetch = imm & atomic::FETCH != 0;
    Some(match imm {
        0x00 | 0x01 => AtomicOp::Add { fetch },
        0x40 | 0x41 => AtomicOp::Or { fetch },
        0x50 | 0x51 => AtomicOp::And { fetch },
        0xa0 | 0xa1 => AtomicOp::Xor { fetch },
        0xe1 => AtomicOp::Xchg,
        0xf1 => AtomicOp::CmpXchg,
        _ => return None,
    })
}

/// Class and source bit of a byte-order instruction.
pub(crate) fn endian_code(kind: EndianKind) -> u8 {
    alu::END
        | match kind {
            EndianKind::ToLe => class::ALU,
            EndianKind::ToBe => class::ALU | X,
            EndianKind::Bswap => class::ALU64,
        }
}

pub(crate) fn alu_class(width: Width) -> u8 {
    match width {
        Width::W32 => class::ALU,
        Width::W64 => class::ALU64,
    }
}

pub(crate) fn jmp_class(width: Width) -> u8 {
    match width {
        Width::W32 => class::JMP32,
        Width::W64 => class::JMP,
    }
}

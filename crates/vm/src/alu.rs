//! What arithmetic and comparisons compute: the one table of it, for both modes of the interpreter and for
//! whoever else must compute as BPF does.
//!
//! RFC 9669 sections 4.1 (arithmetic), 4.2 (byte order), 4.3 (comparisons). Every function is total: division
//! by zero gives 0, remainder by zero the dividend, shift counts are taken modulo the width, `i64::MIN / -1` is
//! `i64::MIN`.

use isa::{AluOp, AtomicOp, EndianKind, JmpOp, Size};

/// `a op b` at 64 bits.
///
/// ```
/// use isa::AluOp;
/// assert_eq!(vm::alu::alu64(AluOp::SDiv, -7i64 as u64, 2), -3i64 as u64);
/// assert_eq!(vm::alu::alu64(AluOp::Div, 7, 0), 0);
/// assert_eq!(vm::alu::alu64(AluOp::Lsh, 1, 65), 2);
/// ```
#[inline(always)]
pub fn alu64(op: AluOp, a: u64, b: u64) -> u64 {
    let (signed_a, signed_b) = (a as i64, b as i64);
    match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => a.checked_div(b).unwrap_or(0),
        AluOp::SDiv if b == 0 => 0,
        AluOp::SDiv => signed_a.wrapping_div(signed_b) as u64,
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b as u32),
        AluOp::Rsh => a.wrapping_shr(b as u32),
        AluOp::Mod => a.checked_rem(b).unwrap_or(a),
        AluOp::SMod if b == 0 => a,
        AluOp::SMod => signed_a.wrapping_rem(signed_b) as u64,
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => signed_a.wrapping_shr(b as u32) as u64,
    }
}

/// `a op b` at 32 bits, of the low halves; the upper half of the result is zero.
#[inline(always)]
pub fn alu32(op: AluOp, a: u64, b: u64) -> u64 {
    let (a, b) = (a as u32, b as u32);
    let (signed_a, signed_b) = (a as i32, b as i32);
    u64::from(match op {
        AluOp::Add => a.wrapping_add(b),
        AluOp::Sub => a.wrapping_sub(b),
        AluOp::Mul => a.wrapping_mul(b),
        AluOp::Div => a.checked_div(b).unwrap_or(0),
        AluOp::SDiv if b == 0 => 0,
        AluOp::SDiv => signed_a.wrapping_div(signed_b) as u32,
        AluOp::Or => a | b,
        AluOp::And => a & b,
        AluOp::Lsh => a.wrapping_shl(b),
        AluOp::Rsh => a.wrapping_shr(b),
        AluOp::Mod => a.checked_rem(b).unwrap_or(a),
        AluOp::SMod if b == 0 => a,
        AluOp::SMod => signed_a.wrapping_rem(signed_b) as u32,
        AluOp::Xor => a ^ b,
        AluOp::Mov => b,
        AluOp::Arsh => signed_a.wrapping_shr(b) as u32,
    })
}

/// Whether `a op b` holds at 64 bits.
#[inline(always)]
pub fn compare64(op: JmpOp, a: u64, b: u64) -> bool {
    compare(op, a, b, a as i64, b as i64, a & b != 0)
}

/// Whether `a op b` holds for the low halves.
#[inline(always)]
pub fn compare32(op: JmpOp, a: u64, b: u64) -> bool {
    let (a, b) = (a as u32, b as u32);
    compare(op, a, b, a as i32, b as i32, a & b != 0)
}

#[inline(always)]
fn compare<U: Ord, S: Ord>(op: JmpOp, a: U, b: U, signed_a: S, signed_b: S, common: bool) -> bool {
    match op {
        JmpOp::Eq => a == b,
        JmpOp::Ne => a != b,
        JmpOp::Gt => a > b,
        JmpOp::Ge => a >= b,
        JmpOp::Lt => a < b,
        JmpOp::Le => a <= b,
        JmpOp::SGt => signed_a > signed_b,
        JmpOp::SGe => signed_a >= signed_b,
        JmpOp::SLt => signed_a < signed_b,
        JmpOp::SLe => signed_a <= signed_b,
        JmpOp::Set => common,
    }
}

/// The low bytes of `value` with their sign extended to 64 bits.
#[inline(always)]
pub fn sign_extend(from: Size, value: u64) -> u64 {
    match from {
        Size::B => value as i8 as u64,
        Size::H => value as i16 as u64,
        Size::W => value as i32 as u64,
        Size::DW => value,
    }
}

/// The low bytes of `value`.
#[inline(always)]
pub fn truncate(to: Size, value: u64) -> u64 {
    match to {
        Size::B => u64::from(value as u8),
        Size::H => u64::from(value as u16),
        Size::W => u64::from(value as u32),
        Size::DW => value,
    }
}

/// The low bytes of `value` in the other byte order.
#[inline(always)]
pub fn swap(size: Size, value: u64) -> u64 {
    match size {
        Size::B => u64::from(value as u8),
        Size::H => u64::from((value as u16).swap_bytes()),
        Size::W => u64::from((value as u32).swap_bytes()),
        Size::DW => value.swap_bytes(),
    }
}

/// Whether that byte-order instruction swaps on this machine, or only truncates.
pub fn swaps(kind: EndianKind) -> bool {
    match kind {
        EndianKind::Bswap => true,
        EndianKind::ToLe => cfg!(target_endian = "big"),
        EndianKind::ToBe => cfg!(target_endian = "little"),
    }
}

/// What an atomic operation writes: `old` is in memory, `src` in the source register, `expected` in R0. A
/// compare-exchange whose comparison fails writes `old`.
pub fn atomic(op: AtomicOp, size: Size, old: u64, src: u64, expected: u64) -> u64 {
    let new = match op {
        AtomicOp::Add { .. } => old.wrapping_add(src),
        AtomicOp::Or { .. } => old | src,
        AtomicOp::And { .. } => old & src,
        AtomicOp::Xor { .. } => old ^ src,
        AtomicOp::Xchg => src,
        AtomicOp::CmpXchg if old == truncate(size, expected) => src,
        AtomicOp::CmpXchg => old,
    };
    truncate(size, new)
}

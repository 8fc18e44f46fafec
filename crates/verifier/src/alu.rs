//! Arithmetic on abstract numbers: one function, one arm per operation and width.
//!
//! Follows `adjust_scalar_min_max_vals` and the `scalar_min_max_*` functions it calls in Linux 6.12's
//! `kernel/bpf/verifier.c`. Pure functions: what pointers do is in `check/arith.rs`.

use isa::{AluOp, EndianKind, Width};

use crate::bounds::Scalar;

/// The result of `dst op src`, for every operation but a move.
pub(crate) fn alu(op: AluOp, width: Width, mut dst: Scalar, src: &Scalar) -> Scalar {
    let narrow = width == Width::W32;
    let shift = shift_count(width, src);
    if !is_followed(op, shift) {
        // As Linux, without even the zero extension.
        return Scalar::UNKNOWN;
    }
    match op {
        AluOp::Add => add(&mut dst, src),
        AluOp::Sub => sub(&mut dst, src),
        AluOp::Mul => mul(&mut dst, src),
        AluOp::And => and(&mut dst, src),
        AluOp::Or => or(&mut dst, src),
        AluOp::Xor => xor(&mut dst, src),
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => match (shift, narrow) {
            (Some(count), true) => shift32(op, &mut dst, count),
            (Some(count), false) => shift64(op, &mut dst, count),
            (None, _) => dst = Scalar::UNKNOWN,
        },
        AluOp::Mov => dst = *src,
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => dst = Scalar::UNKNOWN,
    }
    if narrow {
        dst.zero_extend32();
    }
    dst.sync();
    dst.settle();
    dst
}

/// Whether something is told of the result: not of divisions, nor of shifts by a count that is not known
/// (`is_safe_to_compute_dst_reg_range`).
fn is_followed(op: AluOp, shift: Option<u32>) -> bool {
    match op {
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => false,
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => shift.is_some(),
        AluOp::Add | AluOp::Sub | AluOp::Mul | AluOp::Or | AluOp::And | AluOp::Xor | AluOp::Mov => true,
    }
}

/// The count of a shift, if it is known and less than the width. A larger one would be taken modulo the width
/// at run time; that is not followed (`is_safe_to_compute_dst_reg_range`).
fn shift_count(width: Width, src: &Scalar) -> Option<u32> {
    let (known, bits) = match width {
        Width::W32 => (src.known32().map(u64::from), 32),
        Width::W64 => (src.known(), 64),
    };
    // The whole register must be small, not only its low half, as for Linux.
    known
        .filter(|&count| count < bits && src.umax < bits)
        .map(|count| count as u32)
}

fn add(dst: &mut Scalar, src: &Scalar) {
    (dst.smin32, dst.smax32) =
        both(dst.smin32.checked_add(src.smin32), dst.smax32.checked_add(src.smax32)).unwrap_or((i32::MIN, i32::MAX));
    (dst.umin32, dst.umax32) =
        both(dst.umin32.checked_add(src.umin32), dst.umax32.checked_add(src.umax32)).unwrap_or((0, u32::MAX));
    (dst.smin, dst.smax) =
        both(dst.smin.checked_add(src.smin), dst.smax.checked_add(src.smax)).unwrap_or((i64::MIN, i64::MAX));
    (dst.umin, dst.umax) =
        both(dst.umin.checked_add(src.umin), dst.umax.checked_add(src.umax)).unwrap_or((0, u64::MAX));
    dst.bits = dst.bits.add(src.bits);
}

fn sub(dst: &mut Scalar, src: &Scalar) {
    (dst.smin32, dst.smax32) =
        both(dst.smin32.checked_sub(src.smax32), dst.smax32.checked_sub(src.smin32)).unwrap_or((i32::MIN, i32::MAX));
    (dst.umin32, dst.umax32) =
        both(dst.umin32.checked_sub(src.umax32), dst.umax32.checked_sub(src.umin32)).unwrap_or((0, u32::MAX));
    (dst.smin, dst.smax) =
        both(dst.smin.checked_sub(src.smax), dst.smax.checked_sub(src.smin)).unwrap_or((i64::MIN, i64::MAX));
    (dst.umin, dst.umax) =
        both(dst.umin.checked_sub(src.umax), dst.umax.checked_sub(src.umin)).unwrap_or((0, u64::MAX));
    dst.bits = dst.bits.sub(src.bits);
}

/// A number at this distance from another.
pub(crate) fn moved(mut from: Scalar, distance: i64) -> Scalar {
    add(&mut from, &Scalar::constant(distance as u64));
    from.sync();
    from
}

/// Both, if neither overflowed.
pub(crate) fn both<T>(min: Option<T>, max: Option<T>) -> Option<(T, T)> {
    Some((min?, max?))
}

/// Ranges are followed for factors that are not negative and so small that nothing overflows.
fn mul(dst: &mut Scalar, src: &Scalar) {
    dst.bits = dst.bits.mul(src.bits);
    const SMALL32: u32 = u16::MAX as u32;
    if src.smin32 < 0 || dst.smin32 < 0 || src.umax32 > SMALL32 || dst.umax32 > SMALL32 {
        dst.unbound32();
    } else {
        dst.umin32 *= src.umin32;
        dst.umax32 *= src.umax32;
        (dst.smin32, dst.smax32) = signed32(dst.umin32, dst.umax32);
    }
    const SMALL64: u64 = u32::MAX as u64;
    if src.smin < 0 || dst.smin < 0 || src.umax > SMALL64 || dst.umax > SMALL64 {
        dst.unbound64();
    } else {
        dst.umin *= src.umin;
        dst.umax *= src.umax;
        (dst.smin, dst.smax) = signed64(dst.umin, dst.umax);
    }
}

/// The signed range of an unsigned one, if both ends have the same sign.
fn signed32(min: u32, max: u32) -> (i32, i32) {
    if min as i32 <= max as i32 {
        (min as i32, max as i32)
    } else {
        (i32::MIN, i32::MAX)
    }
}

/// As [`signed32`].
fn signed64(min: u64, max: u64) -> (i64, i64) {
    if min as i64 <= max as i64 {
        (min as i64, max as i64)
    } else {
        (i64::MIN, i64::MAX)
    }
}

/// The result has no bit that is in neither; it is at most each operand.
fn and(dst: &mut Scalar, src: &Scalar) {
    dst.bits = dst.bits.and(src.bits);
    (dst.umin, dst.umax) = (dst.bits.value, dst.umax.min(src.umax));
    (dst.umin32, dst.umax32) = (dst.bits.value as u32, dst.umax32.min(src.umax32));
    ranges_of_bitwise(dst);
}

/// The result is at least each operand.
fn or(dst: &mut Scalar, src: &Scalar) {
    dst.bits = dst.bits.or(src.bits);
    (dst.umin, dst.umax) = (dst.umin.max(src.umin), dst.bits.max());
    (dst.umin32, dst.umax32) = (dst.umin32.max(src.umin32), dst.bits.max() as u32);
    ranges_of_bitwise(dst);
}

fn xor(dst: &mut Scalar, src: &Scalar) {
    dst.bits = dst.bits.xor(src.bits);
    (dst.umin, dst.umax) = (dst.bits.value, dst.bits.max());
    (dst.umin32, dst.umax32) = (dst.bits.value as u32, dst.bits.max() as u32);
    ranges_of_bitwise(dst);
}

fn ranges_of_bitwise(dst: &mut Scalar) {
    (dst.smin, dst.smax) = signed64(dst.umin, dst.umax);
    (dst.smin32, dst.smax32) = signed32(dst.umin32, dst.umax32);
    dst.ranges_from_bits();
}

/// Shifts of the low half by a known count; the 64-bit ranges come from the zero extension that follows.
fn shift32(op: AluOp, dst: &mut Scalar, count: u32) {
    let low = dst.bits.subreg();
    match op {
        AluOp::Lsh => {
            dst.bits = low.lsh(count).subreg();
            lsh32(dst, count);
        }
        AluOp::Rsh => {
            dst.bits = low.rsh(count);
            (dst.smin32, dst.smax32) = (i32::MIN, i32::MAX);
            dst.umin32 >>= count;
            dst.umax32 >>= count;
        }
        _ => {
            dst.bits = low.arsh32(count);
            dst.smin32 >>= count;
            dst.smax32 >>= count;
            (dst.umin32, dst.umax32) = (0, u32::MAX);
        }
    }
    dst.unbound64();
    dst.ranges32_from_bits();
}

/// The unsigned low half after a left shift, if no bit is lost.
fn lsh32(dst: &mut Scalar, count: u32) {
    (dst.smin32, dst.smax32) = (i32::MIN, i32::MAX);
    if count > 31 || u64::from(dst.umax32) > 1 << (31 - count) {
        (dst.umin32, dst.umax32) = (0, u32::MAX);
    } else {
        dst.umin32 <<= count;
        dst.umax32 <<= count;
    }
}

/// Shifts by a known count.
fn shift64(op: AluOp, dst: &mut Scalar, count: u32) {
    match op {
        AluOp::Lsh => {
            dst.bits = dst.bits.lsh(count);
            (dst.smin, dst.smax) = match count {
                // Compilers sign-extend with a pair of shifts by 32.
                32 => (i64::from(dst.smin32) << 32, i64::from(dst.smax32) << 32),
                _ => (i64::MIN, i64::MAX),
            };
            if dst.umax > 1 << (63 - count) {
                (dst.umin, dst.umax) = (0, u64::MAX);
            } else {
                dst.umin <<= count;
                dst.umax <<= count;
            }
            lsh32(dst, count);
        }
        AluOp::Rsh => {
            dst.bits = dst.bits.rsh(count);
            (dst.smin, dst.smax) = (i64::MIN, i64::MAX);
            dst.umin >>= count;
            dst.umax >>= count;
            dst.unbound32();
        }
        _ => {
            dst.bits = dst.bits.arsh64(count);
            dst.smin >>= count;
            dst.smax >>= count;
            (dst.umin, dst.umax) = (0, u64::MAX);
            dst.unbound32();
        }
    }
    dst.ranges_from_bits();
}

/// `-value`: zero minus it, as Linux 6.18 has it.
pub(crate) fn neg(width: Width, value: &Scalar) -> Scalar {
    alu(AluOp::Sub, width, Scalar::constant(0), value)
}

/// The low `bits` bits of a constant in another byte order, on a little-endian host; the rest is zero.
pub(crate) fn endian(kind: EndianKind, bits: u8, value: u64) -> u64 {
    let unused = 64 - u32::from(bits.clamp(8, 64));
    match kind {
        EndianKind::ToLe => value << unused >> unused,
        EndianKind::ToBe | EndianKind::Bswap => value.swap_bytes() >> unused,
    }
}

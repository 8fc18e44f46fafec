//! Moves and arithmetic, of numbers and of pointers.
//!
//! Follows `check_alu_op`, `adjust_reg_min_max_vals` and `adjust_ptr_min_max_vals` of Linux 6.12's
//! `kernel/bpf/verifier.c`, for a privileged program: the difference of two pointers, and a pointer cut to 32
//! bits, are unknown numbers.

use isa::{AluOp, EndianKind, Reg, Size, Src, Width};

use crate::alu;
use crate::bounds::Scalar;
use crate::engine::{Checked, Verifier};
use crate::provenance::Node;
use crate::reason::Reason;
use crate::tnum::Tnum;
use crate::value::{Kind, OFFSET_MAX, Value};

/// Bytes of a size.
pub(crate) fn bytes(size: Size) -> u32 {
    match size {
        Size::B => 1,
        Size::H => 2,
        Size::W => 4,
        Size::DW => 8,
    }
}

impl Verifier<'_> {
    /// `dst = src`.
    pub(crate) fn mov(&mut self, width: Width, dst: Reg, src: Src) -> Checked {
        let mut from = self.operand(src)?;
        if let Src::Reg(src) = src
            && (width == Width::W64 || from.scalar.width() <= 32)
        {
            from = self.read_to_copy(src)?;
        }
        let value = match (src, width) {
            (Src::Imm(imm), Width::W32) => self.fresh(Scalar::constant(u64::from(imm as u32))),
            (Src::Imm(_), Width::W64) => self.fresh(from.scalar),
            (Src::Reg(_), Width::W64) => from,
            (Src::Reg(_), Width::W32) if from.is_number() => {
                let mut value = from;
                if from.scalar.width() > 32 {
                    value.renew(self.graph.made_from(from.node, Node::NONE));
                }
                value.scalar.zero_extend32();
                value.scalar.sync();
                value.scalar.settle();
                value
            }
            (Src::Reg(_), Width::W32) => self.unknown32(),
        };
        self.write(dst, value)
    }

    /// `dst = (sN)src`.
    pub(crate) fn mov_sx(&mut self, width: Width, dst: Reg, src: Reg, from: Size) -> Checked {
        let mut value = self.read(src)?;
        if value.is_number() && value.scalar.umax < 1 << (bytes(from) * 8 - 1) {
            value = self.read_to_copy(src)?;
        }
        if !value.is_number() {
            let unknown = self.unknown_of(width);
            return self.write(dst, unknown);
        }
        let extended = self.sign_extended(value, width, bytes(from));
        self.write(dst, extended)
    }

    /// A number with the sign of its low `size` bytes extended.
    pub(crate) fn sign_extended(&mut self, mut value: Value, width: Width, size: u32) -> Value {
        let sign = 1_u64 << (size * 8 - 1);
        if value.scalar.umax >= sign {
            value.renew(self.graph.made_from(value.node, Node::NONE));
        }
        match width {
            Width::W32 => value.scalar.sign_extend32(size),
            Width::W64 => value.scalar.sign_extend(size),
        }
        value.scalar.settle();
        value
    }

    /// `dst = -dst`.
    pub(crate) fn neg(&mut self, width: Width, dst: Reg) -> Checked {
        let value = self.read(dst)?;
        let result = if value.is_number() {
            let node = self.graph.made_from(value.node, Node::NONE);
            Value::number(alu::neg(width, &value.scalar), node)
        } else {
            // Of 32 bits too: Linux does not even extend the zero.
            self.unknown()
        };
        self.write(dst, result)
    }

    /// Byte order: the known bits go with their bytes; the ranges follow from them (`scalar_byte_swap`, Linux 6.18.44).
    pub(crate) fn endian(&mut self, dst: Reg, kind: EndianKind, bits: u8) -> Checked {
        let value = self.read(dst)?;
        let result = if value.is_number() {
            let known = value.scalar.bits;
            let mut scalar = Scalar::UNKNOWN;
            scalar.bits = Tnum {
                value: alu::endian(kind, bits, known.value),
                mask: alu::endian(kind, bits, known.mask),
            };
            scalar.sync();
            if (kind, bits) == (EndianKind::ToLe, 64) {
                scalar = value.scalar;
            }
            Value::number(scalar, self.graph.made_from(value.node, Node::NONE))
        } else {
            self.unknown()
        };
        self.write(dst, result)
    }

    /// `dst = dst op src`, but for moves.
    pub(crate) fn alu(&mut self, width: Width, op: AluOp, dst: Reg, src: Src) -> Checked {
        let right = self.operand(src)?;
        let left = self.read(dst)?;
        let result = match (left.is_number(), right.is_number()) {
            (true, true) => {
                let distance = if src == Src::Reg(dst) {
                    None
                } else {
                    self.distance(op, width, &left, &right)
                };
                let mut result = left;
                result.scalar = alu::alu(op, width, left.scalar, &right.scalar);
                match distance {
                    Some(0) => {}
                    Some(distance) => (result.off, result.narrow) = (distance, width == Width::W32),
                    None => result.renew(self.graph.made_from(left.node, right.node)),
                }
                result
            }
            (false, false) if op == AluOp::Sub => self.unknown(),
            (false, false) => return Err(Reason::TwoPointers { op }.into()),
            (false, true) => {
                self.graph.mark(right.node);
                self.pointer_alu(width, op, dst, left, &right)?
            }
            (true, false) => {
                self.graph.mark(left.node);
                if op == AluOp::Sub && width == Width::W64 {
                    let kind = self.describe(&right);
                    return Err(Reason::PointerArithmetic { reg: dst, kind, op }.into());
                }
                self.pointer_alu(width, op, dst, right, &left)?
            }
        };
        self.write(dst, result)
    }

    /// How far a sum or difference is from a number that there are copies of: comparisons then tell of both, and Linux
    /// puts what they tell of the one in place of what it knew of the other (`BPF_ADD_CONST` in
    /// `adjust_reg_min_max_vals`; negative ones and those of 32 bits as Linux 6.18.44).
    fn distance(&mut self, op: AluOp, width: Width, left: &Value, right: &Value) -> Option<i32> {
        let amount = match width {
            Width::W64 => i32::try_from(right.scalar.known()? as i64).ok()?,
            Width::W32 if left.scalar.width() <= 32 => right.scalar.known32()? as i32,
            Width::W32 => return None,
        };
        let distance = match op {
            AluOp::Add => amount,
            AluOp::Sub => amount.checked_neg()?,
            _ => return None,
        };
        let copies = |value: &&Value| value.is_number() && value.node == left.node;
        if left.node == Node::NONE || left.off != 0 || self.state.values().filter(copies).count() < 2 {
            return None;
        }
        self.graph.mark(right.node);
        Some(distance)
    }

    /// The value of a register that is about to be copied: a number at a distance becomes a number of its own
    /// (`assign_scalar_id_before_mov`).
    pub(crate) fn read_to_copy(&mut self, reg: Reg) -> Checked<Value> {
        let mut value = self.read(reg)?;
        if value.is_number() && value.off != 0 {
            value.renew(self.graph.made_from(value.node, Node::NONE));
            self.state.set(reg, value);
        }
        Ok(value)
    }

    /// A pointer and a number (`adjust_ptr_min_max_vals`).
    fn pointer_alu(&mut self, width: Width, op: AluOp, dst: Reg, pointer: Value, number: &Value) -> Checked<Value> {
        let offset = &number.scalar;
        let known = offset.known();
        let contradictory = offset.smin > offset.smax || offset.umin > offset.umax;
        if contradictory || known.is_some() && (offset.smin != offset.smax || offset.umin != offset.umax) {
            // On a path that cannot be taken.
            return Ok(self.unknown());
        }
        let kind = self.describe(&pointer);
        if width == Width::W32 {
            if op == AluOp::Sub {
                return Ok(self.unknown());
            }
            return Err(Reason::PointerArithmetic32 { reg: dst, kind }.into());
        }
        if pointer.may_be_null() {
            return Err(Reason::NullablePointerArithmetic { reg: dst, kind }.into());
        }
        if matches!(pointer.kind, Kind::Map { .. }) && !(known == Some(0) && op == AluOp::Add) {
            return Err(Reason::FixedPointerArithmetic { reg: dst, kind }.into());
        }
        let stack = matches!(pointer.kind, Kind::Stack { .. });
        if !matches!(op, AluOp::Add | AluOp::Sub) || stack && op == AluOp::Sub {
            return Err(Reason::PointerArithmetic { reg: dst, kind, op }.into());
        }
        self.check_sane_offset(number, &pointer)?;
        self.check_sane_offset(&pointer, &pointer)?;
        let result = moved(op, pointer, offset);
        self.check_sane_offset(&result, &pointer)?;
        let mut result = result;
        result.scalar.sync();
        result.scalar.settle();
        Ok(result)
    }

    /// Offsets stay far from overflow (`check_reg_sane_offset`).
    fn check_sane_offset(&self, value: &Value, pointer: &Value) -> Checked {
        let inside = |offset: i64| -OFFSET_MAX < offset && offset < OFFSET_MAX;
        let constant = value.scalar.known().is_none_or(|known| inside(known as i64));
        if constant && inside(value.off.into()) && inside(value.scalar.smin) {
            return Ok(());
        }
        let kind = self.describe(pointer);
        let mut bounds = value.scalar.facts();
        if value.is_pointer() {
            // The whole offset tells more than its variable part.
            bounds.signed_min = bounds.signed_min.saturating_add(value.off.into());
            bounds.signed_max = bounds.signed_max.saturating_add(value.off.into());
        }
        Err(Reason::OffsetTooLarge { kind, bounds }.into())
    }
}

/// A pointer moved by a number.
fn moved(op: AluOp, pointer: Value, offset: &Scalar) -> Value {
    let mut result = pointer;
    result.scalar.unbound32();
    let constant = offset.known().and_then(|known| {
        let known = known as i64;
        let signed = if op == AluOp::Add {
            Some(known)
        } else {
            known.checked_neg()
        };
        i32::try_from(i64::from(pointer.off).checked_add(signed?)?).ok()
    });
    if let Some(off) = constant {
        result.off = off;
        return result;
    }
    let (var, scalar) = (&mut result.scalar, &pointer.scalar);
    let (signed, unsigned);
    if op == AluOp::Add {
        signed = alu::both(
            scalar.smin.checked_add(offset.smin),
            scalar.smax.checked_add(offset.smax),
        );
        unsigned = alu::both(
            scalar.umin.checked_add(offset.umin),
            scalar.umax.checked_add(offset.umax),
        );
        var.bits = scalar.bits.add(offset.bits);
    } else {
        signed = alu::both(
            scalar.smin.checked_sub(offset.smax),
            scalar.smax.checked_sub(offset.smin),
        );
        unsigned = alu::both(
            scalar.umin.checked_sub(offset.umax),
            scalar.umax.checked_sub(offset.umin),
        );
        var.bits = scalar.bits.sub(offset.bits);
    }
    (var.smin, var.smax) = signed.unwrap_or((i64::MIN, i64::MAX));
    (var.umin, var.umax) = unsigned.unwrap_or((0, u64::MAX));
    result
}

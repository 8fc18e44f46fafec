//! Comparisons of abstract numbers: is the outcome certain, and what does each outcome tell.
//!
//! Follows `is_scalar_branch_taken` and `regs_refine_cond_op` in Linux 6.12's `kernel/bpf/verifier.c`.

use isa::{JmpOp, Width};

use crate::bounds::Scalar;
use crate::tnum::Tnum;

/// Whether `left op right` is certainly true or certainly false.
pub(crate) fn outcome(op: JmpOp, width: Width, left: &Scalar, right: &Scalar) -> Option<bool> {
    match op {
        JmpOp::Eq => differ(width, left, right)
            .then_some(false)
            .or_else(|| same(width, left, right)),
        JmpOp::Ne => outcome(JmpOp::Eq, width, left, right).map(|equal| !equal),
        JmpOp::Set => set_outcome(width, left, right),
        JmpOp::Gt => order(unsigned(width, right), unsigned(width, left)),
        JmpOp::Lt => order(unsigned(width, left), unsigned(width, right)),
        JmpOp::Ge => outcome(JmpOp::Lt, width, left, right).map(|less| !less),
        JmpOp::Le => outcome(JmpOp::Gt, width, left, right).map(|greater| !greater),
        JmpOp::SGt => order(signed(width, right), signed(width, left)),
        JmpOp::SLt => order(signed(width, left), signed(width, right)),
        JmpOp::SGe => outcome(JmpOp::SLt, width, left, right).map(|less| !less),
        JmpOp::SLe => outcome(JmpOp::SGt, width, left, right).map(|greater| !greater),
    }
}

/// Whether `low < high` is certain.
fn order<T: PartialOrd>(low: (T, T), high: (T, T)) -> Option<bool> {
    if low.1 < high.0 {
        Some(true)
    } else if low.0 >= high.1 {
        Some(false)
    } else {
        None
    }
}

fn unsigned(width: Width, value: &Scalar) -> (u64, u64) {
    match width {
        Width::W32 => (value.umin32.into(), value.umax32.into()),
        Width::W64 => (value.umin, value.umax),
    }
}

fn signed(width: Width, value: &Scalar) -> (i64, i64) {
    match width {
        Width::W32 => (value.smin32.into(), value.smax32.into()),
        Width::W64 => (value.smin, value.smax),
    }
}

fn bits(width: Width, value: &Scalar) -> Tnum {
    match width {
        Width::W32 => value.bits.subreg(),
        Width::W64 => value.bits,
    }
}

/// The two are one and the same constant.
fn same(width: Width, left: &Scalar, right: &Scalar) -> Option<bool> {
    let (left, right) = (bits(width, left), bits(width, right));
    (left.is_const() && right.is_const()).then_some(left.value == right.value)
}

/// The two have no value in common.
fn differ(width: Width, left: &Scalar, right: &Scalar) -> bool {
    let apart = |width| {
        let (l, r) = (unsigned(width, left), unsigned(width, right));
        let (sl, sr) = (signed(width, left), signed(width, right));
        l.0 > r.1 || l.1 < r.0 || sl.0 > sr.1 || sl.1 < sr.0
    };
    !bits(width, left).overlaps(bits(width, right)) || apart(width) || apart(Width::W32)
}

/// `left & right != 0`, followed if one side is a constant.
fn set_outcome(width: Width, left: &Scalar, right: &Scalar) -> Option<bool> {
    let (left, right) = (bits(width, left), bits(width, right));
    let (unknown, constant) = if right.is_const() {
        (left, right.value)
    } else {
        (right, left.value)
    };
    if !left.is_const() && !right.is_const() {
        None
    } else if unknown.value & constant != 0 {
        Some(true)
    } else if unknown.max() & constant == 0 {
        Some(false)
    } else {
        None
    }
}

/// What both sides are where `left op right` has the outcome `holds` (`reg_set_min_max` for one branch).
pub(crate) fn refine(op: JmpOp, holds: bool, width: Width, left: &mut Scalar, right: &mut Scalar) {
    match (op, holds) {
        (JmpOp::Eq, true) | (JmpOp::Ne, false) => refine_equal(width, left, right),
        (JmpOp::Ne, true) | (JmpOp::Eq, false) => refine_different(width, left, right),
        (JmpOp::Set, _) => refine_set(holds, width, left, right),
        (JmpOp::Lt, true) | (JmpOp::Ge, false) => less(width, left, right),
        (JmpOp::Gt, true) | (JmpOp::Le, false) => less(width, right, left),
        (JmpOp::Le, true) | (JmpOp::Gt, false) => less_equal(width, left, right),
        (JmpOp::Ge, true) | (JmpOp::Lt, false) => less_equal(width, right, left),
        (JmpOp::SLt, true) | (JmpOp::SGe, false) => signed_less(width, left, right),
        (JmpOp::SGt, true) | (JmpOp::SLe, false) => signed_less(width, right, left),
        (JmpOp::SLe, true) | (JmpOp::SGt, false) => signed_less_equal(width, left, right),
        (JmpOp::SGe, true) | (JmpOp::SLt, false) => signed_less_equal(width, right, left),
    }
    for side in [left, right] {
        side.sync();
        side.settle();
    }
}

fn refine_equal(width: Width, left: &mut Scalar, right: &mut Scalar) {
    match width {
        Width::W32 => {
            left.umin32 = left.umin32.max(right.umin32);
            left.umax32 = left.umax32.min(right.umax32);
            left.smin32 = left.smin32.max(right.smin32);
            left.smax32 = left.smax32.min(right.smax32);
            (right.umin32, right.umax32) = (left.umin32, left.umax32);
            (right.smin32, right.smax32) = (left.smin32, left.smax32);
            let low = left.bits.subreg().intersect(right.bits.subreg());
            left.bits = left.bits.with_subreg(low);
            right.bits = right.bits.with_subreg(low);
        }
        Width::W64 => {
            left.umin = left.umin.max(right.umin);
            left.umax = left.umax.min(right.umax);
            left.smin = left.smin.max(right.smin);
            left.smax = left.smax.min(right.smax);
            (right.umin, right.umax) = (left.umin, left.umax);
            (right.smin, right.smax) = (left.smin, left.smax);
            left.bits = left.bits.intersect(right.bits);
            right.bits = left.bits;
        }
    }
}

/// A constant that is an end of the other side's range moves that end.
fn refine_different(width: Width, left: &mut Scalar, right: &mut Scalar) {
    let (side, value) = match (bits(width, right), bits(width, left)) {
        (constant, _) if constant.is_const() => (left, constant.value),
        (_, constant) if constant.is_const() => (right, constant.value),
        _ => return,
    };
    match width {
        Width::W32 => {
            (side.umin32, side.umax32) = without(side.umin32, side.umax32, value as u32);
            (side.smin32, side.smax32) = without(side.smin32, side.smax32, value as i32);
        }
        Width::W64 => {
            (side.umin, side.umax) = without(side.umin, side.umax, value);
            (side.smin, side.smax) = without(side.smin, side.smax, value as i64);
        }
    }
}

/// Integers that wrap.
trait Step: Copy + PartialEq {
    fn next(self) -> Self;
    fn previous(self) -> Self;
}

macro_rules! steps {
    ($($int:ty)*) => {$(
        impl Step for $int {
            fn next(self) -> Self {
                self.wrapping_add(1)
            }
            fn previous(self) -> Self {
                self.wrapping_sub(1)
            }
        }
    )*};
}

steps!(u32 i32 u64 i64);

fn without<T: Step>(min: T, max: T, value: T) -> (T, T) {
    let min = if min == value { min.next() } else { min };
    let max = if max == value { max.previous() } else { max };
    (min, max)
}

fn refine_set(holds: bool, width: Width, left: &mut Scalar, right: &mut Scalar) {
    let (side, value) = match (bits(width, right), bits(width, left)) {
        (constant, _) if constant.is_const() => (left, constant.value),
        (_, constant) if constant.is_const() => (right, constant.value),
        _ => return,
    };
    let known = if holds {
        // Some bit of the constant is set; which, is known only if it has but one.
        if !value.is_power_of_two() {
            return;
        }
        bits(width, side).or(Tnum::constant(value))
    } else {
        // On a branch that cannot be taken the ranges would contradict the bits.
        side.unbound();
        bits(width, side).and(Tnum::constant(!value))
    };
    match width {
        Width::W32 => side.bits = side.bits.with_subreg(known),
        Width::W64 => side.bits = known,
    }
}

fn less(width: Width, low: &mut Scalar, high: &mut Scalar) {
    match width {
        Width::W32 => {
            low.umax32 = low.umax32.min(high.umax32.wrapping_sub(1));
            high.umin32 = high.umin32.max(low.umin32.wrapping_add(1));
        }
        Width::W64 => {
            low.umax = low.umax.min(high.umax.wrapping_sub(1));
            high.umin = high.umin.max(low.umin.wrapping_add(1));
        }
    }
}

fn less_equal(width: Width, low: &mut Scalar, high: &mut Scalar) {
    match width {
        Width::W32 => {
            low.umax32 = low.umax32.min(high.umax32);
            high.umin32 = high.umin32.max(low.umin32);
        }
        Width::W64 => {
            low.umax = low.umax.min(high.umax);
            high.umin = high.umin.max(low.umin);
        }
    }
}

fn signed_less(width: Width, low: &mut Scalar, high: &mut Scalar) {
    match width {
        Width::W32 => {
            low.smax32 = low.smax32.min(high.smax32.wrapping_sub(1));
            high.smin32 = high.smin32.max(low.smin32.wrapping_add(1));
        }
        Width::W64 => {
            low.smax = low.smax.min(high.smax.wrapping_sub(1));
            high.smin = high.smin.max(low.smin.wrapping_add(1));
        }
    }
}

fn signed_less_equal(width: Width, low: &mut Scalar, high: &mut Scalar) {
    match width {
        Width::W32 => {
            low.smax32 = low.smax32.min(high.smax32);
            high.smin32 = high.smin32.max(low.smin32);
        }
        Width::W64 => {
            low.smax = low.smax.min(high.smax);
            high.smin = high.smin.max(low.smin);
        }
    }
}

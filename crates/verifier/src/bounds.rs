//! The abstract number: known bits and four ranges that sharpen each other.
//!
//! A [`Scalar`] stands for the 64-bit values that are in its tracked number, its unsigned and signed 64-bit
//! ranges, and whose low half is in its unsigned and signed 32-bit ranges. The deductions between the five are
//! those of `reg_bounds_sync` and the functions it calls in Linux 6.12's `kernel/bpf/verifier.c`; for pointers
//! the same type holds the variable part of the offset.

use crate::reason::Bounds;
use crate::tnum::Tnum;

/// What is known of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// Known bits.
    pub(crate) bits: Tnum,
    /// Smallest, unsigned.
    pub(crate) umin: u64,
    /// Largest, unsigned.
    pub(crate) umax: u64,
    /// Smallest, signed.
    pub(crate) smin: i64,
    /// Largest, signed.
    pub(crate) smax: i64,
    /// Smallest low half, unsigned.
    pub(crate) umin32: u32,
    /// Largest low half, unsigned.
    pub(crate) umax32: u32,
    /// Smallest low half, signed.
    pub(crate) smin32: i32,
    /// Largest low half, signed.
    pub(crate) smax32: i32,
}

impl Scalar {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        bits: Tnum::UNKNOWN,
        umin: 0,
        umax: u64::MAX,
        smin: i64::MIN,
        smax: i64::MAX,
        umin32: 0,
        umax32: u32::MAX,
        smin32: i32::MIN,
        smax32: i32::MAX,
    };

    /// One value.
    pub(crate) const fn constant(value: u64) -> Self {
        Self {
            bits: Tnum::constant(value),
            umin: value,
            umax: value,
            smin: value as i64,
            smax: value as i64,
            umin32: value as u32,
            umax32: value as u32,
            smin32: value as i32,
            smax32: value as i32,
        }
    }

    /// The value, if it is one.
    pub(crate) fn known(&self) -> Option<u64> {
        self.bits.is_const().then_some(self.bits.value)
    }

    /// The low half, if it is one.
    pub(crate) fn known32(&self) -> Option<u32> {
        let low = self.bits.subreg();
        low.is_const().then_some(low.value as u32)
    }

    /// Whether it is this one value.
    pub(crate) fn is(&self, value: u64) -> bool {
        self.bits.is(value)
    }

    /// Bits that the largest value needs.
    pub(crate) fn width(&self) -> u32 {
        u64::BITS - self.umax.leading_zeros()
    }

    /// Whether a concrete value is one of this.
    #[cfg(test)]
    pub(crate) fn holds(&self, value: u64) -> bool {
        self.bits.holds(value)
            && (self.umin..=self.umax).contains(&value)
            && (self.smin..=self.smax).contains(&(value as i64))
            && (self.umin32..=self.umax32).contains(&(value as u32))
            && (self.smin32..=self.smax32).contains(&(value as i32))
    }

    /// Whether every value of `other` is one of this (`range_within` and `tnum_in`).
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.umin <= other.umin
            && self.umax >= other.umax
            && self.smin <= other.smin
            && self.smax >= other.smax
            && self.umin32 <= other.umin32
            && self.umax32 >= other.umax32
            && self.smin32 <= other.smin32
            && self.smax32 >= other.smax32
            && self.bits.contains(other.bits)
    }

    /// What holds for every value of both.
    pub(crate) fn join(&self, other: &Self) -> Self {
        Self {
            bits: self.bits.join(other.bits),
            umin: self.umin.min(other.umin),
            umax: self.umax.max(other.umax),
            smin: self.smin.min(other.smin),
            smax: self.smax.max(other.smax),
            umin32: self.umin32.min(other.umin32),
            umax32: self.umax32.max(other.umax32),
            smin32: self.smin32.min(other.smin32),
            smax32: self.smax32.max(other.smax32),
        }
    }

    /// The facts for a message.
    pub(crate) fn facts(&self) -> Bounds {
        Bounds {
            signed_min: self.smin,
            signed_max: self.smax,
            unsigned_min: self.umin,
            unsigned_max: self.umax,
        }
    }

    /// Forget the 64-bit ranges.
    pub(crate) fn unbound64(&mut self) {
        (self.umin, self.umax) = (0, u64::MAX);
        (self.smin, self.smax) = (i64::MIN, i64::MAX);
    }

    /// Forget the 32-bit ranges.
    pub(crate) fn unbound32(&mut self) {
        (self.umin32, self.umax32) = (0, u32::MAX);
        (self.smin32, self.smax32) = (i32::MIN, i32::MAX);
    }

    /// Forget all ranges.
    pub(crate) fn unbound(&mut self) {
        self.unbound64();
        self.unbound32();
    }

    /// Let bits and ranges sharpen each other (`reg_bounds_sync`).
    pub(crate) fn sync(&mut self) {
        self.ranges_from_bits();
        for _ in 0..3 {
            self.deduce32();
            self.deduce64();
            self.deduce_mixed();
        }
        self.bits_from_ranges();
        self.ranges_from_bits();
    }

    /// Put everything right after an operation whose ranges contradict each other, which happens on paths that
    /// cannot be taken: forget the ranges (`reg_bounds_sanity_check`).
    pub(crate) fn settle(&mut self) {
        if !self.is_consistent() {
            self.unbound();
        }
    }

    fn is_consistent(&self) -> bool {
        let ordered = self.umin <= self.umax
            && self.smin <= self.smax
            && self.umin32 <= self.umax32
            && self.smin32 <= self.smax32;
        let known = self
            .known()
            .is_none_or(|v| (self.umin, self.umax, self.smin, self.smax) == (v, v, v as i64, v as i64));
        let known32 = self
            .known32()
            .is_none_or(|v| (self.umin32, self.umax32, self.smin32, self.smax32) == (v, v, v as i32, v as i32));
        ordered && known && known32
    }

    /// `__update_reg32_bounds` and `__update_reg64_bounds`.
    pub(crate) fn ranges_from_bits(&mut self) {
        self.ranges32_from_bits();
        const SIGN: u64 = 1 << 63;
        let Tnum { value, mask } = self.bits;
        self.smin = self.smin.max((value | (mask & SIGN)) as i64);
        self.smax = self.smax.min((value | (mask & !SIGN)) as i64);
        self.umin = self.umin.max(value);
        self.umax = self.umax.min(value | mask);
    }

    /// `__update_reg32_bounds`.
    pub(crate) fn ranges32_from_bits(&mut self) {
        const SIGN: u32 = 1 << 31;
        let (value, mask) = (self.bits.value as u32, self.bits.mask as u32);
        self.smin32 = self.smin32.max((value | (mask & SIGN)) as i32);
        self.smax32 = self.smax32.min((value | (mask & !SIGN)) as i32);
        self.umin32 = self.umin32.max(value);
        self.umax32 = self.umax32.min(value | mask);
    }

    /// 32-bit ranges from 64-bit ones and from each other (`__reg32_deduce_bounds`).
    fn deduce32(&mut self) {
        let (umin, umax) = (self.umin, self.umax);
        let (smin, smax) = (self.smin as u64, self.smax as u64);
        if umin >> 32 == umax >> 32 {
            self.narrow_u32(umin as u32, umax as u32);
            self.narrow_s32_if_ordered(umin, umax);
        }
        if smin >> 32 == smax >> 32 {
            if smin as u32 <= smax as u32 {
                self.narrow_u32(smin as u32, smax as u32);
            }
            self.narrow_s32_if_ordered(smin, smax);
        }
        // The range steps over one multiple of 2^32 from a negative low half to one that is not.
        for (min, max) in [(umin, umax), (smin, smax)] {
            let next = ((min >> 32) as u32).wrapping_add(1) == (max >> 32) as u32;
            if next && (min as i32) < 0 && max as i32 >= 0 {
                self.narrow_s32(min as i32, max as i32);
            }
        }
        if self.umin32 as i32 <= self.umax32 as i32 {
            self.narrow_s32(self.umin32 as i32, self.umax32 as i32);
        }
        self.deduce_u32_from_s32();
    }

    fn narrow_s32_if_ordered(&mut self, min: u64, max: u64) {
        if min as i32 <= max as i32 {
            self.narrow_s32(min as i32, max as i32);
        }
    }

    fn deduce_u32_from_s32(&mut self) {
        let (smin, smax) = (self.smin32 as u32, self.smax32 as u32);
        if smin <= smax {
            self.narrow_u32(smin, smax);
        } else if self.umax32 < smin {
            // The signed range has two parts, from zero up and from the top down; unsigned values are only in the first.
            self.smin32 = self.umin32 as i32;
            self.umax32 = self.umax32.min(smax);
        } else if smax < self.umin32 {
            self.smax32 = self.umax32 as i32;
            self.umin32 = self.umin32.max(smin);
        }
    }

    /// 64-bit ranges from each other (`__reg64_deduce_bounds`).
    fn deduce64(&mut self) {
        if self.umin as i64 <= self.umax as i64 {
            self.smin = self.smin.max(self.umin as i64);
            self.smax = self.smax.min(self.umax as i64);
        }
        let (smin, smax) = (self.smin as u64, self.smax as u64);
        if smin <= smax {
            self.umin = self.umin.max(smin);
            self.umax = self.umax.min(smax);
        } else if self.umax < smin {
            self.smin = self.umin as i64;
            self.umax = self.umax.min(smax);
        } else if smax < self.umin {
            self.smax = self.umax as i64;
            self.umin = self.umin.max(smin);
        }
    }

    /// 64-bit ranges from 32-bit ones (`__reg_deduce_mixed_bounds`).
    fn deduce_mixed(&mut self) {
        self.narrow64_by_low(self.umin32, self.umax32);
        if self.smin32 as u32 <= self.smax32 as u32 {
            self.narrow64_by_low(self.smin32 as u32, self.smax32 as u32);
        }
        let fits = self.smin >= i64::from(i32::MIN) && self.smax <= i64::from(i32::MAX);
        if self.smin32 >= 0 && fits {
            (self.smin, self.smax) = (i64::from(self.smin32), i64::from(self.smax32));
            (self.umin, self.umax) = (self.smin as u64, self.smax as u64);
            self.bits = self.bits.intersect(Tnum::range(self.umin, self.umax));
        }
    }

    /// The low half is in `low_min..=low_max`: the ends of the 64-bit ranges can move to where that holds.
    fn narrow64_by_low(&mut self, low_min: u32, low_max: u32) {
        const HIGH: u64 = !0xffff_ffff;
        self.umin = self.umin.max(self.umin & HIGH | u64::from(low_min));
        self.umax = self.umax.min(self.umax & HIGH | u64::from(low_max));
        let (smin, smax) = (self.smin as u64, self.smax as u64);
        self.smin = self.smin.max((smin & HIGH | u64::from(low_min)) as i64);
        self.smax = self.smax.min((smax & HIGH | u64::from(low_max)) as i64);
    }

    fn narrow_u32(&mut self, min: u32, max: u32) {
        self.umin32 = self.umin32.max(min);
        self.umax32 = self.umax32.min(max);
    }

    fn narrow_s32(&mut self, min: i32, max: i32) {
        self.smin32 = self.smin32.max(min);
        self.smax32 = self.smax32.min(max);
    }

    /// `__reg_bound_offset`.
    fn bits_from_ranges(&mut self) {
        let wide = self.bits.intersect(Tnum::range(self.umin, self.umax));
        let low = wide
            .subreg()
            .intersect(Tnum::range(self.umin32.into(), self.umax32.into()));
        self.bits = wide.clear_subreg().or(low);
    }
}

/// Conversions between widths.
impl Scalar {
    /// Make the upper half zero (`zext_32_to_64`). The 32-bit ranges must be right.
    pub(crate) fn zero_extend32(&mut self) {
        self.bits = self.bits.subreg();
        (self.umin, self.umax) = (self.umin32.into(), self.umax32.into());
        (self.smin, self.smax) = if self.smin32 >= 0 && self.smax32 >= 0 {
            (self.smin32.into(), self.smax32.into())
        } else {
            (0, u32::MAX.into())
        };
    }

    /// Keep the low `bytes` (1, 2 or 4) bytes, the rest zero (`coerce_reg_to_size`).
    pub(crate) fn truncate(&mut self, bytes: u32) {
        if bytes >= 8 {
            return;
        }
        let keep = (1_u64 << (bytes * 8)) - 1;
        self.bits = self.bits.cast(bytes);
        if self.umin & !keep == self.umax & !keep {
            self.umin &= keep;
            self.umax &= keep;
        } else {
            (self.umin, self.umax) = (0, keep);
        }
        (self.smin, self.smax) = (self.umin as i64, self.umax as i64);
        if bytes < 4 {
            self.unbound32();
        }
        self.sync();
    }

    /// Sign-extend the low `bytes` (1, 2 or 4) bytes to 64 bits (`coerce_reg_to_size_sx`).
    pub(crate) fn sign_extend(&mut self, bytes: u32) {
        let extend = |v: u64| {
            let unused = 64 - bytes * 8;
            ((v << unused) as i64) >> unused
        };
        if let Some(value) = self.known() {
            *self = Self::constant(extend(value) as u64);
            return;
        }
        let (low, high) = (extend(self.smin as u64), extend(self.smax as u64));
        // Only if all values agree above the part that is kept do the ends of the range stay its ends.
        let shift = bytes * 8;
        let same_top = self.smin as u64 >> shift == self.smax as u64 >> shift;
        *self = Self::UNKNOWN;
        if same_top && (low >= 0) == (high >= 0) {
            (self.smin, self.smax) = (low.min(high), low.max(high));
        } else {
            let half = 1_i64 << (shift - 1);
            (self.smin, self.smax) = (-half, half - 1);
        }
        self.sync();
    }

    /// Sign-extend the low `bytes` (1 or 2) bytes to 32 bits, the upper half zero (`coerce_subreg_to_size_sx`).
    pub(crate) fn sign_extend32(&mut self, bytes: u32) {
        self.zero_extend32();
        self.sync();
        self.sign_extend(bytes);
        self.zero_extend32();
        self.sync();
    }
}

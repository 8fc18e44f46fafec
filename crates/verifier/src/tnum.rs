//! Tracked numbers: what is known of each bit of a 64-bit value.
//!
//! A [`Tnum`] stands for all values that agree with `value` on the bits that are clear in `mask`. The domain and
//! its operators are those of Linux 6.12's `kernel/bpf/tnum.c`, and of the paper behind it (Vishwanathan et
//! al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers", CGO 2022). That every
//! operator covers all concrete results is tested exhaustively for small widths and by property tests.

/// Known bits of a number. Invariant: `value & mask == 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tnum {
    /// The bits that are known to be one.
    pub(crate) value: u64,
    /// The bits that are not known.
    pub(crate) mask: u64,
}

impl Tnum {
    /// What is known of a number that is one of these.
    pub(crate) fn join(self, other: Self) -> Self {
        let mask = self.mask | other.mask | self.value ^ other.value;
        Self {
            value: self.value & !mask,
            mask,
        }
    }

    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self {
        value: 0,
        mask: u64::MAX,
    };

    /// One value.
    pub(crate) const fn constant(value: u64) -> Self {
        Self { value, mask: 0 }
    }

    /// The smallest tracked number that holds `min..=max` (`tnum_range`): the bits above the highest one in which
    /// the ends differ are known.
    pub(crate) fn range(min: u64, max: u64) -> Self {
        let differing = min ^ max;
        let mask = match differing.leading_zeros() {
            0 => u64::MAX,
            64 => 0,
            zeros => u64::MAX >> zeros,
        };
        Self {
            value: min & !mask,
            mask,
        }
    }

    /// Whether it is one value.
    pub(crate) fn is_const(self) -> bool {
        self.mask == 0
    }

    /// Whether it is this one value.
    pub(crate) fn is(self, value: u64) -> bool {
        self.mask == 0 && self.value == value
    }

    /// Largest value, unsigned; `value` is the smallest.
    pub(crate) fn max(self) -> u64 {
        self.value | self.mask
    }

    /// Whether every value of `other` is one of this.
    pub(crate) fn contains(self, other: Self) -> bool {
        other.mask & !self.mask == 0 && other.value & !self.mask == self.value
    }

    /// Whether `value` is one of this.
    #[cfg(test)]
    pub(crate) fn holds(self, value: u64) -> bool {
        self.contains(Self::constant(value))
    }

    /// Whether the two have a value in common.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let known = !self.mask & !other.mask;
        self.value & known == other.value & known
    }

    /// The values of both, if there is one; otherwise something without meaning (`tnum_intersect`).
    pub(crate) fn intersect(self, other: Self) -> Self {
        let mask = self.mask & other.mask;
        Self {
            value: (self.value | other.value) & !mask,
            mask,
        }
    }

    /// Whether every value is a multiple of `size`, a power of two.
    pub(crate) fn is_aligned(self, size: u64) -> bool {
        self.max() & (size - 1) == 0
    }

    /// The low `bytes` bytes; the rest becomes zero.
    pub(crate) fn cast(self, bytes: u32) -> Self {
        let keep = if bytes >= 8 { u64::MAX } else { (1 << (bytes * 8)) - 1 };
        Self {
            value: self.value & keep,
            mask: self.mask & keep,
        }
    }

    /// The low 32 bits.
    pub(crate) fn subreg(self) -> Self {
        self.cast(4)
    }

    /// The high 32 bits, the low ones zero.
    pub(crate) fn clear_subreg(self) -> Self {
        self.rsh(32).lsh(32)
    }

    /// This with the low 32 bits of `low`.
    pub(crate) fn with_subreg(self, low: Self) -> Self {
        self.clear_subreg().or(low.subreg())
    }

    /// Left shift by a known count below 64.
    pub(crate) fn lsh(self, count: u32) -> Self {
        Self {
            value: self.value << count,
            mask: self.mask << count,
        }
    }

    /// Logical right shift by a known count below 64.
    pub(crate) fn rsh(self, count: u32) -> Self {
        Self {
            value: self.value >> count,
            mask: self.mask >> count,
        }
    }

    /// Arithmetic right shift of 64 bits by a known count below 64: an unknown sign bit spreads unknown bits.
    pub(crate) fn arsh64(self, count: u32) -> Self {
        Self {
            value: (self.value as i64 >> count) as u64,
            mask: (self.mask as i64 >> count) as u64,
        }
    }

    /// Arithmetic right shift of the low 32 bits by a known count below 32; the high bits become zero.
    pub(crate) fn arsh32(self, count: u32) -> Self {
        Self {
            value: u64::from((self.value as i32 >> count) as u32),
            mask: u64::from((self.mask as i32 >> count) as u32),
        }
    }

    /// Sum: a bit is unknown if it is in either operand or if the carry into it depends on unknown bits.
    pub(crate) fn add(self, other: Self) -> Self {
        let low = self.value.wrapping_add(other.value);
        let high = self.mask.wrapping_add(other.mask).wrapping_add(low);
        let mask = (low ^ high) | self.mask | other.mask;
        Self {
            value: low & !mask,
            mask,
        }
    }

    /// Difference, with borrows as sums have carries.
    pub(crate) fn sub(self, other: Self) -> Self {
        let base = self.value.wrapping_sub(other.value);
        let high = base.wrapping_add(self.mask);
        let low = base.wrapping_sub(other.mask);
        let mask = (high ^ low) | self.mask | other.mask;
        Self {
            value: base & !mask,
            mask,
        }
    }

    /// Bitwise and.
    pub(crate) fn and(self, other: Self) -> Self {
        let value = self.value & other.value;
        Self {
            value,
            mask: self.max() & other.max() & !value,
        }
    }

    /// Bitwise or.
    pub(crate) fn or(self, other: Self) -> Self {
        let value = self.value | other.value;
        Self {
            value,
            mask: (self.mask | other.mask) & !value,
        }
    }

    /// Bitwise exclusive or.
    pub(crate) fn xor(self, other: Self) -> Self {
        let mask = self.mask | other.mask;
        Self {
            value: (self.value ^ other.value) & !mask,
            mask,
        }
    }

    /// Product, by long multiplication: the known part exactly, plus the unknown bits that each bit of `self`
    /// can add.
    pub(crate) fn mul(self, other: Self) -> Self {
        let known = self.value.wrapping_mul(other.value);
        let mut unknown = Self::constant(0);
        let (mut left, mut right) = (self, other);
        while left.value != 0 || left.mask != 0 {
            let adds = if left.value & 1 != 0 {
                right.mask
            } else if left.mask & 1 != 0 {
                right.max()
            } else {
                0
            };
            if adds != 0 {
                unknown = unknown.add(Self { value: 0, mask: adds });
            }
            left = left.rsh(1);
            right = right.lsh(1);
        }
        Self::constant(known).add(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::Tnum;

    /// All tracked numbers of three bits, and their values.
    fn all() -> Vec<(Tnum, Vec<u64>)> {
        let mut out = Vec::new();
        for mask in 0..8 {
            for value in (0..8).filter(|value| value & mask == 0) {
                let tnum = Tnum { value, mask };
                out.push((tnum, (0..8).filter(|&v| tnum.holds(v)).collect()));
            }
        }
        out
    }

    #[test]
    fn every_operator_covers_all_results_of_three_bits() {
        type Operator = (&'static str, fn(Tnum, Tnum) -> Tnum, fn(u64, u64) -> u64);
        let operators: [Operator; 6] = [
            ("add", Tnum::add, u64::wrapping_add),
            ("sub", Tnum::sub, u64::wrapping_sub),
            ("mul", Tnum::mul, u64::wrapping_mul),
            ("and", Tnum::and, |a, b| a & b),
            ("or", Tnum::or, |a, b| a | b),
            ("xor", Tnum::xor, |a, b| a ^ b),
        ];
        let all = all();
        for (left, left_values) in &all {
            for (right, right_values) in &all {
                for (name, on_tnums, on_values) in operators {
                    let result = on_tnums(*left, *right);
                    assert_eq!(result.value & result.mask, 0, "{name} {left:?} {right:?}");
                    for a in left_values {
                        for b in right_values {
                            let value = on_values(*a, *b);
                            assert!(
                                result.holds(value),
                                "{a} {name} {b}: {left:?} {right:?} give {result:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn containment_and_overlap_mean_what_they_say() {
        let all = all();
        for (left, left_values) in &all {
            for (right, right_values) in &all {
                let contains = right_values.iter().all(|v| left_values.contains(v));
                assert_eq!(left.contains(*right), contains, "{left:?} {right:?}");
                let common: Vec<u64> = left_values
                    .iter()
                    .copied()
                    .filter(|v| right_values.contains(v))
                    .collect();
                assert_eq!(left.overlaps(*right), !common.is_empty(), "{left:?} {right:?}");
                if !common.is_empty() {
                    let both = left.intersect(*right);
                    let held: Vec<u64> = (0..8).filter(|&v| both.holds(v)).collect();
                    assert_eq!(held, common, "{left:?} {right:?}");
                }
            }
        }
    }

    #[test]
    fn a_range_holds_its_values() {
        for min in 0..40_u64 {
            for max in min..40 {
                let tnum = Tnum::range(min, max);
                assert!((min..=max).all(|v| tnum.holds(v)), "{min}..={max}: {tnum:?}");
            }
        }
        assert_eq!(Tnum::range(0, u64::MAX), Tnum::UNKNOWN);
        assert_eq!(Tnum::range(7, 7), Tnum::constant(7));
    }
}

//! Property tests of the abstract numbers: whatever is done to concrete numbers that an abstract number stands
//! for, the abstract result stands for the concrete one. Numbers near the edges of 8, 16, 32 and 64 bits.

use isa::{AluOp, JmpOp, Width};
use proptest::prelude::*;

use crate::alu;
use crate::bounds::Scalar;
use crate::branch;
use crate::tnum::Tnum;

/// A concrete number and what is known of it.
type Pair = (Scalar, u64);

/// One step of a computation on two pairs.
#[derive(Clone, Debug)]
enum Step {
    Alu(AluOp, Width, bool),
    /// With a constant on the right.
    AluConstant(AluOp, Width, i32),
    Neg(Width),
    Compare(JmpOp, Width, bool),
    CompareConstant(JmpOp, Width, i32),
    Truncate(u32),
    SignExtend(u32),
    SignExtend32(u32),
    ZeroExtend,
    Swap,
    /// Nothing more is known.
    Forget,
}

/// Numbers near edges, or any.
fn number() -> impl Strategy<Value = u64> {
    let edges: Vec<u64> = [0, 7, 8, 15, 16, 31, 32, 33, 62, 63]
        .iter()
        .flat_map(|&bit| [1_u64 << bit, !(1_u64 << bit), (1_u64 << bit) - 1, !((1_u64 << bit) - 1)])
        .collect();
    prop_oneof![
        (proptest::sample::select(edges), -2_i64..=2).prop_map(|(edge, by)| edge.wrapping_add_signed(by)),
        0_u64..70,
        any::<u64>(),
        any::<u32>().prop_map(u64::from),
        any::<i32>().prop_map(|v| i64::from(v) as u64),
    ]
}

fn constant() -> impl Strategy<Value = i32> {
    prop_oneof![0..70_i32, number().prop_map(|v| v as i32)]
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::W32), Just(Width::W64)]
}

fn step() -> impl Strategy<Value = Step> {
    let ops: Vec<AluOp> = AluOp::ALL.into_iter().filter(|op| *op != AluOp::Mov).collect();
    let op = || proptest::sample::select(ops.clone());
    let comparison = || proptest::sample::select(&JmpOp::ALL[..]);
    prop_oneof![
        4 => (op(), width(), any::<bool>()).prop_map(|(op, width, same)| Step::Alu(op, width, same)),
        6 => (op(), width(), constant()).prop_map(|(op, width, by)| Step::AluConstant(op, width, by)),
        1 => width().prop_map(Step::Neg),
        4 => (comparison(), width(), any::<bool>()).prop_map(|(op, width, same)| Step::Compare(op, width, same)),
        8 => (comparison(), width(), constant()).prop_map(|(op, width, with)| Step::CompareConstant(op, width, with)),
        1 => proptest::sample::select(&[1_u32, 2, 4, 8][..]).prop_map(Step::Truncate),
        1 => proptest::sample::select(&[1_u32, 2, 4][..]).prop_map(Step::SignExtend),
        1 => proptest::sample::select(&[1_u32, 2][..]).prop_map(Step::SignExtend32),
        1 => Just(Step::ZeroExtend),
        3 => Just(Step::Swap),
        1 => Just(Step::Forget),
    ]
}

/// A number of which some range or some bits are known.
fn pair() -> impl Strategy<Value = Pair> {
    let known = number().prop_map(|v| (Scalar::constant(v), v));
    let unknown = number().prop_map(|v| (Scalar::UNKNOWN, v));
    let ranged = (number(), number(), number()).prop_map(|(a, b, v)| {
        let (min, max) = (a.min(b), a.max(b));
        let mut scalar = Scalar {
            umin: min,
            umax: max,
            ..Scalar::UNKNOWN
        };
        scalar.sync();
        (scalar, if (min..=max).contains(&v) { v } else { min })
    });
    let signed = (number(), number(), number()).prop_map(|(a, b, v)| {
        let (a, b, v) = (a as i64, b as i64, v as i64);
        let (min, max) = (a.min(b), a.max(b));
        let mut scalar = Scalar {
            smin: min,
            smax: max,
            ..Scalar::UNKNOWN
        };
        scalar.sync();
        (scalar, if (min..=max).contains(&v) { v as u64 } else { max as u64 })
    });
    let low = (number(), number(), number()).prop_map(|(a, b, v)| {
        let (a, b) = (a as u32, b as u32);
        let (min, max) = (a.min(b), a.max(b));
        let mut scalar = Scalar {
            umin32: min,
            umax32: max,
            ..Scalar::UNKNOWN
        };
        scalar.sync();
        let inside = (min..=max).contains(&(v as u32));
        (scalar, if inside { v } else { v >> 32 << 32 | u64::from(max) })
    });
    let low_signed = (number(), number(), number()).prop_map(|(a, b, v)| {
        let (a, b) = (a as i32, b as i32);
        let (min, max) = (a.min(b), a.max(b));
        let mut scalar = Scalar {
            smin32: min,
            smax32: max,
            ..Scalar::UNKNOWN
        };
        scalar.sync();
        let inside = (min..=max).contains(&(v as i32));
        (
            scalar,
            if inside {
                v
            } else {
                v >> 32 << 32 | u64::from(min as u32)
            },
        )
    });
    let bits = (number(), number()).prop_map(|(mask, v)| {
        let mut scalar = Scalar {
            bits: Tnum { value: v & !mask, mask },
            ..Scalar::UNKNOWN
        };
        scalar.sync();
        (scalar, v)
    });
    prop_oneof![known, unknown, ranged, signed, low, low_signed, bits]
}

/// What the interpreter computes, which Linux judges.
fn concrete(op: AluOp, width: Width, a: u64, b: u64) -> u64 {
    match width {
        Width::W32 => vm::alu::alu32(op, a, b),
        Width::W64 => vm::alu::alu64(op, a, b),
    }
}

fn concrete_outcome(op: JmpOp, width: Width, a: u64, b: u64) -> bool {
    match width {
        Width::W32 => vm::alu::compare32(op, a, b),
        Width::W64 => vm::alu::compare64(op, a, b),
    }
}

fn imm(value: i32) -> Pair {
    let wide = i64::from(value) as u64;
    (Scalar::constant(wide), wide)
}

fn compare(op: JmpOp, width: Width, left: &mut Pair, right: &mut Pair) {
    let holds = concrete_outcome(op, width, left.1, right.1);
    if let Some(certain) = branch::outcome(op, width, &left.0, &right.0) {
        assert_eq!(certain, holds, "{op:?} {width:?} of {left:x?} and {right:x?}");
        return;
    }
    branch::refine(op, holds, width, &mut left.0, &mut right.0);
}

/// Do one step with both.
fn apply(step: &Step, left: &mut Pair, right: &mut Pair) {
    match *step {
        Step::Alu(op, width, same) => {
            let by = if same { *left } else { *right };
            *left = (alu::alu(op, width, left.0, &by.0), concrete(op, width, left.1, by.1));
        }
        Step::AluConstant(op, width, by) => {
            let by = imm(by);
            *left = (alu::alu(op, width, left.0, &by.0), concrete(op, width, left.1, by.1));
        }
        Step::Neg(width) => {
            *left = (alu::neg(width, &left.0), concrete(AluOp::Sub, width, 0, left.1));
        }
        Step::Compare(op, width, false) => compare(op, width, left, right),
        Step::Compare(op, width, true) => {
            let mut copy = *left;
            compare(op, width, left, &mut copy);
            assert!(copy.0.holds(copy.1), "the copy: {copy:x?}");
        }
        Step::CompareConstant(op, width, with) => compare(op, width, left, &mut imm(with)),
        Step::Truncate(bytes) => {
            left.0.truncate(bytes);
            left.1 &= u64::MAX >> (64 - bytes * 8);
        }
        Step::SignExtend(bytes) => {
            left.0.sign_extend(bytes);
            let unused = 64 - bytes * 8;
            left.1 = (((left.1 << unused) as i64) >> unused) as u64;
        }
        Step::SignExtend32(bytes) => {
            left.0.sign_extend32(bytes);
            let unused = 64 - bytes * 8;
            left.1 = u64::from((((left.1 << unused) as i64) >> unused) as u32);
        }
        Step::ZeroExtend => {
            left.0.zero_extend32();
            left.0.sync();
            left.1 = u64::from(left.1 as u32);
        }
        Step::Swap => std::mem::swap(left, right),
        Step::Forget => left.0 = Scalar::UNKNOWN,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn abstract_numbers_follow_concrete_ones(
        left in pair(),
        right in pair(),
        steps in proptest::collection::vec(step(), 1..12),
    ) {
        let (mut left, mut right) = (left, right);
        prop_assert!(left.0.holds(left.1) && right.0.holds(right.1), "start: {left:x?} {right:x?}");
        for (index, step) in steps.iter().enumerate() {
            let before = (left, right);
            apply(step, &mut left, &mut right);
            prop_assert!(
                left.0.holds(left.1) && right.0.holds(right.1),
                "step {index}, {step:?}: {before:x?} became {left:x?} {right:x?}"
            );
            prop_assert_eq!(left.0.bits.value & left.0.bits.mask, 0);
        }
    }

    #[test]
    fn what_contains_an_abstract_number_contains_its_numbers(a in pair(), b in pair()) {
        if a.0.contains(&b.0) {
            prop_assert!(a.0.holds(b.1), "{a:x?} {b:x?}");
        }
    }
}

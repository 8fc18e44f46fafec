//! The two modes agree on random programs. These may compute with anything but the frame pointer, jump
//! anywhere and use the stack at fixed places, so that they are safe to run unchecked; the checked mode says
//! whether they end.

use std::cell::Cell;
use std::ptr;

use crate::linker::Nothing;
use isa::{AluOp, AtomicOp, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};
use proptest::prelude::*;
use proptest::sample::select;
use vm::{Mark, OutOfBudget, Program, Regions, TrapReason};

/// R0 to R9.
fn reg() -> impl Strategy<Value = Reg> {
    select(&Reg::ALL[..10])
}

fn width() -> impl Strategy<Value = Width> {
    select(&[Width::W32, Width::W64][..])
}

fn size() -> impl Strategy<Value = Size> {
    select(&Size::ALL[..])
}

fn src() -> impl Strategy<Value = Src> {
    let constant = prop_oneof![
        any::<i32>(),
        -2..3i32,
        Just(i32::MIN),
        Just(31),
        Just(32),
        Just(63),
        Just(64)
    ];
    prop_oneof![reg().prop_map(Src::Reg), constant.prop_map(Src::Imm)]
}

/// Multiple of eight within the frame.
fn off() -> impl Strategy<Value = i16> {
    (1..=4i16).prop_map(|words| -8 * words)
}

fn insn() -> impl Strategy<Value = Insn> {
    let base = Reg::FP;
    let fetch = any::<bool>();
    let alu = select(&AluOp::ALL[..]);
    let jmp = select(&JmpOp::ALL[..]);
    let atomic = (0..6, fetch).prop_map(|(op, fetch)| match op {
        0 => AtomicOp::Add { fetch },
        1 => AtomicOp::Or { fetch },
        2 => AtomicOp::And { fetch },
        3 => AtomicOp::Xor { fetch },
        4 => AtomicOp::Xchg,
        _ => AtomicOp::CmpXchg,
    });
    let kind = select(&[EndianKind::ToLe, EndianKind::ToBe, EndianKind::Bswap][..]);
    prop_oneof![
        8 => (width(), alu, reg(), src()).prop_map(|(width, op, dst, src)| Insn::Alu { width, op, dst, src }),
        1 => (width(), reg(), reg(), select(&[Size::B, Size::H][..]))
            .prop_map(|(width, dst, src, from)| Insn::MovSx { width, dst, src, from }),
        1 => (reg(), reg()).prop_map(|(dst, src)| Insn::MovSx { width: Width::W64, dst, src, from: Size::W }),
        1 => (width(), reg()).prop_map(|(width, dst)| Insn::Neg { width, dst }),
        1 => (reg(), kind, select(&[16u8, 32, 64][..]))
            .prop_map(|(dst, kind, bits)| Insn::Endian { dst, kind, bits }),
        1 => (reg(), any::<u64>())
            .prop_map(|(dst, value)| Insn::LoadImm64 { dst, imm: Imm64::Value(value) }),
        2 => (size(), any::<bool>(), reg(), off()).prop_map(move |(size, sx, dst, off)| Insn::Load {
            size,
            sx: sx && size != Size::DW,
            dst,
            base,
            off
        }),
        2 => (size(), off(), src()).prop_map(move |(size, off, src)| Insn::Store { size, base, off, src }),
        1 => (size(), reg(), off()).prop_map(move |(size, dst, off)| Insn::LoadAcquire { size, dst, base, off }),
        1 => (size(), reg(), off()).prop_map(move |(size, src, off)| Insn::StoreRelease { size, base, off, src }),
        2 => (atomic, select(&[Size::W, Size::DW][..]), off(), reg())
            .prop_map(move |(op, size, off, src)| Insn::Atomic { op, size, base, off, src }),
        // Where jumps go is settled when the length is known.
        4 => (width(), jmp, reg(), src(), any::<i16>())
            .prop_map(|(width, op, dst, src, off)| Insn::JumpIf { width, op, dst, src, off }),
        1 => (any::<i16>(), any::<bool>()).prop_map(|(off, long)| Insn::Jump { off: off.into(), long }),
    ]
}

/// A program that ends with all registers and the used stack folded into R0.
fn program() -> impl Strategy<Value = Vec<Insn>> {
    let starts = proptest::collection::vec(prop_oneof![any::<u64>(), 0..4u64, Just(u64::MAX)], 10);
    (starts, proptest::collection::vec(insn(), 1..40)).prop_map(|(starts, body)| {
        let mut program = Vec::new();
        let mut push = |insn: Insn| {
            program.push(insn);
            if insn.slots() == 2 {
                program.push(Insn::LoadImm64Hi);
            }
        };
        for (dst, value) in Reg::ALL.into_iter().zip(starts) {
            push(Insn::LoadImm64 {
                dst,
                imm: Imm64::Value(value),
            });
        }
        body.into_iter().for_each(&mut push);
        let fold = |src| {
            [
                Insn::Alu {
                    width: Width::W64,
                    op: AluOp::Mul,
                    dst: Reg::R0,
                    src: Src::Imm(0x0100_0193),
                },
                Insn::Alu {
                    width: Width::W64,
                    op: AluOp::Xor,
                    dst: Reg::R0,
                    src: Src::Reg(src),
                },
            ]
        };
        Reg::ALL[1..10].iter().flat_map(|r| fold(*r)).for_each(&mut push);
        for word in 1..=4 {
            push(Insn::Load {
                size: Size::DW,
                sx: false,
                dst: Reg::R1,
                base: Reg::FP,
                off: -8 * word,
            });
            fold(Reg::R1).into_iter().for_each(&mut push);
        }
        push(Insn::Exit);
        settle_jumps(&mut program);
        program
    })
}

/// Bend every jump to somewhere in the program, forwards nine times of ten.
fn settle_jumps(program: &mut [Insn]) {
    let len = program.len();
    for slot in 0..len {
        let wish = match program[slot] {
            Insn::JumpIf { off, .. } => off as u16 as usize,
            Insn::Jump { off, .. } => off as u16 as usize,
            _ => continue,
        };
        let mut target = if wish % 10 == 0 {
            wish / 10 % len
        } else {
            slot + 1 + wish / 10 % 6
        };
        target = target.min(len - 1);
        if program[target] == Insn::LoadImm64Hi {
            target -= 1;
        }
        let distance = target as i64 - slot as i64 - 1;
        match &mut program[slot] {
            Insn::JumpIf { off, .. } => *off = distance as i16,
            Insn::Jump { off, .. } => *off = distance as i32,
            _ => {}
        }
    }
}

/// Instructions of a run.
const BUDGET: u64 = 20_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn fast_is_checked(insns in program()) {
        let program = Program::build(&insns, |_| Mark::Plain, &Nothing).expect("builds");
        match program.run_checked(0, &mut Regions::default(), BUDGET) {
            Ok(expected) => {
                // SAFETY: it touches its stack only.
                let result = unsafe { program.run(0, ptr::null_mut(), &Cell::new(BUDGET)) };
                prop_assert_eq!(result, Ok(expected), "{}", isa::listing(&insns));
            }
            Err(trap) => {
                // SAFETY: as above.
                let result = unsafe { program.run(0, ptr::null_mut(), &Cell::new(BUDGET)) };
                prop_assert_eq!(result, Err(OutOfBudget { slot: trap.slot }), "{}", isa::listing(&insns));
                prop_assert_eq!(trap.reason, TrapReason::BudgetUsedUp);
            }
        }
    }
}

//! The interpreter: data becomes a program that is safe to run unchecked (it computes with R0 to R9 and uses
//! its stack at fixed places), and both modes must give the same result.

use std::cell::Cell;
use std::ptr;

use ::isa::{Call, Imm64, Insn, RawInsn, Reg, Size, Src};
use ::vm::{HelperFn, Linker, Mark, Program, Regions, TrapReason};

struct Nothing;

impl Linker for Nothing {
    fn helper(&self, _: u32) -> Option<HelperFn> {
        None
    }

    fn kfunc(&self, _: u32, _: i16) -> Option<HelperFn> {
        None
    }

    fn imm64(&self, _: &Imm64) -> Option<u64> {
        None
    }
}

/// Instructions of a run.
const BUDGET: u64 = 10_000;

/// # Panics
/// If the modes disagree.
pub fn run(data: &[u8]) {
    let insns = program(data);
    let program = Program::build(&insns, |_| Mark::Plain, &Nothing).expect("made to be built");
    match program.run_checked(0, &mut Regions::default(), BUDGET) {
        Ok(expected) => {
            // SAFETY: it touches nothing but its stack.
            let result = unsafe { program.run(0, ptr::null_mut(), &Cell::new(BUDGET)) };
            assert_eq!(result, Ok(expected), "{}", ::isa::listing(&insns));
        }
        Err(trap) => assert!(
            matches!(trap.reason, TrapReason::BudgetUsedUp | TrapReason::TooDeep),
            "{trap}\n{}",
            ::isa::listing(&insns)
        ),
    }
}

/// Whatever the data says that is harmless, and an exit.
fn program(data: &[u8]) -> Vec<Insn> {
    let mut insns = Vec::new();
    for (dst, value) in Reg::ALL[..10].iter().zip(0x9e37_79b9u64..) {
        let imm = Imm64::Value(value.wrapping_mul(0x0123_4567_89ab_cdef));
        insns.push(Insn::LoadImm64 { dst: *dst, imm });
        insns.push(Insn::LoadImm64Hi);
    }
    let (slots, _) = data.as_chunks::<8>();
    for bytes in slots {
        let first = RawInsn::from_bytes(*bytes);
        let Some(insn) = ::isa::decode_one(first, Some(RawInsn::default()))
            .ok()
            .and_then(harmless)
        else {
            continue;
        };
        insns.push(insn);
        if insn.slots() == 2 {
            insns.push(Insn::LoadImm64Hi);
        }
    }
    insns.push(Insn::Exit);
    settle_jumps(&mut insns);
    insns
}

/// The instruction without its use of the frame pointer as a number, with memory accesses moved to the stack.
fn harmless(insn: Insn) -> Option<Insn> {
    let plain = |reg: Reg| reg != Reg::FP;
    let plain_src = |src: Src| src != Src::Reg(Reg::FP);
    let base = Reg::FP;
    let place = |off: i16| -8 * (1 + (off & 7));
    match insn {
        Insn::Alu { dst, src, .. } if plain(dst) && plain_src(src) => Some(insn),
        Insn::JumpIf { dst, src, .. } if plain(dst) && plain_src(src) => Some(insn),
        Insn::MovSx { dst, src, .. } if plain(dst) && plain(src) => Some(insn),
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } if plain(dst) => Some(insn),
        Insn::LoadImm64 {
            dst,
            imm: Imm64::Value(_),
        } if plain(dst) => Some(insn),
        Insn::Load { size, sx, dst, off, .. } if plain(dst) => Some(Insn::Load {
            size,
            sx,
            dst,
            base,
            off: place(off),
        }),
        Insn::LoadAcquire { size, dst, off, .. } if plain(dst) => Some(Insn::LoadAcquire {
            size,
            dst,
            base,
            off: place(off),
        }),
        Insn::Store { size, off, src, .. } if plain_src(src) => Some(Insn::Store {
            size,
            base,
            off: place(off),
            src,
        }),
        Insn::StoreRelease { size, off, src, .. } if plain(src) => Some(Insn::StoreRelease {
            size,
            base,
            off: place(off),
            src,
        }),
        Insn::Atomic {
            op,
            size: size @ (Size::W | Size::DW),
            off,
            src,
            ..
        } if plain(src) => Some(Insn::Atomic {
            op,
            size,
            base,
            off: place(off),
            src,
        }),
        Insn::Jump { .. } | Insn::MayGoto { .. } | Insn::Call(Call::Subprog { .. }) | Insn::Exit => Some(insn),
        _ => None,
    }
}

/// Bend every jump and call to an instruction of the program.
fn settle_jumps(insns: &mut [Insn]) {
    let len = insns.len() as i64;
    for slot in 0..insns.len() {
        let insn = insns[slot];
        let Some(wish) = insn.jump_target(slot).or(insn.subprog_target(slot)) else {
            continue;
        };
        let mut target = wish.rem_euclid(len);
        if insns[target as usize] == Insn::LoadImm64Hi {
            target -= 1;
        }
        let distance = target - slot as i64 - 1;
        match &mut insns[slot] {
            Insn::JumpIf { off, .. } | Insn::MayGoto { off } => *off = distance as i16,
            Insn::Jump { off, .. } | Insn::Call(Call::Subprog { off }) => *off = distance as i32,
            _ => {}
        }
    }
}

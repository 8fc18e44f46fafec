//! Random programs of blocks that join again and again.

use super::{GLOBAL, alu, mov, set_target};
use crate::rng::Rng;
use isa::{AluOp, Call, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

/// A program of blocks that join again and again, in which few numbers matter, and some of those much later: hard on
/// whoever ends paths early.
pub(crate) fn diamonds(seed: u64) -> Vec<Insn> {
    let mut rng = Rng::new(seed);
    let blocks = 5 + rng.below(6);
    let mut insns = Vec::new();
    let mut starts = Vec::new();
    // Slot of a jump and the block it goes to.
    let mut jumps: Vec<(usize, usize)> = Vec::new();
    for reg in [Reg::R6, Reg::R7, Reg::R8] {
        insns.push(mov(reg, Src::Imm(0)));
    }
    for off in [-8, -16] {
        insns.push(store_double(off, Src::Imm(0)));
    }
    for block in 0..blocks {
        starts.push(insns.len());
        for _ in 0..1 + rng.below(3) {
            diamond_statement(&mut rng, &mut insns);
        }
        let target = (block + 1 + rng.below(3)).min(blocks);
        if rng.chance(80) {
            insns.push(Insn::Call(Call::Helper(7)));
            jumps.push((insns.len(), target));
            let value = rng.below(4) as i32;
            insns.push(Insn::JumpIf {
                width: Width::W64,
                op: JmpOp::Eq,
                dst: Reg::R0,
                src: Src::Imm(value),
                off: 0,
            });
        } else if rng.chance(50) {
            // A branch that a number decides.
            let reg = rng.pick(&[Reg::R6, Reg::R7, Reg::R8]);
            jumps.push((insns.len(), target));
            insns.push(Insn::JumpIf {
                width: Width::W64,
                op: rng.pick(&[JmpOp::Eq, JmpOp::Gt, JmpOp::SLt]),
                dst: reg,
                src: Src::Imm(rng.pick(&[0, 8, 40])),
                off: 0,
            });
        }
    }
    starts.push(insns.len());
    insns.push(mov(Reg::R0, Src::Imm(0)));
    insns.push(Insn::Exit);
    for (slot, block) in jumps {
        let distance = starts[block] - slot - 1;
        set_target(&mut insns[slot], distance);
    }
    insns
}

fn store_double(off: i16, src: Src) -> Insn {
    Insn::Store {
        size: Size::DW,
        base: Reg::R10,
        off,
        src,
    }
}

fn diamond_statement(rng: &mut Rng, insns: &mut Vec<Insn>) {
    let regs = [Reg::R6, Reg::R7, Reg::R8];
    let (a, b) = (rng.pick(&regs), rng.pick(&regs));
    let off = rng.pick(&[-8, -16]);
    match rng.below(9) {
        0 | 1 => {
            let value = rng.pick(&[0, 8, 8, 40, 47, 48, 60]);
            insns.push(mov(a, Src::Imm(value)));
        }
        2 => insns.push(mov(a, Src::Reg(b))),
        3 => insns.push(alu(Width::W64, AluOp::Add, a, Src::Imm(rng.pick(&[1, 8])))),
        4 => insns.push(store_double(off, Src::Reg(a))),
        5 => insns.push(Insn::Load {
            size: Size::DW,
            sx: false,
            dst: a,
            base: Reg::R10,
            off,
        }),
        6 => {
            insns.push(Insn::Call(Call::Helper(7)));
            insns.push(mov(a, Src::Reg(Reg::R0)));
            insns.push(alu(Width::W64, AluOp::And, a, Src::Imm(rng.pick(&[7, 31, 63]))));
        }
        7 => {
            // It matters.
            let imm = Imm64::MapValue { fd: GLOBAL, off: 0 };
            insns.push(Insn::LoadImm64 { dst: Reg::R1, imm });
            insns.push(Insn::LoadImm64Hi);
            insns.push(alu(Width::W64, AluOp::Add, Reg::R1, Src::Reg(a)));
            insns.push(Insn::Load {
                size: Size::B,
                sx: false,
                dst: Reg::R2,
                base: Reg::R1,
                off: 0,
            });
        }
        _ => insns.push(alu(Width::W64, AluOp::Sub, a, Src::Reg(b))),
    }
}

//! Short programs about one number, and the tightest comparison that is certain here: Linux must find it certain too.
//!
//! Where the comparison could hold, the program reads outside the stack. So it is accepted only by a verifier that
//! knows the bound, and a bound that only this verifier knows shows at once.

use isa::{AluOp, AtomicOp, EndianKind, Imm64, Insn, JmpOp, Reg, Size, Src, Width};

use super::programs::arithmetic;
use crate::generate::alu;
use crate::rng::Rng;

/// A comparison with a constant that is never true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) op: JmpOp,
    pub(crate) width: Width,
}

/// All comparisons that tell of a bound.
pub(crate) const PROBES: [Probe; 8] = [
    probe(JmpOp::Gt, Width::W64),
    probe(JmpOp::Lt, Width::W64),
    probe(JmpOp::SGt, Width::W64),
    probe(JmpOp::SLt, Width::W64),
    probe(JmpOp::Gt, Width::W32),
    probe(JmpOp::Lt, Width::W32),
    probe(JmpOp::SGt, Width::W32),
    probe(JmpOp::SLt, Width::W32),
];

const fn probe(op: JmpOp, width: Width) -> Probe {
    Probe { op, width }
}

impl Probe {
    /// The constant that is certain for the tightest possible `rank`; 0 is the constant that always is certain.
    fn constant(self, rank: u64) -> u64 {
        match (self.op, self.width) {
            (JmpOp::Gt, Width::W64) => u64::MAX - rank,
            (JmpOp::Lt, _) => rank,
            (JmpOp::SGt, Width::W64) => (i64::MAX as u64).wrapping_sub(rank),
            (JmpOp::SLt, Width::W64) => (i64::MIN as u64).wrapping_add(rank),
            (JmpOp::Gt, Width::W32) => u64::from(u32::MAX - rank as u32),
            (JmpOp::SGt, Width::W32) => u64::from((i32::MAX as u32).wrapping_sub(rank as u32)),
            (_, Width::W32) => u64::from((i32::MIN as u32).wrapping_add(rank as u32)),
            (_, Width::W64) => rank,
        }
    }

    /// The program with the tightest constant that `accepts` accepts; none if it does not accept the loosest.
    pub(crate) fn tightest(self, start: &[Insn], accepts: impl Fn(&[Insn]) -> bool) -> Option<Vec<Insn>> {
        let program = |rank| finish(start, self, self.constant(rank));
        if !accepts(&program(0)) {
            return None;
        }
        let most = if self.width == Width::W64 {
            u64::MAX
        } else {
            u64::from(u32::MAX)
        };
        let (mut good, mut bad) = (0, most);
        if accepts(&program(most)) {
            return Some(program(most));
        }
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if accepts(&program(middle)) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Some(program(good))
    }
}

/// The program that tests all bits of R6 that are certainly zero.
pub(crate) fn zero_bits(start: &[Insn], accepts: impl Fn(&[Insn]) -> bool) -> Option<Vec<Insn>> {
    let program = |mask| finish(start, probe(JmpOp::Set, Width::W64), mask);
    let mask = (0..64)
        .map(|bit| 1_u64 << bit)
        .filter(|&mask| accepts(&program(mask)))
        .fold(0, |all, bit| all | bit);
    (mask != 0).then(|| program(mask))
}

/// Marks a jump to where the program ends.
const TO_END: i16 = i16::MAX;

fn finish(start: &[Insn], probe: Probe, constant: u64) -> Vec<Insn> {
    let mut insns = start.to_vec();
    insns.push(Insn::LoadImm64 {
        dst: Reg::R8,
        imm: Imm64::Value(constant),
    });
    insns.push(Insn::LoadImm64Hi);
    insns.push(Insn::JumpIf {
        width: probe.width,
        op: probe.op,
        dst: Reg::R6,
        src: Src::Reg(Reg::R8),
        off: 2,
    });
    let end = insns.len();
    insns.push(alu(Width::W64, AluOp::Mov, Reg::R0, Src::Imm(0)));
    insns.push(Insn::Exit);
    insns.push(Insn::Load {
        size: Size::B,
        sx: false,
        dst: Reg::R0,
        base: Reg::R10,
        off: 0,
    });
    insns.push(Insn::Exit);
    for (slot, insn) in insns.iter_mut().enumerate() {
        if let Insn::JumpIf { off, .. } = insn
            && *off == TO_END
        {
            *off = (end - slot - 1) as i16;
        }
    }
    insns
}

/// The part before the comparison: something is known of R6 and R7.
pub(crate) fn start(seed: u64) -> Vec<Insn> {
    let mut rng = Rng::new(seed.wrapping_mul(0x9876_5432_1fed_cba7));
    let mut insns = Vec::new();
    for reg in [Reg::R6, Reg::R7] {
        number(&mut rng, &mut insns, reg);
    }
    let mut joins: Vec<usize> = Vec::new();
    let steps = 1 + rng.below(7);
    for _ in 0..steps {
        step(&mut rng, &mut insns, &mut joins);
        if rng.chance(30)
            && let Some(slot) = joins.pop()
        {
            land(&mut insns, slot);
        }
    }
    for slot in joins {
        land(&mut insns, slot);
    }
    insns
}

fn land(insns: &mut [Insn], slot: usize) {
    let here = insns.len();
    if let Insn::JumpIf { off, .. } = &mut insns[slot] {
        *off = (here - slot - 1) as i16;
    }
}

fn number(rng: &mut Rng, insns: &mut Vec<Insn>, dst: Reg) {
    match rng.below(5) {
        0 => insns.push(alu(Width::W64, AluOp::Mov, dst, Src::Imm(rng.imm()))),
        1 => {
            let value = rng.next() >> rng.below(64);
            let value = if rng.chance(50) { value } else { !value };
            insns.push(Insn::LoadImm64 {
                dst,
                imm: Imm64::Value(value),
            });
            insns.push(Insn::LoadImm64Hi);
        }
        _ => {
            let imm = Imm64::MapValue { fd: 3, off: 0 };
            insns.push(Insn::LoadImm64 { dst, imm });
            insns.push(Insn::LoadImm64Hi);
            let size = rng.pick(&[Size::B, Size::H, Size::W, Size::DW, Size::DW]);
            insns.push(Insn::Load {
                size,
                sx: size != Size::DW && rng.chance(40),
                dst,
                base: dst,
                off: 8,
            });
        }
    }
}

fn step(rng: &mut Rng, insns: &mut Vec<Insn>, joins: &mut Vec<usize>) {
    let (one, other) = rng.pick(&[(Reg::R6, Reg::R7), (Reg::R6, Reg::R7), (Reg::R7, Reg::R6)]);
    match rng.below(18) {
        16 | 17 => {
            // Two numbers at a constant distance.
            insns.push(alu(Width::W64, AluOp::Mov, one, Src::Reg(other)));
            let moved = rng.pick(&[one, one, other]);
            let by = rng.imm();
            let width = if rng.chance(85) { Width::W64 } else { Width::W32 };
            insns.push(alu(width, AluOp::Add, moved, Src::Imm(by)));
            let moved = rng.pick(&[one, other]);
            insns.push(Insn::JumpIf {
                width: rng.pick(&[Width::W64, Width::W64, Width::W32]),
                op: rng.pick(&JmpOp::ALL),
                dst: moved,
                src: Src::Imm(rng.imm()),
                off: TO_END,
            });
        }
        0..=6 => {
            let src = if rng.chance(25) { one } else { other };
            insns.push(arithmetic(rng, one, src));
        }
        7..=11 => {
            let width = rng.pick(&[Width::W64, Width::W32]);
            let src = match rng.below(3) {
                0 => Src::Reg(other),
                _ => Src::Imm(rng.imm()),
            };
            if rng.chance(40) {
                joins.push(insns.len());
            }
            insns.push(Insn::JumpIf {
                width,
                op: rng.pick(&JmpOp::ALL),
                dst: one,
                src,
                off: TO_END,
            });
        }
        12 => {
            let width = rng.pick(&[Width::W64, Width::W32]);
            insns.push(alu(width, AluOp::Mov, one, Src::Reg(other)));
        }
        13 => {
            let sizes = [Size::B, Size::H, Size::W, Size::DW];
            let (stored, loaded) = (rng.pick(&sizes), rng.pick(&sizes));
            let src = if rng.chance(80) {
                Src::Reg(one)
            } else {
                Src::Imm(rng.imm())
            };
            if rng.chance(60) {
                insns.push(Insn::Store {
                    size: Size::DW,
                    base: Reg::R10,
                    off: -8,
                    src: if rng.chance(50) { Src::Imm(0) } else { Src::Reg(other) },
                });
            }
            let place = |rng: &mut Rng, size: Size| match rng.below(3) {
                0 => -8 + rng.below(8 / size.bytes() as usize) as i16 * size.bytes() as i16,
                _ => -8,
            };
            let off = place(rng, stored);
            insns.push(Insn::Store {
                size: stored,
                base: Reg::R10,
                off,
                src,
            });
            let off = place(rng, loaded);
            insns.push(Insn::Load {
                size: loaded,
                sx: loaded != Size::DW && rng.chance(40),
                dst: one,
                base: Reg::R10,
                off,
            });
        }
        14 => {
            let bits = rng.pick(&[16, 32, 64]);
            let kind = rng.pick(&[EndianKind::ToBe, EndianKind::ToLe, EndianKind::Bswap]);
            insns.push(Insn::Endian { dst: one, kind, bits });
        }
        _ => {
            let size = rng.pick(&[Size::W, Size::DW]);
            let src = other;
            insns.push(Insn::Store {
                size: Size::DW,
                base: Reg::R10,
                off: -16,
                src: Src::Reg(one),
            });
            let fetch = true;
            let op = rng.pick(&[AtomicOp::Xchg, AtomicOp::Add { fetch }, AtomicOp::And { fetch }]);
            insns.push(Insn::Atomic {
                op,
                size,
                base: Reg::R10,
                off: -16,
                src,
            });
            insns.push(Insn::Load {
                size,
                sx: false,
                dst: one,
                base: Reg::R10,
                off: -16,
            });
        }
    }
}

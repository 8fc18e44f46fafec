//! Which registers and stack slots may still be read: what is dead does not keep two states apart.
//!
//! Registers: data flow over the instructions alone, once (`compute_live_registers`, Linux 6.18). Stack slots: an
//! instruction's reads are recorded when a path executes it, because only then is it known what its pointer
//! points to, and data flow over these records tells what is read later (the idea of `kernel/bpf/liveness.c`,
//! Linux 6.19). A kept state is compared only when all paths from it were followed to their end, so by then
//! every read that follows it is recorded.

use isa::{AtomicOp, Call, Insn, Reg, Size, Src};

use crate::cfg::Shape;
use crate::stack::slot_mask;

/// Liveness of one program.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// By slot: registers that may be read from there on, as bits.
    regs: Vec<u16>,
    /// By slot: stack slots of the instruction's own frame that it was seen to read.
    stack_reads: Vec<u64>,
    /// By slot: stack slots that may be read from there on, as far as is recorded.
    stack: Vec<u64>,
    /// By function: reads were recorded since `stack` was computed.
    stale: Vec<bool>,
}

impl Liveness {
    /// Compute the registers' part. `arguments` tells how many arguments a helper or kernel function takes.
    pub(crate) fn of(insns: &[Insn], shape: &Shape, arguments: impl Fn(&Call) -> usize) -> Self {
        let uses: Vec<(u16, u16)> = insns.iter().map(|insn| uses_and_defs(insn, &arguments)).collect();
        let mut regs = vec![0_u16; insns.len()];
        loop {
            let mut changed = false;
            for slot in (0..insns.len()).rev() {
                let insn = &insns[slot];
                let after = after(insn, slot, |at| regs[at]);
                let (used, defined) = uses[slot];
                let live = after & !defined | used;
                changed |= live != regs[slot];
                regs[slot] = live;
            }
            if !changed {
                break;
            }
        }
        Self {
            regs,
            stack_reads: vec![0; insns.len()],
            stack: vec![0; insns.len()],
            stale: vec![false; shape.count()],
        }
    }

    /// The instruction at `slot` of function `subprog` reads these slots of its own frame's stack, or a function
    /// that it calls does.
    pub(crate) fn record_reads(&mut self, slot: usize, subprog: u32, mask: u64) {
        let reads = &mut self.stack_reads[slot];
        if *reads | mask != *reads {
            *reads |= mask;
            self.stale[subprog as usize] = true;
        }
    }

    /// Registers that may be read from `slot` on.
    pub(crate) fn regs_at(&self, slot: usize) -> u16 {
        self.regs[slot]
    }

    /// Stack slots of this function's frame that may be read from `slot` on.
    pub(crate) fn stack_at(&mut self, slot: usize, subprog: u32, insns: &[Insn], shape: &Shape) -> u64 {
        self.refresh(subprog, insns, shape);
        self.stack[slot]
    }

    /// The same while the call at `slot` is active.
    pub(crate) fn stack_during_call(&mut self, slot: usize, subprog: u32, insns: &[Insn], shape: &Shape) -> u64 {
        self.refresh(subprog, insns, shape);
        self.stack[slot + 1] | self.stack_reads[slot]
    }

    fn refresh(&mut self, subprog: u32, insns: &[Insn], shape: &Shape) {
        if !std::mem::take(&mut self.stale[subprog as usize]) {
            return;
        }
        loop {
            let mut changed = false;
            for slot in shape.slots(subprog).rev() {
                let insn = &insns[slot];
                let after = after(insn, slot, |at| self.stack[at]);
                let live = after & !overwritten(insn) | self.stack_reads[slot];
                changed |= live != self.stack[slot];
                self.stack[slot] = live;
            }
            if !changed {
                break;
            }
        }
    }
}

/// R1 to R5.
const ARGUMENTS: u16 = 0b11_1110;

/// What is live after an instruction: what is live before any that can follow it in its function.
fn after<T: Default + std::ops::BitOr<Output = T>>(insn: &Insn, slot: usize, live: impl Fn(usize) -> T) -> T {
    let jumped = insn.jump_target(slot).map(|target| live(target as usize));
    let next = match insn {
        Insn::Exit | Insn::Jump { .. } => None,
        _ => Some(live(slot + insn.slots().max(1))),
    };
    jumped.unwrap_or_default() | next.unwrap_or_default()
}

/// Slots that an instruction overwrites whole, whatever the path.
fn overwritten(insn: &Insn) -> u64 {
    match *insn {
        Insn::Store {
            size: Size::DW,
            base: Reg::R10,
            off,
            ..
        } if (-512..0).contains(&off) && off % 8 == 0 => slot_mask(off.into(), 8),
        _ => 0,
    }
}

/// Registers that an instruction reads, and those that it writes whatever happens.
fn uses_and_defs(insn: &Insn, arguments: &impl Fn(&Call) -> usize) -> (u16, u16) {
    let bit = |reg: Reg| 1_u16 << reg.number();
    let operand = |src: Src| match src {
        Src::Reg(reg) => bit(reg),
        Src::Imm(_) => 0,
    };
    match *insn {
        Insn::Alu {
            op: isa::AluOp::Mov,
            dst,
            src,
            ..
        } => (operand(src), bit(dst)),
        Insn::Alu { dst, src, .. } => (bit(dst) | operand(src), bit(dst)),
        Insn::MovSx { dst, src, .. } | Insn::AddrSpaceCast { dst, src, .. } => (bit(src), bit(dst)),
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => (bit(dst), bit(dst)),
        Insn::LoadImm64 { dst, .. } => (0, bit(dst)),
        Insn::Load { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => (bit(base), bit(dst)),
        Insn::Store { base, src, .. } => (bit(base) | operand(src), 0),
        Insn::StoreRelease { base, src, .. } => (bit(base) | bit(src), 0),
        Insn::Atomic { op, base, src, .. } => match op {
            AtomicOp::CmpXchg => (bit(base) | bit(src) | bit(Reg::R0), bit(Reg::R0)),
            _ => (bit(base) | bit(src), 0),
        },
        // R6 is the socket buffer.
        Insn::LegacyLoad { index, .. } => (index.map_or(0, bit) | bit(Reg::R6), ARGUMENTS | bit(Reg::R0)),
        Insn::JumpIf { dst, src, .. } => (bit(dst) | operand(src), 0),
        Insn::Call(call) => {
            let count = match call {
                // All, also those that it does not take: a global function's are checked all the same.
                Call::Subprog { .. } => 5,
                Call::Helper(_) | Call::Kfunc { .. } => arguments(&call).min(5),
            };
            let used = ((1_u16 << count) - 1) << 1;
            (used, ARGUMENTS | bit(Reg::R0))
        }
        Insn::Exit => (bit(Reg::R0), 0),
        Insn::LoadImm64Hi | Insn::Jump { .. } | Insn::MayGoto { .. } => (0, 0),
    }
}

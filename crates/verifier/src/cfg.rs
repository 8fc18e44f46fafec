//! The shape of a program: functions, jump targets, reachability, and where states are compared.
//!
//! Follows `add_subprog_and_kfunc`, `check_subprogs`, `check_cfg` and `check_max_stack_depth` in Linux 6.12's
//! `kernel/bpf/verifier.c`.

use isa::{Call, DecodeReason, Insn, Size, Width};

use crate::options::Limits;
use crate::reason::Reason;

/// A broken rule and the slot it is about.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) slot: Option<usize>,
    pub(crate) reason: Reason,
}

fn broken<T>(slot: usize, reason: Reason) -> Result<T, Broken> {
    let slot = Some(slot);
    Err(Broken { slot, reason })
}

/// What is known of the program's shape.
#[derive(Debug)]
pub(crate) struct Shape {
    /// First slots of the functions, in order, and the program's length at the end.
    pub(crate) starts: Vec<u32>,
    /// By slot: states are compared before it (`is_prune_point`).
    pub(crate) compare: Vec<bool>,
    /// By slot: function it belongs to.
    pub(crate) subprog_of: Vec<u32>,
}

impl Shape {
    /// Check the program's shape.
    pub(crate) fn of(insns: &[Insn], limits: &Limits) -> Result<Self, Broken> {
        if insns.is_empty() {
            let reason = Reason::EmptyProgram;
            return Err(Broken { slot: None, reason });
        }
        if insns.len() > limits.program_slots_max {
            let (slots, max) = (insns.len(), limits.program_slots_max);
            let reason = Reason::TooLong { slots, max };
            return Err(Broken { slot: None, reason });
        }
        for (slot, insn) in insns.iter().enumerate() {
            check_encodable(slot, insn, insns)?;
        }
        let starts = starts(insns, limits)?;
        let subprog_of = subprog_of(&starts, insns.len());
        let mut shape = Self {
            starts,
            compare: vec![false; insns.len()],
            subprog_of,
        };
        shape.check_jumps(insns)?;
        shape.check_reachable(insns)?;
        Ok(shape)
    }

    /// Function that starts at a slot.
    pub(crate) fn subprog_at(&self, slot: usize) -> Option<u32> {
        let index = self.starts[..self.count()].binary_search(&(slot as u32)).ok()?;
        Some(index as u32)
    }

    /// Number of functions.
    pub(crate) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Slots of a function.
    pub(crate) fn slots(&self, subprog: u32) -> std::ops::Range<usize> {
        self.starts[subprog as usize] as usize..self.starts[subprog as usize + 1] as usize
    }

    /// Jumps stay in their function, and no function can be left at its end.
    fn check_jumps(&self, insns: &[Insn]) -> Result<(), Broken> {
        for (slot, insn) in insns.iter().enumerate() {
            let own = self.slots(self.subprog_of[slot]);
            if let Some(target) = insn.jump_target(slot) {
                match usize::try_from(target).ok().filter(|target| own.contains(target)) {
                    None => return broken(slot, Reason::JumpOutOfRange { target }),
                    Some(target) if insns[target] == Insn::LoadImm64Hi => {
                        return broken(slot, Reason::JumpIntoImmediate { target });
                    }
                    Some(_) => {}
                }
            }
            if slot + 1 == own.end && !matches!(insn, Insn::Exit | Insn::Jump { .. }) {
                return broken(slot, Reason::FallsThrough);
            }
        }
        Ok(())
    }

    /// Everything is reachable, calls followed; marks where to compare.
    fn check_reachable(&mut self, insns: &[Insn]) -> Result<(), Broken> {
        let mut seen = vec![false; insns.len()];
        let mut pending = vec![0];
        while let Some(slot) = pending.pop() {
            if std::mem::replace(&mut seen[slot], true) {
                continue;
            }
            let insn = &insns[slot];
            if let Some(target) = insn.jump_target(slot) {
                let target = target as usize;
                self.compare[target] = true;
                // As Linux: a conditional jump is itself such a point, so that loops are seen.
                self.compare[slot] |= !matches!(insn, Insn::Jump { .. });
                pending.push(target);
            }
            if let Some(target) = insn.subprog_target(slot) {
                self.compare[slot] = true;
                pending.push(target as usize);
            }
            if matches!(insn, Insn::Call(_)) {
                self.compare[slot + 1] = true;
            }
            if !matches!(insn, Insn::Exit | Insn::Jump { .. }) {
                pending.push(slot + insn.slots());
            }
        }
        let dead = insns
            .iter()
            .zip(&seen)
            .position(|(insn, seen)| !seen && *insn != Insn::LoadImm64Hi);
        match dead {
            Some(slot) => broken(slot, Reason::Unreachable),
            None => Ok(()),
        }
    }
}

/// What `isa::decode` never gives, but a caller could write down.
fn check_encodable(slot: usize, insn: &Insn, insns: &[Insn]) -> Result<(), Broken> {
    let opens = |insn: &Insn| matches!(insn, Insn::LoadImm64 { .. });
    let paired = match insn {
        Insn::LoadImm64 { .. } => insns.get(slot + 1) == Some(&Insn::LoadImm64Hi),
        Insn::LoadImm64Hi => slot > 0 && opens(&insns[slot - 1]),
        _ => true,
    };
    if !paired {
        return broken(slot, Reason::Undecodable(DecodeReason::TruncatedLoadImm64));
    }
    match *insn {
        Insn::MovSx { from: Size::DW, .. } => {
            broken(slot, Reason::Undecodable(DecodeReason::BadMoveOffset { off: 64 }))
        }
        Insn::MovSx {
            from: Size::W,
            width: Width::W32,
            ..
        } => broken(slot, Reason::Undecodable(DecodeReason::BadMoveOffset { off: 32 })),
        Insn::Atomic {
            size: size @ (Size::B | Size::H),
            ..
        } => broken(slot, Reason::Undecodable(DecodeReason::BadAtomic { imm: 0, size })),
        _ => Ok(()),
    }
}

/// First slots of all functions and the end (`add_subprog_and_kfunc`).
fn starts(insns: &[Insn], limits: &Limits) -> Result<Vec<u32>, Broken> {
    let mut starts = vec![0];
    for (slot, insn) in insns.iter().enumerate() {
        let Some(target) = insn.subprog_target(slot) else {
            continue;
        };
        let Some(at) = usize::try_from(target).ok().filter(|&at| at < insns.len()) else {
            return broken(slot, Reason::CallOutOfRange { target });
        };
        if insns[at] == Insn::LoadImm64Hi {
            return broken(slot, Reason::JumpIntoImmediate { target: at });
        }
        starts.push(at as u32);
    }
    starts.sort_unstable();
    starts.dedup();
    if starts.len() > limits.subprogs_max {
        let max = limits.subprogs_max;
        let reason = Reason::TooManySubprogs { max };
        return Err(Broken { slot: None, reason });
    }
    starts.push(insns.len() as u32);
    Ok(starts)
}

fn subprog_of(starts: &[u32], slots: usize) -> Vec<u32> {
    let mut out = Vec::with_capacity(slots);
    for (index, pair) in starts.windows(2).enumerate() {
        out.resize(pair[1] as usize, index as u32);
    }
    out
}

/// Subprograms that a slot's instruction calls.
pub(crate) fn callee(insn: &Insn, slot: usize) -> Option<usize> {
    match insn {
        Insn::Call(Call::Subprog { .. }) => insn
            .subprog_target(slot)
            .and_then(|target| usize::try_from(target).ok()),
        _ => None,
    }
}

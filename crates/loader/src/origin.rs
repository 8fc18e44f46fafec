//! Where the value in a register comes from, as far as moves, spills and loads from the context tell: a search backwards over all ways that lead to an
//! instruction. For messages only; what is not certain is not said.

use isa::{AluOp, Call, Insn, Reg, Size, Src, Width};
use std::collections::HashSet;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The program's context.
    Context,
    /// The context's slot of this index: an argument of the operation.
    Argument(usize),
}

/// A program to be asked about.
pub(crate) struct Origins<'a> {
    insns: &'a [Insn],
    /// By slot: the slots from which it is reached.
    before: Vec<Vec<usize>>,
}

/// A place that holds a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Reg(Reg),
    /// Eight bytes of the stack at this offset from R10.
    Stack(i16),
}

/// What an instruction does to a place.
enum Effect {
    /// Nothing.
    Keeps,
    /// It copies another place into it.
    Copies(Place),
    /// It loads eight bytes through a register.
    Loads(Reg, i16),
    /// Something else.
    Changes,
}

/// A value is traced through the context at most once, so two searches in each other are the deepest.
const DEPTH_MAX: u32 = 2;

impl<'a> Origins<'a> {
    pub(crate) fn new(insns: &'a [Insn]) -> Self {
        let mut before = vec![Vec::new(); insns.len()];
        for (slot, insn) in insns.iter().enumerate() {
            let next = (!matches!(insn, Insn::Exit | Insn::Jump { .. })).then(|| slot + insn.slots());
            let target = insn.jump_target(slot).and_then(|target| usize::try_from(target).ok());
            for to in [next, target].into_iter().flatten() {
                if let Some(list) = before.get_mut(to).filter(|_| *insn != Insn::LoadImm64Hi) {
                    list.push(slot);
                }
            }
        }
        Self { insns, before }
    }

    /// What `reg` holds when a path comes to `slot`; `None` if that differs or is not known.
    pub(crate) fn of(&self, slot: usize, reg: Reg) -> Option<Origin> {
        self.trace(slot, Place::Reg(reg), DEPTH_MAX)
    }

    fn trace(&self, slot: usize, place: Place, depth: u32) -> Option<Origin> {
        let depth = depth.checked_sub(1)?;
        let mut found = None;
        let mut seen = HashSet::new();
        let mut pending = vec![(slot, place)];
        while let Some((slot, place)) = pending.pop() {
            if !seen.insert((slot, place)) {
                continue;
            }
            if slot == 0 {
                // Only the program's start; other functions begin where no slot is known to lead.
                let origin = (place == Place::Reg(Reg::R1)).then_some(Origin::Context)?;
                agree(&mut found, origin)?;
            } else if self.before[slot].is_empty() {
                return None;
            }
            for &from in &self.before[slot] {
                match effect(&self.insns[from], place) {
                    Effect::Keeps => pending.push((from, place)),
                    Effect::Copies(source) => pending.push((from, source)),
                    Effect::Loads(base, off) => {
                        let through = self.trace(from, Place::Reg(base), depth)?;
                        let index = usize::try_from(off).ok().filter(|off| off % 8 == 0)? / 8;
                        let origin = (through == Origin::Context).then_some(Origin::Argument(index))?;
                        agree(&mut found, origin)?;
                    }
                    Effect::Changes => return None,
                }
            }
        }
        found
    }
}

fn agree(found: &mut Option<Origin>, origin: Origin) -> Option<()> {
    (*found.get_or_insert(origin) == origin).then_some(())
}

fn effect(insn: &Insn, place: Place) -> Effect {
    match (place, insn) {
        (Place::Reg(reg), _) => effect_on(insn, reg),
        (
            Place::Stack(at),
            Insn::Store {
                size,
                base: Reg::FP,
                off,
                src,
            },
        ) => match src {
            Src::Reg(src) if *size == Size::DW && *off == at => Effect::Copies(Place::Reg(*src)),
            _ if (at - 7..at + 8).contains(off) => Effect::Changes,
            _ => Effect::Keeps,
        },
        (Place::Stack(_), _) => Effect::Keeps,
    }
}

fn effect_on(insn: &Insn, reg: Reg) -> Effect {
    match *insn {
        Insn::Alu {
            width: Width::W64,
            op: AluOp::Mov,
            dst,
            src: Src::Reg(src),
        } if dst == reg => Effect::Copies(Place::Reg(src)),
        Insn::Load {
            size: Size::DW,
            sx: false,
            dst,
            base,
            off,
        } if dst == reg => match base {
            Reg::FP => Effect::Copies(Place::Stack(off)),
            base => Effect::Loads(base, off),
        },
        Insn::Alu { dst, .. }
        | Insn::MovSx { dst, .. }
        | Insn::Neg { dst, .. }
        | Insn::Endian { dst, .. }
        | Insn::LoadImm64 { dst, .. }
        | Insn::Load { dst, .. }
        | Insn::LoadAcquire { dst, .. }
        | Insn::AddrSpaceCast { dst, .. }
            if dst == reg =>
        {
            Effect::Changes
        }
        Insn::Atomic { src, .. } if src == reg || reg == Reg::R0 => Effect::Changes,
        Insn::Call(Call::Helper(_) | Call::Kfunc { .. } | Call::Subprog { .. }) | Insn::LegacyLoad { .. }
            if reg.number() <= 5 =>
        {
            Effect::Changes
        }
        _ => Effect::Keeps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str, slot: usize, reg: Reg) -> Option<Origin> {
        let insns = isa::asm::assemble(text).unwrap();
        Origins::new(&insns).of(slot, reg)
    }

    #[test]
    fn arguments_are_found() {
        let argument = Some(Origin::Argument(1));
        assert_eq!(
            origin("r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +0)\nexit", 1, Reg::R2),
            argument
        );
        let moved = "r6 = r1\nr7 = *(u64 *)(r6 +8)\n*(u64 *)(r10 -8) = r7\ncall 5\nr3 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r3 +0)\nexit";
        assert_eq!(origin(moved, 5, Reg::R3), argument);
        let branch =
            "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r1 +0)\nif r3 == 0 goto +1\nr3 = 0\nr0 = *(u32 *)(r2 +0)\nexit";
        assert_eq!(origin(branch, 4, Reg::R2), argument);
        assert_eq!(origin("r0 = *(u32 *)(r1 +0)\nexit", 0, Reg::R1), Some(Origin::Context));
    }

    #[test]
    fn what_is_not_certain_is_not_said() {
        for (text, slot, reg) in [
            ("r2 = *(u64 *)(r1 +8)\nr2 += 1\nr0 = *(u32 *)(r2 +0)\nexit", 2, Reg::R2),
            ("r2 = *(u64 *)(r1 +8)\ncall 5\nr0 = *(u32 *)(r2 +0)\nexit", 2, Reg::R2),
            (
                "r2 = *(u64 *)(r1 +8)\nif r2 == 0 goto +1\nr2 = *(u64 *)(r1 +16)\nr0 = *(u32 *)(r2 +0)\nexit",
                3,
                Reg::R2,
            ),
            (
                "r2 = *(u64 *)(r1 +8)\nr2 = *(u64 *)(r2 +8)\nr0 = *(u32 *)(r2 +0)\nexit",
                2,
                Reg::R2,
            ),
            (
                "call f\nexit\nf: r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +0)\nexit",
                3,
                Reg::R2,
            ),
        ] {
            assert_eq!(origin(text, slot, reg), None, "{text}");
        }
    }
}

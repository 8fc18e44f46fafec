//! States kept for comparison, and when one covers another: `is_state_visited`, `states_equal`, `regsafe` and
//! `stacksafe` of Linux 6.12's `kernel/bpf/verifier.c`.
//!
//! A path may end at a kept state that *covers* it: everything that could happen from the path's state could
//! also happen from the kept one, and all of that was followed and found safe. Only kept states whose paths
//! all have ended are used so. A kept state that is not finished and is the same as the current one is a loop
//! that changes nothing.

use crate::provenance::{Node, Provenance};
use crate::stack::{Byte, Slot};
use crate::state::{Frame, State};
use crate::value::{Kind, Null, Reference, Value};

/// Place of a kept state in [`States`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StateIndex(u32);

/// A kept state.
#[derive(Debug)]
struct Kept {
    state: State,
    /// Paths from here that were not followed to their end.
    open: u32,
    hits: u32,
    misses: u32,
}

/// All kept states of one function's verification.
#[derive(Debug)]
pub(crate) struct States {
    kept: Vec<Kept>,
    /// By slot: those that are compared with there.
    at: Vec<Vec<StateIndex>>,
}

/// What the comparison at a slot found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// A finished state covers the path: it ends here.
    Covered,
    /// The path has been here in the same state.
    Loop,
    /// The path goes on.
    New,
}

/// Whether the current state is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    No,
    /// Unless the path is in a loop that makes progress.
    UnlessLooping,
    Yes,
}

/// What is live at a point: for each frame, registers and stack slots as bits.
pub(crate) type Live = [(u16, u64)];

impl States {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            kept: Vec::new(),
            at: vec![Vec::new(); slots],
        }
    }

    /// Whether anything is kept at a slot.
    pub(crate) fn any_at(&self, slot: usize) -> bool {
        !self.at[slot].is_empty()
    }

    /// Compare the current state with those kept at this slot.
    pub(crate) fn visit(
        &mut self,
        slot: usize,
        current: &State,
        live: &Live,
        graph: &mut Provenance,
        keep: &mut Keep,
    ) -> Visit {
        let mut outcome = Visit::New;
        let mut list = std::mem::take(&mut self.at[slot]);
        let mut index = list.len();
        // The newest first: it is the likeliest to be alike.
        while let Some(next) = index.checked_sub(1) {
            index = next;
            let kept = &mut self.kept[list[index].0 as usize];
            if kept.open > 0 {
                if same(&kept.state, current) {
                    outcome = Visit::Loop;
                    break;
                }
                if *keep == Keep::UnlessLooping {
                    *keep = Keep::No;
                }
            } else if (Comparison { graph, ids: Vec::new() }).covers(&kept.state, current, live) {
                kept.hits += 1;
                carry_marks(&kept.state, current, live, graph);
                outcome = Visit::Covered;
                break;
            }
            kept.misses += u32::from(*keep != Keep::No);
            if kept.misses > kept.hits * 3 + 3 {
                // It is not worth the time of comparing.
                kept.state.frames = Vec::new();
                list.remove(index);
            }
        }
        self.at[slot] = list;
        outcome
    }

    /// Keep the current state, from which the current path goes on.
    pub(crate) fn keep(&mut self, slot: usize, current: &mut State) {
        let index = StateIndex(self.kept.len() as u32);
        self.kept.push(Kept {
            state: current.clone(),
            open: 1,
            hits: 0,
            misses: 0,
        });
        self.at[slot].push(index);
        current.parent = Some(index);
    }

    /// Another path goes on from where this one does.
    pub(crate) fn fork(&mut self, from: &State) {
        if let Some(parent) = from.parent {
            self.kept[parent.0 as usize].open += 1;
        }
    }

    /// A path has ended (`update_branch_counts`).
    pub(crate) fn end(&mut self, path: &State) {
        let mut next = path.parent;
        while let Some(index) = next {
            let kept = &mut self.kept[index.0 as usize];
            kept.open -= 1;
            if kept.open > 0 {
                break;
            }
            next = kept.state.parent;
        }
    }
}

/// Whether two states are the same but for the numbers' provenance.
fn same(old: &State, current: &State) -> bool {
    let same_value = |old: &Value, current: &Value| {
        old.kind == current.kind && old.scalar == current.scalar && old.off == current.off
    };
    let same_slot =
        |(old, current): (&Slot, &Slot)| old.bytes == current.bytes && same_value(&old.value, &current.value);
    let same_frame = |(old, current): (&Frame, &Frame)| {
        old.callsite == current.callsite
            && old
                .regs
                .iter()
                .zip(&current.regs)
                .all(|(old, current)| same_value(old, current))
            && old.stack.slots().len() == current.stack.slots().len()
            && old.stack.slots().iter().zip(current.stack.slots()).all(same_slot)
    };
    old.frames.len() == current.frames.len()
        && old.references == current.references
        && old.frames.iter().zip(&current.frames).rev().all(same_frame)
}

/// The checks that depend on numbers of the old state depend on the current path's numbers too
/// (`propagate_precision`).
fn carry_marks(old: &State, current: &State, live: &Live, graph: &mut Provenance) {
    for ((old, current), &(regs, slots)) in old.frames.iter().zip(&current.frames).zip(live) {
        for (reg, (old, current)) in old.regs.iter().zip(&current.regs).enumerate() {
            if regs & 1 << reg != 0 {
                carry_mark(old, current, graph);
            }
        }
        for (index, (old, current)) in old.stack.slots().iter().zip(current.stack.slots()).enumerate() {
            if slots & 1 << index != 0 && old.has_spill() && current.has_spill() {
                carry_mark(&old.value, &current.value, graph);
            }
        }
    }
}

fn carry_mark(old: &Value, current: &Value, graph: &mut Provenance) {
    if old.is_number() && current.is_number() && graph.is_marked(old.node) {
        graph.mark(current.node);
    }
}

/// One comparison of two states.
struct Comparison<'a> {
    graph: &'a Provenance,
    /// Pairs of identities, old and current, that were found to stand for each other.
    ids: Vec<(Id, Id)>,
}

/// An identity in a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// Numbers that are equal.
    Equal(Node),
    /// Pointers that are null together.
    Null(u32),
    /// Pointers that hold the same reference.
    Reference(u32),
}

impl Comparison<'_> {
    /// Whether the old state covers the current one.
    fn covers(&mut self, old: &State, current: &State, live: &Live) -> bool {
        old.frames.len() == current.frames.len()
            && old.references.len() == current.references.len()
            && old
                .frames
                .iter()
                .zip(&current.frames)
                .all(|(old, current)| old.callsite == current.callsite)
            && old
                .references
                .iter()
                .zip(&current.references)
                .all(|(old, current)| self.reference(old.0, current.0))
            && (0..old.frames.len()).all(|at| self.frame(&old.frames[at], &current.frames[at], live[at]))
    }

    fn frame(&mut self, old: &Frame, current: &Frame, (regs, slots): (u16, u64)) -> bool {
        let mut bits = regs & 0x3ff;
        while bits != 0 {
            let reg = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if !self.value(&old.regs[reg], &current.regs[reg]) {
                return false;
            }
        }
        let current = current.stack.slots();
        for (index, slot) in old.stack.slots().iter().enumerate() {
            if slots & 1 << index != 0 && !self.slot(slot, current.get(index)) {
                return false;
            }
        }
        true
    }

    /// `regsafe`.
    fn value(&mut self, old: &Value, current: &Value) -> bool {
        match (old.kind, current.kind) {
            // Whoever would read it was refused.
            (Kind::Uninit, _) => true,
            (Kind::Number, Kind::Number) => self.number(old, current),
            (Kind::MapValue { map, null }, Kind::MapValue { map: map2, null: null2 }) => {
                map == map2 && self.range_of_pointer(old, current) && self.null(null, null2)
            }
            (
                Kind::Mem { size, null },
                Kind::Mem {
                    size: size2,
                    null: null2,
                },
            ) => size == size2 && self.range_of_pointer(old, current) && self.null(null, null2),
            (
                Kind::Struct {
                    ty,
                    trust,
                    null,
                    reference,
                },
                Kind::Struct {
                    ty: ty2,
                    trust: trust2,
                    null: null2,
                    reference: reference2,
                },
            ) => {
                ty == ty2
                    && trust == trust2
                    && exact_offset(old, current)
                    && self.null(null, null2)
                    && self.reference(reference, reference2)
            }
            (kind, kind2) => kind == kind2 && exact_offset(old, current),
        }
    }

    fn number(&mut self, old: &Value, current: &Value) -> bool {
        if !self.graph.is_marked(old.node) {
            return true;
        }
        if !old.scalar.contains(&current.scalar) {
            return false;
        }
        if (old.off, old.narrow) != (current.off, current.narrow) && old.scalar.known().is_none() {
            return false;
        }
        // What is told of one of several equal numbers was used for the others. A constant learns nothing more.
        old.scalar.known().is_some() || old.node == Node::NONE || self.equal_numbers(old.node, current.node)
    }

    /// Numbers that are equal in the old state must be equal in the current one; not the other way round.
    fn equal_numbers(&mut self, old: Node, current: Node) -> bool {
        let (old, current) = (Id::Equal(old), Id::Equal(current));
        match self.ids.iter().find(|pair| pair.0 == old) {
            Some(pair) => pair.1 == current && current != Id::Equal(Node::NONE),
            None => {
                self.ids.push((old, current));
                true
            }
        }
    }

    fn range_of_pointer(&self, old: &Value, current: &Value) -> bool {
        old.off == current.off && old.scalar.contains(&current.scalar)
    }

    fn null(&mut self, old: Null, current: Null) -> bool {
        match (old, current) {
            (Null::Never, Null::Never) => true,
            (Null::Maybe(old), Null::Maybe(current)) => self.one_to_one(Id::Null(old), Id::Null(current)),
            (Null::Never, Null::Maybe(_)) | (Null::Maybe(_), Null::Never) => false,
        }
    }

    fn reference(&mut self, old: Reference, current: Reference) -> bool {
        if old == Reference::NONE || current == Reference::NONE {
            return old == current;
        }
        self.one_to_one(Id::Reference(old.0), Id::Reference(current.0))
    }

    /// `check_ids`.
    fn one_to_one(&mut self, old: Id, current: Id) -> bool {
        match self.ids.iter().find(|pair| pair.0 == old || pair.1 == current) {
            Some(pair) => *pair == (old, current),
            None => {
                self.ids.push((old, current));
                true
            }
        }
    }

    /// `stacksafe`.
    fn slot(&mut self, old: &Slot, current: Option<&Slot>) -> bool {
        let pointer = current.is_some_and(|slot| slot.has_spill() && slot.value.is_pointer());
        if pointer && !old.has_spill() {
            // Where unknown bytes are read, a part of a pointer must not be. (Linux does not look at this.)
            return false;
        }
        // Reading what was never written gives an unknown number, so unknown bytes cover all other bytes.
        if old.all_misc() {
            return true;
        }
        let Some(current) = current else {
            return old.whole_number() && self.number(&old.value, &UNKNOWN);
        };
        if old.whole_number() && current.all_misc() {
            return self.number(&old.value, &UNKNOWN);
        }
        let covered = |(old, current): (&Byte, &Byte)| matches!(old, Byte::Misc | Byte::Invalid) || old == current;
        old.bytes.iter().zip(&current.bytes).all(covered)
            && (!old.has_spill() || self.value(&old.value, &current.value))
    }
}

fn exact_offset(old: &Value, current: &Value) -> bool {
    old.off == current.off && old.scalar == current.scalar
}

/// What is read from bytes of which nothing is known.
const UNKNOWN: Value = Value {
    kind: Kind::Number,
    scalar: crate::bounds::Scalar::UNKNOWN,
    off: 0,
    node: Node::NONE,
    narrow: false,
};

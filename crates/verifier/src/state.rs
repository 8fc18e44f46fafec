//! What is known at one point of one path: the active frames, the references held, and where the path came from.
//!
//! `struct bpf_verifier_state` and `struct bpf_func_state` of Linux 6.12's `include/linux/bpf_verifier.h`.

use isa::Reg;

use crate::alu;
use crate::provenance::Node;
use crate::stack::Stack;
use crate::states::StateIndex;
use crate::trail::Trail;
use crate::value::{Kind, Null, Reference, Value};

/// A point of a path.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The active functions, the entry first. Never empty.
    pub(crate) frames: Vec<Frame>,
    /// References that must be given back, and the slots that acquired them.
    pub(crate) references: Vec<(Reference, u32)>,
    /// The kept state that this path was last copied from.
    pub(crate) parent: Option<StateIndex>,
    /// Branches taken so far.
    pub(crate) trail: Trail,
}

/// One active function.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// R0 to R10.
    pub(crate) regs: [Value; 11],
    /// Its stack.
    pub(crate) stack: Stack,
    /// Slot of the call; `None` for the entry.
    pub(crate) callsite: Option<u32>,
    /// Index of the function.
    pub(crate) subprog: u32,
}

/// Numbers that a comparison tells of (`LINKED_REGS_MAX`).
const LINKED_MAX: u32 = 6;

impl Frame {
    /// A function about to start: only R10 is readable.
    pub(crate) fn new(index: usize, subprog: u32, callsite: Option<u32>) -> Self {
        let mut regs = [Value::UNINIT; 11];
        // There are at most MAX_CALL_FRAMES frames.
        regs[Reg::FP.index()] = Value::pointer(Kind::Stack { frame: index as u8 });
        Self {
            regs,
            stack: Stack::default(),
            callsite,
            subprog,
        }
    }
}

impl State {
    /// The start of a function on its own.
    pub(crate) fn new(subprog: u32) -> Self {
        Self {
            frames: vec![Frame::new(0, subprog, None)],
            references: Vec::new(),
            parent: None,
            trail: Trail::START,
        }
    }

    /// The active function.
    pub(crate) fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    /// The active function.
    pub(crate) fn frame_mut(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// A register of the active function.
    pub(crate) fn reg(&self, reg: Reg) -> &Value {
        &self.frame().regs[reg.index()]
    }

    /// Set a register of the active function.
    pub(crate) fn set(&mut self, reg: Reg, value: Value) {
        self.frame_mut().regs[reg.index()] = value;
    }

    /// R1 to R5 of the active function are gone.
    pub(crate) fn forget_arguments(&mut self) {
        self.frame_mut().regs[1..=5].fill(Value::UNINIT);
    }

    /// As [`values`](Self::values).
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.frames.iter_mut().rev().flat_map(|frame| {
            let spills = frame.stack.slots_mut().iter_mut().filter(|slot| slot.has_spill());
            frame.regs[..10].iter_mut().chain(spills.map(|slot| &mut slot.value))
        })
    }

    /// Every value in registers and spills of all frames, the active function first.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.frames.iter().rev().flat_map(|frame| {
            let spills = frame.stack.slots().iter().filter(|slot| slot.has_spill());
            frame.regs[..10].iter().chain(spills.map(|slot| &slot.value))
        })
    }

    /// Of the numbers that are linked to these, only the first few stay linked (`collect_linked_regs`).
    pub(crate) fn limit_links(&mut self, nodes: [Node; 2]) {
        let mut left = LINKED_MAX;
        let same = nodes[0] == nodes[1];
        for node in nodes
            .into_iter()
            .skip(usize::from(same))
            .filter(|node| *node != Node::NONE)
        {
            for value in self
                .values_mut()
                .filter(|value| value.is_number() && value.node == node)
            {
                match left {
                    0 => value.renew(Node::NONE),
                    _ => left -= 1,
                }
            }
        }
    }

    /// What a comparison told of a number holds for all that are equal to it, and with their distance for those that
    /// were made from it (`sync_linked_regs`). `node` is what they had in common before.
    pub(crate) fn set_linked(&mut self, node: Node, known: Value) {
        if node == Node::NONE || known.node == Node::NONE {
            return;
        }
        for value in self.values_mut() {
            if !value.is_number() || value.node != node && value.node != known.node {
                continue;
            }
            value.node = known.node;
            if (value.off, value.narrow) == (known.off, known.narrow) {
                *value = known;
                continue;
            }
            let before = value.scalar;
            value.scalar = alu::moved(known.scalar, i64::from(value.off) - i64::from(known.off));
            if value.narrow || known.narrow {
                // Which of the two Linux takes depends on its version.
                value.scalar.zero_extend32();
                value.scalar.sync();
                value.scalar.settle();
                value.scalar = value.scalar.join(&before);
            }
        }
    }

    /// All pointers with this number were found to be null or not (`mark_ptr_or_null_regs`).
    pub(crate) fn decide_null(&mut self, number: u32, is_null: bool, zero: Value) {
        for value in self.values_mut() {
            if value.null() == Null::Maybe(number) {
                if is_null {
                    *value = zero;
                } else {
                    value.set_not_null();
                }
            }
        }
    }

    /// Nothing can be done any more with pointers that hold this reference (`release_reference`).
    pub(crate) fn forget_reference(&mut self, reference: Reference) {
        self.references.retain(|held| held.0 != reference);
        for value in self.values_mut() {
            if value.reference() == reference {
                *value = Value::UNINIT;
            }
        }
    }
}

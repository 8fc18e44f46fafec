//! What is known at one point of one path: the active frames, the references held, and where the path came from.
//!
//! `struct bpf_verifier_state` and `struct bpf_func_state` of Linux 6.12's `include/linux/bpf_verifier.h`.

use isa::Reg;

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

impl Frame {
    /// A function about to start: only R10 is readable.
    pub(crate) fn new(index: usize, subprog: u32, callsite: Option<u32>) -> Self {
        let mut regs = [Value::UNINIT; 11];
        // There are at most CALL_FRAMES_MAX frames.
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

    /// Every value in registers and spills of all frames.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.frames.iter_mut().flat_map(|frame| {
            let spills = frame.stack.slots_mut().iter_mut().filter(|slot| slot.has_spill());
            frame.regs[..10].iter_mut().chain(spills.map(|slot| &mut slot.value))
        })
    }

    /// What a comparison told of one number holds for all that are equal to it (`sync_linked_regs`).
    pub(crate) fn set_equal_numbers(&mut self, node: Node, to: Value) {
        if node == Node::NONE {
            return;
        }
        for value in self.values_mut() {
            if value.is_number() && value.node == node {
                *value = to;
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

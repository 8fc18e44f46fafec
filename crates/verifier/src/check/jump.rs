//! Conditional jumps: which ways are possible, and what each tells.
//!
//! Follows `check_cond_jmp_op`, `is_branch_taken` and `mark_ptr_or_null_regs` of Linux 6.12's
//! `kernel/bpf/verifier.c`. The way that falls through is followed first, the other kept for later.

use isa::{JmpOp, Reg, Src, Width};

use crate::bounds::Scalar;
use crate::branch;
use crate::engine::{Checked, Next, Verifier};
use crate::failure::Internal;
use crate::provenance::Node;
use crate::state::State;
use crate::value::{Kind, Null, Value};

impl Verifier<'_> {
    pub(crate) fn jump_if(&mut self, width: Width, op: JmpOp, dst: Reg, src: Src) -> Checked<Next> {
        let left = self.read(dst)?;
        let right = self.operand(src)?;
        let slot = self.slot;
        let (through, target) = (slot + 1, self.target()?);
        if let Some(taken) = outcome(op, width, &left, &right) {
            for side in [&left, &right] {
                if side.is_number() {
                    self.graph.mark(side.node);
                }
            }
            return Ok(Next::Slot(if taken { target } else { through }));
        }
        let (here, there) = self.both_ways(width, op, &left, &right, src);
        let null_test = width == Width::W64 && src == Src::Imm(0) && matches!(op, JmpOp::Eq | JmpOp::Ne);
        let zeros = [self.fresh(Scalar::constant(0)), self.fresh(Scalar::constant(0))];
        let trail = self.state.trail;
        let trails = [
            self.trails.step(trail, slot as u32, false),
            self.trails.step(trail, slot as u32, true),
        ];

        let other = self.fork(target)?;
        other.trail = trails[1];
        learn(other, dst, src, &left, &right, there);
        learn(&mut self.state, dst, src, &left, &right, here);
        self.state.trail = trails[0];
        if let (true, Null::Maybe(number)) = (null_test, left.null()) {
            let equal_is_taken = op == JmpOp::Eq;
            self.state.decide_null(number, !equal_is_taken, zeros[0]);
            self.forked().decide_null(number, equal_is_taken, zeros[1]);
            if let Kind::Struct { reference, .. } = left.kind {
                // Null holds no reference.
                let null_state = if equal_is_taken { self.forked() } else { &mut self.state };
                null_state.references.retain(|held| held.0 != reference);
            }
        } else if let Src::Reg(src) = src {
            self.equal_pointers(width, op, (dst, &left), (src, &right));
        }
        Ok(Next::Slot(through))
    }

    fn target(&self) -> Checked<usize> {
        let target = self.program.insns[self.slot].jump_target(self.slot);
        let missing = Internal::Missing {
            what: "jump target",
            index: self.slot,
        };
        Ok(target.and_then(|target| usize::try_from(target).ok()).ok_or(missing)?)
    }

    /// The state that was forked last.
    fn forked(&mut self) -> &mut State {
        let last = self.pending.len() - 1;
        &mut self.pending[last].state
    }

    /// Both sides where the comparison is false, and where it is true.
    fn both_ways(
        &mut self,
        width: Width,
        op: JmpOp,
        left: &Value,
        right: &Value,
        src: Src,
    ) -> ([Value; 2], [Value; 2]) {
        if !left.is_number() || !right.is_number() {
            return ([*left, *right], [*left, *right]);
        }
        // What a comparison of two registers tells of each depends on both.
        let nodes = match src {
            Src::Reg(_) if left.node == right.node => [self.graph.made_from(left.node, Node::NONE); 2],
            Src::Reg(_) => [
                self.graph.made_from(left.node, right.node),
                self.graph.made_from(right.node, left.node),
            ],
            Src::Imm(_) => [left.node, Node::NONE],
        };
        let way = |holds| {
            let mut sides = [*left, *right];
            let [l, r] = &mut sides;
            branch::refine(op, holds, width, &mut l.scalar, &mut r.scalar);
            (l.node, r.node) = (nodes[0], nodes[1]);
            sides
        };
        (way(false), way(true))
    }

    /// A pointer equal to one that is not null is not null either.
    fn equal_pointers(&mut self, width: Width, op: JmpOp, (dst, left): (Reg, &Value), (src, right): (Reg, &Value)) {
        let plain = |value: &Value| value.is_pointer() && !matches!(value.kind, Kind::Struct { .. });
        if width != Width::W64 || !plain(left) || !plain(right) {
            return;
        }
        let equal = match op {
            JmpOp::Eq => self.forked(),
            JmpOp::Ne => &mut self.state,
            _ => return,
        };
        let regs = &mut equal.frame_mut().regs;
        if left.is_not_null() && right.may_be_null() {
            regs[src.index()].set_not_null();
        }
        if right.is_not_null() && left.may_be_null() {
            regs[dst.index()].set_not_null();
        }
    }
}

/// Put what a comparison told into a state, in the order of Linux: both registers, then what is linked to the source,
/// then what is linked to the destination.
fn learn(state: &mut State, dst: Reg, src: Src, left: &Value, right: &Value, [mut new_left, new_right]: [Value; 2]) {
    state.limit_links([right.node, left.node]);
    match src {
        Src::Reg(src) if src != dst => {
            put(state, dst, new_left);
            put(state, src, new_right);
            spread(state, src, right.node);
        }
        Src::Reg(_) if left.is_number() => {
            // Linux narrows the one register from both sides, and forgets its ranges if they cross.
            new_left.scalar.unbound();
            put(state, dst, new_left);
        }
        Src::Reg(_) => {}
        Src::Imm(_) => put(state, dst, new_left),
    }
    spread(state, dst, left.node);
}

/// Set a number; one that is not linked any more stays so.
fn put(state: &mut State, reg: Reg, mut value: Value) {
    if !value.is_number() {
        return;
    }
    if state.reg(reg).node == Node::NONE {
        value.renew(Node::NONE);
    }
    state.set(reg, value);
}

/// What is known of a register now holds for all that had its node before.
fn spread(state: &mut State, reg: Reg, node: Node) {
    let known = *state.reg(reg);
    if known.is_number() {
        state.set_linked(node, known);
    }
}

/// Whether a comparison has a certain outcome (`is_branch_taken`).
fn outcome(op: JmpOp, width: Width, left: &Value, right: &Value) -> Option<bool> {
    if left.is_number() && right.is_number() {
        return branch::outcome(op, width, &left.scalar, &right.scalar);
    }
    let (pointer, number) = if right.is_number() {
        (left, right)
    } else {
        (right, left)
    };
    if width == Width::W32 || !number.is_null() || !pointer.is_not_null() {
        return None;
    }
    match op {
        JmpOp::Eq => Some(false),
        JmpOp::Ne => Some(true),
        _ => None,
    }
}

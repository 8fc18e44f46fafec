//! Accesses to the stack, by instructions and by calls.
//!
//! Follows `check_stack_access_within_bounds`, `check_stack_read`, `check_stack_write` and
//! `check_stack_range_initialized` of Linux 6.12's `kernel/bpf/verifier.c`; the slots are in
//! [`stack`](crate::stack).

use crate::alu;
use crate::engine::{Checked, Verifier};
use crate::provenance::Node;
use crate::reason::{Reason, ValueKind};
use crate::stack::slot_mask;
use crate::value::{Kind, OFFSET_MAX, Value};

use super::arguments::MemUse;
use super::memory::{Access, Use};

/// Where an access to the stack can be.
struct Place {
    /// Lowest byte.
    min: i32,
    /// Byte after the highest.
    end: i32,
    /// It is at `min` for certain.
    fixed: bool,
}

impl Verifier<'_> {
    /// An instruction's access to the stack of frame `frame`.
    pub(crate) fn access_stack(&mut self, access: &Access, frame: u8) -> Checked<Value> {
        let place = self.stack_place(access, frame)?;
        if !place.fixed {
            self.keep_pointers_whole(access, frame, &place)?;
        }
        let size = access.size as usize;
        let stack = &mut self.state.frames[usize::from(frame)].stack;
        match access.usage {
            Use::Write(value) if place.fixed => {
                self.write_stack(frame, place.min, access.size, value)?;
                Ok(value)
            }
            Use::Write(value) => {
                if stack.store_somewhere(place.min..place.end, value.is_null()) {
                    self.graph.mark(value.node);
                }
                Ok(value)
            }
            Use::Read { sx } => {
                let loaded = if place.fixed {
                    stack.load(place.min, size, sx, &mut self.graph)
                } else {
                    stack.load_somewhere(place.min..place.end, &mut self.graph)
                };
                let value = loaded.map_err(|_cut| cut_pointer(&place, access.size))?;
                self.stack_read(frame, &place);
                let read = self.as_read(access, value);
                let fits = value.is_number() && value.scalar.width() <= access.size * 8;
                if sx && fits && value.scalar.known().is_none() && read.node != value.node {
                    return Ok(self.unequal_copy(&value, read));
                }
                Ok(read)
            }
            Use::Atomic => {
                let loaded = if place.fixed {
                    stack.load(place.min, size, false, &mut self.graph)
                } else {
                    stack.load_somewhere(place.min..place.end, &mut self.graph)
                };
                let old = loaded.map_err(|_cut| cut_pointer(&place, access.size))?;
                stack.clobber(place.min..place.end);
                self.stack_read(frame, &place);
                Ok(self.as_read(access, old))
            }
        }
    }

    /// A number that was read with its sign extended and so may differ from what was spilled. Linux 6.18 takes the two
    /// for equal all the same: what it later knows of the one may be what it knew of the other. Nobody is to know more.
    fn unequal_copy(&mut self, spilled: &Value, mut read: Value) -> Value {
        let extended = read.scalar;
        if spilled.node != Node::NONE {
            for value in self
                .state
                .values_mut()
                .filter(|value| value.is_number() && value.node == spilled.node)
            {
                let at = i64::from(value.off) - i64::from(spilled.off);
                value.scalar = value.scalar.join(&alu::moved(extended, at));
            }
        }
        read.scalar = extended.join(&spilled.scalar);
        read
    }

    /// Where the offset is not known, no pointer may be stored and none may be hit. Linux is stricter about known offsets
    /// than about others here; whether it knows this one must not matter.
    fn keep_pointers_whole(&self, access: &Access, frame: u8, place: &Place) -> Checked {
        let stored = matches!(access.usage, Use::Write(value) if value.is_pointer());
        let mask = slot_mask(place.min, place.end - place.min);
        let slots = self.state.frames[usize::from(frame)].stack.slots().iter().enumerate();
        let mut touched = slots.filter(|(index, _)| mask & 1 << index != 0);
        if stored || touched.any(|(_, slot)| slot.has_spill() && slot.value.is_pointer()) {
            return Err(cut_pointer(place, access.size).into());
        }
        Ok(())
    }

    /// Bounds of an access; makes sure that there are slots for it.
    fn stack_place(&mut self, access: &Access, frame: u8) -> Checked<Place> {
        let (size, bounds) = (access.size, access.bounds());
        let scalar = &access.base.scalar;
        let fixed = access.constant();
        let (min, max) = match fixed {
            Some(offset) => (offset, offset),
            None if scalar.smax >= OFFSET_MAX || scalar.smin <= -OFFSET_MAX => {
                return Err(Reason::StackUnbounded { bounds, size }.into());
            }
            None => (bounds.signed_min, bounds.signed_max),
        };
        let limit = -i64::from(crate::MAX_BPF_STACK);
        let end = max.checked_add(size.into()).filter(|&end| end <= 0);
        let Some(end) = end.filter(|_| (limit..0).contains(&min)) else {
            return Err(match fixed {
                Some(offset) => Reason::StackOutOfBounds { offset, size },
                None => Reason::StackUnbounded { bounds, size },
            }
            .into());
        };
        let place = Place {
            min: min as i32,
            end: end as i32,
            fixed: fixed.is_some(),
        };
        let owner = &mut self.state.frames[usize::from(frame)];
        owner.stack.grow(place.min);
        self.functions.uses_stack(owner.subprog, place.min);
        Ok(place)
    }

    /// These bytes' slots are read: they are live before.
    fn stack_read(&mut self, frame: u8, place: &Place) {
        let mask = slot_mask(place.min, place.end - place.min);
        let frame = usize::from(frame);
        let callsite = self.state.frames.get(frame + 1).and_then(|callee| callee.callsite);
        let slot = callsite.map_or(self.slot, |call| call as usize);
        self.liveness.record_reads(slot, self.state.frames[frame].subprog, mask);
    }

    /// Store at a known place (`check_stack_write_fixed_off`).
    fn write_stack(&mut self, frame: u8, offset: i32, size: u32, value: Value) -> Checked {
        let current = self.state.frames.len() - 1 == usize::from(frame);
        if value.is_pointer() {
            if size != 8 {
                return Err(Reason::CorruptedPointer { offset, size }.into());
            }
            if matches!(value.kind, Kind::Stack { .. }) && !current {
                let (kind, into) = (ValueKind::Stack, ValueKind::Stack);
                return Err(Reason::PointerStored { kind, into }.into());
            }
        }
        let stack = &mut self.state.frames[usize::from(frame)].stack;
        if value.is_pointer() {
            stack.spill(offset, 8, value);
        } else if offset % 8 == 0 {
            let mut spilled = value;
            if value.scalar.width() > size * 8 {
                // Only a part of the number is there: it is not equal to it.
                spilled.renew(self.graph.made_from(value.node, Node::NONE));
            }
            stack.spill(offset, size as usize, spilled);
        } else {
            let zero = value.is_null();
            if zero {
                self.graph.mark(value.node);
            }
            stack.store_bytes(offset, size as usize, zero);
        }
        Ok(())
    }

    /// A call reads or writes this memory on the stack (`check_stack_range_initialized`).
    pub(crate) fn call_uses_stack(&mut self, access: &Access, frame: u8, usage: &MemUse) -> Checked {
        let place = self.stack_place(access, frame)?;
        if usage.reads || !place.fixed {
            self.stack_read(frame, &place);
        }
        if usage.writes {
            self.state.frames[usize::from(frame)]
                .stack
                .clobber(place.min..place.end);
        }
        Ok(())
    }
}

fn cut_pointer(place: &Place, size: u32) -> Reason {
    let offset = place.min;
    Reason::CorruptedPointer { offset, size }
}

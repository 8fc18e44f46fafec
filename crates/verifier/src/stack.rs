//! The stack of one frame: eight-byte slots, each with a kind per byte and perhaps a spilled value.
//!
//! Follows `check_stack_write_fixed_off`, `check_stack_write_var_off`, `check_stack_read_fixed_off` and
//! `check_stack_range_initialized` in Linux 6.12's `kernel/bpf/verifier.c`, for a privileged program: bytes that
//! were never written may be read, as unknown numbers. Bounds are checked before anything here is called.

use crate::bounds::Scalar;
use crate::options::MAX_BPF_STACK;
use crate::provenance::{Node, Provenance};
use crate::value::Value;

/// Bytes of a slot.
pub(crate) const SLOT_BYTES: i32 = 8;

/// Slots of a frame.
pub(crate) const SLOTS_MAX: usize = MAX_BPF_STACK as usize / SLOT_BYTES as usize;

/// What one byte of the stack holds (`enum bpf_stack_slot_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Byte {
    /// Never written.
    Invalid,
    /// Part of the slot's spilled value.
    Spill,
    /// Anything.
    Misc,
    /// Zero.
    Zero,
}

/// Eight bytes of stack. The bytes are in order of their address; a spilled value begins at the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) bytes: [Byte; 8],
    /// The spilled value; [`Value::UNINIT`] if there is none.
    pub(crate) value: Value,
}

impl Slot {
    const EMPTY: Self = Self {
        bytes: [Byte::Invalid; 8],
        value: Value::UNINIT,
    };

    /// Whether some value is spilled here (`is_spilled_reg`).
    pub(crate) fn has_spill(&self) -> bool {
        self.bytes[0] == Byte::Spill
    }

    /// Bytes of the spilled value.
    fn spill_bytes(&self) -> usize {
        self.bytes.iter().take_while(|&&byte| byte == Byte::Spill).count()
    }

    /// All bytes belong to a spilled number (`is_spilled_scalar_reg64`).
    pub(crate) fn whole_number(&self) -> bool {
        self.spill_bytes() == 8 && self.value.is_number()
    }

    /// Nothing is known of any byte (`is_stack_all_misc`).
    pub(crate) fn all_misc(&self) -> bool {
        self.bytes.iter().all(|byte| matches!(byte, Byte::Misc | Byte::Invalid))
    }

    /// The spilled value is gone; its bytes are unknown.
    fn scrub(&mut self) {
        for byte in &mut self.bytes {
            if *byte == Byte::Spill {
                *byte = Byte::Misc;
            }
        }
        self.value = Value::UNINIT;
    }
}

/// The stack of a frame. Slot 0 is at offset -8.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Stack {
    slots: Vec<Slot>,
}

/// Why a value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutPointer;

/// Slot of a byte offset, and the byte in it.
fn place(offset: i32) -> (usize, usize) {
    let index = (-offset - 1) / SLOT_BYTES;
    (index as usize, (offset + (index + 1) * SLOT_BYTES) as usize)
}

/// Bit set of the slots that `size` bytes at `offset` touch.
pub(crate) fn slot_mask(offset: i32, size: i32) -> u64 {
    if size <= 0 {
        return 0;
    }
    let (low, high) = (place(offset + size - 1).0, place(offset).0);
    (low..=high).fold(0, |mask: u64, slot| mask | 1 << slot)
}

impl Stack {
    /// The slots in use.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The slots in use.
    pub(crate) fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    /// Make sure there is a slot for this offset (`grow_stack_state`).
    pub(crate) fn grow(&mut self, offset: i32) {
        let needed = place(offset).0 + 1;
        if needed > self.slots.len() {
            self.slots.resize(needed.min(SLOTS_MAX), Slot::EMPTY);
        }
    }

    /// Spill a value at an offset that is a multiple of 8, as `size` bytes.
    pub(crate) fn spill(&mut self, offset: i32, size: usize, value: Value) {
        let slot = &mut self.slots[place(offset).0];
        slot.value = value;
        slot.bytes[..size].fill(Byte::Spill);
        for byte in &mut slot.bytes[size..] {
            // What is left of an older spill is unknown (mark_stack_slot_misc).
            if matches!(byte, Byte::Spill) {
                *byte = Byte::Misc;
            }
        }
    }

    /// Store bytes of which only is known whether they are zero.
    pub(crate) fn store_bytes(&mut self, offset: i32, size: usize, zero: bool) {
        let (index, first) = place(offset);
        let slot = &mut self.slots[index];
        slot.scrub();
        slot.bytes[first..first + size].fill(if zero { Byte::Zero } else { Byte::Misc });
    }

    /// Store somewhere in `offsets`: each byte keeps what it is known for only if the store cannot change that.
    /// Tells whether the zero was needed.
    pub(crate) fn store_somewhere(&mut self, offsets: std::ops::Range<i32>, zero: bool) -> bool {
        let mut zero_used = false;
        for offset in offsets {
            let (index, byte) = place(offset);
            let slot = &mut self.slots[index];
            if zero && slot.bytes[byte] == Byte::Spill && slot.value.is_null() {
                zero_used = true;
                continue;
            }
            slot.scrub();
            let kept = zero && slot.bytes[byte] == Byte::Zero;
            zero_used |= kept;
            slot.bytes[byte] = if kept { Byte::Zero } else { Byte::Misc };
        }
        zero_used
    }

    /// Read `size` bytes at a known offset, zero-extended; with `sx` the caller is to extend the sign, and a spilled
    /// number comes as it is.
    pub(crate) fn load(&self, offset: i32, size: usize, sx: bool, graph: &mut Provenance) -> Result<Value, CutPointer> {
        let (index, first) = place(offset);
        let slot = &self.slots[index];
        let bytes = &slot.bytes[first..first + size];
        if !slot.has_spill() {
            return Ok(bytes_value(bytes, graph));
        }
        let spilled = slot.spill_bytes();
        if size == 8 && spilled == 8 {
            return Ok(slot.value);
        }
        if !slot.value.is_number() {
            return Err(CutPointer);
        }
        let from = slot.value;
        if first == 0 && size <= spilled {
            let mut value = from;
            if value.scalar.width() > size as u32 * 8 {
                value.renew(graph.made_from(from.node, Node::NONE));
                if !sx {
                    value.scalar.truncate(size as u32);
                }
            }
            return Ok(value);
        }
        if bytes.iter().all(|&byte| byte == Byte::Spill) && from.is_null() {
            let node = graph.made_from(from.node, Node::NONE);
            return Ok(Value::number(Scalar::constant(0), node));
        }
        Ok(bytes_value(bytes, graph))
    }

    /// Read somewhere in `offsets`: zero if all bytes are, else unknown. A saved pointer must not be among them, for
    /// a part of it could be read. (Linux refuses that only where the offset is known.)
    pub(crate) fn load_somewhere(
        &self,
        offsets: std::ops::Range<i32>,
        graph: &mut Provenance,
    ) -> Result<Value, CutPointer> {
        let mut zero = true;
        for offset in offsets {
            let (index, byte) = place(offset);
            let slot = &self.slots[index];
            if slot.has_spill() && slot.value.is_pointer() {
                return Err(CutPointer);
            }
            zero &= slot.bytes[byte] == Byte::Zero;
        }
        let scalar = if zero { Scalar::constant(0) } else { Scalar::UNKNOWN };
        Ok(Value::number(scalar, graph.fresh()))
    }

    /// Something outside the program may have written these bytes.
    pub(crate) fn clobber(&mut self, offsets: std::ops::Range<i32>) {
        for offset in offsets {
            let (index, byte) = place(offset);
            self.slots[index].scrub();
            self.slots[index].bytes[byte] = Byte::Misc;
        }
    }
}

fn bytes_value(bytes: &[Byte], graph: &mut Provenance) -> Value {
    let zero = bytes.iter().all(|&byte| byte == Byte::Zero);
    let scalar = if zero { Scalar::constant(0) } else { Scalar::UNKNOWN };
    Value::number(scalar, graph.fresh())
}

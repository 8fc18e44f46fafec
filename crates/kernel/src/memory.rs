//! Memory of map values: what programs get addresses of. Beside the helpers and `struct_ops/call.rs` the only file here with `unsafe`.
//!
//! Values are made of atomic words, which may be written through their address while others copy them. Nothing here is freed
//! before the map is, so that an address that a program still holds never dangles; that is the role of RCU in Linux. How much there is, is an object's
//! wish: everything is counted first ([`Account`]), and an allocation that fails is `ENOMEM`, because an abort in the middle of a program would take the
//! process with it.

use crate::budget::Account;
use bpf::Errno;
use std::alloc::{Layout, alloc_zeroed};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Zeroed words at a fixed place.
#[derive(Debug)]
pub(crate) struct Memory {
    words: Box<[AtomicU64]>,
}

const WORD: usize = 8;

/// What the allocator and our own lists spend on each value and on each key, about.
pub(crate) const OVERHEAD_BYTES: u64 = 64;

impl Memory {
    /// At least `bytes` bytes; none when the system gives none. Large ones are zero pages of the system until they are written.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let words = zeroed(bytes.div_ceil(WORD))?;
        Some(Self { words })
    }

    /// The address of a byte, for programs.
    pub(crate) fn address(&self, offset: usize) -> u64 {
        let start = self.words.as_ptr().expose_provenance();
        (start + offset) as u64
    }

    /// Copies out; `offset` is a multiple of 8. Bytes beyond the end stay as they are.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) {
        for (word, chunk) in self.words.iter().skip(offset / WORD).zip(into.chunks_mut(WORD)) {
            let bytes = word.load(Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    /// Copies in; `offset` is a multiple of 8. The rest of the last word becomes zero: values do not share words.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) {
        for (word, chunk) in self.words.iter().skip(offset / WORD).zip(from.chunks(WORD)) {
            let mut bytes = [0; WORD];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
    }
}

/// A slice of zeros. The standard library has none yet that may fail, and one that fills word by word would touch every page.
fn zeroed(words: usize) -> Option<Box<[AtomicU64]>> {
    if words == 0 {
        return Some(Box::default());
    }
    let layout = Layout::array::<AtomicU64>(words).ok()?;
    // SAFETY: the layout is not empty: there is a word, and a word has a size.
    let start = unsafe { alloc_zeroed(layout) }.cast::<AtomicU64>();
    if start.is_null() {
        return None;
    }
    // SAFETY: the global allocator gave this very layout, which is what the box gives back; zero is a value of an atomic word; nobody else has the
    // address.
    Some(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(start, words)) })
}

/// A copy of bytes whose number is not ours to choose.
///
/// # Errors
/// `ENOMEM`.
pub(crate) fn copy(bytes: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| Errno::ENOMEM)?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// So many zeros.
///
/// # Errors
/// `ENOMEM`.
pub(crate) fn zeros(len: usize) -> Result<Vec<u8>, Errno> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(len).map_err(|_| Errno::ENOMEM)?;
    zeros.resize(len, 0);
    Ok(zeros)
}

/// Whether the process has room for some small allocations. Collections of the standard library that cannot fail softly (`BTreeMap`) are changed right
/// after it.
pub(crate) fn has_small_room() -> bool {
    const NODES: usize = 16 << 10;
    let mut probe: Vec<u8> = Vec::new();
    let fits = probe.try_reserve_exact(NODES).is_ok();
    // A probe that nobody looks at would be optimised away.
    std::hint::black_box(&mut probe);
    fits
}

/// Values of one size that come and go. A value that was given back is used again for the next one, as in Linux's preallocated hash: an
/// address from before shows the new one's bytes.
#[derive(Debug)]
pub(crate) struct Pool {
    value_bytes: usize,
    values: Vec<Memory>,
    free: Vec<Slot>,
}

/// A value in a [`Pool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl Pool {
    pub(crate) fn new(value_bytes: usize) -> Self {
        Self {
            value_bytes,
            values: Vec::new(),
            free: Vec::new(),
        }
    }

    /// A value with these bytes.
    ///
    /// # Errors
    /// `ENOMEM` when there is no memory for it.
    pub(crate) fn take(&mut self, bytes: &[u8], account: &Account) -> Result<Slot, Errno> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let cost = self.value_bytes as u64 + OVERHEAD_BYTES;
                account.take(cost)?;
                let value = self.grow().ok_or_else(|| account.host_refuses(cost))?;
                self.values.push(value);
                Slot(self.values.len() - 1)
            }
        };
        self.values[slot.0].write(0, bytes);
        Ok(slot)
    }

    /// A new value, and room in both lists for it.
    fn grow(&mut self) -> Option<Memory> {
        self.values.try_reserve(1).ok()?;
        // Giving back must not fail.
        let missing = (self.values.len() + 1).saturating_sub(self.free.len());
        self.free.try_reserve(missing).ok()?;
        Memory::new(self.value_bytes)
    }

    /// Gives a value back.
    pub(crate) fn give_back(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    /// Copies a value out.
    pub(crate) fn read(&self, slot: Slot, into: &mut [u8]) {
        self.values[slot.0].read(0, into);
    }

    /// Where a value is, for programs.
    pub(crate) fn address(&self, slot: Slot) -> u64 {
        self.values[slot.0].address(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use std::sync::Arc;

    #[test]
    fn odd_sizes() {
        let memory = Memory::new(13).unwrap();
        memory.write(0, &[1; 13]);
        let mut bytes = [9; 13];
        memory.read(0, &mut bytes);
        assert_eq!(bytes, [1; 13]);
        memory.write(8, &[2; 3]);
        memory.read(8, &mut bytes[8..]);
        assert_eq!(bytes[8..], [2, 2, 2, 0, 0]);
        assert!(Memory::new(usize::MAX).is_none());
        assert_eq!(Memory::new(0).unwrap().words.len(), 0);
    }

    #[test]
    fn a_value_keeps_its_address_and_is_used_again() {
        let budget = Arc::new(Budget::new(10_000));
        let account = Account::new(&budget, "map");
        let mut pool = Pool::new(4);
        let first = pool.take(&[1; 4], &account).unwrap();
        let address = pool.address(first);
        for _ in 0..100 {
            pool.take(&[2; 4], &account).unwrap();
        }
        assert_eq!(budget.state().used_bytes, 101 * (4 + OVERHEAD_BYTES));
        assert_eq!(pool.address(first), address);
        pool.give_back(first);
        let again = pool.take(&[3; 4], &account).unwrap();
        let mut bytes = [0; 4];
        pool.read(again, &mut bytes);
        assert_eq!((pool.address(again), bytes), (address, [3; 4]));
        assert_eq!(
            budget.state().used_bytes,
            101 * (4 + OVERHEAD_BYTES),
            "nothing new was made"
        );
    }
}

//! Memory of map values: what programs get addresses of.
//!
//! Values are made of atomic words, which may be written through their address while others copy them. Nothing here is freed
//! before the map is, so that an address that a program still holds never dangles; that is the role of RCU in Linux.

use std::sync::atomic::{AtomicU64, Ordering};

/// Zeroed words at a fixed place.
#[derive(Debug)]
pub(crate) struct Memory {
    words: Box<[AtomicU64]>,
}

const WORD: usize = 8;

/// Most bytes of one map's values; more is `ENOMEM`.
pub(crate) const BYTES_MAX: u64 = 256 << 20;

impl Memory {
    /// At least `bytes` bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let words = (0..bytes.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect();
        Self { words }
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

/// Values of one size that come and go. A value that was given back is used again for the next one, as in Linux's preallocated hash: an
/// address from before shows the new one's bytes.
#[derive(Debug)]
pub(crate) struct Pool {
    value_bytes: usize,
    values: Vec<Memory>,
    free: Vec<Slot>,
    /// Values that may be made.
    values_max: usize,
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
            values_max: (BYTES_MAX / (value_bytes as u64).max(1)) as usize,
        }
    }

    /// A value with these bytes; none when there is no memory for it.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Slot> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.values.len() >= self.values_max => return None,
            None => {
                self.values.push(Memory::new(self.value_bytes));
                Slot(self.values.len() - 1)
            }
        };
        self.write(slot, bytes);
        Some(slot)
    }

    /// Gives a value back.
    pub(crate) fn give_back(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    pub(crate) fn write(&self, slot: Slot, bytes: &[u8]) {
        self.values[slot.0].write(0, bytes);
    }

    pub(crate) fn read(&self, slot: Slot) -> Vec<u8> {
        let mut bytes = vec![0; self.value_bytes];
        self.values[slot.0].read(0, &mut bytes);
        bytes
    }

    /// Where a value is, for programs.
    pub(crate) fn address(&self, slot: Slot) -> u64 {
        self.values[slot.0].address(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes() {
        let memory = Memory::new(13);
        memory.write(0, &[1; 13]);
        let mut bytes = [9; 13];
        memory.read(0, &mut bytes);
        assert_eq!(bytes, [1; 13]);
        memory.write(8, &[2; 3]);
        memory.read(8, &mut bytes[8..]);
        assert_eq!(bytes[8..], [2, 2, 2, 0, 0]);
    }

    #[test]
    fn a_value_keeps_its_address_and_is_used_again() {
        let mut pool = Pool::new(4);
        let first = pool.take(&[1; 4]).unwrap();
        let address = pool.address(first);
        for _ in 0..100 {
            pool.take(&[2; 4]).unwrap();
        }
        assert_eq!(pool.address(first), address);
        pool.give_back(first);
        let again = pool.take(&[3; 4]).unwrap();
        assert_eq!((pool.address(again), pool.read(again)), (address, vec![3; 4]));
    }
}

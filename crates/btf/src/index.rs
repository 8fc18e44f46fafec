//! An index from names (without CO-RE flavours, so that all flavours of a name are in one chain) to types: a hash table with chains in two vectors, made once and never changed.
//!
//! It holds positions only; the names stay in the string table, so a candidate's name must be compared.

use crate::core::names::essential;

/// Positions of types by the hash of their name.
pub(crate) struct NameIndex {
    /// Head of each chain: position + 1, or 0.
    heads: Vec<u32>,
    /// Next in the chain for each position.
    next: Vec<u32>,
}

impl NameIndex {
    /// Indexes names; empty names are left out.
    pub(crate) fn new<'a>(names: impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator) -> Self {
        let mut heads = vec![0; names.len().next_power_of_two().max(1)];
        let mut next = vec![0; names.len()];
        let mask = heads.len() - 1;
        // From the end, so that each chain goes from low to high positions.
        for (position, name) in names.enumerate().rev() {
            if !name.is_empty() {
                let head = &mut heads[hash(essential(name)) as usize & mask];
                next[position] = *head;
                *head = position as u32 + 1;
            }
        }
        Self { heads, next }
    }

    /// Positions whose name may be this one, ascending.
    pub(crate) fn candidates(&self, name: &str) -> impl Iterator<Item = u32> + '_ {
        let head = if name.is_empty() {
            0
        } else {
            self.heads[hash(essential(name)) as usize & (self.heads.len() - 1)]
        };
        let link = |entry: u32| (entry != 0).then_some(entry);
        std::iter::successors(link(head), move |&entry| link(self.next[entry as usize - 1])).map(|entry| entry - 1)
    }
}

/// Multiply and mix, eight bytes at a time.
fn hash(name: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = name.len() as u64;
    let mut mix = |word: u64| {
        state = (state ^ word).wrapping_mul(FACTOR);
        state ^= state >> 29;
    };
    let mut chunks = name.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        mix(chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    mix(chunks
        .remainder()
        .iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte)));
    state
}

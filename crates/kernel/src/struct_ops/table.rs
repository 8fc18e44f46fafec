//! [`Table`]: the memory of a table of operations, the kernel's side of an ops map's value (`kvalue.data`).

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// An operations structure with function pointers in it, aligned to 64 bytes. It does not change once a family has seen it.
///
/// Words are pointers, so that function pointers keep what they are.
#[derive(Debug)]
pub struct Table {
    lines: Box<[Line]>,
    len: usize,
}

#[derive(Debug, Default)]
#[repr(C, align(64))]
struct Line([AtomicPtr<c_void>; WORDS]);

const WORDS: usize = 8;
const WORD: usize = 8;

impl Table {
    /// A table with these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let lines = (0..bytes.len().div_ceil(WORDS * WORD))
            .map(|_| Line::default())
            .collect();
        let table = Self {
            lines,
            len: bytes.len(),
        };
        for (index, chunk) in bytes.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            table.put(index * WORD, ptr::without_provenance(usize::from_le_bytes(word)));
        }
        table
    }

    /// Stores a pointer at an offset, a multiple of 8; anywhere else nothing happens.
    pub(crate) fn put(&self, offset: usize, pointer: *const c_void) {
        if let Some(word) = self.word(offset) {
            word.store(pointer.cast_mut(), Ordering::Relaxed);
        }
    }

    fn word(&self, offset: usize) -> Option<&AtomicPtr<c_void>> {
        let index = offset / WORD;
        self.lines.get(index / WORDS).map(|line| &line.0[index % WORDS])
    }

    /// Where it is; identifies it, too. Valid while the table or a [`Module`](crate::Module) of it is held.
    pub fn as_ptr(&self) -> *const u8 {
        self.lines.as_ptr().cast()
    }

    /// Size of the structure in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its bytes, function pointers as numbers.
    pub fn bytes(&self) -> Vec<u8> {
        let words = self.lines.iter().flat_map(|line| &line.0);
        let mut bytes: Vec<u8> = words
            .flat_map(|word| word.load(Ordering::Relaxed).addr().to_le_bytes())
            .collect();
        bytes.truncate(self.len);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_pointers() {
        let bytes: Vec<u8> = (0..192).map(|byte| byte as u8).collect();
        let table = Table::new(&bytes[..189]);
        assert_eq!(table.bytes(), bytes[..189]);
        assert_eq!(table.as_ptr().addr() % 64, 0);
        table.put(64, ptr::without_provenance(0x1122));
        table.put(4096, ptr::without_provenance(1));
        assert_eq!(table.bytes()[64..72], 0x1122u64.to_le_bytes());
        assert_eq!(table.bytes()[72..189], bytes[72..189]);
    }
}

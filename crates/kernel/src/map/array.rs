//! Arrays, one value each index (`kernel/bpf/arraymap.c`, Linux 6.12). Per-CPU arrays have one CPU.

use crate::memory::Memory;
use bpf::{Errno, UpdateFlags};

/// The values of an array.
#[derive(Debug)]
pub(crate) struct Array {
    memory: Memory,
    len: u32,
    /// From one value to the next, bytes.
    stride: usize,
}

impl Array {
    pub(crate) fn new(len: u32, value_size: u32) -> Self {
        let stride = (value_size as usize).next_multiple_of(8);
        Self {
            memory: Memory::new(stride * len as usize),
            len,
            stride,
        }
    }

    /// Bytes that such an array takes.
    pub(crate) fn bytes(len: u32, value_size: u32) -> u64 {
        u64::from(value_size).next_multiple_of(8) * u64::from(len)
    }

    pub(crate) fn lookup(&self, key: &[u8], size: usize) -> Result<Vec<u8>, Errno> {
        let at = self.offset(key).ok_or(Errno::ENOENT)?;
        let mut value = vec![0; size];
        self.memory.read(at, &mut value);
        Ok(value)
    }

    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        check_flags(flags)?;
        let at = self.offset(key).ok_or(Errno::E2BIG)?;
        if flags.contains(UpdateFlags::NOEXIST) {
            return Err(Errno::EEXIST);
        }
        self.memory.write(at, value);
        Ok(())
    }

    pub(crate) fn next_key(&self, after: Option<&[u8]>) -> Option<Vec<u8>> {
        let next = match after.and_then(index) {
            Some(index) if index < self.len => index + 1,
            _ => 0,
        };
        (next < self.len).then(|| next.to_le_bytes().to_vec())
    }

    pub(crate) fn value_address(&self, key: &[u8]) -> u64 {
        self.offset(key).map_or(0, |offset| self.memory.address(offset))
    }

    /// The address of a byte.
    pub(crate) fn address(&self, offset: usize) -> u64 {
        self.memory.address(offset)
    }

    fn offset(&self, key: &[u8]) -> Option<usize> {
        let index = index(key).filter(|index| *index < self.len)?;
        Some(index as usize * self.stride)
    }
}

fn index(key: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*key.first_chunk()?))
}

/// What arrays and hashes say to flags; there is no spin lock in any value, so `BPF_F_LOCK` is never right.
pub(super) fn check_flags(flags: UpdateFlags) -> Result<(), Errno> {
    match flags {
        UpdateFlags::ANY | UpdateFlags::NOEXIST | UpdateFlags::EXIST => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

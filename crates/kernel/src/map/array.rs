//! Arrays, one value each index (`kernel/bpf/arraymap.c`, Linux 6.12). Per-CPU arrays have one CPU.
//!
//! The values are there from the first use on: from the first byte that is written, and at the latest before a program runs that names the array, so that a
//! lookup by a program never lacks memory.

use crate::budget::Account;
use crate::memory::{self, Memory};
use bpf::{Errno, UpdateFlags};
use std::sync::OnceLock;

/// The values of an array.
#[derive(Debug)]
pub(crate) struct Array {
    memory: OnceLock<Memory>,
    account: Account,
    len: u32,
    /// From one value to the next, bytes.
    stride: usize,
}

impl Array {
    /// An array that takes no memory yet.
    ///
    /// # Errors
    /// `ENOMEM` when it could never have its memory.
    pub(crate) fn new(len: u32, value_size: u32, account: Account) -> Result<Self, Errno> {
        let stride = (value_size as usize).next_multiple_of(8);
        account.could_take(stride as u64 * u64::from(len))?;
        Ok(Self {
            memory: OnceLock::new(),
            account,
            len,
            stride,
        })
    }

    /// The values; the first time, they are allocated.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn memory(&self) -> Result<&Memory, Errno> {
        if let Some(memory) = self.memory.get() {
            return Ok(memory);
        }
        let bytes = self.stride as u64 * u64::from(self.len);
        self.account.take(bytes)?;
        let memory = Memory::new(bytes as usize).ok_or_else(|| self.account.host_refuses(bytes))?;
        if self.memory.set(memory).is_err() {
            // Another thread was faster.
            self.account.give_back(bytes);
        }
        self.memory.get().ok_or(Errno::ENOMEM)
    }

    pub(crate) fn lookup(&self, key: &[u8], size: usize) -> Result<Vec<u8>, Errno> {
        let at = self.offset(key).ok_or(Errno::ENOENT)?;
        let mut value = memory::zeros(size)?;
        self.read(at, &mut value);
        Ok(value)
    }

    /// Copies bytes out, from an offset that is a multiple of 8; zeros where nothing was written yet.
    pub(crate) fn read(&self, offset: usize, into: &mut [u8]) {
        match self.memory.get() {
            Some(memory) => memory.read(offset, into),
            None => into.fill(0),
        }
    }

    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        check_flags(flags)?;
        let at = self.offset(key).ok_or(Errno::E2BIG)?;
        if flags.contains(UpdateFlags::NOEXIST) {
            return Err(Errno::EEXIST);
        }
        // Zeros are what an array has that nobody touched: loaders write them to every section of variables without initial values.
        if self.memory.get().is_some() || value.iter().any(|byte| *byte != 0) {
            self.memory()?.write(at, value);
        }
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
        let memory = self.memory.get();
        let place = memory.zip(self.offset(key));
        place.map_or(0, |(memory, offset)| memory.address(offset))
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

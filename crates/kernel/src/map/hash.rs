//! Hashes (`kernel/bpf/hashtab.c`, Linux 6.12), kept in the order of their keys, so that a walk is the same in every run.

use crate::map::array::check_flags;
use crate::memory::{Pool, Slot};
use bpf::{Errno, UpdateFlags};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The elements of a hash.
#[derive(Debug)]
pub(crate) struct Hash {
    inner: Mutex<Inner>,
    max_entries: usize,
}

#[derive(Debug)]
struct Inner {
    elements: BTreeMap<Box<[u8]>, Slot>,
    values: Pool,
}

impl Hash {
    pub(crate) fn new(max_entries: u32, value_size: u32) -> Self {
        let inner = Inner {
            elements: BTreeMap::new(),
            values: Pool::new((value_size as usize).next_multiple_of(8)),
        };
        Self {
            inner: Mutex::new(inner),
            max_entries: max_entries as usize,
        }
    }

    pub(crate) fn lookup(&self, key: &[u8], size: usize) -> Result<Vec<u8>, Errno> {
        let inner = self.lock();
        let slot = inner.elements.get(key).ok_or(Errno::ENOENT)?;
        let mut value = inner.values.read(*slot);
        value.truncate(size);
        Ok(value)
    }

    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        check_flags(flags)?;
        let inner = &mut *self.lock();
        match inner.elements.get(key) {
            Some(_) if flags.contains(UpdateFlags::NOEXIST) => Err(Errno::EEXIST),
            // Whoever holds the old value's address keeps the old value: the new one gets a place of its own.
            Some(&old) => {
                let slot = inner.values.take(value).ok_or(Errno::ENOMEM)?;
                inner.values.give_back(old);
                inner.elements.insert(key.into(), slot);
                Ok(())
            }
            None if flags.contains(UpdateFlags::EXIST) => Err(Errno::ENOENT),
            None if inner.elements.len() >= self.max_entries => Err(Errno::E2BIG),
            None => {
                let slot = inner.values.take(value).ok_or(Errno::ENOMEM)?;
                inner.elements.insert(key.into(), slot);
                Ok(())
            }
        }
    }

    pub(crate) fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        let inner = &mut *self.lock();
        let slot = inner.elements.remove(key).ok_or(Errno::ENOENT)?;
        inner.values.give_back(slot);
        Ok(())
    }

    pub(crate) fn next_key(&self, after: Option<&[u8]>) -> Option<Vec<u8>> {
        let inner = self.lock();
        let from = match after {
            Some(after) if inner.elements.contains_key(after) => Bound::Excluded(after),
            _ => Bound::Unbounded,
        };
        let mut rest = inner.elements.range::<[u8], _>((from, Bound::Unbounded));
        rest.next().map(|(key, _)| key.to_vec())
    }

    pub(crate) fn value_address(&self, key: &[u8]) -> u64 {
        let inner = self.lock();
        let slot = inner.elements.get(key);
        slot.map_or(0, |slot| inner.values.address(*slot))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

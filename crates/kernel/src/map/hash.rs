//! Hashes (`kernel/bpf/hashtab.c`, Linux 6.12), kept in the order of their keys, so that a walk is the same in every run.

use crate::budget::Account;
use crate::map::array::check_flags;
use crate::memory::{self, OVERHEAD_BYTES, Pool, Slot};
use bpf::{Errno, UpdateFlags};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The elements of a hash.
#[derive(Debug)]
pub(crate) struct Hash {
    inner: Mutex<Inner>,
    account: Account,
    max_entries: usize,
}

#[derive(Debug)]
struct Inner {
    elements: BTreeMap<Box<[u8]>, Slot>,
    values: Pool,
}

impl Hash {
    pub(crate) fn new(max_entries: u32, value_size: u32, account: Account) -> Self {
        let inner = Inner {
            elements: BTreeMap::new(),
            values: Pool::new((value_size as usize).next_multiple_of(8)),
        };
        Self {
            inner: Mutex::new(inner),
            account,
            max_entries: max_entries as usize,
        }
    }

    pub(crate) fn lookup(&self, key: &[u8], size: usize) -> Result<Vec<u8>, Errno> {
        let inner = self.lock();
        let slot = inner.elements.get(key).ok_or(Errno::ENOENT)?;
        let mut value = memory::zeros(size)?;
        inner.values.read(*slot, &mut value);
        Ok(value)
    }

    pub(crate) fn update(&self, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno> {
        check_flags(flags)?;
        let inner = &mut *self.lock();
        let full = inner.elements.len() >= self.max_entries;
        match inner.elements.get_mut(key) {
            Some(_) if flags.contains(UpdateFlags::NOEXIST) => Err(Errno::EEXIST),
            // Whoever holds the old value's address keeps the old value: the new one gets a place of its own.
            Some(slot) => {
                let old = *slot;
                *slot = inner.values.take(value, &self.account)?;
                inner.values.give_back(old);
                Ok(())
            }
            None if flags.contains(UpdateFlags::EXIST) => Err(Errno::ENOENT),
            None if full => Err(Errno::E2BIG),
            None => self.insert(inner, key, value),
        }
    }

    fn insert(&self, inner: &mut Inner, key: &[u8], value: &[u8]) -> Result<(), Errno> {
        let cost = key_cost(key);
        self.account.take(cost)?;
        let copy = memory::copy(key).ok().filter(|_| memory::has_small_room());
        let key = copy.ok_or_else(|| self.account.host_refuses(cost))?;
        match inner.values.take(value, &self.account) {
            Ok(slot) => {
                inner.elements.insert(key.into_boxed_slice(), slot);
                Ok(())
            }
            Err(errno) => {
                self.account.give_back(cost);
                Err(errno)
            }
        }
    }

    pub(crate) fn delete(&self, key: &[u8]) -> Result<(), Errno> {
        let inner = &mut *self.lock();
        let slot = inner.elements.remove(key).ok_or(Errno::ENOENT)?;
        inner.values.give_back(slot);
        self.account.give_back(key_cost(key));
        Ok(())
    }

    pub(crate) fn next_key(&self, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno> {
        let inner = self.lock();
        let from = match after {
            Some(after) if inner.elements.contains_key(after) => Bound::Excluded(after),
            _ => Bound::Unbounded,
        };
        let mut rest = inner.elements.range::<[u8], _>((from, Bound::Unbounded));
        rest.next().map(|(key, _)| memory::copy(key)).transpose()
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

/// What a key takes, with its place in the tree.
fn key_cost(key: &[u8]) -> u64 {
    key.len() as u64 + OVERHEAD_BYTES
}

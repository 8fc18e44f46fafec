//! Local storage: one value for each owner, a socket for instance (`kernel/bpf/bpf_local_storage.c`, `net/core/bpf_sk_storage.c`, Linux 6.12).
//!
//! An owner is known by its address alone. Whoever knows when owners end calls [`Storage::owner_ends`] then.

use crate::memory::{Pool, Slot};
use bpf::Errno;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The values of a storage map.
#[derive(Debug)]
pub(crate) struct Storage {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    owners: HashMap<usize, Slot>,
    /// Owners whose end will be told.
    watched: HashSet<usize>,
    values: Pool,
}

impl Storage {
    pub(crate) fn new(value_size: u32) -> Self {
        let inner = Inner {
            owners: HashMap::new(),
            watched: HashSet::new(),
            values: Pool::new((value_size as usize).next_multiple_of(8)),
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// The address of an owner's value.
    pub(crate) fn get(&self, owner: usize) -> Option<u64> {
        let inner = self.lock();
        let slot = inner.owners.get(&owner)?;
        Some(inner.values.address(*slot))
    }

    /// The address of a new value with these bytes and zeros behind them (of the one there is, if another thread was faster), and whether
    /// nobody has promised yet to tell when this owner ends. None when there is no memory for it.
    pub(crate) fn create(&self, owner: usize, value: &[u8]) -> Option<(u64, bool)> {
        let inner = &mut *self.lock();
        let slot = match inner.owners.get(&owner) {
            Some(slot) => *slot,
            None => {
                let slot = inner.values.take(value)?;
                inner.owners.insert(owner, slot);
                slot
            }
        };
        Some((inner.values.address(slot), inner.watched.insert(owner)))
    }

    /// An owner ends, and its value with it.
    pub(crate) fn owner_ends(&self, owner: usize) {
        self.lock().watched.remove(&owner);
        // It may have deleted its value before.
        let _ = self.remove(owner);
    }

    /// Ends an owner's value.
    pub(crate) fn remove(&self, owner: usize) -> Result<(), Errno> {
        let inner = &mut *self.lock();
        let slot = inner.owners.remove(&owner).ok_or(Errno::ENOENT)?;
        inner.values.give_back(slot);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

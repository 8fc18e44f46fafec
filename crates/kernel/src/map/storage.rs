//! Local storage: one value for each owner, a socket for instance (`kernel/bpf/bpf_local_storage.c`, `net/core/bpf_sk_storage.c`, Linux 6.12).
//!
//! An owner is known by its address alone. Whoever knows when owners end calls [`Storage::owner_ends`] then.

use crate::budget::Account;
use crate::memory::{OVERHEAD_BYTES, Pool, Slot};
use bpf::Errno;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The values of a storage map.
#[derive(Debug)]
pub(crate) struct Storage {
    inner: Mutex<Inner>,
    account: Account,
}

#[derive(Debug)]
struct Inner {
    owners: HashMap<usize, Slot>,
    /// Owners whose end will be told.
    watched: HashSet<usize>,
    values: Pool,
}

impl Storage {
    pub(crate) fn new(value_size: u32, account: Account) -> Self {
        let inner = Inner {
            owners: HashMap::new(),
            watched: HashSet::new(),
            values: Pool::new((value_size as usize).next_multiple_of(8)),
        };
        Self {
            inner: Mutex::new(inner),
            account,
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
            None => self.insert(inner, owner, value)?,
        };
        Some((inner.values.address(slot), inner.watched.insert(owner)))
    }

    fn insert(&self, inner: &mut Inner, owner: usize, value: &[u8]) -> Option<Slot> {
        self.account.take(OVERHEAD_BYTES).ok()?;
        let room = inner.owners.try_reserve(1).and_then(|()| inner.watched.try_reserve(1));
        if room.is_err() {
            self.account.host_refuses(OVERHEAD_BYTES);
            return None;
        }
        match inner.values.take(value, &self.account) {
            Ok(slot) => {
                inner.owners.insert(owner, slot);
                Some(slot)
            }
            Err(_) => {
                self.account.give_back(OVERHEAD_BYTES);
                None
            }
        }
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
        self.account.give_back(OVERHEAD_BYTES);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

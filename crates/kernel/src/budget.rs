//! The memory that all maps of one kernel may take together: what an object declares costs nothing, what its maps hold is counted here.
//!
//! An array is counted whole before the first program that may touch it can run, as Linux has it from the start; hashes and storage are counted element by
//! element, keys included. Beyond the budget there is `ENOMEM`, as on a Linux that has no memory left.

use bpf::{Errno, MapMemory, MapRefusal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What all maps of a kernel share.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: u64,
    used_bytes: AtomicU64,
    refused: Mutex<Option<MapRefusal>>,
}

impl Budget {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self {
            limit_bytes,
            used_bytes: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }

    /// What there is, what is taken, and who was refused last.
    pub(crate) fn state(&self) -> MapMemory {
        MapMemory {
            limit_bytes: self.limit_bytes,
            used_bytes: self.used_bytes.load(Ordering::Relaxed),
            refused: self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// What one map has taken; all of it is given back when the map goes.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Arc<Budget>,
    map: String,
    bytes: AtomicU64,
}

impl Account {
    pub(crate) fn new(budget: &Arc<Budget>, map: &str) -> Self {
        Self {
            budget: Arc::clone(budget),
            map: map.to_owned(),
            bytes: AtomicU64::new(0),
        }
    }

    /// Whether so much could be had if no other map had anything.
    pub(crate) fn could_take(&self, bytes: u64) -> Result<(), Errno> {
        if bytes > self.budget.limit_bytes {
            return Err(self.refuse(bytes, false));
        }
        Ok(())
    }

    /// Counts `bytes` more, before they are allocated.
    ///
    /// # Errors
    /// `ENOMEM` when that is more than the budget has.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), Errno> {
        let limit = self.budget.limit_bytes;
        let used = &self.budget.used_bytes;
        let add = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= limit);
        if used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err() {
            return Err(self.refuse(bytes, false));
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Counts `bytes` less.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.budget.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What was counted cannot be allocated: the process has no more memory.
    pub(crate) fn host_refuses(&self, bytes: u64) -> Errno {
        self.give_back(bytes);
        self.refuse(bytes, true)
    }

    fn refuse(&self, bytes: u64, by_host: bool) -> Errno {
        let refusal = MapRefusal {
            map: self.map.clone(),
            bytes,
            by_host,
        };
        *self.budget.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        Errno::ENOMEM
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget
            .used_bytes
            .fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_share_it_and_give_back() {
        let budget = Arc::new(Budget::new(100));
        let first = Account::new(&budget, "first");
        let second = Account::new(&budget, "second");
        assert_eq!(first.take(60), Ok(()));
        assert_eq!(second.take(41), Err(Errno::ENOMEM));
        assert_eq!(second.take(u64::MAX), Err(Errno::ENOMEM), "the sum does not wrap");
        assert_eq!(second.could_take(100), Ok(()));
        assert_eq!(second.take(40), Ok(()));
        second.give_back(10);
        let state = budget.state();
        assert_eq!((state.limit_bytes, state.used_bytes), (100, 90));
        let refused = state.refused.unwrap();
        assert_eq!((refused.map.as_str(), refused.by_host), ("second", false));
        drop(first);
        drop(second);
        assert_eq!(budget.state().used_bytes, 0);
    }
}

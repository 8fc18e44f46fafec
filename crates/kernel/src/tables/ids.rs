//! Ids: numbers of living objects, never used twice. An id does not keep its object alive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Ids of one kind of objects.
#[derive(Debug)]
pub(crate) struct Ids<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    last: u32,
    living: BTreeMap<u32, Weak<T>>,
}

impl<T> Default for Ids<T> {
    fn default() -> Self {
        let inner = Inner {
            last: 0,
            living: BTreeMap::new(),
        };
        Self {
            inner: Mutex::new(inner),
        }
    }
}

impl<T> Ids<T> {
    /// A new id for the object that `make` makes of it.
    pub(crate) fn add<E>(&self, make: impl FnOnce(u32) -> Result<T, E>) -> Result<Arc<T>, E> {
        let id = {
            let mut inner = self.lock();
            inner.last += 1;
            inner.last
        };
        let object = Arc::new(make(id)?);
        let mut inner = self.lock();
        inner.living.retain(|_, object| object.strong_count() != 0);
        inner.living.insert(id, Arc::downgrade(&object));
        Ok(object)
    }

    /// The object of an id.
    pub(crate) fn get(&self, id: u32) -> Option<Arc<T>> {
        self.lock().living.get(&id)?.upgrade()
    }

    /// The lowest living id above another one.
    pub(crate) fn next(&self, after: u32) -> Option<u32> {
        let above = after.checked_add(1)?;
        let inner = self.lock();
        let mut ids = inner.living.range(above..);
        ids.find(|(_, object)| object.strong_count() != 0).map(|(id, _)| *id)
    }

    /// All living objects.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        let inner = self.lock();
        inner.living.values().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ids_end_with_their_objects_and_do_not_come_back() {
        let ids = Ids::default();
        let add = || ids.add(Ok::<u32, ()>).unwrap();
        let (one, two, three) = (add(), add(), add());
        assert_eq!((*one, *two, *three), (1, 2, 3));
        drop(two);
        assert_eq!((ids.next(0), ids.next(1), ids.next(3)), (Some(1), Some(3), None));
        assert_eq!(ids.next(u32::MAX), None);
        assert_eq!((ids.get(1).as_deref(), ids.get(2)), (Some(&1), None));
        assert_eq!(ids.add(|_| Err::<u32, _>("no")), Err("no"));
        assert_eq!(*add(), 5);
    }
}

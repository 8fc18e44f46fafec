//! [`OpsRef`]: a table of operations together with what keeps it in memory.
//!
//! In Linux a socket holds a reference on the module, or on the struct_ops map, that owns its table
//! (`bpf_try_module_get`, include/linux/bpf.h); here it holds an `Arc` of the owner's choice.

use crate::ops::CongestionOps;
use std::any::Any;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A counted reference to a table of operations. Clones are equal when they point to the same table.
#[derive(Clone)]
pub struct OpsRef {
    table: NonNull<CongestionOps>,
    _keep_alive: Option<Arc<dyn Any + Send + Sync>>,
}

// SAFETY: the pointers in a table are Linux's list and owner, which nothing here follows; the rest is plain data.
unsafe impl Send for CongestionOps {}
// SAFETY: as above.
unsafe impl Sync for CongestionOps {}

// SAFETY: the constructors demand that the table is not written while a reference lives and that its functions may be
// called from any thread; the owner is `Send + Sync` by its type.
unsafe impl Send for OpsRef {}
// SAFETY: as above.
unsafe impl Sync for OpsRef {}

impl OpsRef {
    /// A table that lives for ever, such as [`crate::reno::RENO`].
    #[must_use]
    pub fn from_static(table: &'static CongestionOps) -> Self {
        Self {
            table: NonNull::from(table),
            _keep_alive: None,
        }
    }

    /// A table kept alive by `keep_alive`, for instance by the struct_ops map whose bytes it is.
    ///
    /// # Safety
    /// For as long as `keep_alive` lives: `table` points to a valid table, aligned and not written to; its functions follow
    /// their C signatures, may be called on any thread with a socket of this crate as argument, do not unwind, and write to
    /// the socket only through that argument.
    #[must_use]
    pub unsafe fn new(table: NonNull<CongestionOps>, keep_alive: Arc<dyn Any + Send + Sync>) -> Self {
        Self {
            table,
            _keep_alive: Some(keep_alive),
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &CongestionOps {
        // SAFETY: valid and unwritten while `self` lives, as the constructors demand.
        unsafe { self.table.as_ref() }
    }

    /// Its address, which identifies it: two registrations of the same name have different ones.
    #[must_use]
    pub fn as_ptr(&self) -> *const CongestionOps {
        self.table.as_ptr()
    }
}

impl PartialEq for OpsRef {
    fn eq(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

impl Eq for OpsRef {}

impl fmt::Debug for OpsRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpsRef").field(&self.table().name_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_lives_as_long_as_a_reference() {
        let owner = Arc::new(CongestionOps::named("owned"));
        let table = NonNull::from(&*owner);
        // SAFETY: the table is the owner's content and has no functions.
        let reference = unsafe { OpsRef::new(table, owner.clone()) };
        let clone = reference.clone();
        assert_eq!(Arc::strong_count(&owner), 3);
        drop(reference);
        assert_eq!(clone.table().name_str(), "owned");
        drop(clone);
        assert_eq!(Arc::strong_count(&owner), 1);
    }
}

//! Handles: a file descriptor that knows what it stands for and closes itself.

use crate::Errno;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The side of a kernel that owns descriptors: the process's table for Linux, a table in memory for the embedded kernel.
pub trait FdTable: Send + Sync {
    /// Ends the descriptor. Called once for each handle, when it is dropped.
    fn close(&self, fd: i32);

    /// Another descriptor for the same object.
    ///
    /// # Errors
    /// `EMFILE` when the table is full, `EBADF` when the descriptor is not open.
    fn duplicate(&self, fd: i32) -> Result<i32, Errno>;
}

/// A program.
#[derive(Debug)]
pub enum Prog {}
/// A map.
#[derive(Debug)]
pub enum Map {}
/// A link: it holds a registration, which ends with its last reference.
#[derive(Debug)]
pub enum Link {}
/// BTF that was loaded.
#[derive(Debug)]
pub enum BtfObject {}
/// While it is open, the kernel counts runs and run time of all programs.
#[derive(Debug)]
pub enum Stats {}

/// A descriptor of an object of kind `K`. It is closed when dropped; the object lives on while others (pins, programs, sockets) hold it.
pub struct Fd<K> {
    raw: i32,
    table: Arc<dyn FdTable>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Fd<K> {
    /// Takes over a descriptor. For the implementations of [`crate::Bpf`]: `raw` must be open in `table`, of kind `K`, and of no other owner.
    pub fn adopt(raw: i32, table: Arc<dyn FdTable>) -> Self {
        Self {
            raw,
            table,
            kind: PhantomData,
        }
    }

    /// The number, for arguments that carry descriptors inside bytes (instructions, values of ops maps).
    pub fn raw(&self) -> i32 {
        self.raw
    }

    /// A second handle for the same object.
    ///
    /// # Errors
    /// `EMFILE` when no descriptor is free.
    pub fn duplicate(&self) -> Result<Self, Errno> {
        let raw = self.table.duplicate(self.raw)?;
        Ok(Self::adopt(raw, Arc::clone(&self.table)))
    }

    /// Whether this descriptor is a number of that table, so that a kernel can refuse a handle of another one.
    pub fn is_of(&self, table: &Arc<dyn FdTable>) -> bool {
        Arc::ptr_eq(&self.table, table)
    }
}

impl<K> Drop for Fd<K> {
    fn drop(&mut self) {
        self.table.close(self.raw);
    }
}

impl<K> fmt::Debug for Fd<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = std::any::type_name::<K>();
        write!(f, "{}#{}", kind.rsplit("::").next().unwrap_or(kind), self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Table(Mutex<Vec<i32>>);

    impl FdTable for Table {
        fn close(&self, fd: i32) {
            self.0.lock().unwrap().push(fd);
        }
        fn duplicate(&self, fd: i32) -> Result<i32, Errno> {
            Ok(fd + 100)
        }
    }

    #[test]
    fn each_handle_closes_its_own_number_once() {
        let table = Arc::new(Table::default());
        let first: Fd<Map> = Fd::adopt(3, table.clone());
        let second = first.duplicate().unwrap();
        assert_eq!(format!("{first:?} {second:?}"), "Map#3 Map#103");
        assert!(second.is_of(&(table.clone() as Arc<dyn FdTable>)));
        assert!(!second.is_of(&(Arc::new(Table::default()) as Arc<dyn FdTable>)));
        drop(first);
        assert_eq!(*table.0.lock().unwrap(), [3]);
        drop(second);
        assert_eq!(*table.0.lock().unwrap(), [3, 103]);
    }
}

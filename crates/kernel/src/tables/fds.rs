//! Descriptors: small numbers for objects, held until they are closed.

use crate::btf_object::BtfObject;
use crate::env::StatsOn;
use crate::map::Map;
use crate::program::Program;
use crate::struct_ops::OpsLink;
use bpf::{Errno, FdTable};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a descriptor or a pin holds.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Prog(Arc<Program>),
    Map(Arc<Map>),
    Link(Arc<OpsLink>),
    Btf(Arc<BtfObject>),
    Stats(#[expect(dead_code, reason = "it is held, not read")] Arc<StatsOn>),
}

/// An object of the kind that a command wants; `EINVAL` for another.
impl Object {
    pub(crate) fn map(self) -> Result<Arc<Map>, Errno> {
        if let Self::Map(map) = self {
            Ok(map)
        } else {
            Err(Errno::EINVAL)
        }
    }

    pub(crate) fn prog(self) -> Result<Arc<Program>, Errno> {
        if let Self::Prog(prog) = self {
            Ok(prog)
        } else {
            Err(Errno::EINVAL)
        }
    }

    pub(crate) fn link(self) -> Result<Arc<OpsLink>, Errno> {
        if let Self::Link(link) = self {
            Ok(link)
        } else {
            Err(Errno::EINVAL)
        }
    }

    pub(crate) fn btf(self) -> Result<Arc<BtfObject>, Errno> {
        if let Self::Btf(btf) = self {
            Ok(btf)
        } else {
            Err(Errno::EINVAL)
        }
    }
}

/// Open descriptors of one kernel.
#[derive(Debug, Default)]
pub(crate) struct Fds {
    open: Mutex<BTreeMap<i32, Object>>,
}

/// 0 means "none" in many places, and 1 and 2 look like mistakes.
const FIRST: i32 = 3;

/// As many as a process may usually have.
const OPEN_MAX: usize = 1 << 20;

impl Fds {
    /// The lowest free number for an object.
    pub(crate) fn open(&self, object: Object) -> Result<i32, Errno> {
        let mut open = self.lock();
        if open.len() >= OPEN_MAX {
            return Err(Errno::EMFILE);
        }
        let taken = (FIRST..).zip(open.keys()).find(|(number, taken)| number != *taken);
        let number = taken.map_or(FIRST + open.len() as i32, |(number, _)| number);
        open.insert(number, object);
        Ok(number)
    }

    /// What a number stands for.
    pub(crate) fn get(&self, number: i32) -> Result<Object, Errno> {
        self.lock().get(&number).cloned().ok_or(Errno::EBADF)
    }

    /// The map that a number inside of bytes stands for.
    pub(crate) fn map(&self, number: i32) -> Result<Arc<Map>, Errno> {
        self.get(number)?.map()
    }

    /// The program that a number inside of bytes stands for.
    pub(crate) fn prog(&self, number: i32) -> Result<Arc<Program>, Errno> {
        self.get(number)?.prog()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Object>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FdTable for Fds {
    fn close(&self, fd: i32) {
        let object = self.lock().remove(&fd);
        // Only now, without the lock: ending an object can unregister tables and end others.
        drop(object);
    }

    fn duplicate(&self, fd: i32) -> Result<i32, Errno> {
        let object = self.get(fd)?;
        self.open(object)
    }
}

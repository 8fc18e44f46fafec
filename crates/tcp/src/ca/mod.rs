//! The list of congestion control algorithms and the rules for entering it, after net/ipv4/tcp_cong.c (Linux 6.12).
//!
//! Not here: who may choose an algorithm, and module loading. Linux compares hashes of names ("non-unique key"); we
//! compare names, which differs only for two names with the same 32-bit hash.

#[expect(unsafe_code, reason = "a table is a raw pointer with an owner")]
mod ops_ref;

pub use ops_ref::OpsRef;

use crate::consts::TCP_CA_NAME_MAX;
use crate::ops::CongestionOps;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The algorithms that new sockets may choose, and the default. One for each network namespace in Linux's terms.
///
/// ```
/// use tcp::ca::{OpsRef, Registry};
/// let registry = Registry::new();
/// assert_eq!(registry.default_ops().table().name_str(), "reno");
/// let reno = OpsRef::from_static(&tcp::reno::RENO);
/// assert_eq!(registry.register(reno).unwrap_err().errno(), 17); // EEXIST
/// ```
#[derive(Debug)]
pub struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// In the order of registration.
    list: Vec<OpsRef>,
    default: OpsRef,
}

impl Registry {
    /// A list that holds the native reno, which is also the default.
    #[must_use]
    pub fn new() -> Self {
        let reno = OpsRef::from_static(&crate::reno::RENO);
        Self {
            inner: Mutex::new(Inner {
                list: vec![reno.clone()],
                default: reno,
            }),
        }
    }

    /// `tcp_register_congestion_control()`.
    ///
    /// # Errors
    /// A required member is missing or the name is empty or not ended (EINVAL), or the name is taken (EEXIST).
    pub fn register(&self, ops: OpsRef) -> Result<(), CaError> {
        validate(ops.table())?;
        let mut inner = self.lock();
        if inner.find(ops.table().name_bytes()).is_some() {
            return Err(CaError::Exists {
                name: ops.table().name_str().into_owned(),
            });
        }
        inner.list.push(ops);
        Ok(())
    }

    /// `tcp_update_congestion_control()`: `new` takes the place of `old` for sockets that choose from now on.
    ///
    /// # Errors
    /// `new` is not valid, has another name than `old`, or `old` is not the table registered under its name (all EINVAL).
    /// `new` the very table that is registered is refused too (EINVAL): Linux 6.12 and 6.18 corrupt their list then.
    pub fn update(&self, new: OpsRef, old: &OpsRef) -> Result<(), CaError> {
        validate(new.table())?;
        let mut inner = self.lock();
        let name = old.table().name_bytes();
        if new.table().name_bytes() != name {
            return Err(CaError::NameDiffers {
                old: old.table().name_str().into_owned(),
                new: new.table().name_str().into_owned(),
            });
        }
        let Some(at) = inner.position(name) else {
            return Err(CaError::NotTheRegistered {
                name: old.table().name_str().into_owned(),
            });
        };
        if inner.list[at] != *old || new == *old {
            return Err(CaError::NotTheRegistered {
                name: old.table().name_str().into_owned(),
            });
        }
        inner.list.remove(at);
        inner.list.push(new);
        Ok(())
    }

    /// `tcp_unregister_congestion_control()`: new sockets cannot choose it any more; those that use it go on, and a
    /// default keeps it.
    ///
    /// # Errors
    /// This table is not in the list (ENOENT). Linux does not check.
    pub fn unregister(&self, ops: &OpsRef) -> Result<(), CaError> {
        let mut inner = self.lock();
        let Some(at) = inner.list.iter().position(|entry| entry == ops) else {
            return Err(CaError::NotRegistered {
                name: ops.table().name_str().into_owned(),
            });
        };
        inner.list.remove(at);
        Ok(())
    }

    /// `tcp_ca_find()`: the algorithm with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OpsRef> {
        self.lock().find(name.as_bytes()).cloned()
    }

    /// Names in the order of registration, as `net.ipv4.tcp_available_congestion_control` has them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = |inner: &Inner| {
            inner
                .list
                .iter()
                .map(|ops| ops.table().name_str().into_owned())
                .collect()
        };
        names(&self.lock())
    }

    /// `tcp_set_default_congestion_control()`: what new sockets start with.
    ///
    /// # Errors
    /// No algorithm has this name (ENOENT).
    pub fn set_default(&self, name: &str) -> Result<(), CaError> {
        let mut inner = self.lock();
        let Some(ops) = inner.find(name.as_bytes()).cloned() else {
            return Err(CaError::NotRegistered { name: name.to_owned() });
        };
        inner.default = ops;
        Ok(())
    }

    /// What new sockets start with.
    #[must_use]
    pub fn default_ops(&self) -> OpsRef {
        self.lock().default.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic runs under the lock while the list is inconsistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn position(&self, name: &[u8]) -> Option<usize> {
        self.list.iter().position(|ops| ops.table().name_bytes() == name)
    }

    fn find(&self, name: &[u8]) -> Option<&OpsRef> {
        self.position(name).map(|at| &self.list[at])
    }
}

/// `tcp_validate_congestion_control()`, and the rule for names of `bpf_tcp_ca_init_member` (net/ipv4/bpf_tcp_ca.c): 1 to
/// 15 bytes and a final zero.
///
/// # Errors
/// The first rule that the table breaks; all are EINVAL.
pub fn validate(ops: &CongestionOps) -> Result<(), CaError> {
    let length = ops.name_bytes().len();
    if length == 0 || length >= TCP_CA_NAME_MAX {
        return Err(CaError::BadName { length });
    }
    let name = || ops.name_str().into_owned();
    if ops.ssthresh.is_none() {
        return Err(CaError::Missing {
            name: name(),
            member: "ssthresh",
        });
    }
    if ops.undo_cwnd.is_none() {
        return Err(CaError::Missing {
            name: name(),
            member: "undo_cwnd",
        });
    }
    if ops.cong_avoid.is_none() && ops.cong_control.is_none() {
        return Err(CaError::Missing {
            name: name(),
            member: "cong_avoid or cong_control",
        });
    }
    Ok(())
}

/// Why a table cannot be registered, exchanged or chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// A member without which TCP cannot run.
    #[error("congestion control `{name}` lacks {member}")]
    Missing {
        /// Name of the table.
        name: String,
        /// The member, or the pair of which one is needed.
        member: &'static str,
    },
    /// The name is empty or has no final zero within 16 bytes.
    #[error("a congestion control's name has 1 to 15 bytes, not {length}")]
    BadName {
        /// Bytes of the name.
        length: usize,
    },
    /// The name is taken.
    #[error("congestion control `{name}` is registered already")]
    Exists {
        /// The name.
        name: String,
    },
    /// No algorithm has this name, or not this table.
    #[error("congestion control `{name}` is not registered")]
    NotRegistered {
        /// The name.
        name: String,
    },
    /// An exchange cannot rename.
    #[error("the new table is named `{new}`, the old one `{old}`")]
    NameDiffers {
        /// Name of the old table.
        old: String,
        /// Name of the new one.
        new: String,
    },
    /// Another table has taken the place of the old one, or the new one is the old one.
    #[error("the table to be replaced is not the one registered as `{name}`, or it is the new one itself")]
    NotTheRegistered {
        /// The name.
        name: String,
    },
    /// A program that is changing the algorithm of a socket caused another change.
    #[error("the socket's congestion control is being changed")]
    Busy,
}

impl CaError {
    /// Linux's error number.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Missing { .. } | Self::BadName { .. } | Self::NameDiffers { .. } | Self::NotTheRegistered { .. } => {
                EINVAL
            }
            Self::Exists { .. } => EEXIST,
            Self::NotRegistered { .. } => ENOENT,
            Self::Busy => EBUSY,
        }
    }
}

const ENOENT: i32 = 2;
const EBUSY: i32 = 16;
const EEXIST: i32 = 17;
const EINVAL: i32 = 22;

#[cfg(test)]
mod tests;

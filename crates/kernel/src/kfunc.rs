//! [`Kfunc`]: a kernel function that programs may call by name (`.ksyms`), and its place in the kernel's BTF.

use crate::helpers::Native;
use btf::{Builder, TypeId};
use verifier::CallFlags;

/// A kernel function that the programs of a family may call (`BTF_ID_FLAGS` in a kfunc set).
pub struct Kfunc {
    /// Its name.
    pub name: &'static str,
    /// Adds its prototype; the verifier's contract follows from it (`CallContract::from_btf`).
    pub proto: fn(&mut Builder) -> TypeId,
    /// Its `KF_*` flags.
    pub flags: CallFlags,
    /// What is called.
    pub native: Native,
}

impl Kfunc {
    /// A function without flags.
    pub const fn new(name: &'static str, proto: fn(&mut Builder) -> TypeId, native: Native) -> Self {
        let flags = CallFlags {
            acquire: false,
            release: false,
            ret_null: false,
            unsupported: None,
        };
        Self {
            name,
            proto,
            flags,
            native,
        }
    }
}

impl std::fmt::Debug for Kfunc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kfunc({})", self.name)
    }
}

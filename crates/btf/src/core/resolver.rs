//! [`Resolver`]: relocations of one object against a kernel.

use super::{CoreError, Fixup, Relocation};
use crate::Btf;

/// Resolves the relocations of one object against the kernel's types. Keeps the candidates it found.
pub struct Resolver<'a> {
    local: &'a Btf,
    targets: Vec<&'a Btf>,
}

impl<'a> Resolver<'a> {
    /// For an object's BTF and the kernel's; modules' BTF follows the kernel's.
    pub fn new(local: &'a Btf, targets: impl IntoIterator<Item = &'a Btf>) -> Self {
        Self {
            local,
            targets: targets.into_iter().collect(),
        }
    }

    /// Answers a relocation.
    ///
    /// # Errors
    /// [`CoreError`].
    pub fn resolve(&mut self, relocation: &Relocation<'_>) -> Result<Fixup, CoreError> {
        todo!("{relocation:?} {:?} {:?}", self.local, self.targets)
    }
}

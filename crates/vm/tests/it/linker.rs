//! A linker for programs that need none.

use isa::Imm64;
use vm::{HelperFn, Linker};

/// Knows no helper, no kernel function and no address.
pub(crate) struct Nothing;

impl Linker for Nothing {
    fn helper(&self, _: u32) -> Option<HelperFn> {
        None
    }

    fn kfunc(&self, _: u32, _: i16) -> Option<HelperFn> {
        None
    }

    fn imm64(&self, _: &Imm64) -> Option<u64> {
        None
    }
}

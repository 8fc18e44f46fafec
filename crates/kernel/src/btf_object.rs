//! BTF objects: types that were loaded, and the kernel's own.

use btf::Btf;

/// A BTF object.
#[derive(Debug)]
pub(crate) struct BtfObject {
    pub(crate) id: u32,
    pub(crate) btf: Btf,
    /// Size of its bytes.
    pub(crate) size: u32,
    /// `vmlinux` for the kernel's own, else empty.
    pub(crate) name: &'static str,
}

/// Name of the kernel's own types.
pub(crate) const VMLINUX: &str = "vmlinux";

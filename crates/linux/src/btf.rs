//! The kernel's own types, and those of its modules.

use crate::{Linux, info};
use ::btf::Btf;
use bpf::{Bpf, Errno, IdKind, KernelBtfError, ModuleBtf};

/// Where the kernel shows its types.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

pub(crate) fn read_kernel() -> Result<Btf, KernelBtfError> {
    let bytes = std::fs::read(VMLINUX).map_err(|error| KernelBtfError::Unreadable(error.into()))?;
    Btf::parse(&bytes).map_err(KernelBtfError::Malformed)
}

/// Walks the loaded BTF objects. Modules come and go: one that is gone when we look is left out.
pub(crate) fn modules(linux: &Linux) -> Result<Vec<ModuleBtf>, Errno> {
    let base = linux.kernel_btf().map_err(|error| error.errno())?;
    let mut modules = Vec::new();
    for id in linux.ids(IdKind::Btf)? {
        let object = match linux.btf_by_id(id) {
            Err(Errno::ENOENT) => continue,
            other => other?,
        };
        let info = info::btf(&object)?;
        if !info.kernel || info.name == "vmlinux" {
            continue;
        }
        let data = info::btf_data(&object)?;
        let btf = Btf::parse_split(&data, &base).map_err(|_| Errno::EPROTO)?;
        modules.push(ModuleBtf {
            name: info.name,
            id,
            btf,
        });
    }
    Ok(modules)
}

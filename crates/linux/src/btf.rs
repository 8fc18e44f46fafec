//! The kernel's own types, and those of its modules.

use crate::{Linux, info};
use ::btf::Btf;
use bpf::{Bpf, Errno, IdKind, KernelBtfError, ModuleBtf};

/// Where the kernel shows its types.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

pub(crate) fn read_kernel() -> Result<Btf, KernelBtfError> {
    let size = std::fs::metadata(VMLINUX).map_or(0, |facts| facts.len() as usize);
    reserve(size.saturating_mul(READ))?;
    let bytes = std::fs::read(VMLINUX).map_err(|error| match Errno::from(error) {
        Errno::ENOMEM => KernelBtfError::NoMemory { bytes: size },
        errno => KernelBtfError::Unreadable(errno),
    })?;
    Btf::parse(&bytes).map_err(KernelBtfError::Malformed)
}

/// Reading the file and parsing it takes this many times its size: the bytes, the words and names, two indices; and what is made of them later some more.
const READ: usize = 4;

/// Whether so many bytes can be had: a process without them is better told so than ended in the middle of parsing.
fn reserve(bytes: usize) -> Result<(), KernelBtfError> {
    let mut room: Vec<u8> = Vec::new();
    let reserved = room.try_reserve_exact(bytes);
    // A probe that nobody looks at would be optimised away.
    std::hint::black_box(&mut room);
    reserved.map_err(|_| KernelBtfError::NoMemory { bytes })
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

//! The last changes to a program before the kernel gets it: descriptors of maps and of modules' types, and addresses.

use crate::error::LoadError;
use crate::load::{Loaded, ProgramFault};
use crate::plan::Plan;
use crate::programs::ProgramPlan;
use crate::relocate::OpenKind;
use bpf::{Bpf, BtfObject, Fd};
use isa::RawInsn;

/// Types of modules, by index in the options.
pub(crate) struct Modules {
    open: Vec<(usize, Fd<BtfObject>)>,
}

impl Modules {
    pub(crate) fn fd(&self, index: usize) -> Option<&Fd<BtfObject>> {
        self.open.iter().find(|(known, _)| *known == index).map(|(_, fd)| fd)
    }

    /// The place in the descriptors that go with a program: 0 is the kernel itself.
    pub(crate) fn place(&self, index: usize) -> Option<i16> {
        let at = self.open.iter().position(|(known, _)| *known == index)?;
        i16::try_from(at + 1).ok()
    }

    pub(crate) fn descriptors(&self) -> Vec<i32> {
        if self.open.is_empty() {
            return Vec::new();
        }
        std::iter::once(0)
            .chain(self.open.iter().map(|(_, fd)| fd.raw()))
            .collect()
    }
}

impl Plan {
    /// Opens the types of the modules that the plan refers to.
    pub(crate) fn open_modules(&self, kernel: &dyn Bpf) -> Result<Modules, LoadError> {
        let in_programs = self.programs.iter().flat_map(|program| {
            let calls = program.open.iter().filter_map(|open| match open.what {
                OpenKind::ModuleCall { module } | OpenKind::ModuleSymbol { module } => Some(module),
                OpenKind::Map(_) | OpenKind::MapValue { .. } | OpenKind::Address { .. } => None,
            });
            calls.collect::<Vec<_>>()
        });
        let mut used: Vec<usize> = in_programs
            .chain(self.ops.iter().filter_map(|ops| ops.types.module))
            .collect();
        used.sort_unstable();
        used.dedup();
        let mut open = Vec::new();
        for index in used {
            let Some(module) = self.modules.get(index) else {
                continue;
            };
            let fd = kernel.btf_by_id(module.id).map_err(|errno| LoadError::Module {
                module: module.name.clone(),
                errno,
            })?;
            open.push((index, fd));
        }
        Ok(Modules { open })
    }
}

/// `BPF_PSEUDO_MAP_FD` and `BPF_PSEUDO_MAP_VALUE` (RFC 9669, 5.4).
const PSEUDO_MAP_FD: u8 = 1;
const PSEUDO_MAP_VALUE: u8 = 2;

/// Fills in the open places; the answer is the descriptors that go with the program.
pub(crate) fn fill_in(
    plan: &ProgramPlan,
    insns: &mut [RawInsn],
    loaded: &Loaded,
    modules: &Modules,
) -> Result<Vec<i32>, ProgramFault> {
    for open in &plan.open {
        let Some(places) = insns.get_mut(open.slot as usize..) else {
            continue;
        };
        let map_fd = |index: object::MapIndex| {
            let map = loaded.maps.iter().find(|map| map.index == index);
            map.map_or(-1, |map| map.map.raw())
        };
        match (&open.what, places) {
            (OpenKind::Map(map), [first, ..]) => {
                first.src = PSEUDO_MAP_FD;
                first.imm = map_fd(*map);
            }
            (OpenKind::MapValue { map, offset }, [first, second, ..]) => {
                first.src = PSEUDO_MAP_VALUE;
                first.imm = map_fd(*map);
                second.imm = *offset as i32;
            }
            (OpenKind::ModuleCall { module }, [call, ..]) => call.off = modules.place(*module).unwrap_or(0),
            (OpenKind::ModuleSymbol { module }, [_, second, ..]) => {
                second.imm = modules.fd(*module).map_or(0, Fd::raw);
            }
            (OpenKind::Address { name, weak }, [first, second, ..]) => {
                let address = match loaded.kernel.ksym_addresses(name).as_slice() {
                    [address] => *address,
                    [] if *weak => 0,
                    addresses => {
                        return Err(ProgramFault::NoAddress {
                            name: name.clone(),
                            found: addresses.len(),
                        });
                    }
                };
                first.imm = address as u32 as i32;
                second.imm = (address >> 32) as u32 as i32;
            }
            // A 64-bit immediate has two slots: the object's reader has checked it.
            _ => {}
        }
    }
    Ok(modules.descriptors())
}

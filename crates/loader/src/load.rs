//! Carrying out a plan: types, maps, programs and the maps of ops structures are created. Nothing is registered yet.
//!
//! The order is that of `bpf_object_load` of libbpf (Linux 6.12). Whatever was created before an error is closed again
//! by dropping it.

use crate::error::LoadError;
use crate::fill_in::{Modules, fill_in};
use crate::kconfig;
use crate::operation::Operation;
use crate::others::OtherKind;
use crate::plan::Plan;
use crate::programs::{ProgramKind, ProgramPlan};
use crate::sharing::{NewPins, SharedMap};
use crate::struct_ops::OpsPlan;
use bpf::{
    AttachType, Bpf, BtfObject, Fd, Map, MapCreate, MapFlags, MapType, Prog, ProgFlags, ProgLoad, ProgLoadError,
    ProgType,
};
use object::FunctionIndex;
use std::sync::Arc;

/// What a plan created in a kernel. It is gone when this is dropped, with new pins of shared maps; [`Loaded::attach`] registers the ops structures.
pub struct Loaded {
    pub(crate) kernel: Arc<dyn Bpf>,
    pub(crate) btf: Option<Fd<BtfObject>>,
    pub(crate) maps: Vec<LoadedMap>,
    pub(crate) programs: Vec<LoadedProgram>,
    pub(crate) ops: Vec<LoadedOps>,
    /// Pins of shared maps that go again unless what is loaded is used.
    pub(crate) pins: NewPins,
}

/// A map that was created.
#[derive(Debug)]
pub struct LoadedMap {
    /// Its index in the object.
    pub index: object::MapIndex,
    /// The variable's or section's name in the object.
    pub name: String,
    /// The map.
    pub map: Fd<Map>,
    /// Where it is shared by name, if it is.
    pub shared: Option<SharedMap>,
}

/// A program that was loaded.
#[derive(Debug)]
pub struct LoadedProgram {
    /// Its name in the object.
    pub name: String,
    /// The section it stands in.
    pub section: String,
    /// What it can be attached to, when it belongs to no ops structure.
    pub other: Option<OtherKind>,
    /// The program.
    pub program: Fd<Prog>,
}

/// An ops structure whose map was created.
#[derive(Debug)]
pub struct LoadedOps {
    /// What was planned; the value has the programs' descriptors in it now.
    pub plan: OpsPlan,
    /// The map.
    pub map: Fd<Map>,
}

impl Plan {
    /// Creates everything in `kernel`, and registers nothing.
    ///
    /// # Errors
    /// [`LoadError`]; everything that was created is gone again.
    pub fn load(&self, kernel: &Arc<dyn Bpf>) -> Result<Loaded, LoadError> {
        let (mut loaded, modules) = self.load_maps(kernel, true)?;
        for plan in &self.programs {
            let program = self
                .load_program(plan, &loaded, &modules)
                .map_err(|fault| fault.named(plan))?;
            loaded.programs.push(LoadedProgram {
                name: plan.name.clone(),
                section: plan.section.clone(),
                other: match &plan.kind {
                    ProgramKind::Other(other) => Some(other.clone()),
                    _ => None,
                },
                program,
            });
        }
        self.fill_program_slots(&loaded, &|program| {
            let index = self.programs.iter().position(|plan| plan.function == program)?;
            Some(&loaded.programs.get(index)?.program)
        })?;
        let Loaded { programs, ops, .. } = &mut loaded;
        let descriptor = |program| {
            let index = self.programs.iter().position(|plan| plan.function == program)?;
            Some(programs.get(index)?.program.raw())
        };
        for ops in ops {
            ops.fill(descriptor);
        }
        Ok(loaded)
    }

    /// Types and maps; `share` says whether maps are shared by name.
    pub(crate) fn load_maps(&self, kernel: &Arc<dyn Bpf>, share: bool) -> Result<(Loaded, Modules), LoadError> {
        let modules = self.open_modules(&**kernel)?;
        let btf = match &self.btf {
            Some(btf) => Some(kernel.btf_load(&btf.to_bytes()).map_err(LoadError::Btf)?),
            None => None,
        };
        let mut maps = Vec::new();
        let mut pins = NewPins::new(kernel);
        for plan in &self.maps {
            let values = || kconfig::value(&self.externs, plan.value_size, &**kernel);
            let pins = share.then_some(&mut pins);
            let (map, shared) = plan.create(&**kernel, btf.as_ref(), &values, pins)?;
            maps.push(LoadedMap {
                index: plan.index,
                name: plan.name.clone(),
                map,
                shared,
            });
        }
        self.fill_map_slots(&maps, &**kernel)?;
        let mut ops = Vec::new();
        for plan in &self.ops {
            ops.push(LoadedOps {
                plan: plan.clone(),
                map: create_ops_map(plan, &**kernel, btf.as_ref(), &modules)?,
            });
        }
        let loaded = Loaded {
            kernel: Arc::clone(kernel),
            btf,
            maps,
            programs: Vec::new(),
            ops,
            pins,
        };
        Ok((loaded, modules))
    }

    pub(crate) fn load_program(
        &self,
        plan: &ProgramPlan,
        loaded: &Loaded,
        modules: &Modules,
    ) -> Result<Fd<Prog>, ProgramFault> {
        let mut insns = plan.insns.clone();
        let descriptors = fill_in(plan, &mut insns, loaded, modules)?;
        let mut args = ProgLoad {
            license: &self.license,
            name: &bpf::object_name(&plan.name),
            btf: loaded.btf.as_ref(),
            func_info: &plan.func_info,
            line_info: &plan.line_info,
            kern_version: self.version,
            fd_array: &descriptors,
            ..ProgLoad::new(ProgType::UNSPEC, &insns)
        };
        match &plan.kind {
            ProgramKind::StructOps {
                member_index,
                ty,
                module,
                sleepable,
                ..
            } => {
                args.prog_type = ProgType::STRUCT_OPS;
                args.attach_btf_id = ty.0;
                args.expected_attach_type = AttachType(*member_index);
                args.attach_btf = module.and_then(|index| modules.fd(index));
                if *sleepable {
                    args.flags = ProgFlags::SLEEPABLE;
                }
            }
            ProgramKind::Other(other) => {
                args.prog_type = other.section.prog_type;
                args.expected_attach_type = other.section.attach_type;
                args.attach_btf_id = other.target.0;
                if other.section.sleepable {
                    args.flags = ProgFlags::SLEEPABLE;
                }
            }
            ProgramKind::SocketFilter => args.prog_type = ProgType::SOCKET_FILTER,
            ProgramKind::Syscall => {
                args.prog_type = ProgType::SYSCALL;
                args.flags = ProgFlags::SLEEPABLE;
            }
        }
        loaded.kernel.prog_load(&args).map_err(|mut refusal| {
            self.add_source(plan, &mut refusal);
            crate::poison::explain(plan, &insns, &self.externs, loaded.kernel.name(), &mut refusal);
            if let ProgramKind::StructOps {
                ty,
                member,
                member_index,
                module: None,
                ..
            } = &plan.kind
            {
                let operation = Operation {
                    ty: *ty,
                    member,
                    member_index: *member_index,
                };
                operation.explain(&insns, &*loaded.kernel, &mut refusal);
            }
            ProgramFault::Refused(Box::new(refusal))
        })
    }

    /// A refusal that names an instruction gets the line it was compiled from. The object knows it better than the kernel's log, which
    /// has neither the column nor the path of the file.
    fn add_source(&self, plan: &ProgramPlan, refusal: &mut ProgLoadError) {
        let Some(report) = refusal.report.as_deref_mut() else {
            return;
        };
        if let Some((btf, insn)) = self.btf.as_ref().zip(report.insn)
            && let Some((_, source)) = plan.source(btf, insn)
        {
            report.source = Some(source);
        }
    }
}

impl LoadedOps {
    /// Puts the programs' descriptors into the value; whether all of them are there.
    pub(crate) fn fill(&mut self, descriptor: impl Fn(FunctionIndex) -> Option<i32>) -> bool {
        let slots: Vec<_> = self
            .plan
            .programs()
            .map(|(_, program, _, offset)| (program, offset))
            .collect();
        let mut complete = true;
        for (program, offset) in slots {
            let slot = self.plan.value.get_mut(offset as usize..offset as usize + 8);
            match (slot, descriptor(program)) {
                // A function slot has eight bytes; the descriptor stands in the low four.
                (Some(slot), Some(raw)) => slot.copy_from_slice(&i64::from(raw).to_le_bytes()),
                _ => complete = false,
            }
        }
        complete
    }
}

/// Why one program was not loaded.
pub(crate) enum ProgramFault {
    Refused(Box<ProgLoadError>),
    NoAddress { name: String, found: usize },
}

impl ProgramFault {
    pub(crate) fn named(self, plan: &ProgramPlan) -> LoadError {
        match self {
            Self::Refused(source) => LoadError::Program {
                program: plan.name.clone(),
                source,
            },
            Self::NoAddress { name, found } => LoadError::NoAddress {
                program: plan.name.clone(),
                name,
                found,
            },
        }
    }
}

fn create_ops_map(
    plan: &OpsPlan,
    kernel: &dyn Bpf,
    btf: Option<&Fd<BtfObject>>,
    modules: &Modules,
) -> Result<Fd<Map>, LoadError> {
    let module = plan.types.module.and_then(|index| modules.fd(index));
    let mut flags = MapFlags::empty();
    flags.set(MapFlags::LINK, plan.link);
    flags.set(MapFlags::VTYPE_BTF_OBJ_FD, module.is_some());
    let args = MapCreate {
        key_size: 4,
        value_size: plan.types.value_size,
        max_entries: 1,
        flags,
        name: &bpf::object_name(&plan.name),
        btf,
        btf_vmlinux_value_type_id: plan.types.value_ty.0,
        value_type_btf: module,
        ..MapCreate::new(MapType::STRUCT_OPS)
    };
    kernel.map_create(&args).map_err(|errno| LoadError::Ops {
        ops: plan.name.clone(),
        kind: plan.kind.clone(),
        errno,
    })
}

impl Loaded {
    /// The kernel it is loaded in.
    pub fn kernel(&self) -> &Arc<dyn Bpf> {
        &self.kernel
    }

    /// The maps, data sections included, ops structures not.
    pub fn maps(&self) -> &[LoadedMap] {
        &self.maps
    }

    /// Leaves the pins of shared maps where they are when this is dropped. Registering does it too.
    pub fn keep_shared(&mut self) {
        self.pins.keep();
    }

    /// The map of this name in the object.
    pub fn map(&self, name: &str) -> Option<&Fd<Map>> {
        self.maps.iter().find(|map| map.name == name).map(|map| &map.map)
    }

    /// The programs.
    pub fn programs(&self) -> &[LoadedProgram] {
        &self.programs
    }

    /// The program of this name.
    pub fn program(&self, name: &str) -> Option<&Fd<Prog>> {
        self.programs
            .iter()
            .find(|program| program.name == name)
            .map(|program| &program.program)
    }

    /// The ops structures.
    pub fn ops(&self) -> &[LoadedOps] {
        &self.ops
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("kernel", &self.kernel.name())
            .field("maps", &self.maps)
            .field("programs", &self.programs)
            .field("ops", &self.ops)
            .finish_non_exhaustive()
    }
}

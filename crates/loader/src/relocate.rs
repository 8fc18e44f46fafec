//! One program out of functions: sub-programs appended in the order of their first call, calls and addresses set.
//!
//! What depends on descriptors (maps, modules) stays open as [`Open`] places, which loading fills in. The order and
//! the values are those of `bpf_object__reloc_code` and `bpf_object__relocate_data` of libbpf (Linux 6.12), so that
//! both loaders give the kernel the same instructions.

use crate::error::PlanError;
use crate::externs::Resolved;
use crate::poison::POISONED_CALL;
use isa::RawInsn;
use object::{FunctionIndex, MapIndex, Object, Target};

/// A function's place in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first slot in the program.
    pub start: u32,
    /// The function.
    pub function: FunctionIndex,
}

/// A place in a program that is filled in when loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The slot in the program; for a 64-bit immediate its first.
    pub slot: u32,
    /// What goes there.
    pub what: OpenKind,
}

/// What goes into an open place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenKind {
    /// A map's descriptor.
    Map(MapIndex),
    /// A map's descriptor and an offset in its value.
    MapValue {
        /// The map.
        map: MapIndex,
        /// The offset in bytes.
        offset: u32,
    },
    /// A call of a module's function: the module's index in the descriptors that go with the program.
    ModuleCall {
        /// Index in [`crate::PlanOptions::modules`].
        module: usize,
    },
    /// The address of a module's variable or function: the descriptor of the module's types.
    ModuleSymbol {
        /// Index in [`crate::PlanOptions::modules`].
        module: usize,
    },
    /// The address of a kernel symbol that has no type.
    Address {
        /// The symbol.
        name: String,
        /// Whether 0 will do.
        weak: bool,
    },
}

/// A program with its sub-programs.
pub(crate) struct Assembled {
    pub(crate) insns: Vec<RawInsn>,
    pub(crate) parts: Vec<Part>,
    pub(crate) open: Vec<Open>,
}

/// Greatest number of slots: what a program's jumps and calls can reach, and the kernel's own limit.
const SLOTS_MAX: usize = 1_000_000;

/// `BPF_PSEUDO_BTF_ID`, `BPF_PSEUDO_FUNC`: the source register of a 64-bit immediate (RFC 9669, 5.4).
const PSEUDO_BTF_ID: u8 = 3;
const PSEUDO_FUNC: u8 = 4;
/// `BPF_PSEUDO_KFUNC_CALL`: the source register of a call.
const PSEUDO_KFUNC_CALL: u8 = 2;

/// Puts the program that begins with `entry` together. `code` gives a function's instructions after CO-RE.
pub(crate) fn assemble(
    object: &Object,
    entry: FunctionIndex,
    externs: &[Resolved],
    code: &mut dyn FnMut(FunctionIndex) -> Result<Vec<RawInsn>, PlanError>,
) -> Result<Assembled, PlanError> {
    let mut assembler = Assembler {
        object,
        externs,
        program: Assembled {
            insns: Vec::new(),
            parts: Vec::new(),
            open: Vec::new(),
        },
    };
    assembler.place(entry, entry, code)?;
    // A function's calls are followed before the next function of its caller: a stack of functions and how far each is.
    let mut stack = vec![(entry, 0)];
    while let Some((function, done)) = stack.pop() {
        let relocations = object
            .function(function)
            .map_or(&[][..], |function| &function.relocations);
        let Some(relocation) = relocations.get(done) else {
            continue;
        };
        stack.push((function, done + 1));
        if let Target::Call(callee) | Target::FunctionAddress(callee) = relocation.target
            && assembler.start(callee).is_none()
        {
            assembler.place(entry, callee, code)?;
            stack.push((callee, 0));
        }
    }
    for part in assembler.program.parts.clone() {
        assembler.relocate(part)?;
    }
    Ok(assembler.program)
}

struct Assembler<'a> {
    object: &'a Object,
    externs: &'a [Resolved],
    program: Assembled,
}

impl Assembler<'_> {
    fn place(
        &mut self,
        entry: FunctionIndex,
        function: FunctionIndex,
        code: &mut dyn FnMut(FunctionIndex) -> Result<Vec<RawInsn>, PlanError>,
    ) -> Result<(), PlanError> {
        let insns = code(function)?;
        if self.program.insns.len() + insns.len() > SLOTS_MAX {
            let program = self
                .object
                .function(entry)
                .map_or_else(String::new, |entry| entry.name.clone());
            return Err(PlanError::TooLarge { program });
        }
        let start = self.program.insns.len() as u32;
        self.program.parts.push(Part { start, function });
        self.program.insns.extend(insns);
        Ok(())
    }

    fn start(&self, function: FunctionIndex) -> Option<u32> {
        let part = self.program.parts.iter().find(|part| part.function == function)?;
        Some(part.start)
    }

    fn relocate(&mut self, part: Part) -> Result<(), PlanError> {
        let Some(function) = self.object.function(part.function) else {
            return Ok(());
        };
        for relocation in &function.relocations {
            let dangling = || PlanError::Dangling {
                function: function.name.clone(),
                slot: relocation.slot,
            };
            let slot = (part.start + relocation.slot) as usize;
            if self.program.insns.get(slot).is_none() {
                return Err(dangling());
            }
            match relocation.target {
                Target::Call(callee) => {
                    let start = self.start(callee).ok_or_else(dangling)?;
                    self.program.insns[slot].imm = start as i32 - slot as i32 - 1;
                }
                Target::FunctionAddress(callee) => {
                    let start = self.start(callee).ok_or_else(dangling)?;
                    let insn = &mut self.program.insns[slot];
                    insn.src = PSEUDO_FUNC;
                    insn.imm = start as i32 - slot as i32 - 1;
                }
                Target::Map(map) => self.open(slot, OpenKind::Map(map)),
                Target::Data { map, offset } => self.open(slot, OpenKind::MapValue { map, offset }),
                Target::ExternAddress(index) => self.address(slot, index).ok_or_else(dangling)?,
                Target::ExternCall(index) => self.call(slot, index).ok_or_else(dangling)?,
            }
        }
        Ok(())
    }

    fn open(&mut self, slot: usize, what: OpenKind) {
        let slot = slot as u32;
        self.program.open.push(Open { slot, what });
    }

    fn address(&mut self, slot: usize, index: object::ExternIndex) -> Option<()> {
        let item = self.object.externs.get(index.0 as usize)?;
        let insns = self.program.insns.get_mut(slot..slot + 2)?;
        match *self.externs.get(index.0 as usize)? {
            Resolved::Kconfig { offset } => {
                let map = self
                    .object
                    .maps
                    .iter()
                    .position(|map| map.source == object::MapSource::Kconfig)?;
                let map = MapIndex(map as u32);
                self.open(slot, OpenKind::MapValue { map, offset });
            }
            Resolved::Type { id, module } => {
                insns[0].src = PSEUDO_BTF_ID;
                insns[0].imm = id.0 as i32;
                insns[1].imm = 0;
                if let Some(module) = module {
                    self.open(slot, OpenKind::ModuleSymbol { module });
                }
            }
            Resolved::Address => {
                let (name, weak) = (item.name.clone(), item.weak);
                self.open(slot, OpenKind::Address { name, weak });
            }
            Resolved::Missing => {
                insns[0].imm = 0;
                insns[1].imm = 0;
            }
        }
        Some(())
    }

    fn call(&mut self, slot: usize, index: object::ExternIndex) -> Option<()> {
        let insn = &mut self.program.insns[slot];
        match *self.externs.get(index.0 as usize)? {
            Resolved::Type { id, module } => {
                insn.src = PSEUDO_KFUNC_CALL;
                insn.imm = id.0 as i32;
                insn.off = 0;
                if let Some(module) = module {
                    self.open(slot, OpenKind::ModuleCall { module });
                }
            }
            Resolved::Kconfig { .. } | Resolved::Address | Resolved::Missing => {
                insn.dst = 0;
                insn.src = 0;
                insn.off = 0;
                insn.imm = POISONED_CALL + index.0 as i32;
            }
        }
        Some(())
    }
}

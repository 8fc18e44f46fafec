//! Programs: which are loaded, as what, attached to which member.
//!
//! A struct_ops program follows the ops structures that use it (`bpf_object_adjust_struct_ops_autoload` of libbpf,
//! Linux 6.12); one that none uses is an error unless its section begins with `?`.

use crate::core_relocations::{self, FixedBits};
use crate::error::PlanError;
use crate::externs::Resolved;
use crate::misplaced;
use crate::notes::PlanNote;
use crate::options::PlanOptions;
use crate::others::{Fates, OtherKind};
use crate::relocate::{self, Open, Part};
use crate::struct_ops::OpsPlan;
use bpf::{FuncInfo, LineInfo};
use btf::core::Resolver;
use isa::RawInsn;
use object::{Function, FunctionIndex, Object, Role, SectionKind};
use std::collections::BTreeMap;

/// A program as it will be given to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramPlan {
    /// Its index in the object.
    pub function: FunctionIndex,
    /// Its name; the kernel gets at most 15 bytes of it.
    pub name: String,
    /// The section it stands in.
    pub section: String,
    /// What it is loaded as.
    pub kind: ProgramKind,
    /// The instructions with sub-programs, CO-RE done.
    pub insns: Vec<RawInsn>,
    /// Where its functions begin; the first is the program itself.
    pub parts: Vec<Part>,
    /// Places that are filled in when loading.
    pub open: Vec<Open>,
    /// Function types, with ids of the object's BTF.
    pub func_info: Vec<FuncInfo>,
    /// Source lines, with string offsets of the object's BTF.
    pub line_info: Vec<LineInfo>,
    /// Instructions for which the kernel has no such type or field; the kernel refuses them if they can be reached.
    pub poisoned: u32,
    /// Where they are in their functions, and the names of what is missing.
    pub(crate) missing: Vec<(FunctionIndex, u32, Option<String>)>,
    /// Accesses of bit fields whose masks do not fit the kernel.
    pub(crate) fixed_bits: Vec<(FunctionIndex, FixedBits)>,
}

/// What a program is loaded as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramKind {
    /// For a member of an ops structure.
    StructOps {
        /// The ops kind.
        kind: String,
        /// The member's name.
        member: String,
        /// Index of the member in the kernel's type.
        member_index: u32,
        /// The ops structure's type, in the kernel's BTF or that of the module.
        ty: btf::TypeId,
        /// Index in [`PlanOptions::modules`]; none for the kernel itself.
        module: Option<usize>,
        /// Whether it may sleep.
        sleepable: bool,
    },
    /// A socket filter.
    SocketFilter,
    /// A program run by `BPF_PROG_TEST_RUN` that may call the system.
    Syscall,
    /// One of another kind, to be attached by a link of its own.
    Other(OtherKind),
}

/// A program that is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The program.
    pub name: String,
    /// The section it stands in.
    pub section: String,
    /// Why not.
    pub reason: SkipReason,
}

/// Why a program is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Its section begins with `?`, or the options say so.
    NotAskedFor,
    /// Only ops structures that are not created use it, or its member was set to `null`.
    OpsNotCreated,
    /// A struct_ops program that no ops structure uses: the kernel cannot be told what it is for.
    Unreferenced,
    /// It belongs to no ops structure, and nobody asked for it.
    OtherKind,
    /// Its section's name says nothing to libbpf.
    UnknownSection,
    /// The kernel's types do not have the function, tracepoint or iterator that its section names.
    NoTarget,
}

impl ProgramPlan {
    /// Its accesses of bit fields whose masks do not fit the kernel: each field once a line.
    pub(crate) fn notes(&self, btf: Option<&btf::Btf>) -> Vec<PlanNote> {
        let mut notes = Vec::new();
        for (function, fixed) in &self.fixed_bits {
            let starts = self.parts.iter().filter(|part| part.function == *function);
            for start in starts.map(|part| part.start) {
                let note = PlanNote::BitField {
                    program: self.name.clone(),
                    field: fixed.field.clone(),
                    object: fixed.moved.local,
                    kernel: fixed.moved.target,
                    source: btf
                        .and_then(|btf| self.source(btf, start + fixed.slot))
                        .map(|(_, source)| source),
                };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        notes
    }

    /// The function and the source line of a slot, in terms of the object's types.
    pub(crate) fn source<'b>(&self, btf: &'b btf::Btf, slot: u32) -> Option<(&'b str, bpf::SourceLine)> {
        let function = self.func_info.iter().rev().find(|info| info.insn_off <= slot)?;
        // A line of the function before does not reach into this one.
        let of_function = |line: &&LineInfo| (function.insn_off..=slot).contains(&line.insn_off);
        let line = self.line_info.iter().rev().find(of_function)?;
        let source = bpf::SourceLine {
            file: btf.string(line.file_name_off)?.to_owned(),
            line: line.line_col >> 10,
            column: line.line_col & 0x3ff,
            text: btf.string(line.line_off)?.trim_end().to_owned(),
        };
        Some((btf.name_of(btf::TypeId(function.type_id)), source))
    }
}

/// What each struct_ops program is attached to.
type Attachments = BTreeMap<u32, ProgramKind>;

/// All programs that are loaded, in the object's order, and those that are not.
pub(crate) fn plan(
    object: &Object,
    ops: &[OpsPlan],
    fates: &Fates,
    externs: &[Resolved],
    kernel: &btf::Btf,
    options: &PlanOptions,
) -> Result<(Vec<ProgramPlan>, Vec<Skipped>), PlanError> {
    for name in options.autoload.keys() {
        if !object.programs().any(|(_, program)| program.name == *name) {
            return Err(PlanError::NoSuchProgram { name: name.clone() });
        }
    }
    let attachments = attachments(object, ops)?;
    let targets = std::iter::once(kernel).chain(options.modules.iter().map(|module| &module.btf));
    let mut resolver = object.btf.as_ref().map(|local| Resolver::new(local, targets));
    let (mut programs, mut skipped) = (Vec::new(), Vec::new());
    for (index, function) in object.programs() {
        let kind = kind(object, index, function, &attachments, fates, options);
        match kind.map_err(|error| misplaced::found(error, object, kernel, options))? {
            Ok(kind) => programs.push(program(object, index, function, kind, externs, resolver.as_mut())?),
            Err(reason) => skipped.push(Skipped {
                name: function.name.clone(),
                section: function.section.clone(),
                reason,
            }),
        }
    }
    Ok((programs, skipped))
}

fn attachments(object: &Object, ops: &[OpsPlan]) -> Result<Attachments, PlanError> {
    let mut attachments = Attachments::new();
    for plan in ops {
        for (member, program, kernel_member, _) in plan.programs() {
            let sleepable = object.function(program).is_some_and(is_sleepable);
            let kind = ProgramKind::StructOps {
                kind: plan.kind.clone(),
                member: member.to_owned(),
                member_index: kernel_member,
                ty: plan.types.ty,
                module: plan.types.module,
                sleepable,
            };
            match attachments.get(&program.0) {
                Some(known) if *known != kind => {
                    return Err(PlanError::Reuse {
                        program: object.function(program).map_or_else(String::new, |f| f.name.clone()),
                        first: known.to_string(),
                        second: kind.to_string(),
                    });
                }
                Some(_) => {}
                None => {
                    attachments.insert(program.0, kind);
                }
            }
        }
    }
    Ok(attachments)
}

/// What to load a program as, or why not to load it.
fn kind(
    object: &Object,
    index: FunctionIndex,
    function: &Function,
    attachments: &Attachments,
    fates: &Fates,
    options: &PlanOptions,
) -> Result<Result<ProgramKind, SkipReason>, PlanError> {
    let Role::Program { kind, autoload } = &function.role else {
        return Ok(Err(SkipReason::NotAskedFor));
    };
    let asked_for = options.autoload.get(&function.name).copied();
    match kind {
        SectionKind::StructOps { .. } => {
            let used = object
                .ops
                .iter()
                .any(|ops| ops.programs.iter().any(|member| member.program == index));
            match attachments.get(&index.0) {
                Some(kind) => Ok(Ok(kind.clone())),
                None if used => Ok(Err(SkipReason::OpsNotCreated)),
                None if asked_for.unwrap_or(*autoload) && options.leave_out_unreferenced => {
                    Ok(Err(SkipReason::Unreferenced))
                }
                None if asked_for.unwrap_or(*autoload) => Err(PlanError::Unreferenced {
                    program: function.name.clone(),
                    elsewhere: None,
                }),
                None => Ok(Err(SkipReason::NotAskedFor)),
            }
        }
        SectionKind::Other(_) => Ok(match fates.get(&index.0) {
            Some(Ok(other)) => Ok(ProgramKind::Other(other.clone())),
            Some(Err(reason)) => Err(*reason),
            None => Err(SkipReason::OtherKind),
        }),
        _ if !asked_for.unwrap_or(*autoload) => Ok(Err(SkipReason::NotAskedFor)),
        SectionKind::SocketFilter => Ok(Ok(ProgramKind::SocketFilter)),
        SectionKind::Syscall => Ok(Ok(ProgramKind::Syscall)),
    }
}

fn is_sleepable(function: &Function) -> bool {
    matches!(
        function.role,
        Role::Program {
            kind: SectionKind::StructOps { sleepable: true },
            ..
        }
    )
}

fn program(
    object: &Object,
    index: FunctionIndex,
    function: &Function,
    kind: ProgramKind,
    externs: &[Resolved],
    mut resolver: Option<&mut Resolver<'_>>,
) -> Result<ProgramPlan, PlanError> {
    let (mut missing, mut fixed_bits) = (Vec::new(), Vec::new());
    let mut code = |index| {
        let applied = core_relocations::apply(object, index, resolver.as_deref_mut())?;
        missing.extend(applied.missing.into_iter().map(|(slot, name)| (index, slot, name)));
        fixed_bits.extend(applied.fixed_bits.into_iter().map(|fixed| (index, fixed)));
        Ok(applied.insns)
    };
    let assembled = relocate::assemble(object, index, externs, &mut code)?;
    let (func_info, line_info) = records(object, &assembled.parts);
    Ok(ProgramPlan {
        function: index,
        name: function.name.clone(),
        section: function.section.clone(),
        kind,
        insns: assembled.insns,
        parts: assembled.parts,
        open: assembled.open,
        func_info,
        line_info,
        poisoned: missing.len() as u32,
        missing,
        fixed_bits,
    })
}

/// Types and lines of the functions, counted from the program's start. The kernel wants either all functions' or none.
fn records(object: &Object, parts: &[Part]) -> (Vec<FuncInfo>, Vec<LineInfo>) {
    let functions = || {
        parts
            .iter()
            .filter_map(|part| Some((part.start, object.function(part.function)?)))
    };
    let types: Option<Vec<FuncInfo>> = functions()
        .map(|(insn_off, function)| {
            let type_id = function.type_id?.0;
            Some(FuncInfo { insn_off, type_id })
        })
        .collect();
    let Some(types) = types else {
        return (Vec::new(), Vec::new());
    };
    let complete = functions().all(|(_, function)| function.lines.first().is_some_and(|line| line.slot == 0));
    let lines = functions().flat_map(|(start, function)| {
        function.lines.iter().map(move |line| LineInfo {
            insn_off: start + line.slot,
            file_name_off: line.file,
            line_off: line.text,
            line_col: line.line << 10 | line.column,
        })
    });
    (types, if complete { lines.collect() } else { Vec::new() })
}

//! Function and line information of a program (`kernel/bpf/check_btf.c`; `check_btf_func_early` and `check_btf_line` of `verifier.c` in Linux 6.12).

use crate::btf_object::BtfObject;
use crate::program::refusal;
use bpf::{Errno, ProgLoad, ProgLoadError};
use btf::{Def, Linkage, TypeId};
use isa::Insn;
use verifier::{FuncInfo, LineInfo, ProgramDebug};

/// Where an instruction came from, as far as it is known.
pub(super) struct Place {
    pub(super) function: Option<String>,
    pub(super) source: Option<verifier::SourceLine>,
    /// The program has functions that the verifier looks at once, whatever calls them.
    pub(super) has_global_functions: bool,
}

/// What `.BTF.ext` said about the program, in the verifier's form.
#[derive(Debug)]
pub(super) struct Debug {
    funcs: Vec<FuncInfo>,
    lines: Vec<LineInfo>,
}

impl Debug {
    /// Checks what does not need the functions' bodies: order, range, types and strings.
    pub(super) fn new(args: &ProgLoad<'_>, types: Option<&BtfObject>, insns: &[Insn]) -> Result<Self, ProgLoadError> {
        let Some(types) = types else {
            // Without types neither table can be read.
            return match (args.func_info, args.line_info) {
                ([], []) => Ok(Self {
                    funcs: Vec::new(),
                    lines: Vec::new(),
                }),
                _ => Err(refusal::bad_request(Errno::EINVAL)),
            };
        };
        let starts = |slots: Vec<u32>| {
            let insn = |slot: &u32| insns.get(*slot as usize).is_some_and(|insn| *insn != Insn::LoadImm64Hi);
            slots.is_sorted_by(|a, b| a < b) && slots.iter().all(insn)
        };
        let is_function = |id| {
            matches!(
                types.btf.type_by_id(TypeId(id)).map(|ty| ty.def),
                Some(Def::Func { .. })
            )
        };
        let funcs_fit = args.func_info.first().is_none_or(|first| first.insn_off == 0)
            && starts(args.func_info.iter().map(|func| func.insn_off).collect())
            && args.func_info.iter().all(|func| is_function(func.type_id));
        // Where there are lines, each function begins with one, whether or not the other table names it.
        let begins = |slot| args.line_info.iter().any(|line| line.insn_off == slot);
        let called = insns
            .iter()
            .enumerate()
            .filter_map(|(slot, insn)| u32::try_from(insn.subprog_target(slot)?).ok());
        let mut functions = called.chain(args.func_info.iter().map(|func| func.insn_off)).chain([0]);
        let has_string = |offset| types.btf.string(offset).is_some();
        let lines_fit = starts(args.line_info.iter().map(|line| line.insn_off).collect())
            && args
                .line_info
                .iter()
                .all(|line| has_string(line.file_name_off) && has_string(line.line_off))
            && (args.line_info.is_empty() || functions.all(begins));
        if !funcs_fit || !lines_fit {
            return Err(refusal::bad_request(Errno::EINVAL));
        }
        let funcs = args.func_info.iter().map(|func| FuncInfo {
            slot: func.insn_off,
            type_id: TypeId(func.type_id),
        });
        let lines = args.line_info.iter().map(|line| LineInfo {
            slot: line.insn_off,
            file_name_off: line.file_name_off,
            line_off: line.line_off,
            line_col: line.line_col,
        });
        Ok(Self {
            funcs: funcs.collect(),
            lines: lines.collect(),
        })
    }

    /// The function and the line of an instruction.
    pub(super) fn place(&self, types: Option<&BtfObject>, slot: usize) -> Place {
        let program = verifier::Program {
            insns: &[],
            odd: &[],
            debug: self.as_program_debug(types),
        };
        let begun = self.funcs.iter().rev().find(|func| func.slot as usize <= slot);
        let function = begun.map(|func| program.function_name(func.slot as usize).to_owned());
        Place {
            function: function.filter(|name| !name.is_empty()),
            source: program.source_line(slot),
            has_global_functions: self.has_global_functions(types),
        }
    }

    /// The program's name in its source; the kernel's own has 15 characters at most.
    pub(super) fn name<'a>(&self, types: Option<&'a BtfObject>) -> Option<&'a str> {
        let entry = self.funcs.first()?;
        Some(types?.btf.type_by_id(entry.type_id)?.name)
    }

    /// Some function beside the program itself is global.
    fn has_global_functions(&self, types: Option<&BtfObject>) -> bool {
        let is_global = |func: &FuncInfo| {
            let ty = types?.btf.type_by_id(func.type_id)?;
            let Def::Func { linkage, .. } = ty.def else { return None };
            Some(linkage == Linkage::Global)
        };
        self.funcs.iter().skip(1).any(|func| is_global(func) == Some(true))
    }

    pub(super) fn as_program_debug<'a>(&'a self, types: Option<&'a BtfObject>) -> Option<ProgramDebug<'a>> {
        Some(ProgramDebug {
            btf: &types?.btf,
            funcs: &self.funcs,
            lines: &self.lines,
        })
    }
}

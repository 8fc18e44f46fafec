//! `.BTF` and `.BTF.ext`: the object's types made complete, and each function's lines and CO-RE records.
//!
//! The compiler leaves sizes of sections and offsets of variables to the symbol table; they are filled in here, and
//! externs get the form that the kernel accepts. Follows `btf_fixup_datasec` and the second half of
//! `bpf_object__collect_externs` of libbpf (Linux 6.12).

use crate::elf_reader::{Elf, Place, Section, Symbol};
use crate::error::{Error, Problem};
use crate::externs::{ExternKind, Externs, KCONFIG, KSYMS};
use crate::functions::{self, CoreRecord, Function, SLOT_BYTES};
use btf::{Btf, BtfExt, DataSec, Def, Linkage, SecVar, TypeId};
use std::collections::HashMap;

/// A source line of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRecord {
    /// The slot in the function.
    pub slot: u32,
    /// The file's name, as offset of the BTF's strings.
    pub file: u32,
    /// The line's text, as offset of the BTF's strings.
    pub text: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
}

/// The types and records of a file.
pub(crate) struct Types {
    pub(crate) btf: Btf,
    ext: Option<BtfExt>,
}

impl Types {
    /// The source line of an instruction, as `file:line`.
    pub(crate) fn line(&self, section: &str, offset: u64) -> Option<String> {
        let info = self.ext.as_ref()?.sections.iter().find(|info| info.name == section)?;
        let before = info.lines.iter().filter(|line| u64::from(line.insn_offset) <= offset);
        let line = before.max_by_key(|line| line.insn_offset)?;
        Some(format!("{}:{}", self.btf.string(line.file_offset)?, line.line()))
    }
}

/// The `DATASEC`s: name, id, variables.
pub(crate) fn data_sections(btf: &Btf) -> impl Iterator<Item = (&str, TypeId, DataSec<'_>)> {
    btf.types().filter_map(|ty| match ty.def {
        Def::DataSec(section) => Some((ty.name, ty.id, section)),
        _ => None,
    })
}

/// Reads both sections and completes the data sections.
pub(crate) fn read(elf: &Elf<'_>) -> Result<Option<Types>, Error> {
    let Some(section) = elf.section(".BTF")? else {
        return Ok(None);
    };
    let btf = Btf::parse(section.data).map_err(|source| Error::Btf {
        section: ".BTF",
        source,
    })?;
    let btf = complete(elf, &btf)?;
    let ext = match elf.section(".BTF.ext")? {
        Some(section) => Some(BtfExt::parse(section.data, &btf).map_err(|source| Error::Btf {
            section: ".BTF.ext",
            source,
        })?),
        None => None,
    };
    Ok(Some(Types { btf, ext }))
}

/// Fills in sizes of sections and offsets of variables, and sorts the variables by offset, as the kernel demands.
fn complete(elf: &Elf<'_>, btf: &Btf) -> Result<Btf, Error> {
    let mut edit = btf.edit();
    let named = elf.symbols.iter().filter_map(|symbol| match symbol.place {
        Place::Section(section) => Some(((section, symbol.name), symbol)),
        Place::Undefined | Place::Special(_) => None,
    });
    let symbols: HashMap<(usize, &str), &Symbol<'_>> = named.collect();
    for (name, id, section) in data_sections(btf).filter(|(name, _, _)| *name != KCONFIG && *name != KSYMS) {
        let Some(place) = elf.section(name)? else {
            // A section of externs exists in the types alone; whether its name is allowed is checked with them.
            if section.vars().all(|variable| is_extern(btf, variable.ty)) {
                continue;
            }
            return Err(Error::malformed(name, 0, Problem::NoDataSection));
        };
        let size = match section.size {
            0 => u32::try_from(place.size).map_err(|_| Error::malformed(name, 0, Problem::Bytes))?,
            known => known,
        };
        let mut variables: Vec<SecVar> = section.vars().collect();
        for variable in &mut variables {
            let Some((ty, Def::Var { ty: target, linkage })) = btf.type_by_id(variable.ty).map(|ty| (ty, ty.def))
            else {
                return Err(Error::malformed(".BTF", 0, Problem::NoType(variable.ty.0)));
            };
            if linkage != Linkage::Global {
                continue;
            }
            let symbol = symbols
                .get(&(place.index, ty.name))
                .ok_or_else(|| Error::malformed(name, 0, Problem::NoSymbolFor(ty.name.to_owned())))?;
            if section.size == 0 {
                variable.offset =
                    u32::try_from(symbol.value).map_err(|_| Error::malformed(name, symbol.value, Problem::Bytes))?;
            }
            if symbol.hidden {
                edit.set_var(variable.ty, target, Linkage::Static);
            }
        }
        variables.sort_by_key(|variable| variable.offset);
        edit.set_data_section(id, size, &variables);
    }
    edit.finish().map_err(|source| Error::Btf {
        section: ".BTF",
        source,
    })
}

fn is_extern(btf: &Btf, ty: TypeId) -> bool {
    let Some(ty) = btf.type_by_id(ty) else { return false };
    match ty.def {
        Def::Var { linkage, .. } | Def::Func { linkage, .. } => linkage == Linkage::Extern,
        _ => false,
    }
}

/// Gives externs the form of variables, which is all the kernel accepts in a section.
pub(crate) fn finish(types: Option<Types>, externs: &Externs) -> Result<(Option<Btf>, Option<BtfExt>), Error> {
    let Some(Types { btf, ext }) = types else {
        return Ok((None, None));
    };
    let mut edit = btf.edit();
    if let Some((_, id, section)) = data_sections(&btf).find(|(name, _, _)| *name == KSYMS) {
        kernel_symbols(&btf, &mut edit, id, section);
    }
    if let Some((_, id, section)) = data_sections(&btf).find(|(name, _, _)| *name == KCONFIG) {
        configuration(&btf, &mut edit, id, section, externs);
    }
    let finished = edit.finish().map_err(|source| Error::Btf {
        section: ".BTF",
        source,
    })?;
    Ok((Some(finished), ext))
}

/// Each kernel symbol becomes a variable of four bytes; a function, one and the same dummy variable.
fn kernel_symbols(btf: &Btf, edit: &mut btf::Editor, id: TypeId, section: DataSec<'_>) {
    let int = btf.types().find_map(|ty| match ty.def {
        Def::Int(int) if int.size == 4 && int.bits == 32 => Some(ty.id),
        _ => None,
    });
    let int = int.unwrap_or_else(|| edit.add_int("int", 4));
    let mut dummy = None;
    let mut variables: Vec<SecVar> = section.vars().collect();
    for (index, variable) in variables.iter_mut().enumerate() {
        match btf.type_by_id(variable.ty).map(|ty| ty.def) {
            Some(Def::Func { proto, .. }) => {
                let dummy = *dummy.get_or_insert_with(|| edit.add_var("dummy_ksym", int, Linkage::Global));
                edit.name_params(proto, dummy);
                edit.set_func_linkage(variable.ty, Linkage::Global);
                variable.ty = dummy;
            }
            _ => {
                edit.set_var(variable.ty, int, Linkage::Global);
            }
        }
        variable.offset = index as u32 * 4;
        variable.size = 4;
    }
    edit.set_data_section(id, variables.len() as u32 * 4, &variables);
}

fn configuration(btf: &Btf, edit: &mut btf::Editor, id: TypeId, section: DataSec<'_>, externs: &Externs) {
    let mut variables: Vec<SecVar> = section.vars().collect();
    for variable in &mut variables {
        if let Some(Def::Var { ty, .. }) = btf.type_by_id(variable.ty).map(|ty| ty.def) {
            edit.set_var(variable.ty, ty, Linkage::Global);
        }
        if let Some(ExternKind::Kconfig { offset, .. }) = externs.by_type(variable.ty).map(|e| &e.kind) {
            variable.offset = *offset;
        }
    }
    variables.sort_by_key(|variable| variable.offset);
    edit.set_data_section(id, externs.kconfig_size, &variables);
}

/// Distributes the records of `.BTF.ext` to the functions they speak of.
pub(crate) fn attach_records(elf: &Elf<'_>, ext: &BtfExt, functions: &mut [Function]) -> Result<(), Error> {
    for info in &ext.sections {
        // Sections that the linker threw away may still be named.
        let Some(section) = elf.section(&info.name)? else {
            continue;
        };
        for func in &info.funcs {
            if let Some((function, 0)) = place(functions, section, func.insn_offset)? {
                function.type_id = Some(func.ty);
            }
        }
        for line in &info.lines {
            if let Some((function, slot)) = place(functions, section, line.insn_offset)? {
                function.lines.push(LineRecord {
                    slot,
                    file: line.file_offset,
                    text: line.text_offset,
                    line: line.line(),
                    column: line.column(),
                });
            }
        }
        for record in &info.relocations {
            if let Some((function, slot)) = place(functions, section, record.insn_offset)? {
                function.core.push(CoreRecord { slot, record: *record });
            }
        }
    }
    for function in functions {
        function.lines.sort_by_key(|line| line.slot);
        function.core.sort_by_key(|record| record.slot);
    }
    Ok(())
}

/// The function and slot of an offset; none for code that belongs to no function (a weak one that was replaced).
fn place<'f>(
    functions: &'f mut [Function],
    section: &Section<'_>,
    offset: u32,
) -> Result<Option<(&'f mut Function, u32)>, Error> {
    let offset = u64::from(offset);
    if !offset.is_multiple_of(SLOT_BYTES) {
        return Err(Error::malformed(section.name, offset, Problem::ExtRecord));
    }
    let Some(index) = functions::containing(functions, section.index, offset) else {
        return Ok(None);
    };
    let function = &mut functions[index.0 as usize];
    let slot = ((offset - function.section_offset) / SLOT_BYTES) as u32;
    Ok(Some((function, slot)))
}

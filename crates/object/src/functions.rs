//! Programs and sub-programs: which function symbols are which, and what a program's section name says.
//!
//! Relocations and BTF records are attached by other modules. Follows `bpf_object__add_programs` and
//! `prog_is_subprog` of libbpf (Linux 6.12).

use crate::elf_reader::{Elf, Section, Symbol, SymbolBind, SymbolKind};
use crate::error::{Error, Feature, Problem};
use crate::{LineRecord, Relocation};

/// The number of bytes of one instruction slot.
pub(crate) const SLOT_BYTES: u64 = 8;

/// Index of a function in [`crate::Object::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionIndex(pub u32);

/// A program or a sub-program.
#[derive(Clone, Debug)]
pub struct Function {
    /// The symbol's name; a program is loaded under it.
    pub name: String,
    /// The section it stands in, as the file names it, `?` included.
    pub section: String,
    /// Where it begins in the section, in bytes.
    pub section_offset: u64,
    /// The symbol's binding. A static function is only allowed in `.text`.
    pub binding: Binding,
    /// Whether the symbol has hidden visibility: the kernel is then told that a global sub-program is static, so
    /// that it is verified in the context of each caller.
    pub hidden: bool,
    /// Program or sub-program.
    pub role: Role,
    /// The instructions as they stand in the file, one entry a slot of 8 bytes.
    pub insns: Vec<isa::RawInsn>,
    /// What the instructions refer to, ordered by slot, at most one a slot.
    pub relocations: Vec<Relocation>,
    /// CO-RE relocations, ordered by slot.
    pub core: Vec<CoreRecord>,
    /// The function's BTF `FUNC`, from `.BTF.ext`.
    pub type_id: Option<btf::TypeId>,
    /// Source lines, ordered by slot.
    pub lines: Vec<LineRecord>,
    /// The section's number in the file.
    pub(crate) section_index: usize,
}

/// A CO-RE relocation of one instruction of a function.
#[derive(Clone, Debug)]
pub struct CoreRecord {
    /// The slot in the function.
    pub slot: u32,
    /// What is asked, with type ids and string offsets of the object's BTF.
    pub record: btf::RelocationRecord,
}

/// The binding of a function's symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `static`.
    Local,
    /// Visible to other files.
    Global,
    /// `__weak`.
    Weak,
}

/// Whether a function is loaded by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A program: it stands in a section of its kind.
    Program {
        /// What the section's name says.
        kind: SectionKind,
        /// False when the section's name begins with `?`: the program is then loaded only if asked for.
        autoload: bool,
    },
    /// A function in `.text`, loaded with each program that calls it.
    Subprogram,
}

/// The kind of program that a section's name asks for. What follows a `/` is ignored where libbpf ignores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// `struct_ops`, `struct_ops/…`, and with `.s` the sleepable ones.
    StructOps {
        /// Whether the program may sleep (`struct_ops.s`).
        sleepable: bool,
    },
    /// `socket`.
    SocketFilter,
    /// `syscall`; such programs may always sleep.
    Syscall,
    /// Any other section name, without `?`.
    Other(String),
}

impl SectionKind {
    /// What a section's name means; the flag is false when it begins with `?`.
    pub fn of(section: &str) -> (Self, bool) {
        let (name, autoload) = match section.strip_prefix('?') {
            Some(rest) => (rest, false),
            None => (section, true),
        };
        let kind = match name.split_once('/').map_or(name, |(base, _)| base) {
            "struct_ops" => Self::StructOps { sleepable: false },
            "struct_ops.s" => Self::StructOps { sleepable: true },
            "socket" if name == "socket" => Self::SocketFilter,
            "syscall" if name == "syscall" => Self::Syscall,
            _ => Self::Other(name.to_owned()),
        };
        (kind, autoload)
    }
}

impl Function {
    /// Whether this is a program for a member of an operations structure.
    pub fn is_struct_ops(&self) -> bool {
        matches!(
            self.role,
            Role::Program {
                kind: SectionKind::StructOps { .. },
                ..
            }
        )
    }
}

/// All functions of the file, by section and offset, without relocations and records.
pub(crate) fn collect(elf: &Elf<'_>) -> Result<Vec<Function>, Error> {
    let mut functions = Vec::new();
    for section in elf
        .sections
        .iter()
        .filter(|section| section.executable && section.has_bits)
    {
        if !section.size.is_multiple_of(SLOT_BYTES) {
            return Err(Error::malformed(
                section.name,
                0,
                Problem::NotWholeInstructions(section.size),
            ));
        }
        let mut symbols: Vec<&Symbol<'_>> = elf
            .symbols
            .iter()
            .filter(|symbol| symbol.kind == SymbolKind::Function && symbol.is_in(section.index))
            .collect();
        symbols.sort_by_key(|symbol| symbol.value);
        let mut end_before = 0;
        for symbol in &symbols {
            if symbol.value < end_before {
                let name = symbol.name.to_owned();
                return Err(Error::malformed(section.name, symbol.value, Problem::Overlap { name }));
            }
            functions.push(function(section, symbol)?);
            end_before = symbol.value + symbol.size;
        }
        if symbols.is_empty() && section.size > 0 {
            return Err(Error::malformed(section.name, 0, Problem::NoFunction));
        }
    }
    same_names(&functions)?;
    Ok(functions)
}

fn function(section: &Section<'_>, symbol: &Symbol<'_>) -> Result<Function, Error> {
    let at = |problem| Error::malformed(section.name, symbol.value, problem);
    if !symbol.value.is_multiple_of(SLOT_BYTES) || !symbol.size.is_multiple_of(SLOT_BYTES) {
        return Err(at(Problem::NotWholeInstructions(symbol.value | symbol.size)));
    }
    let role = if section.name == ".text" {
        Role::Subprogram
    } else if symbol.bind == SymbolBind::Local {
        let feature = Feature::StaticProgram(symbol.name.to_owned());
        return Err(Error::unsupported(section.name, symbol.value, feature));
    } else {
        let (kind, autoload) = SectionKind::of(section.name);
        Role::Program { kind, autoload }
    };
    let bytes = symbol
        .value
        .checked_add(symbol.size)
        .and_then(|end| section.data.get(symbol.value as usize..end as usize))
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| {
            at(Problem::FunctionPastEnd {
                name: symbol.name.to_owned(),
            })
        })?;
    Ok(Function {
        name: symbol.name.to_owned(),
        section: section.name.to_owned(),
        section_offset: symbol.value,
        binding: match symbol.bind {
            SymbolBind::Local => Binding::Local,
            SymbolBind::Global => Binding::Global,
            SymbolBind::Weak => Binding::Weak,
        },
        hidden: symbol.hidden,
        role,
        insns: bytes
            .chunks_exact(SLOT_BYTES as usize)
            .filter_map(|slot| slot.try_into().ok().map(isa::RawInsn::from_bytes))
            .collect(),
        relocations: Vec::new(),
        core: Vec::new(),
        type_id: None,
        lines: Vec::new(),
        section_index: section.index,
    })
}

/// Programs are asked for by name, so two of one name cannot be told apart. Static sub-programs may share a name.
fn same_names(functions: &[Function]) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for function in functions.iter().filter(|function| function.binding != Binding::Local) {
        if !seen.insert(function.name.as_str()) {
            let problem = Problem::SameName(function.name.clone());
            return Err(Error::malformed(&function.section, function.section_offset, problem));
        }
    }
    Ok(())
}

/// The function that begins at this offset of this section.
pub(crate) fn at(functions: &[Function], section: usize, offset: u64) -> Option<FunctionIndex> {
    containing(functions, section, offset).filter(|index| functions[index.0 as usize].section_offset == offset)
}

/// The function that holds this offset of this section. Functions are in the order of sections and offsets.
pub(crate) fn containing(functions: &[Function], section: usize, offset: u64) -> Option<FunctionIndex> {
    let before = |function: &Function| (function.section_index, function.section_offset) <= (section, offset);
    let index = functions.partition_point(before).checked_sub(1)?;
    let function = &functions[index];
    let end = function.section_offset + function.insns.len() as u64 * SLOT_BYTES;
    (function.section_index == section && offset < end).then_some(FunctionIndex(index as u32))
}

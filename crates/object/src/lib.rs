//! Reads a BPF object file (`.bpf.o`, as clang 14 and later write it) into a plain value.
//!
//! [`Object::parse`] is a pure function of the file's bytes: no file, no kernel, no clock. What depends on a
//! kernel (CO-RE, kernel functions, which members its structures have) is left to the loader; this crate says what
//! the file *asks for*. Relocations are already resolved to what they mean ([`Target`]), so nothing that comes
//! later knows ELF. The conventions (section names, `.maps` definitions, `.ksyms`, `.kconfig`, `.struct_ops`) are
//! those of libbpf, read from `tools/lib/bpf/libbpf.c` of Linux 6.12.
//!
//! ```no_run
//! let bytes = std::fs::read("cubic.bpf.o")?;
//! let object = object::Object::parse(&bytes)?;
//! for ops in &object.ops {
//!     println!("{} is a {}", ops.name, ops.kind);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod btf_section;
mod elf_reader;
mod error;
mod externs;
mod functions;
mod maps;
mod print;
mod relocations;
mod slots;
mod struct_ops;
mod undefined;

pub use btf_section::LineRecord;
pub use error::{Error, Feature, MapProblem, NotAnObject, Problem, TypeUser};
pub use externs::{Extern, ExternIndex, ExternKind, KconfigType};
pub use functions::{Binding, CoreRecord, Function, FunctionIndex, Role, SectionKind};
pub use maps::{DataSection, Map, MapIndex, MapSource, Pinning, map_type};
pub use relocations::{Relocation, Target};
pub use slots::{Slot, SlotContent};
pub use struct_ops::{MemberProgram, OpsStructure};

/// A place in the source of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// The file as the compiler was given it.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
    /// The line's text.
    pub text: &'a str,
}

/// What a BPF object file contains, with everything that ELF needs to say it taken away.
///
/// The value depends on the file's bytes alone: the same file gives the same `Object`, in the same order.
#[derive(Clone, Debug)]
pub struct Object {
    /// The text of the `license` section without its final NUL; `None` when the file has no such section.
    pub license: Option<String>,
    /// The `version` section: the kernel version the file was written for, as `KERNEL_VERSION()` encodes it.
    pub version: Option<u32>,
    /// Programs and sub-programs, ordered by section and then by offset in it.
    pub functions: Vec<Function>,
    /// Maps: those of `.maps` in the order of definition, then the data sections in the order of the file,
    /// then `.kconfig` if the object has such externs.
    pub maps: Vec<Map>,
    /// What the object asks of the kernel, in libbpf's order: `.kconfig` externs by alignment, size and name, then
    /// `.ksyms` by name.
    pub externs: Vec<Extern>,
    /// The operations structures, by section and then by offset.
    pub ops: Vec<OpsStructure>,
    /// The `.BTF` section with the data sections' sizes and offsets filled in from the symbol table. Type ids and
    /// string offsets are those of the file.
    pub btf: Option<btf::Btf>,
    /// Whether there is a `.BTF.ext`: source lines, function types and CO-RE relocations.
    pub has_records: bool,
}

impl Object {
    /// Reads an object file.
    ///
    /// # Errors
    /// [`Error`] with the section and the offset in it, for a file that is damaged, that breaks a convention of
    /// libbpf, or that uses what this crate does not support. It never panics, whatever the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let elf = elf_reader::Elf::read(bytes)?;
        let license = elf_reader::license(&elf)?;
        let version = elf_reader::version(&elf)?;
        let types = btf_section::read(&elf)?;
        let declared = types.as_ref().map(|types| &types.btf);
        let externs =
            externs::collect(&elf, declared).map_err(|error| undefined::located(&elf, types.as_ref(), error))?;
        let mut maps = maps::collect(&elf, declared, &externs)?;
        let mut functions = functions::collect(&elf)?;
        let (btf, ext) = btf_section::finish(types, &externs)?;
        slots::resolve(&elf, &mut maps, &functions)?;
        relocations::resolve(&elf, &mut functions, &maps, &externs)?;
        if let Some(ext) = &ext {
            btf_section::attach_records(&elf, ext, &mut functions)?;
        }
        let ops = struct_ops::collect(&elf, btf.as_ref(), &functions)?;
        Ok(Self {
            license,
            version,
            functions,
            maps: maps.into_public(),
            externs: externs.into_public(),
            ops,
            btf,
            has_records: ext.is_some(),
        })
    }

    /// The function with this index; indexes in this object are always valid for it.
    pub fn function(&self, index: FunctionIndex) -> Option<&Function> {
        self.functions.get(index.0 as usize)
    }

    /// The map with this index.
    pub fn map(&self, index: MapIndex) -> Option<&Map> {
        self.maps.get(index.0 as usize)
    }

    /// The source line that an instruction of a function was compiled from, as far as the object says.
    pub fn source(&self, function: FunctionIndex, slot: u32) -> Option<Source<'_>> {
        let (btf, function) = (self.btf.as_ref()?, self.function(function)?);
        let record = function.lines.iter().take_while(|line| line.slot <= slot).last()?;
        Some(Source {
            file: btf.string(record.file)?,
            line: record.line,
            column: record.column,
            text: btf.string(record.text)?,
        })
    }

    /// The programs among the functions, with their indexes.
    pub fn programs(&self) -> impl Iterator<Item = (FunctionIndex, &Function)> {
        self.functions
            .iter()
            .enumerate()
            .filter(|(_, function)| matches!(function.role, Role::Program { .. }))
            .map(|(index, function)| (FunctionIndex(index as u32), function))
    }
}

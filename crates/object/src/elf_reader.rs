//! ELF, reduced to what BPF objects use of it: sections, symbols, relocations without addends.
//!
//! Everything is checked once here, so the other modules work with plain indexes and slices. The `object` crate
//! reads the raw structures; this file knows their meaning and nothing of BPF beyond `license` and `version`.

use crate::error::{Error, Feature, NotAnObject, Problem, TypeUser};
use elf::LittleEndian;
use elf::elf as abi;
use elf::read::elf::{FileHeader, Rel as _, SectionHeader as _, Sym as _};
use std::collections::BTreeMap;

type Header = abi::FileHeader64<LittleEndian>;
const LE: LittleEndian = LittleEndian;

/// The file: sections by index (0 is the empty one), symbols by index, relocations by the section they change.
pub(crate) struct Elf<'d> {
    pub(crate) sections: Vec<Section<'d>>,
    pub(crate) symbols: Vec<Symbol<'d>>,
    relocations: BTreeMap<usize, Vec<Rel>>,
}

/// One section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'d> {
    pub(crate) index: usize,
    pub(crate) name: &'d str,
    /// The bytes; empty for a section without bytes in the file (`.bss`).
    pub(crate) data: &'d [u8],
    /// Size in memory, in bytes.
    pub(crate) size: u64,
    pub(crate) has_bits: bool,
    pub(crate) executable: bool,
    pub(crate) allocated: bool,
}

/// One symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol<'d> {
    pub(crate) name: &'d str,
    pub(crate) kind: SymbolKind,
    pub(crate) bind: SymbolBind,
    pub(crate) hidden: bool,
    pub(crate) place: Place,
    pub(crate) value: u64,
    pub(crate) size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Function,
    Object,
    Section,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolBind {
    Local,
    Global,
    Weak,
}

impl Symbol<'_> {
    /// Whether the symbol is defined in this section.
    pub(crate) fn is_in(&self, section: usize) -> bool {
        self.place == Place::Section(section)
    }
}

/// Where a symbol is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not in this file: an extern.
    Undefined,
    /// In the section with this index.
    Section(usize),
    /// Absolute, common, or another special index.
    Special(u16),
}

/// A relocation: the place in the section that is changed, and the symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rel {
    pub(crate) offset: u64,
    pub(crate) symbol: usize,
}

impl<'d> Elf<'d> {
    pub(crate) fn read(bytes: &'d [u8]) -> Result<Self, Error> {
        let header = header(bytes)?;
        let table = header.sections(LE, bytes).map_err(|_| table_error("section table"))?;
        let mut sections = Vec::with_capacity(table.len());
        for (index, raw) in table.enumerate() {
            sections.push(section(index.0, raw, &table, bytes)?);
        }
        let symbols = symbols(&table, bytes, sections.len())?;
        let mut file = Self {
            sections,
            symbols,
            relocations: BTreeMap::new(),
        };
        file.collect_relocations(&table, bytes)?;
        Ok(file)
    }

    /// The section of this name; an error if there are several.
    pub(crate) fn section(&self, name: &str) -> Result<Option<&Section<'d>>, Error> {
        let mut found = self.sections.iter().filter(|section| section.name == name);
        let first = found.next();
        match found.next() {
            Some(_) => Err(Error::malformed(name, 0, Problem::Duplicate)),
            None => Ok(first),
        }
    }

    /// The error of a file without types, in which something needs them.
    pub(crate) fn no_types(&self, user: TypeUser) -> Error {
        let has_dwarf = self.sections.iter().any(|section| section.name == ".debug_info");
        Error::NoTypes { user, has_dwarf }
    }

    /// The relocations that change this section, in the order of the file.
    pub(crate) fn relocations(&self, section: usize) -> &[Rel] {
        self.relocations.get(&section).map_or(&[], Vec::as_slice)
    }

    /// A symbol's name for messages: a section symbol has none of its own and is called as its section.
    pub(crate) fn symbol_name(&self, symbol: &Symbol<'d>) -> &'d str {
        match symbol.place {
            Place::Section(index) if symbol.name.is_empty() => self.sections.get(index).map_or("", |s| s.name),
            Place::Section(_) | Place::Undefined | Place::Special(_) => symbol.name,
        }
    }

    fn collect_relocations(&mut self, table: &Table<'d>, bytes: &'d [u8]) -> Result<(), Error> {
        for (index, raw) in table.enumerate() {
            let kind = raw.sh_type(LE);
            let name = self.sections[index.0].name;
            let target = raw.sh_info(LE) as usize;
            let Some(changed) = self.sections.get(target).filter(|_| target != 0) else {
                if kind == abi::SHT_REL {
                    return Err(Error::malformed(name, 0, Problem::Table("relocation table")));
                }
                continue;
            };
            if kind == abi::SHT_RELA && is_read(changed) {
                return Err(Error::unsupported(name, 0, Feature::Rela));
            }
            if kind != abi::SHT_REL || !is_read(changed) {
                continue;
            }
            let Ok(Some((records, _))) = raw.rel(LE, bytes) else {
                return Err(Error::malformed(name, 0, Problem::Table("relocation table")));
            };
            let list = self.relocations.entry(target).or_default();
            for record in records {
                let symbol = record.r_sym(LE);
                if symbol as usize >= self.symbols.len() {
                    return Err(Error::malformed(name, record.r_offset(LE), Problem::NoSymbol(symbol)));
                }
                list.push(Rel {
                    offset: record.r_offset(LE),
                    symbol: symbol as usize,
                });
            }
        }
        Ok(())
    }
}

type Table<'d> = elf::read::elf::SectionTable<'d, Header>;

/// Relocations of debug information and of `.BTF`, `.BTF.ext` concern nobody: they are not read.
fn is_read(changed: &Section<'_>) -> bool {
    changed.allocated
}

fn table_error(what: &'static str) -> Error {
    Error::malformed("(header)", 0, Problem::Table(what))
}

fn header(bytes: &[u8]) -> Result<&Header, Error> {
    let refuse = |reason| Err(Error::NotAnObject(reason));
    let Some(ident) = bytes.get(..16) else {
        return refuse(NotAnObject::NoElf);
    };
    if ident[..4] != abi::ELFMAG {
        return refuse(NotAnObject::NoElf);
    }
    if ident[4] != abi::ELFCLASS64.0 {
        return refuse(NotAnObject::NotElf64);
    }
    if ident[5] == abi::ELFDATA2MSB.0 {
        return refuse(NotAnObject::BigEndian);
    }
    let Ok(header) = Header::parse(bytes) else {
        return refuse(NotAnObject::NoElf);
    };
    if header.e_machine(LE) != abi::EM_BPF {
        return refuse(NotAnObject::Machine(header.e_machine(LE).0));
    }
    if header.e_type(LE) != abi::ET_REL {
        return refuse(NotAnObject::NotRelocatable(header.e_type(LE).0));
    }
    Ok(header)
}

fn section<'d>(
    index: usize,
    raw: &abi::SectionHeader64<LittleEndian>,
    table: &Table<'d>,
    bytes: &'d [u8],
) -> Result<Section<'d>, Error> {
    let numbered = || format!("#{index}");
    let name = table
        .section_name(LE, raw)
        .ok()
        .and_then(|name| std::str::from_utf8(name).ok())
        .ok_or_else(|| Error::malformed(&numbered(), 0, Problem::Name))?;
    let flags = raw.sh_flags(LE);
    let has_bits = raw.sh_type(LE) != abi::SHT_NOBITS;
    let data = if index == 0 {
        &[][..]
    } else {
        raw.data(LE, bytes)
            .map_err(|_| Error::malformed(name, 0, Problem::Bytes))?
    };
    if flags.contains(abi::SHF_ALLOC) && flags.contains(abi::SHF_COMPRESSED) {
        return Err(Error::unsupported(name, 0, Feature::Compressed));
    }
    Ok(Section {
        index,
        name,
        data,
        size: if index == 0 { 0 } else { raw.sh_size(LE) },
        has_bits,
        executable: flags.contains(abi::SHF_EXECINSTR),
        allocated: flags.contains(abi::SHF_ALLOC),
    })
}

fn symbols<'d>(table: &Table<'d>, bytes: &'d [u8], section_count: usize) -> Result<Vec<Symbol<'d>>, Error> {
    let raw = table
        .symbols(LE, bytes, abi::SHT_SYMTAB)
        .map_err(|_| table_error("symbol table"))?;
    let mut symbols = Vec::with_capacity(raw.len());
    for (index, symbol) in raw.enumerate() {
        let broken = |problem| Error::malformed(".symtab", index.0 as u64 * 24, problem);
        let name = raw
            .symbol_name(LE, symbol)
            .ok()
            .and_then(|name| std::str::from_utf8(name).ok())
            .ok_or_else(|| broken(Problem::Name))?;
        let section = symbol.st_shndx(LE).0;
        let place = match section {
            0 => Place::Undefined,
            special if special >= abi::SHN_LORESERVE => Place::Special(special),
            inside if (inside as usize) < section_count => Place::Section(inside as usize),
            _ => return Err(broken(Problem::Table("symbol's section"))),
        };
        symbols.push(Symbol {
            name,
            kind: match symbol.st_type() {
                abi::STT_FUNC => SymbolKind::Function,
                abi::STT_OBJECT => SymbolKind::Object,
                abi::STT_SECTION => SymbolKind::Section,
                _ => SymbolKind::Other,
            },
            bind: match symbol.st_bind() {
                abi::STB_LOCAL => SymbolBind::Local,
                abi::STB_WEAK => SymbolBind::Weak,
                _ => SymbolBind::Global,
            },
            hidden: matches!(symbol.st_visibility(), abi::STV_HIDDEN | abi::STV_INTERNAL),
            place,
            value: symbol.st_value(LE),
            size: symbol.st_size(LE),
        });
    }
    Ok(symbols)
}

/// The text of the `license` section, which may be padded with NULs.
pub(crate) fn license(elf: &Elf<'_>) -> Result<Option<String>, Error> {
    let Some(section) = elf.section("license")? else {
        return Ok(None);
    };
    let text = section.data.iter().position(|byte| *byte == 0).and_then(|end| {
        let (text, padding) = section.data.split_at(end);
        let clean = padding.iter().all(|byte| *byte == 0);
        std::str::from_utf8(text).ok().filter(|_| clean)
    });
    match text {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Error::malformed("license", 0, Problem::License)),
    }
}

/// The number in the `version` section.
pub(crate) fn version(elf: &Elf<'_>) -> Result<Option<u32>, Error> {
    let Some(section) = elf.section("version")? else {
        return Ok(None);
    };
    match <[u8; 4]>::try_from(section.data) {
        Ok(bytes) => Ok(Some(u32::from_le_bytes(bytes))),
        Err(_) => Err(Error::malformed("version", 0, Problem::Version(section.size))),
    }
}

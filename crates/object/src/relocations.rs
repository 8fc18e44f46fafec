//! Relocations of instructions, resolved to what they mean.
//!
//! Calls inside `.text` that need no ELF relocation are resolved too, so that a function's [`Relocation`]s are
//! complete: whoever moves the code needs nothing else. Follows `bpf_program__record_reloc` and
//! `bpf_object__reloc_code` of libbpf (Linux 6.12).

use crate::elf_reader::{Elf, Place, Rel, Symbol, SymbolBind, SymbolKind};
use crate::error::{Error, Feature, Problem};
use crate::externs::Externs;
use crate::functions::{self, Function, FunctionIndex, SLOT_BYTES};
use crate::maps::Maps;
use crate::{ExternIndex, MapIndex};

/// What one instruction of a function refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The slot in the function; for a 64-bit immediate its first slot.
    pub slot: u32,
    /// What is meant.
    pub target: Target,
}

/// What an instruction refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A 64-bit immediate that becomes a map.
    Map(MapIndex),
    /// A 64-bit immediate that becomes the address of a byte in a data map.
    Data {
        /// The map of the data section.
        map: MapIndex,
        /// Offset in the map's value, in bytes.
        offset: u32,
    },
    /// A 64-bit immediate that becomes the address (`.ksyms`) or the place of the value (`.kconfig`) of an extern.
    ExternAddress(ExternIndex),
    /// A call of a kernel function.
    ExternCall(ExternIndex),
    /// A call of a sub-program.
    Call(FunctionIndex),
    /// A 64-bit immediate that becomes the address of a sub-program (a callback).
    FunctionAddress(FunctionIndex),
}

/// Fills `relocations` of all functions.
pub(crate) fn resolve(elf: &Elf<'_>, functions: &mut [Function], maps: &Maps, externs: &Externs) -> Result<(), Error> {
    let mut found: Vec<Vec<Relocation>> = vec![Vec::new(); functions.len()];
    for section in elf.sections.iter().filter(|section| section.executable) {
        for rel in elf.relocations(section.index) {
            let at = |problem| Error::malformed(section.name, rel.offset, problem);
            if !rel.offset.is_multiple_of(SLOT_BYTES) || rel.offset >= section.size {
                return Err(at(Problem::RelocationOffset));
            }
            // A relocation in code that no symbol covers belongs to a weak function that another replaced.
            let Some(index) = functions::containing(functions, section.index, rel.offset) else {
                continue;
            };
            let function = &functions[index.0 as usize];
            let slot = ((rel.offset - function.section_offset) / SLOT_BYTES) as u32;
            let context = Context {
                elf,
                functions,
                maps,
                externs,
                function,
                slot,
            };
            let target = context.target(rel)?;
            found[index.0 as usize].push(Relocation { slot, target });
        }
    }
    for (index, relocations) in found.iter_mut().enumerate() {
        local_calls(functions, index, relocations)?;
        relocations.sort_by_key(|relocation| relocation.slot);
        if let Some(pair) = relocations.windows(2).find(|pair| pair[0].slot == pair[1].slot) {
            return Err(functions[index].malformed(pair[0].slot, Problem::RelocationTwice));
        }
    }
    for (function, relocations) in functions.iter_mut().zip(found) {
        function.relocations = relocations;
    }
    Ok(())
}

/// Calls of a function of the same section for which the compiler has already put the distance in place.
fn local_calls(functions: &[Function], index: usize, relocations: &mut Vec<Relocation>) -> Result<(), Error> {
    let function = &functions[index];
    let known: std::collections::BTreeSet<u32> = relocations.iter().map(|relocation| relocation.slot).collect();
    for (slot, insn) in function.insns.iter().enumerate() {
        let slot = slot as u32;
        if !is_subprogram_call(insn) || known.contains(&slot) {
            continue;
        }
        let distance = (i64::from(slot) + 1 + i64::from(insn.imm)) * SLOT_BYTES as i64;
        let target = function
            .section_offset
            .checked_add_signed(distance)
            .filter(|_| function.section == ".text")
            .and_then(|offset| functions::at(functions, function.section_index, offset));
        let Some(target) = target else {
            let symbol = format!("{}{distance:+}", function.name);
            return Err(function.malformed(slot, Problem::CallTarget { symbol }));
        };
        relocations.push(Relocation {
            slot,
            target: Target::Call(target),
        });
    }
    Ok(())
}

/// All that is needed to understand one relocation.
struct Context<'a> {
    elf: &'a Elf<'a>,
    functions: &'a [Function],
    maps: &'a Maps,
    externs: &'a Externs,
    function: &'a Function,
    slot: u32,
}

impl Context<'_> {
    fn target(&self, rel: &Rel) -> Result<Target, Error> {
        let symbol = &self.elf.symbols[rel.symbol];
        let insn = &self.function.insns[self.slot as usize];
        let is_call = insn.code == CALL;
        let wide = insn.code == LOAD_IMM64 && self.function.insns.len() > self.slot as usize + 1;
        if !is_call && !wide {
            return Err(self.fails(Problem::RelocationInstruction {
                symbol: self.elf.symbol_name(symbol).to_owned(),
                code: insn.code,
            }));
        }
        match symbol.place {
            Place::Undefined => match self.externs.by_symbol(rel.symbol) {
                Some(index) if is_call => Ok(Target::ExternCall(index)),
                Some(index) => Ok(Target::ExternAddress(index)),
                None => Err(self.fails(Problem::NoTypeFor(symbol.name.to_owned()))),
            },
            Place::Section(section) if is_call => self.call(symbol, section),
            Place::Section(section) => self.address(symbol, section),
            Place::Special(_) => Err(self.fails(Problem::AddressTarget {
                symbol: symbol.name.to_owned(),
                section: "(special)".to_owned(),
            })),
        }
    }

    /// A global function's symbol points at it and the immediate is -1; for a static one the symbol is the
    /// section's and the immediate counts from its start.
    fn call(&self, symbol: &Symbol<'_>, section: usize) -> Result<Target, Error> {
        let insn = &self.function.insns[self.slot as usize];
        let section_name = self.elf.sections[section].name;
        let offset = (symbol.value as i64).checked_add((i64::from(insn.imm) + 1) * SLOT_BYTES as i64);
        offset
            .filter(|_| is_subprogram_call(insn) && section_name == ".text")
            .and_then(|offset| u64::try_from(offset).ok())
            .and_then(|offset| functions::at(self.functions, section, offset))
            .map(Target::Call)
            .ok_or_else(|| {
                self.fails(Problem::CallTarget {
                    symbol: self.elf.symbol_name(symbol).to_owned(),
                })
            })
    }

    fn address(&self, symbol: &Symbol<'_>, section: usize) -> Result<Target, Error> {
        let insn = &self.function.insns[self.slot as usize];
        let place = &self.elf.sections[section];
        let offset = (symbol.value as i64).saturating_add(i64::from(insn.imm));
        if is_function_of_text(symbol, place.name) {
            return u64::try_from(offset)
                .ok()
                .and_then(|offset| functions::at(self.functions, section, offset))
                .map(Target::FunctionAddress)
                .ok_or_else(|| self.no_target(symbol, place.name));
        }
        if place.name == ".addr_space.1" {
            return Err(Error::unsupported(place.name, symbol.value, Feature::Arena));
        }
        if let Some(map) = self.maps.data_section(section) {
            return match u32::try_from(offset) {
                Ok(fits) if u64::from(fits) <= place.size => Ok(Target::Data { map, offset: fits }),
                Ok(_) | Err(_) => Err(self.fails(Problem::DataOffset {
                    symbol: self.elf.symbol_name(symbol).to_owned(),
                    offset,
                    size: place.size,
                })),
            };
        }
        self.maps
            .defined_at(section, symbol.value)
            .map(Target::Map)
            .ok_or_else(|| self.no_target(symbol, place.name))
    }

    fn no_target(&self, symbol: &Symbol<'_>, section: &str) -> Error {
        self.fails(Problem::AddressTarget {
            symbol: self.elf.symbol_name(symbol).to_owned(),
            section: section.to_owned(),
        })
    }

    fn fails(&self, problem: Problem) -> Error {
        self.function.malformed(self.slot, problem)
    }
}

impl Function {
    /// An error at one of the function's slots.
    pub(crate) fn malformed(&self, slot: u32, problem: Problem) -> Error {
        let offset = self.section_offset + u64::from(slot) * SLOT_BYTES;
        Error::malformed(&self.section, offset, problem)
    }
}

fn is_function_of_text(symbol: &Symbol<'_>, section: &str) -> bool {
    let function = symbol.kind == SymbolKind::Function;
    let section_symbol = symbol.kind == SymbolKind::Section && symbol.bind == SymbolBind::Local;
    section == ".text" && (function || section_symbol)
}

/// A call whose target is another function of the object, not a helper.
fn is_subprogram_call(insn: &isa::RawInsn) -> bool {
    insn.code == CALL && insn.src == PSEUDO_CALL
}

/// `BPF_JMP | BPF_CALL` (RFC 9669, 4.3).
const CALL: u8 = 0x85;
/// `BPF_LD | BPF_DW | BPF_IMM` (RFC 9669, 5.4).
const LOAD_IMM64: u8 = 0x18;
/// The source register of a call of a function of the program (RFC 9669, table 7).
const PSEUDO_CALL: u8 = 1;

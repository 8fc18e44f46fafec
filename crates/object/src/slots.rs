//! `__array(values, …)` of a map's definition: what the maps in a map of maps look like, and what its slots and those of a program array hold at first.
//!
//! Follows `parse_btf_map_def` and `bpf_object__collect_map_relos` of libbpf (Linux 6.18): `values` is the last member and an array without length of pointers; an
//! initialiser makes the variable longer than its type, with a relocation for each slot.

use crate::elf_reader::{Elf, Place, Rel, Section, SymbolKind};
use crate::error::{Error, MapProblem, Problem};
use crate::functions::{self, Function, FunctionIndex, Role};
use crate::maps::{Map, MapIndex, Maps, map_type};
use btf::{Btf, Def};

/// What a slot of a map holds before programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The index, which is the key.
    pub index: u32,
    /// What stands there.
    pub holds: SlotContent,
}

/// A map or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotContent {
    /// In a map of maps.
    Map(MapIndex),
    /// In a program array.
    Program(FunctionIndex),
}

/// The slots of a map in its section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Offset of the first slot in the section, in bytes.
    start: u64,
    /// Where the variable ends.
    end: u64,
}

impl Room {
    pub(crate) fn holds(&self, offset: u64) -> bool {
        (self.start..self.end).contains(&offset)
    }
}

/// Bytes of a pointer.
const SLOT_BYTES: u64 = 8;

/// Whether maps stand in such a map.
fn is_of_maps(map_type: u32) -> bool {
    [map_type::ARRAY_OF_MAPS, map_type::HASH_OF_MAPS].contains(&map_type)
}

/// What `values` says of a map: the definition of the maps in it, none for a program array.
pub(crate) fn inner(
    btf: &Btf,
    outer: &Map,
    values: &btf::Member<'_>,
    parse: impl Fn(&str, btf::Composite<'_>) -> Result<Map, MapProblem>,
) -> Result<Option<Box<Map>>, MapProblem> {
    let form = || MapProblem::Form("values".to_owned());
    let element = match btf.resolve(values.ty).map(|ty| ty.def) {
        Ok(Def::Array(array)) if array.len == 0 => btf.pointee(array.element).ok().flatten().ok_or_else(form)?,
        _ => return Err(form()),
    };
    let element = btf.resolve(element.id).map_err(|_| form())?;
    match element.def {
        Def::FuncProto(_) if outer.map_type == map_type::PROG_ARRAY => Ok(None),
        Def::Struct(definition) if is_of_maps(outer.map_type) => {
            let inner = parse(&format!("{}.inner", outer.name), definition)?;
            if inner.pinning != crate::Pinning::None {
                return Err(MapProblem::PinnedInner);
            }
            Ok(Some(Box::new(inner)))
        }
        _ if is_of_maps(outer.map_type) || outer.map_type == map_type::PROG_ARRAY => Err(form()),
        _ => Err(MapProblem::NoValues),
    }
}

/// Where the slots of a variable lie that is at `offset` of its section and `size` bytes long.
pub(crate) fn room(definition: btf::Composite<'_>, offset: u64, size: u32) -> Option<Room> {
    let (_, values) = definition.member_named("values")?;
    Some(Room {
        start: offset + u64::from(values.bit_offset / 8),
        end: offset + u64::from(size),
    })
}

/// The initial slots of the maps of `.maps`.
pub(crate) fn resolve(elf: &Elf<'_>, maps: &mut Maps, functions: &[Function]) -> Result<(), Error> {
    let Some(section) = elf.section(".maps")? else {
        return Ok(());
    };
    for rel in elf.relocations(section.index) {
        let fails = |problem| Error::malformed(section.name, rel.offset, problem);
        let holder = maps.room_at(rel.offset).ok_or_else(|| fails(Problem::SlotRelocation))?;
        let (index, room) = holder;
        let distance = rel.offset - room.start;
        if !distance.is_multiple_of(SLOT_BYTES) || rel.offset + SLOT_BYTES > room.end {
            return Err(fails(Problem::SlotRelocation));
        }
        let map = maps.get(index).ok_or_else(|| fails(Problem::SlotRelocation))?;
        let in_map = |problem| {
            let map = map.name.clone();
            fails(Problem::Map { map, problem })
        };
        // The slot's number is the key.
        if map.key_size != 4 {
            return Err(in_map(MapProblem::SlotKey(map.key_size)));
        }
        let symbol = &elf.symbols[rel.symbol];
        let wrong = || {
            in_map(MapProblem::SlotContent {
                target: elf.symbol_name(symbol).to_owned(),
                wanted: if map.map_type == map_type::PROG_ARRAY {
                    "program"
                } else {
                    "map"
                },
            })
        };
        let (place, offset) = target(elf, section, rel).ok_or_else(wrong)?;
        let holds = if map.map_type == map_type::PROG_ARRAY {
            functions::at(functions, place, offset)
                .filter(|index| matches!(functions[index.0 as usize].role, Role::Program { .. }))
                .map(SlotContent::Program)
        } else {
            maps.defined_at(place, offset).map(SlotContent::Map)
        };
        let slot = Slot {
            index: (distance / SLOT_BYTES) as u32,
            holds: holds.ok_or_else(wrong)?,
        };
        maps.put(index, slot);
    }
    Ok(())
}

/// The section and the offset in it that a slot refers to: for a static variable the symbol is the section's, and the slot's bytes count from its start.
fn target(elf: &Elf<'_>, section: &Section<'_>, rel: &Rel) -> Option<(usize, u64)> {
    let symbol = &elf.symbols[rel.symbol];
    let Place::Section(place) = symbol.place else {
        return None;
    };
    let bytes = section.data.get(rel.offset as usize..)?.first_chunk::<8>()?;
    let addend = match symbol.kind {
        SymbolKind::Section => u64::from_le_bytes(*bytes),
        SymbolKind::Function | SymbolKind::Object | SymbolKind::Other => 0,
    };
    Some((place, symbol.value.wrapping_add(addend)))
}

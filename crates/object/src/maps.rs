//! Maps: definitions in `.maps`, and the data sections, which become maps of one element.
//!
//! Follows `parse_btf_map_def`, `bpf_object__init_user_btf_map` and `bpf_object__init_internal_map` of libbpf
//! (Linux 6.12). Numbers of map types and flags are those of `include/uapi/linux/bpf.h`.

use crate::btf_section;
use crate::elf_reader::{Elf, Section};
use crate::error::{Error, Feature, MapProblem, Problem, TypeUser};
use crate::externs::{Externs, KCONFIG};
use crate::slots::{self, Room, Slot};
use btf::{Btf, Def, Linkage, TypeId};

/// Index of a map in [`crate::Object::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapIndex(pub u32);

/// A map that the object needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The variable's name, or the section's name for a data section.
    pub name: String,
    /// Where it comes from, with its initial value.
    pub source: MapSource,
    /// The type's number (`BPF_MAP_TYPE_*`); see [`map_type`].
    pub map_type: u32,
    /// Size of a key in bytes.
    pub key_size: u32,
    /// Size of a value in bytes.
    pub value_size: u32,
    /// Number of elements; 0 when the definition does not say.
    pub max_entries: u32,
    /// `BPF_F_*` of map creation.
    pub flags: u32,
    /// Meaning depends on the type (`map_extra`).
    pub extra: u64,
    /// NUMA node, when stated.
    pub numa_node: Option<u32>,
    /// The key's type in the object's BTF.
    pub key_type: Option<TypeId>,
    /// The value's type in the object's BTF; a `DATASEC` for data.
    pub value_type: Option<TypeId>,
    /// Whether the map is shared by name in the bpffs.
    pub pinning: Pinning,
    /// What the maps in a map of maps look like.
    pub inner: Option<Box<Self>>,
    /// What its slots hold before programs run, by index.
    pub slots: Vec<Slot>,
}

/// Where a map comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapSource {
    /// A definition in `.maps`.
    Definition,
    /// A data section.
    Data(DataSection),
    /// The configuration values that the externs ask for; filled in by the loader.
    Kconfig,
}

/// A data section: `.data`, `.rodata`, `.bss` and those with such a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSection {
    /// The initial bytes; empty for `.bss`, which begins as zeros.
    pub bytes: Vec<u8>,
    /// Whether the value is fixed before programs are loaded (`.rodata`).
    pub read_only: bool,
}

/// Whether a map is shared by name in the bpffs (`LIBBPF_PIN_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinning {
    /// Not shared.
    None,
    /// Pinned under, and taken from, the name of the map.
    ByName,
}

/// Numbers of map types that this crate names.
pub mod map_type {
    /// `BPF_MAP_TYPE_ARRAY`.
    pub const ARRAY: u32 = 2;
    /// `BPF_MAP_TYPE_PROG_ARRAY`.
    pub const PROG_ARRAY: u32 = 3;
    /// `BPF_MAP_TYPE_PERF_EVENT_ARRAY`.
    pub const PERF_EVENT_ARRAY: u32 = 4;
    /// `BPF_MAP_TYPE_ARRAY_OF_MAPS`.
    pub const ARRAY_OF_MAPS: u32 = 12;
    /// `BPF_MAP_TYPE_HASH_OF_MAPS`.
    pub const HASH_OF_MAPS: u32 = 13;
}

/// `BPF_F_RDONLY_PROG`.
const RDONLY_PROG: u32 = 1 << 7;
/// `BPF_F_MMAPABLE`.
const MMAPABLE: u32 = 1 << 10;
/// Largest data section that is taken, in bytes: far more than the kernel gives one map, far less than memory.
const DATA_BYTES_MAX: u64 = 256 << 20;

/// The maps and where relocations find them.
pub(crate) struct Maps {
    list: Vec<Map>,
    /// Parallel to `list`: section and offset.
    places: Vec<(usize, u64)>,
    /// The slots of maps that may have initial ones.
    rooms: Vec<(MapIndex, Room)>,
}

impl Maps {
    /// The map of this data section.
    pub(crate) fn data_section(&self, section: usize) -> Option<MapIndex> {
        self.index(|map, place| place.0 == section && matches!(map.source, MapSource::Data(_)))
    }

    /// The map defined at this offset of this section.
    pub(crate) fn defined_at(&self, section: usize, offset: u64) -> Option<MapIndex> {
        self.index(|map, place| *place == (section, offset) && map.source == MapSource::Definition)
    }

    fn index(&self, fits: impl Fn(&Map, &(usize, u64)) -> bool) -> Option<MapIndex> {
        let mut both = self.list.iter().zip(&self.places);
        both.position(|(map, place)| fits(map, place))
            .map(|index| MapIndex(index as u32))
    }

    /// The map that has a slot at this offset of `.maps`.
    pub(crate) fn room_at(&self, offset: u64) -> Option<(MapIndex, Room)> {
        self.rooms.iter().copied().find(|(_, room)| room.holds(offset))
    }

    pub(crate) fn get(&self, index: MapIndex) -> Option<&Map> {
        self.list.get(index.0 as usize)
    }

    /// Fills a slot; of two initialisers of one slot the last counts, as in libbpf.
    pub(crate) fn put(&mut self, index: MapIndex, slot: Slot) {
        if let Some(map) = self.list.get_mut(index.0 as usize) {
            map.slots.retain(|known| known.index != slot.index);
            map.slots.push(slot);
        }
    }

    pub(crate) fn into_public(self) -> Vec<Map> {
        self.list
    }
}

/// All maps of the file.
pub(crate) fn collect(elf: &Elf<'_>, btf: Option<&Btf>, externs: &Externs) -> Result<Maps, Error> {
    let mut maps = Maps {
        list: Vec::new(),
        places: Vec::new(),
        rooms: Vec::new(),
    };
    if elf.section("maps")?.is_some_and(|section| section.size > 0) {
        return Err(Error::unsupported("maps", 0, Feature::LegacyMaps));
    }
    if let Some(section) = elf.section(".maps")?.filter(|section| section.size > 0) {
        let btf = btf.ok_or_else(|| elf.no_types(TypeUser::Section(section.name.to_owned())))?;
        definitions(section, btf, &mut maps)?;
    }
    for section in &elf.sections {
        let Some(kind) = DataKind::of(section.name).filter(|_| section.allocated && section.size > 0) else {
            continue;
        };
        maps.list.push(data_map(section, kind, btf)?);
        maps.places.push((section.index, 0));
    }
    if externs.kconfig_size > 0 {
        maps.list.push(kconfig_map(externs.kconfig_size, btf));
        maps.places.push((0, 0));
    }
    Ok(maps)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DataKind {
    Data,
    Rodata,
    Bss,
}

impl DataKind {
    fn of(section: &str) -> Option<Self> {
        let named = |name: &str| {
            section
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match section {
            _ if named(".data") => Some(Self::Data),
            _ if named(".rodata") => Some(Self::Rodata),
            _ if named(".bss") => Some(Self::Bss),
            _ => None,
        }
    }
}

fn data_map(section: &Section<'_>, kind: DataKind, btf: Option<&Btf>) -> Result<Map, Error> {
    if section.size > DATA_BYTES_MAX {
        return Err(Error::malformed(section.name, 0, Problem::Bytes));
    }
    let value_type = btf.and_then(|btf| data_section_type(btf, section.name));
    let read_only = kind == DataKind::Rodata;
    Ok(Map {
        name: section.name.to_owned(),
        source: MapSource::Data(DataSection {
            bytes: section.data.to_vec(),
            read_only,
        }),
        flags: if read_only { RDONLY_PROG } else { 0 } | mmapable(btf, value_type),
        value_size: section.size as u32,
        value_type,
        ..array_of_one()
    })
}

fn kconfig_map(size: u32, btf: Option<&Btf>) -> Map {
    let value_type = btf.and_then(|btf| data_section_type(btf, KCONFIG));
    Map {
        name: KCONFIG.to_owned(),
        source: MapSource::Kconfig,
        flags: RDONLY_PROG | mmapable(btf, value_type),
        value_size: size,
        value_type,
        ..array_of_one()
    }
}

fn array_of_one() -> Map {
    Map {
        name: String::new(),
        source: MapSource::Definition,
        map_type: map_type::ARRAY,
        key_size: 4,
        value_size: 0,
        max_entries: 1,
        flags: 0,
        extra: 0,
        numa_node: None,
        key_type: None,
        value_type: None,
        pinning: Pinning::None,
        inner: None,
        slots: Vec::new(),
    }
}

fn data_section_type(btf: &Btf, name: &str) -> Option<TypeId> {
    btf_section::data_sections(btf)
        .find(|(known, _, _)| *known == name)
        .map(|(_, id, _)| id)
}

/// A section in which some variable is visible outside may be mapped into a process (`map_is_mmapable`).
fn mmapable(btf: Option<&Btf>, section: Option<TypeId>) -> u32 {
    let visible = btf.zip(section).and_then(|(btf, id)| match btf.type_by_id(id)?.def {
        Def::DataSec(variables) => Some(variables.vars().any(|place| {
            let linkage = btf.type_by_id(place.ty).map(|ty| ty.def);
            !matches!(
                linkage,
                Some(Def::Var {
                    linkage: Linkage::Static,
                    ..
                })
            )
        })),
        _ => None,
    });
    if visible == Some(true) { MMAPABLE } else { 0 }
}

/// The definitions of `.maps`.
fn definitions(section: &Section<'_>, btf: &Btf, maps: &mut Maps) -> Result<(), Error> {
    let whole = |problem| Error::malformed(section.name, 0, problem);
    let (_, _, variables) = btf_section::data_sections(btf)
        .find(|(name, _, _)| *name == section.name)
        .ok_or_else(|| whole(Problem::NoDataSection))?;
    for place in variables.vars() {
        let map = btf.name_of(place.ty).to_owned();
        let offset = u64::from(place.offset);
        let fails = |problem| {
            let map = map.clone();
            Error::malformed(section.name, offset, Problem::Map { map, problem })
        };
        if maps.list.iter().any(|known| known.name == map) {
            return Err(Error::malformed(section.name, offset, Problem::SameName(map)));
        }
        let definition = match btf.type_by_id(place.ty).map(|ty| ty.def) {
            Some(Def::Var { ty, .. }) => btf.resolve(ty).ok().and_then(|ty| match ty.def {
                Def::Struct(composite) => Some(composite),
                _ => None,
            }),
            _ => None,
        };
        let definition = definition.ok_or_else(|| fails(MapProblem::NotAStruct))?;
        if offset + u64::from(definition.size) > section.size {
            return Err(fails(MapProblem::PastEnd));
        }
        let index = MapIndex(maps.list.len() as u32);
        maps.rooms
            .extend(slots::room(definition, offset, place.size).map(|room| (index, room)));
        maps.list.push(parse_definition(btf, &map, definition).map_err(fails)?);
        maps.places.push((section.index, offset));
    }
    Ok(())
}

fn parse_definition(btf: &Btf, name: &str, definition: btf::Composite<'_>) -> Result<Map, MapProblem> {
    let mut map = Map {
        name: name.to_owned(),
        map_type: 0,
        key_size: 0,
        max_entries: 0,
        ..array_of_one()
    };
    let mut values = None;
    for member in definition.members() {
        if values.is_some() {
            return Err(MapProblem::AfterValues(member.name.to_owned()));
        }
        match member.name {
            "type" => map.map_type = number(btf, &member)?,
            "max_entries" => map.max_entries = number(btf, &member)?,
            "map_flags" => map.flags = number(btf, &member)?,
            "numa_node" => map.numa_node = Some(number(btf, &member)?),
            "map_extra" => map.extra = long_number(btf, &member)?,
            "key_size" => set_size("key_size", &mut map.key_size, number(btf, &member)?, None)?,
            "value_size" => set_size("value_size", &mut map.value_size, number(btf, &member)?, None)?,
            "key" => {
                let (ty, size) = sized_type(btf, &member)?;
                map.key_type = Some(ty);
                set_size("key_size", &mut map.key_size, size, Some(()))?;
            }
            "value" => {
                let (ty, size) = sized_type(btf, &member)?;
                map.value_type = Some(ty);
                set_size("value_size", &mut map.value_size, size, Some(()))?;
            }
            "pinning" => {
                map.pinning = match number(btf, &member)? {
                    0 => Pinning::None,
                    1 => Pinning::ByName,
                    other => return Err(MapProblem::Pinning(other)),
                };
            }
            "values" => {
                set_size("value_size", &mut map.value_size, 4, None)?;
                values = Some(member);
            }
            other => return Err(MapProblem::Unknown(other.to_owned())),
        }
    }
    if map.map_type == 0 {
        return Err(MapProblem::NoType);
    }
    if let Some(values) = values {
        let parse = |name: &str, inner: btf::Composite<'_>| {
            // One level is all that the kernel has.
            match inner.member_named("values") {
                Some(_) => Err(MapProblem::DeepMaps),
                None => parse_definition(btf, name, inner),
            }
        };
        map.inner = slots::inner(btf, &map, &values, parse)?;
    }
    Ok(map)
}

/// Two statements of a size must agree; `typed` says that the new one comes from a type.
fn set_size(attribute: &'static str, size: &mut u32, new: u32, typed: Option<()>) -> Result<(), MapProblem> {
    if *size != 0 && *size != new {
        let (stated, actual) = if typed.is_some() { (*size, new) } else { (new, *size) };
        return Err(MapProblem::Size {
            attribute,
            stated,
            actual,
        });
    }
    *size = new;
    Ok(())
}

/// `__uint(name, value)` declares `int (*name)[value]`.
fn number(btf: &Btf, member: &btf::Member<'_>) -> Result<u32, MapProblem> {
    match btf.pointee(member.ty) {
        Ok(Some(ty)) => match ty.def {
            Def::Array(array) => Ok(array.len),
            _ => Err(MapProblem::Form(member.name.to_owned())),
        },
        Ok(None) | Err(_) => Err(MapProblem::Form(member.name.to_owned())),
    }
}

/// `__ulong(name, value)` declares `enum { …, value } name`.
fn long_number(btf: &Btf, member: &btf::Member<'_>) -> Result<u64, MapProblem> {
    let form = || MapProblem::Form(member.name.to_owned());
    match btf.resolve(member.ty).map(|ty| ty.def) {
        Ok(Def::Ptr(_)) => number(btf, member).map(u64::from),
        Ok(Def::Enum(e)) => e.enumerators().next().map(|value| value.value).ok_or_else(form),
        _ => Err(form()),
    }
}

/// `__type(name, type)` declares `type *name`.
fn sized_type(btf: &Btf, member: &btf::Member<'_>) -> Result<(TypeId, u32), MapProblem> {
    let form = || MapProblem::Form(member.name.to_owned());
    match btf.type_by_id(member.ty).map(|ty| ty.def) {
        Some(Def::Ptr(ty)) => btf.size_of(ty).map(|size| (ty, size)).map_err(|_| form()),
        _ => Err(form()),
    }
}

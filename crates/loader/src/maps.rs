//! Maps: from the object's wishes to what the kernel is asked for, and their creation with initial values.
//!
//! Names and adjustments follow `internal_map_name`, `bpf_object__create_map`, `adjust_ringbuf_sz` and
//! `bpf_object__populate_internal_map` of libbpf (Linux 6.12). Maps of ops structures are made in `load`.

use crate::error::{LoadError, PlanError};
use crate::map_rules;
use crate::options::PlanOptions;
use crate::sharing::{MapPin, NewPins, SharedMap};
use bpf::{Bpf, BtfObject, Errno, Fd, MapCreate, MapFlags, MapType, UpdateFlags};
use object::{MapIndex, MapSource, Object, Pinning, SlotContent};

/// A map as it will be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapPlan {
    /// Its index in the object.
    pub index: MapIndex,
    /// The variable's or section's name in the object.
    pub name: String,
    /// The name the kernel gets.
    pub kernel_name: String,
    /// The type.
    pub map_type: MapType,
    /// Size of a key in bytes.
    pub key_size: u32,
    /// Size of a value in bytes.
    pub value_size: u32,
    /// Number of elements; 0 for a `perf_event_array` means one a CPU.
    pub max_entries: u32,
    /// Flags.
    pub flags: MapFlags,
    /// Meaning depends on the type.
    pub extra: u64,
    /// The node whose memory it takes; counts only with `BPF_F_NUMA_NODE`, as in libbpf and the kernel.
    pub numa_node: u32,
    /// Types of key and value in the object's BTF, 0 for none.
    pub type_ids: (u32, u32),
    /// The value before programs run.
    pub initial: Initial,
    /// What the maps in a map of maps look like.
    pub inner: Option<Box<Self>>,
    /// What its slots hold before programs run.
    pub slots: Vec<SlotPlan>,
    /// Whether the object asks for it to be shared by name (`LIBBPF_PIN_BY_NAME`).
    pub by_name: bool,
    /// Where the map is shared, when it is; without [`PlanOptions::pin_root`] it is not, whatever the object asks for.
    pub pin: Option<MapPin>,
}

/// A slot of a map of maps or of a program array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotPlan {
    /// Its index.
    pub index: u32,
    /// What it holds before programs run.
    pub holds: SlotContent,
    /// The name of that.
    pub name: String,
}

/// The value of a map before programs run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initial {
    /// As the kernel makes it.
    None,
    /// These bytes, for key 0.
    Bytes {
        /// The value.
        bytes: Vec<u8>,
        /// Whether user space may not change it afterwards (`.rodata`).
        freeze: bool,
    },
    /// The kernel's configuration values.
    Kconfig,
}

/// Bytes of a page, for the size of ring buffers.
const PAGE_BYTES: u32 = 4096;

/// The maps of the object, without those that only left-out programs use.
pub(crate) fn plan(
    object: &Object,
    options: &PlanOptions,
    is_left_out: &dyn Fn(MapIndex) -> bool,
) -> Result<Vec<MapPlan>, PlanError> {
    let maps = object.maps.iter().enumerate();
    let maps = maps.map(|(index, map)| (MapIndex(index as u32), map));
    maps.filter(|(index, _)| !is_left_out(*index))
        .map(|(index, map)| {
            Ok(MapPlan {
                slots: map.slots.iter().map(|slot| slot_plan(object, slot)).collect(),
                ..one(index, map, options)?
            })
        })
        .collect()
}

fn slot_plan(object: &Object, slot: &object::Slot) -> SlotPlan {
    let name = match slot.holds {
        SlotContent::Map(index) => object.map(index).map(|map| &map.name),
        SlotContent::Program(index) => object.function(index).map(|function| &function.name),
    };
    SlotPlan {
        index: slot.index,
        holds: slot.holds,
        name: name.cloned().unwrap_or_default(),
    }
}

fn one(index: MapIndex, map: &object::Map, options: &PlanOptions) -> Result<MapPlan, PlanError> {
    let unsupported = |feature| PlanError::Map {
        map: map.name.clone(),
        feature,
    };
    let map_type = MapType(map.map_type);
    if map_type == MapType::ARENA {
        return Err(unsupported("an arena"));
    }
    let by_name = map.pinning == Pinning::ByName;
    // The name becomes a file's.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if by_name && !map.name.bytes().all(plain) {
        return Err(unsupported(
            "sharing by a name that is not made of letters, digits and `_`",
        ));
    }
    let root = options.pin_root.as_ref().filter(|_| by_name);
    let initial = match &map.source {
        MapSource::Definition => Initial::None,
        MapSource::Data(data) if data.bytes.is_empty() => Initial::None,
        MapSource::Data(data) => Initial::Bytes {
            bytes: data.bytes.clone(),
            freeze: data.read_only,
        },
        MapSource::Kconfig => Initial::Kconfig,
    };
    let kernel_name = match map.source {
        MapSource::Definition => bpf::object_name(&map.name),
        MapSource::Data(_) | MapSource::Kconfig => data_map_name(&options.object_name, &map.name),
    };
    let id = |ty: Option<btf::TypeId>| {
        if takes_types(map_type) {
            ty.map_or(0, |ty| ty.0)
        } else {
            0
        }
    };
    Ok(MapPlan {
        index,
        name: map.name.clone(),
        kernel_name,
        map_type,
        key_size: map.key_size,
        value_size: map.value_size,
        max_entries: if map_type == MapType::RINGBUF || map_type == MapType::USER_RINGBUF {
            ring_size(map.max_entries)
        } else {
            map.max_entries
        },
        flags: MapFlags::from_bits_retain(map.flags),
        extra: map.extra,
        numa_node: map.numa_node.unwrap_or(0),
        type_ids: (id(map.key_type), id(map.value_type)),
        initial,
        inner: match &map.inner {
            Some(inner) => Some(Box::new(one(index, inner, options)?)),
            None => None,
        },
        slots: Vec::new(),
        by_name,
        pin: root.map(|root| root.pin(&map.name)),
    })
}

/// As much of the object's name as fits before the section's, which has at least seven bytes of the fifteen; a
/// section with a dot in its name (`.data.mine`) stands alone.
fn data_map_name(object: &str, section: &str) -> String {
    let suffix: String = section.chars().take(bpf::OBJECT_NAME_MAX).collect();
    let custom = section.get(1..).is_some_and(|rest| rest.contains('.'));
    let room = if custom {
        0
    } else {
        bpf::OBJECT_NAME_MAX.saturating_sub(suffix.len().max(7))
    };
    let prefix: String = object.chars().take(room).collect();
    bpf::object_name(&(prefix + &suffix))
}

/// The kernel takes a power of two of whole pages; a size that is none is rounded up.
fn ring_size(bytes: u32) -> u32 {
    if bytes == 0 {
        return 0;
    }
    let pages = bytes.div_ceil(PAGE_BYTES).checked_next_power_of_two();
    pages.and_then(|pages| pages.checked_mul(PAGE_BYTES)).unwrap_or(bytes)
}

/// Map types whose keys and values the kernel lets have no BTF types.
fn takes_types(map_type: MapType) -> bool {
    ![
        MapType::PERF_EVENT_ARRAY,
        MapType::CGROUP_ARRAY,
        MapType::STACK_TRACE,
        MapType::ARRAY_OF_MAPS,
        MapType::HASH_OF_MAPS,
        MapType::DEVMAP,
        MapType::DEVMAP_HASH,
        MapType::CPUMAP,
        MapType::XSKMAP,
        MapType::SOCKMAP,
        MapType::SOCKHASH,
        MapType::QUEUE,
        MapType::STACK,
        MapType::ARENA,
    ]
    .contains(&map_type)
}

impl MapPlan {
    /// Creates the map and gives it its value, or opens the one that is shared under its name. A new pin is noted in
    /// `pins`; without them nothing is shared.
    pub(crate) fn create(
        &self,
        kernel: &dyn Bpf,
        btf: Option<&Fd<BtfObject>>,
        kconfig: &dyn Fn() -> Result<Vec<u8>, LoadError>,
        pins: Option<&mut NewPins>,
    ) -> Result<(Fd<bpf::Map>, Option<SharedMap>), LoadError> {
        let Some((pin, pins)) = self.pin.as_ref().zip(pins) else {
            return Ok((self.create_new(kernel, btf, kconfig)?, None));
        };
        let shared = |was_there| SharedMap {
            path: pin.shown.clone(),
            was_there,
        };
        if let Some(map) = self.shared(kernel, pin)? {
            return Ok((map, Some(shared(true))));
        }
        let map = self.create_new(kernel, btf, kconfig)?;
        if self.share(&map, pin, pins)? {
            return Ok((map, Some(shared(false))));
        }
        // Somebody pinned one since we looked.
        match self.shared(kernel, pin)? {
            Some(map) => Ok((map, Some(shared(true)))),
            None => Err(LoadError::MapPin {
                map: self.name.clone(),
                path: pin.shown.clone(),
                errno: Errno::EEXIST,
            }),
        }
    }

    fn create_new(
        &self,
        kernel: &dyn Bpf,
        btf: Option<&Fd<BtfObject>>,
        kconfig: &dyn Fn() -> Result<Vec<u8>, LoadError>,
    ) -> Result<Fd<bpf::Map>, LoadError> {
        let map = self.create_empty(kernel, btf)?;
        let failed = |errno| LoadError::MapValue {
            map: self.name.clone(),
            errno,
            memory: memory(kernel, errno),
        };
        let value = match &self.initial {
            Initial::None => None,
            Initial::Bytes { bytes, freeze } => Some((bytes.clone(), *freeze)),
            Initial::Kconfig => Some((kconfig()?, true)),
        };
        if let Some((value, freeze)) = value {
            kernel
                .map_update(&map, &0u32.to_le_bytes(), &value, UpdateFlags::ANY)
                .map_err(failed)?;
            if freeze {
                kernel.map_freeze(&map).map_err(failed)?;
            }
        }
        Ok(map)
    }

    /// The number of elements that the kernel is asked for.
    pub(crate) fn entries(&self, kernel: &dyn Bpf) -> u32 {
        if self.map_type == MapType::PERF_EVENT_ARRAY && self.max_entries == 0 {
            kernel.possible_cpus()
        } else {
            self.max_entries
        }
    }

    fn create_empty(&self, kernel: &dyn Bpf, btf: Option<&Fd<BtfObject>>) -> Result<Fd<bpf::Map>, LoadError> {
        // An example of what it will hold; the kernel keeps its shape alone.
        let inner = match &self.inner {
            Some(inner) => Some(inner.create_empty(kernel, btf)?),
            None => None,
        };
        let args = MapCreate {
            inner_map: inner.as_ref(),
            key_size: self.key_size,
            value_size: self.value_size,
            max_entries: self.entries(kernel),
            flags: self.flags,
            name: &self.kernel_name,
            btf: btf.filter(|_| takes_types(self.map_type)),
            btf_key_type_id: self.type_ids.0,
            btf_value_type_id: self.type_ids.1,
            map_extra: self.extra,
            numa_node: self.numa_node,
            ..MapCreate::new(self.map_type)
        };
        let first = kernel.map_create(&args);
        // Some types of maps take no types of keys and values; what was wrong shows at the second try. A storage map needs them.
        let result = match first {
            Err(_) if self.type_ids != (0, 0) && !map_rules::STORAGE.contains(&self.map_type) => {
                kernel.map_create(&MapCreate {
                    btf: None,
                    btf_key_type_id: 0,
                    btf_value_type_id: 0,
                    ..args
                })
            }
            other => other,
        };
        result.map_err(|errno| LoadError::Map {
            map: self.name.clone(),
            map_type: self.map_type,
            errno,
            rule: map_rules::why(self, errno),
            memory: memory(kernel, errno),
        })
    }
}

/// Why there is no memory, if that is what is missing.
fn memory(kernel: &dyn Bpf, errno: Errno) -> Option<Box<bpf::MapMemory>> {
    let lacking = errno == Errno::ENOMEM;
    lacking.then(|| kernel.map_memory()).flatten().map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_data_maps_are_libbpfs() {
        let cases = [
            ("my_object_name", ".rodata", "my_objec.rodata"),
            ("my_object_name", ".bss", "my_objec.bss"),
            ("my_object_name", ".kconfig", "my_obje.kconfig"),
            ("my_object_name", ".rodata.abracadabra", ".rodata.abracad"),
            ("a-b", ".data", "a_b.data"),
            ("", ".data", ".data"),
        ];
        for (object, section, expected) in cases {
            assert_eq!(data_map_name(object, section), expected);
        }
    }

    #[test]
    fn ring_buffers_get_whole_pages() {
        let cases = [
            (0, 0),
            (1, 4096),
            (4096, 4096),
            (4097, 8192),
            (12288, 16384),
            (u32::MAX, u32::MAX),
        ];
        for (asked, given) in cases {
            assert_eq!(ring_size(asked), given, "{asked}");
        }
    }
}

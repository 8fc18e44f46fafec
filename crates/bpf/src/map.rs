//! Maps: what is asked for, and what the kernel says of one.

use crate::{BtfObject, Fd, Map, MapFlags, MapType};

/// The arguments of `BPF_MAP_CREATE`. Sizes are in bytes.
///
/// Fields that a map type does not use stay zero; [`MapCreate::new`] makes all but the type zero.
#[derive(Clone, Copy, Debug)]
pub struct MapCreate<'a> {
    /// Which kind of map.
    pub map_type: MapType,
    /// Size of a key.
    pub key_size: u32,
    /// Size of a value; for an ops map that of `bpf_struct_ops_<kind>`.
    pub value_size: u32,
    /// Most elements; 1 for an ops map, 0 for the storage maps.
    pub max_entries: u32,
    /// Flags.
    pub flags: MapFlags,
    /// At most [`crate::OBJECT_NAME_MAX`] letters, digits, `_` and `.`; see [`crate::object_name`].
    pub name: &'a str,
    /// The BTF that the two type ids below belong to. An ops map needs one too (Linux 6.18).
    pub btf: Option<&'a Fd<BtfObject>>,
    /// Type of the key in `btf`.
    pub btf_key_type_id: u32,
    /// Type of the value in `btf`.
    pub btf_value_type_id: u32,
    /// For an ops map: id of `bpf_struct_ops_<kind>` in the kernel's BTF (or the module's, below).
    pub btf_vmlinux_value_type_id: u32,
    /// With [`MapFlags::VTYPE_BTF_OBJ_FD`]: BTF of the module that has the ops type.
    pub value_type_btf: Option<&'a Fd<BtfObject>>,
    /// For maps of maps: an example of what they hold.
    pub inner_map: Option<&'a Fd<Map>>,
    /// The node whose memory it takes, with [`MapFlags::NUMA_NODE`]; without the flag it has no effect.
    pub numa_node: u32,
    /// Meaning depends on the type (hash functions of a bloom filter, address of an arena).
    pub map_extra: u64,
}

impl MapCreate<'_> {
    /// A map of this type, everything else zero.
    pub fn new(map_type: MapType) -> Self {
        Self {
            map_type,
            key_size: 0,
            value_size: 0,
            max_entries: 0,
            flags: MapFlags::empty(),
            name: "",
            btf: None,
            btf_key_type_id: 0,
            btf_value_type_id: 0,
            btf_vmlinux_value_type_id: 0,
            value_type_btf: None,
            inner_map: None,
            numa_node: 0,
            map_extra: 0,
        }
    }
}

/// How much memory the maps of a kernel may take together, and take ([`crate::Bpf::map_memory`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapMemory {
    /// Most bytes.
    pub limit_bytes: u64,
    /// Bytes taken now.
    pub used_bytes: u64,
    /// What was refused last.
    pub refused: Option<MapRefusal>,
}

/// A map did not get memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapRefusal {
    /// The map's name, as the kernel has it.
    pub map: String,
    /// Bytes that it wanted.
    pub bytes: u64,
    /// Whether they were within the limit, and the system had no more for this process.
    pub by_host: bool,
}

impl std::fmt::Display for MapMemory {
    /// What was refused, and why.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (used, limit) = (Bytes(self.used_bytes), Bytes(self.limit_bytes));
        match &self.refused {
            Some(MapRefusal { map, bytes, by_host }) => {
                write!(f, "map `{map}` wants {}", Bytes(*bytes))?;
                if *by_host {
                    write!(f, ", and the system has no more memory for this process")
                } else {
                    write!(f, ", and all maps together may take {limit} ({used} are taken)")
                }
            }
            None => write!(f, "all maps together may take {limit} ({used} are taken)"),
        }
    }
}

/// A number of bytes for people.
struct Bytes(u64);

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MIB: u64 = 1 << 20;
        match self.0 {
            bytes if bytes < MIB => write!(f, "{bytes} bytes"),
            bytes if bytes % MIB == 0 => write!(f, "{} MiB", bytes / MIB),
            bytes => write!(f, "{:.1} MiB", bytes as f64 / MIB as f64),
        }
    }
}

/// What the kernel says of a map (`struct bpf_map_info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapInfo {
    /// Which kind of map.
    pub map_type: MapType,
    /// The kernel's number for it, never used twice while the kernel runs.
    pub id: u32,
    /// Size of a key in bytes.
    pub key_size: u32,
    /// Size of a value in bytes.
    pub value_size: u32,
    /// Most elements.
    pub max_entries: u32,
    /// Flags it was made with.
    pub flags: MapFlags,
    /// Its name.
    pub name: String,
    /// For an ops map: BTF object that has the ops type (the id of the kernel's BTF).
    pub btf_vmlinux_id: u32,
    /// For an ops map: id of `bpf_struct_ops_<kind>`.
    pub btf_vmlinux_value_type_id: u32,
    /// BTF object of key and value, 0 if none.
    pub btf_id: u32,
    /// Type of the key in it.
    pub btf_key_type_id: u32,
    /// Type of the value in it.
    pub btf_value_type_id: u32,
    /// As given when it was made.
    pub map_extra: u64,
}

impl MapInfo {
    /// Bytes of one value as lookups and updates carry it: for a per-CPU map one for each of `possible_cpus`, each rounded up to eight.
    pub fn transfer_size(&self, possible_cpus: u32) -> usize {
        if self.map_type.is_per_cpu() {
            (self.value_size as usize).next_multiple_of(8) * possible_cpus as usize
        } else {
            self.value_size as usize
        }
    }
}

//! `BPF_MAP_CREATE`: what is asked for, checked (`map_create`, `array_map_alloc_check`, `htab_map_alloc_check`,
//! `bpf_local_storage_map_alloc_check`, `bpf_struct_ops_map_alloc_check`; Linux 6.12).

use crate::btf_object::BtfObject;
use crate::budget::{Account, Budget};
use crate::map::{Array, Elements, Hash, MapTypes, Storage, types};
use bpf::{Errno, MapCreate, MapFlags, MapType};
use btf::TypeId;
use std::sync::Arc;

/// A map as it was asked for, without its elements.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) map_type: MapType,
    pub(crate) key_size: u32,
    pub(crate) value_size: u32,
    pub(crate) max_entries: u32,
    pub(crate) numa_node: u32,
    pub(crate) flags: MapFlags,
    pub(crate) name: String,
    pub(crate) types: Option<MapTypes>,
    /// For ops maps `bpf_struct_ops_<kind>`, else void.
    pub(crate) ops_value_ty: TypeId,
    pub(crate) map_extra: u64,
}

const ACCESS: MapFlags = MapFlags::RDONLY
    .union(MapFlags::WRONLY)
    .union(MapFlags::RDONLY_PROG)
    .union(MapFlags::WRONLY_PROG);

impl Plan {
    /// Checks everything but what an ops map's family says. `types` is the BTF object that was given.
    pub(crate) fn new(args: &MapCreate<'_>, types: Option<Arc<BtfObject>>) -> Result<Self, Errno> {
        let is_ops = args.map_type == MapType::STRUCT_OPS;
        if args.btf_vmlinux_value_type_id != 0 {
            if !is_ops || args.btf_key_type_id != 0 || args.btf_value_type_id != 0 {
                return Err(Errno::EINVAL);
            }
        } else if args.btf_key_type_id != 0 && args.btf_value_type_id == 0 {
            return Err(Errno::EINVAL);
        }
        if args.map_type == MapType::UNSPEC || args.map_type.name().is_none() {
            return Err(Errno::EINVAL);
        }
        if !has(args.map_type) {
            return Err(Errno::ENOTSUPP);
        }
        if args.map_extra != 0 {
            return Err(Errno::EINVAL);
        }
        let mut plan = Self {
            map_type: args.map_type,
            key_size: args.key_size,
            value_size: args.value_size,
            max_entries: args.max_entries,
            numa_node: args.numa_node,
            flags: args.flags,
            name: check_name(args.name)?.to_owned(),
            types: None,
            ops_value_ty: TypeId(args.btf_vmlinux_value_type_id),
            map_extra: args.map_extra,
        };
        plan.check_shape(args)?;
        let typed = args.btf_key_type_id | args.btf_value_type_id | args.btf_vmlinux_value_type_id != 0;
        if typed {
            let object = types.ok_or(Errno::EBADF)?;
            let (key, value) = (TypeId(args.btf_key_type_id), TypeId(args.btf_value_type_id));
            let special = types::check(&plan, &object.btf, key, value)?;
            plan.types = Some(MapTypes {
                object,
                key,
                value,
                special,
            });
        }
        Ok(plan)
    }

    fn check_shape(&self, args: &MapCreate<'_>) -> Result<(), Errno> {
        let flags = self.flags;
        // This kernel has one node; without the flag the field says nothing (`bpf_map_attr_numa_node` of include/linux/bpf.h, Linux 6.18).
        if flags.contains(MapFlags::NUMA_NODE) && self.numa_node != 0 {
            return Err(Errno::EINVAL);
        }
        let both_prog = MapFlags::RDONLY_PROG | MapFlags::WRONLY_PROG;
        let both_user = MapFlags::RDONLY | MapFlags::WRONLY;
        let only = |allowed: MapFlags| {
            (allowed | ACCESS).contains(flags) && !flags.contains(both_prog) && !flags.contains(both_user)
        };
        match self.map_type {
            MapType::ARRAY | MapType::PERCPU_ARRAY => {
                let per_cpu = self.map_type == MapType::PERCPU_ARRAY;
                let shape = self.max_entries != 0 && self.key_size == 4 && self.value_size != 0;
                // Each CPU has its own memory, which can be neither mapped nor put on one node.
                let placed =
                    per_cpu && flags.intersects(MapFlags::MMAPABLE | MapFlags::NUMA_NODE | MapFlags::INNER_MAP);
                let allowed = MapFlags::NUMA_NODE | MapFlags::MMAPABLE | MapFlags::INNER_MAP;
                if !shape || !only(allowed) || placed {
                    return Err(Errno::EINVAL);
                }
                if self.value_size > i32::MAX as u32 || per_cpu && self.value_size > PER_CPU_VALUE_MAX {
                    return Err(Errno::E2BIG);
                }
            }
            MapType::HASH | MapType::PERCPU_HASH => {
                let allowed = MapFlags::NO_PREALLOC | MapFlags::NUMA_NODE | MapFlags::ZERO_SEED;
                let placed = self.map_type.is_per_cpu() && flags.contains(MapFlags::NUMA_NODE);
                if !only(allowed) || placed || self.max_entries == 0 || self.key_size == 0 || self.value_size == 0 {
                    return Err(Errno::EINVAL);
                }
                let element = u64::from(self.key_size) + u64::from(self.value_size);
                if element >= ELEMENT_END
                    || self.max_entries > HASH_ENTRIES_MAX
                    || self.map_type.is_per_cpu() && self.value_size > PER_CPU_VALUE_MAX
                {
                    return Err(Errno::E2BIG);
                }
            }
            MapType::SK_STORAGE => {
                let allowed = MapFlags::NO_PREALLOC | MapFlags::CLONE;
                let typed = args.btf_key_type_id != 0 && args.btf_value_type_id != 0;
                let shape = self.max_entries == 0 && self.key_size == 4 && self.value_size != 0;
                if !allowed.contains(flags) || !flags.contains(MapFlags::NO_PREALLOC) || !typed || !shape {
                    return Err(Errno::EINVAL);
                }
                if self.value_size > STORAGE_VALUE_MAX {
                    return Err(Errno::E2BIG);
                }
            }
            _ => {
                let allowed = MapFlags::LINK | MapFlags::VTYPE_BTF_OBJ_FD;
                let shape = self.key_size == 4 && self.max_entries == 1 && !self.ops_value_ty.is_void();
                // There are no modules whose types could be meant.
                let module = flags.contains(MapFlags::VTYPE_BTF_OBJ_FD);
                if !shape || !allowed.contains(flags) || module {
                    return Err(Errno::EINVAL);
                }
            }
        }
        Ok(())
    }

    /// The elements of such a map, which take nothing of the budget yet; none for an ops map, which needs its family.
    ///
    /// # Errors
    /// `ENOMEM` for an array that is larger than the whole budget.
    pub(crate) fn elements(&self, budget: &Arc<Budget>) -> Result<Option<Elements>, Errno> {
        let account = Account::new(budget, &self.name);
        let (len, size) = (self.max_entries, self.value_size);
        Ok(match self.map_type {
            MapType::ARRAY | MapType::PERCPU_ARRAY => Some(Elements::Array(Array::new(len, size, account)?)),
            MapType::HASH | MapType::PERCPU_HASH => Some(Elements::Hash(Hash::new(len, size, account))),
            MapType::SK_STORAGE => Some(Elements::Storage(Storage::new(size, account))),
            _ => None,
        })
    }
}

/// `PCPU_MIN_UNIT_SIZE`.
const PER_CPU_VALUE_MAX: u32 = 32 << 10;
/// Key and value of a hash map must be smaller than `KMALLOC_MAX_SIZE - sizeof(struct htab_elem)` (kernel/bpf/hashtab.c, Linux 6.18, x86-64).
const ELEMENT_END: u64 = (4 << 20) - 48;
/// The next power of two is the number of buckets, which must take less than 4 GiB at 16 bytes each (`htab_map_alloc`).
const HASH_ENTRIES_MAX: u32 = 1 << 27;
/// `BPF_LOCAL_STORAGE_MAX_VALUE_SIZE`: `U16_MAX - sizeof(struct bpf_local_storage_elem)`, of two cache lines.
const STORAGE_VALUE_MAX: u32 = u16::MAX as u32 - 128;

/// Whether this kernel has maps of this type.
pub(crate) fn has(map_type: MapType) -> bool {
    [
        MapType::ARRAY,
        MapType::PERCPU_ARRAY,
        MapType::HASH,
        MapType::PERCPU_HASH,
        MapType::SK_STORAGE,
        MapType::STRUCT_OPS,
    ]
    .contains(&map_type)
}

/// `bpf_obj_name_cpy`: letters, digits, `_` and `.`, at most 15.
pub(crate) fn check_name(name: &str) -> Result<&str, Errno> {
    if name.len() <= bpf::OBJECT_NAME_MAX && bpf::object_name(name) == name {
        Ok(name)
    } else {
        Err(Errno::EINVAL)
    }
}

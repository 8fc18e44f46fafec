//! Why a kernel does not create a map: it only says EINVAL or E2BIG, and this table says which rule of the map's type is broken, and what to write instead.
//!
//! The rules are those of the `*_alloc_check` functions of kernel/bpf (arraymap.c, hashtab.c, queue_stack_maps.c, ringbuf.c, lpm_trie.c, bloom_filter.c,
//! bpf_local_storage.c, map_in_map.c) and of `map_create` of syscall.c, Linux 6.18. The first that is broken is told.

use crate::maps::MapPlan;
use bpf::{Errno, MapFlags, MapType};

/// A rule of map types.
#[derive(Clone, Copy, Debug)]
pub struct MapRule {
    /// What is wrong, as the end of a sentence.
    pub broken: &'static str,
    /// What to write instead.
    pub fix: &'static str,
    types: &'static [MapType],
    is_broken: fn(&MapPlan) -> bool,
}

impl PartialEq for MapRule {
    fn eq(&self, other: &Self) -> bool {
        self.broken == other.broken
    }
}

/// The rule that explains a refusal.
pub(crate) fn why(map: &MapPlan, errno: Errno) -> Option<&'static MapRule> {
    let rules = match errno {
        Errno::EINVAL => SHAPES,
        Errno::E2BIG => SIZES,
        errno if errno.is_unsupported() => NO_SUCH_TYPE,
        _ => &[],
    };
    let applies = |rule: &&MapRule| rule.types.is_empty() || rule.types.contains(&map.map_type);
    rules.iter().filter(applies).find(|rule| (rule.is_broken)(map))
}

/// Maps whose elements live with objects of the kernel.
pub(crate) const STORAGE: &[MapType] = &[
    MapType::SK_STORAGE,
    MapType::INODE_STORAGE,
    MapType::TASK_STORAGE,
    MapType::CGRP_STORAGE,
];
const INDEXED: &[MapType] = &[
    MapType::ARRAY,
    MapType::PERCPU_ARRAY,
    MapType::PROG_ARRAY,
    MapType::PERF_EVENT_ARRAY,
    MapType::CGROUP_ARRAY,
    MapType::ARRAY_OF_MAPS,
    MapType::DEVMAP,
    MapType::CPUMAP,
    MapType::XSKMAP,
    MapType::SOCKMAP,
];
const HASHES: &[MapType] = &[
    MapType::HASH,
    MapType::PERCPU_HASH,
    MapType::LRU_HASH,
    MapType::LRU_PERCPU_HASH,
];
const PER_CPU: &[MapType] = &[MapType::PERCPU_ARRAY, MapType::PERCPU_HASH, MapType::LRU_PERCPU_HASH];
const KEYLESS: &[MapType] = &[MapType::QUEUE, MapType::STACK, MapType::BLOOM_FILTER];
const RINGS: &[MapType] = &[MapType::RINGBUF, MapType::USER_RINGBUF];
const WITH_VALUES: &[MapType] = &[
    MapType::ARRAY,
    MapType::PERCPU_ARRAY,
    MapType::HASH,
    MapType::PERCPU_HASH,
    MapType::LRU_HASH,
    MapType::LRU_PERCPU_HASH,
    MapType::LPM_TRIE,
    MapType::QUEUE,
    MapType::STACK,
    MapType::BLOOM_FILTER,
    MapType::SK_STORAGE,
    MapType::INODE_STORAGE,
    MapType::TASK_STORAGE,
    MapType::CGRP_STORAGE,
];

/// `ENOTSUPP` and its kin.
const NO_SUCH_TYPE: &[MapRule] = &[MapRule {
    types: &[],
    is_broken: |_| true,
    broken: "this kernel has no maps of this type",
    fix: "docs/support.md lists the types of maps that there are; `--kernel linux` asks Linux",
}];

/// `EINVAL`.
const SHAPES: &[MapRule] = &[
    MapRule {
        types: STORAGE,
        is_broken: |map| map.max_entries != 0,
        broken: "a storage map grows with its owners and has no max_entries",
        fix: "leave max_entries out",
    },
    MapRule {
        types: STORAGE,
        is_broken: |map| !map.flags.contains(MapFlags::NO_PREALLOC),
        broken: "a storage map must have the flag BPF_F_NO_PREALLOC",
        fix: "add __uint(map_flags, BPF_F_NO_PREALLOC)",
    },
    MapRule {
        types: STORAGE,
        is_broken: |map| map.key_size != 4 || map.type_ids.0 == 0 || map.type_ids.1 == 0,
        broken: "a storage map must have the type int for its key, and a type for its value",
        fix: "write __type(key, int) and __type(value, …), not key_size and value_size",
    },
    MapRule {
        types: RINGS,
        is_broken: |map| map.key_size != 0 || map.value_size != 0,
        broken: "a ring buffer has neither keys nor values",
        fix: "leave key and value out",
    },
    MapRule {
        types: KEYLESS,
        is_broken: |map| map.key_size != 0,
        broken: "a map of this type has no keys",
        fix: "leave key and key_size out",
    },
    MapRule {
        types: INDEXED,
        is_broken: |map| map.key_size != 4,
        broken: "keys of this type of map are indices of 4 bytes",
        fix: "write __type(key, __u32)",
    },
    MapRule {
        types: HASHES,
        is_broken: |map| map.key_size == 0,
        broken: "its keys have no size",
        fix: "write __type(key, …)",
    },
    MapRule {
        types: WITH_VALUES,
        is_broken: |map| map.value_size == 0,
        broken: "its values have no size",
        fix: "write __type(value, …)",
    },
    MapRule {
        types: &[MapType::LPM_TRIE],
        is_broken: |map| !map.flags.contains(MapFlags::NO_PREALLOC),
        broken: "a trie must have the flag BPF_F_NO_PREALLOC",
        fix: "add __uint(map_flags, BPF_F_NO_PREALLOC)",
    },
    MapRule {
        types: &[MapType::LPM_TRIE],
        is_broken: |map| !(5..=260).contains(&map.key_size),
        broken: "keys of a trie are a __u32 for the length of the prefix and 1 to 256 bytes of data",
        fix: "write a struct that begins with __u32 prefixlen",
    },
    MapRule {
        types: &[MapType::ARRAY_OF_MAPS, MapType::HASH_OF_MAPS],
        is_broken: |map| map.inner.is_none(),
        broken: "nothing says what the maps in it look like",
        fix: "add __array(values, struct …) as the last member",
    },
    MapRule {
        types: &[],
        is_broken: |map| map.max_entries == 0 && !STORAGE.contains(&map.map_type),
        broken: "max_entries is 0",
        fix: "say how many elements it may have: __uint(max_entries, …)",
    },
    MapRule {
        types: &[],
        is_broken: |map| map.extra != 0 && map.map_type != MapType::BLOOM_FILTER,
        broken: "map_extra has no meaning for this type of map",
        fix: "leave map_extra out",
    },
    MapRule {
        types: INDEXED,
        is_broken: |map| map.flags.contains(MapFlags::NO_PREALLOC),
        broken: "an array has its elements from the beginning and cannot have the flag BPF_F_NO_PREALLOC",
        fix: "leave the flag out",
    },
    MapRule {
        types: PER_CPU,
        is_broken: |map| map.flags.contains(MapFlags::NUMA_NODE),
        broken: "each CPU has its own memory, which cannot be put on one node (BPF_F_NUMA_NODE)",
        fix: "leave the flag out",
    },
    MapRule {
        types: &[],
        is_broken: |map| map.flags.contains(MapFlags::MMAPABLE) && map.map_type != MapType::ARRAY,
        broken: "only an array can be mapped into memory (BPF_F_MMAPABLE)",
        fix: "leave the flag out",
    },
];

/// `E2BIG`: bytes and numbers that the kernel has no room for, whatever memory there is.
const SIZES: &[MapRule] = &[
    MapRule {
        types: PER_CPU,
        is_broken: |map| map.value_size > 32 << 10,
        broken: "a value of which each CPU has one may have 32 KiB",
        fix: "make the value smaller, or use a map that is not per CPU",
    },
    MapRule {
        types: HASHES,
        is_broken: |map| u64::from(map.key_size) + u64::from(map.value_size) > (4 << 20) - 64,
        broken: "key and value of an element may have 4 MiB together",
        fix: "make the value smaller",
    },
    MapRule {
        types: STORAGE,
        is_broken: |map| map.value_size > 60_000,
        broken: "a value of a storage map may have little less than 64 KiB",
        fix: "make the value smaller",
    },
    MapRule {
        types: &[],
        is_broken: |map| map.value_size > 4 << 20,
        broken: "its values are too large",
        fix: "make the value smaller",
    },
    MapRule {
        types: &[],
        is_broken: |map| map.max_entries > 1 << 24,
        broken: "it has too many elements",
        fix: "make max_entries smaller",
    },
];

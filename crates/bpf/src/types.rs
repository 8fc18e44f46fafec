//! The kernel's enumerations, open: a number that this version has no name for is kept as it is.
//! `enum bpf_map_type`, `bpf_prog_type`, `bpf_attach_type`, `bpf_link_type` of `include/uapi/linux/bpf.h`, Linux 6.18.

use std::fmt;

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident: $($constant:ident = $number:literal $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u32);

        impl $name {
            $(#[doc = concat!("`", $text, "`, ", stringify!($number), ".")] pub const $constant: Self = Self($number);)*

            /// All that have a name here.
            pub const NAMED: &[Self] = &[$(Self::$constant),*];

            /// The kernel's name in lower case without its prefix, if known.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "type {}", self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

open_enum! {
    /// `enum bpf_map_type`.
    MapType:
    UNSPEC = 0 "unspec",
    HASH = 1 "hash",
    ARRAY = 2 "array",
    PROG_ARRAY = 3 "prog_array",
    PERF_EVENT_ARRAY = 4 "perf_event_array",
    PERCPU_HASH = 5 "percpu_hash",
    PERCPU_ARRAY = 6 "percpu_array",
    STACK_TRACE = 7 "stack_trace",
    CGROUP_ARRAY = 8 "cgroup_array",
    LRU_HASH = 9 "lru_hash",
    LRU_PERCPU_HASH = 10 "lru_percpu_hash",
    LPM_TRIE = 11 "lpm_trie",
    ARRAY_OF_MAPS = 12 "array_of_maps",
    HASH_OF_MAPS = 13 "hash_of_maps",
    DEVMAP = 14 "devmap",
    SOCKMAP = 15 "sockmap",
    CPUMAP = 16 "cpumap",
    XSKMAP = 17 "xskmap",
    SOCKHASH = 18 "sockhash",
    CGROUP_STORAGE = 19 "cgroup_storage",
    REUSEPORT_SOCKARRAY = 20 "reuseport_sockarray",
    PERCPU_CGROUP_STORAGE = 21 "percpu_cgroup_storage",
    QUEUE = 22 "queue",
    STACK = 23 "stack",
    SK_STORAGE = 24 "sk_storage",
    DEVMAP_HASH = 25 "devmap_hash",
    STRUCT_OPS = 26 "struct_ops",
    RINGBUF = 27 "ringbuf",
    INODE_STORAGE = 28 "inode_storage",
    TASK_STORAGE = 29 "task_storage",
    BLOOM_FILTER = 30 "bloom_filter",
    USER_RINGBUF = 31 "user_ringbuf",
    CGRP_STORAGE = 32 "cgrp_storage",
    ARENA = 33 "arena",
}

impl MapType {
    /// Whether lookups and updates carry one value for each possible CPU, each rounded up to eight bytes.
    pub fn is_per_cpu(self) -> bool {
        [
            Self::PERCPU_HASH,
            Self::PERCPU_ARRAY,
            Self::LRU_PERCPU_HASH,
            Self::PERCPU_CGROUP_STORAGE,
        ]
        .contains(&self)
    }
}

open_enum! {
    /// `enum bpf_prog_type`: those that matter here; the others keep their number.
    ProgType:
    UNSPEC = 0 "unspec",
    SOCKET_FILTER = 1 "socket_filter",
    KPROBE = 2 "kprobe",
    SCHED_CLS = 3 "sched_cls",
    TRACEPOINT = 5 "tracepoint",
    XDP = 6 "xdp",
    SOCK_OPS = 13 "sock_ops",
    TRACING = 26 "tracing",
    STRUCT_OPS = 27 "struct_ops",
    EXT = 28 "ext",
    LSM = 29 "lsm",
    SYSCALL = 31 "syscall",
}

open_enum! {
    /// `enum bpf_attach_type`. For a struct_ops program the field carries the index of the member instead.
    AttachType:
    CGROUP_INET_INGRESS = 0 "cgroup_inet_ingress",
    PERF_EVENT = 41 "perf_event",
    STRUCT_OPS = 44 "struct_ops",
}

open_enum! {
    /// `enum bpf_link_type`.
    LinkType:
    UNSPEC = 0 "unspec",
    RAW_TRACEPOINT = 1 "raw_tracepoint",
    TRACING = 2 "tracing",
    CGROUP = 3 "cgroup",
    ITER = 4 "iter",
    NETNS = 5 "netns",
    XDP = 6 "xdp",
    PERF_EVENT = 7 "perf_event",
    KPROBE_MULTI = 8 "kprobe_multi",
    STRUCT_OPS = 9 "struct_ops",
    NETFILTER = 10 "netfilter",
    TCX = 11 "tcx",
    UPROBE_MULTI = 12 "uprobe_multi",
    NETKIT = 13 "netkit",
    SOCKMAP = 14 "sockmap",
}

/// Most bytes that the name of a map or program may have (`BPF_OBJ_NAME_LEN` less the final zero).
pub const OBJECT_NAME_MAX: usize = 15;

/// What the kernel takes as the name of a map or program: letters, digits, `_` and `.` of `name`, at most [`OBJECT_NAME_MAX`].
///
/// ```
/// assert_eq!(bpf::object_name("my-long_algorithm.v2"), "my_long_algorit");
/// ```
pub fn object_name(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    name.chars()
        .take(OBJECT_NAME_MAX)
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_numbers_keep_their_number() {
        assert_eq!(MapType::STRUCT_OPS.to_string(), "struct_ops");
        assert_eq!(format!("{:?}", MapType(77)), "type 77");
        assert!(MapType::PERCPU_ARRAY.is_per_cpu() && !MapType::ARRAY.is_per_cpu());
    }
}

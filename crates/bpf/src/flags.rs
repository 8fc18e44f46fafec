//! Flag words of the commands; bits that have no name here are kept. `include/uapi/linux/bpf.h`, Linux 6.18.

use bitflags::bitflags;

bitflags! {
    /// `map_flags` of `BPF_MAP_CREATE`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MapFlags: u32 {
        /// Do not allocate the elements of a hash beforehand; required for the storage maps.
        const NO_PREALLOC = 1 << 0;
        /// No common list of free elements (LRU).
        const NO_COMMON_LRU = 1 << 1;
        /// The `numa_node` field counts.
        const NUMA_NODE = 1 << 2;
        /// User space may only read.
        const RDONLY = 1 << 3;
        /// User space may only write.
        const WRONLY = 1 << 4;
        /// Fixed seed for the hash.
        const ZERO_SEED = 1 << 6;
        /// Programs may only read.
        const RDONLY_PROG = 1 << 7;
        /// Programs may only write.
        const WRONLY_PROG = 1 << 8;
        /// A socket's entries are copied to the sockets that it accepts.
        const CLONE = 1 << 9;
        /// User space may map it into memory.
        const MMAPABLE = 1 << 10;
        /// An array that may stand for one of another length in a map of maps.
        const INNER_MAP = 1 << 12;
        /// An ops map that is registered by a link.
        const LINK = 1 << 13;
        /// `value_type_btf_obj_fd` names the module that has the ops type.
        const VTYPE_BTF_OBJ_FD = 1 << 15;
        /// A token descriptor is given.
        const TOKEN_FD = 1 << 16;
        const _ = !0;
    }

    /// `flags` of `BPF_MAP_UPDATE_ELEM`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct UpdateFlags: u64 {
        /// Only a new element: else `EEXIST`.
        const NOEXIST = 1;
        /// Only an existing element: else `ENOENT`.
        const EXIST = 2;
        /// Under the element's spin lock.
        const LOCK = 4;
        const _ = !0;
    }

    /// `prog_flags` of `BPF_PROG_LOAD`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct ProgFlags: u32 {
        /// Refuse unaligned accesses, whatever the machine can do.
        const STRICT_ALIGNMENT = 1 << 0;
        /// Take unaligned accesses.
        const ANY_ALIGNMENT = 1 << 1;
        /// For tests of the verifier.
        const TEST_RND_HI32 = 1 << 2;
        /// For tests of the verifier: a checkpoint at every instruction.
        const TEST_STATE_FREQ = 1 << 3;
        /// May sleep.
        const SLEEPABLE = 1 << 4;
        /// XDP programs only: packets may lie in several parts.
        const XDP_HAS_FRAGS = 1 << 5;
        /// XDP programs only: for one device.
        const XDP_DEV_BOUND_ONLY = 1 << 6;
        /// For tests of the verifier: a broken invariant of the ranges refuses the program.
        const TEST_REG_INVARIANTS = 1 << 7;
        const _ = !0;
    }
}

impl UpdateFlags {
    /// Create or replace.
    pub const ANY: Self = Self::empty();
}

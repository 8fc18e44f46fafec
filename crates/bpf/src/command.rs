//! The interface: one method a command of bpf(2), and what a loader must know of the kernel beside it (types, settings, pins).

use crate::{
    Answer, AttachType, BtfInfo, BtfLoadError, BtfObject, Errno, Fd, Feature, Link, LinkInfo, LinkTarget, LinkUpdate,
    LinkUpdateError, Map, MapCreate, MapInfo, MapMemory, Prog, ProgInfo, ProgLoad, ProgLoadError, Stats, TestRun,
    TestRunResult, UpdateFlags,
};
use btf::{Btf, ParseError};
use std::path::Path;

/// A kernel that runs BPF programs.
///
/// Handles belong to the kernel that gave them: passing one to another kernel gives `EBADF` or an object that has nothing to do with it.
/// Errnos are those of Linux 6.18; `docs/linux-notes.md` lists what was measured.
pub trait Bpf: Send + Sync {
    /// `linux` or `embedded`, for messages.
    fn name(&self) -> &'static str;

    /// The kernel's version as `LINUX_VERSION_CODE` counts: `6 << 16 | 18 << 8 | 44`.
    fn version(&self) -> u32;

    /// The kernel's own types. The first call may take some milliseconds; later ones are cheap.
    ///
    /// # Errors
    /// When the kernel shows none, or they cannot be parsed.
    fn kernel_btf(&self) -> Result<Btf, KernelBtfError>;

    /// Types of the kernel's modules, each split from the kernel's own.
    ///
    /// # Errors
    /// `EPERM` when they may not be listed.
    fn module_btfs(&self) -> Result<Vec<ModuleBtf>, Errno> {
        Ok(Vec::new())
    }

    /// A setting of the kernel's configuration as its file has it: `y`, `m`, a number, or a string with its quotes; `None` when it is not set.
    ///
    /// # Errors
    /// `ENOENT` when the kernel's configuration cannot be found.
    fn kconfig(&self, name: &str) -> Result<Option<String>, Errno>;

    /// The addresses of the kernel's symbols of this name, for untyped `.ksyms` externs: each once, none that is hidden.
    fn ksym_addresses(&self, _name: &str) -> Vec<u64> {
        Vec::new()
    }

    /// Names under which tables of this kind can be chosen now, the kernel's own and those of programs; empty for a kind without names. Two cannot have one.
    fn registered_names(&self, _kind: &str) -> Vec<String> {
        Vec::new()
    }

    /// CPUs that may ever be there: how many values a per-CPU map has.
    fn possible_cpus(&self) -> u32;

    /// `BPF_BTF_LOAD`.
    ///
    /// # Errors
    /// With the kernel's log when it finds the types wrong.
    fn btf_load(&self, data: &[u8]) -> Result<Fd<BtfObject>, BtfLoadError>;

    /// What the maps of this kernel may take together, if there is a limit other than the machine's; it says who was refused after an `ENOMEM`.
    fn map_memory(&self) -> Option<MapMemory> {
        None
    }

    /// `BPF_MAP_CREATE`.
    ///
    /// # Errors
    /// `EINVAL` for arguments that do not fit the type, `EPERM`, `ENOTSUPP` for an ops type that has no family.
    fn map_create(&self, args: &MapCreate<'_>) -> Result<Fd<Map>, Errno>;

    /// `BPF_MAP_LOOKUP_ELEM`: the value, for a per-CPU map those of all possible CPUs one after the other, each rounded up to eight bytes.
    ///
    /// # Errors
    /// `ENOENT` when there is no such element, `EINVAL` when the key has another size than the map's.
    fn map_lookup(&self, map: &Fd<Map>, key: &[u8]) -> Result<Vec<u8>, Errno>;

    /// `BPF_MAP_UPDATE_ELEM`. For an ops map (key 0) it gives the table, and registers it unless the map has `BPF_F_LINK`.
    ///
    /// # Errors
    /// `EINVAL` for wrong sizes and values, `EEXIST`, `ENOENT` and `E2BIG` as the flags and the map's size ask; `EBUSY` for an ops map that
    /// has its value already.
    fn map_update(&self, map: &Fd<Map>, key: &[u8], value: &[u8], flags: UpdateFlags) -> Result<(), Errno>;

    /// `BPF_MAP_DELETE_ELEM`. For an ops map without `BPF_F_LINK` it unregisters.
    ///
    /// # Errors
    /// `ENOENT` when there is no such element, `EINVAL` for arrays; for ops maps `EINPROGRESS` while still used after the first delete,
    /// `EOPNOTSUPP` with `BPF_F_LINK`.
    fn map_delete(&self, map: &Fd<Map>, key: &[u8]) -> Result<(), Errno>;

    /// `BPF_MAP_GET_NEXT_KEY`: the key after this one, the first after `None`; `None` at the end.
    ///
    /// # Errors
    /// `EINVAL` when the key has another size than the map's.
    fn map_next_key(&self, map: &Fd<Map>, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Errno>;

    /// `BPF_MAP_FREEZE`: no writes from user space from now on.
    ///
    /// # Errors
    /// `EPERM` when it is frozen already, `EBUSY` when it is mapped for writing.
    fn map_freeze(&self, map: &Fd<Map>) -> Result<(), Errno>;

    /// `BPF_PROG_LOAD`. The kernel is asked for its log only after a refusal, so a load that succeeds pays nothing for it.
    ///
    /// # Errors
    /// With verdict, log and the reason taken out of it.
    fn prog_load(&self, args: &ProgLoad<'_>) -> Result<Fd<Prog>, ProgLoadError>;

    /// `BPF_PROG_LOAD` with a log in any case. Level 1 has the branches, 2 every state, 4 the statistics (bits, may be combined).
    ///
    /// # Errors
    /// As [`Bpf::prog_load`].
    fn prog_load_with_log(&self, args: &ProgLoad<'_>, level: u32) -> Result<(Fd<Prog>, String), ProgLoadError>;

    /// `BPF_PROG_TEST_RUN`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for a kind of program that cannot be run so (`tcp_congestion_ops` for one).
    fn prog_test_run(&self, prog: &Fd<Prog>, args: &TestRun<'_>) -> Result<TestRunResult, Errno>;

    /// `BPF_LINK_CREATE` with attach type `BPF_STRUCT_OPS`: registers the table of a map with `BPF_F_LINK`.
    ///
    /// # Errors
    /// `EINVAL` when the map is not READY or the family refuses the table, `EEXIST` when its name is taken.
    fn link_create_struct_ops(&self, map: &Fd<Map>) -> Result<Fd<Link>, Errno>;

    /// `BPF_LINK_CREATE` of a program that belongs to no ops structure, `BPF_RAW_TRACEPOINT_OPEN` for a raw tracepoint.
    ///
    /// # Errors
    /// `EOPNOTSUPP` of a kernel without such places, `ENOENT` or `ENODEV` when there is no such target, `EINVAL` when the program is not for it.
    fn link_create(
        &self,
        _prog: &Fd<Prog>,
        _attach_type: AttachType,
        _target: &LinkTarget<'_>,
    ) -> Result<Fd<Link>, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// `BPF_LINK_UPDATE`: exchanges the table behind a link in one step. Users of the old one keep it until they choose again.
    ///
    /// # Errors
    /// Nothing has changed then; see [`LinkUpdateError`].
    fn link_update(&self, link: &Fd<Link>, update: &LinkUpdate<'_>) -> Result<(), LinkUpdateError>;

    /// `BPF_LINK_DETACH`: unregisters now, although the link may still be held or pinned.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for a kind of link that has no detaching.
    fn link_detach(&self, link: &Fd<Link>) -> Result<(), Errno>;

    /// `BPF_OBJ_PIN`.
    ///
    /// # Errors
    /// `EEXIST` when the name is taken, `ENOENT` when the directory is missing, `EINVAL` or `EPERM` when it is on no bpffs or the name has a dot.
    fn obj_pin(&self, path: &Path, object: ObjectRef<'_>) -> Result<(), Errno>;

    /// `BPF_OBJ_GET`.
    ///
    /// # Errors
    /// `ENOENT` when nothing has that name, `EACCES` when it is not a pin.
    fn obj_get(&self, path: &Path) -> Result<Pinned, Errno>;

    /// Removes a pin; what it held ends when nobody else holds it.
    ///
    /// # Errors
    /// `ENOENT` when nothing has that name.
    fn pin_remove(&self, path: &Path) -> Result<(), Errno>;

    /// Renames a pin, replacing another one in one step.
    ///
    /// # Errors
    /// `ENOENT` when nothing has that name.
    fn pin_rename(&self, from: &Path, to: &Path) -> Result<(), Errno>;

    /// Makes a directory for pins and the ones above it, readable for its owner only. No error when it is there.
    ///
    /// # Errors
    /// `EPERM` when no bpffs is mounted there or it may not be written.
    fn pin_dir_create(&self, path: &Path) -> Result<(), Errno>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOTEMPTY`, `ENOENT`.
    fn pin_dir_remove(&self, path: &Path) -> Result<(), Errno>;

    /// What a directory holds, by name.
    ///
    /// # Errors
    /// `ENOENT` when there is no such directory.
    fn pin_list(&self, path: &Path) -> Result<Vec<PinEntry>, Errno>;

    /// `BPF_OBJ_GET_INFO_BY_FD` of a program.
    ///
    /// # Errors
    /// `EBADF`.
    fn prog_info(&self, prog: &Fd<Prog>) -> Result<ProgInfo, Errno>;

    /// `BPF_OBJ_GET_INFO_BY_FD` of a map.
    ///
    /// # Errors
    /// `EBADF`.
    fn map_info(&self, map: &Fd<Map>) -> Result<MapInfo, Errno>;

    /// `BPF_OBJ_GET_INFO_BY_FD` of a link.
    ///
    /// # Errors
    /// `EBADF`.
    fn link_info(&self, link: &Fd<Link>) -> Result<LinkInfo, Errno>;

    /// `BPF_OBJ_GET_INFO_BY_FD` of BTF.
    ///
    /// # Errors
    /// `EBADF`.
    fn btf_info(&self, btf: &Fd<BtfObject>) -> Result<BtfInfo, Errno>;

    /// `BPF_*_GET_NEXT_ID`: the lowest id above `after`; `None` at the end.
    ///
    /// # Errors
    /// `EPERM`.
    fn next_id(&self, kind: IdKind, after: u32) -> Result<Option<u32>, Errno>;

    /// `BPF_PROG_GET_FD_BY_ID`.
    ///
    /// # Errors
    /// `ENOENT` when it is gone, `EPERM`.
    fn prog_by_id(&self, id: u32) -> Result<Fd<Prog>, Errno>;

    /// `BPF_MAP_GET_FD_BY_ID`.
    ///
    /// # Errors
    /// `ENOENT` when it is gone, `EPERM`.
    fn map_by_id(&self, id: u32) -> Result<Fd<Map>, Errno>;

    /// `BPF_LINK_GET_FD_BY_ID`.
    ///
    /// # Errors
    /// `ENOENT` when it is gone, `EPERM`.
    fn link_by_id(&self, id: u32) -> Result<Fd<Link>, Errno>;

    /// `BPF_BTF_GET_FD_BY_ID`.
    ///
    /// # Errors
    /// `ENOENT` when it is gone, `EPERM`.
    fn btf_by_id(&self, id: u32) -> Result<Fd<BtfObject>, Errno>;

    /// `BPF_ENABLE_STATS` for run counts and times: on while the handle is open.
    ///
    /// # Errors
    /// `EPERM`.
    fn enable_stats(&self) -> Result<Fd<Stats>, Errno>;

    /// Asks what this kernel can do. Changes nothing that outlives the call.
    fn probe(&self, feature: &Feature) -> Answer;

    /// All ids of a kind at this moment, ascending.
    ///
    /// # Errors
    /// As [`Bpf::next_id`].
    fn ids(&self, kind: IdKind) -> Result<Vec<u32>, Errno> {
        let mut ids = Vec::new();
        while let Some(id) = self.next_id(kind, ids.last().copied().unwrap_or(0))? {
            ids.push(id);
        }
        Ok(ids)
    }
}

/// Which ids to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// Programs.
    Prog,
    /// Maps.
    Map,
    /// Links.
    Link,
    /// BTF objects.
    Btf,
}

/// An object that can be pinned.
#[derive(Clone, Copy, Debug)]
pub enum ObjectRef<'a> {
    /// A program.
    Prog(&'a Fd<Prog>),
    /// A map.
    Map(&'a Fd<Map>),
    /// A link.
    Link(&'a Fd<Link>),
}

impl ObjectRef<'_> {
    /// The descriptor's number.
    pub fn raw(&self) -> i32 {
        match self {
            Self::Prog(fd) => fd.raw(),
            Self::Map(fd) => fd.raw(),
            Self::Link(fd) => fd.raw(),
        }
    }
}

/// What a pin held.
#[derive(Debug)]
pub enum Pinned {
    /// A program.
    Prog(Fd<Prog>),
    /// A map.
    Map(Fd<Map>),
    /// A link.
    Link(Fd<Link>),
}

/// One name in a directory of pins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PinEntry {
    /// The last part of its path.
    pub name: String,
    /// What it is.
    pub kind: PinEntryKind,
}

/// What a name in a directory of pins is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinEntryKind {
    /// A directory.
    Directory,
    /// A pinned object.
    Pin,
    /// Neither, such as a symbolic link.
    Other,
}

/// The types of a module.
#[derive(Clone, Debug)]
pub struct ModuleBtf {
    /// The module's name.
    pub name: String,
    /// Id of its BTF object, for [`Bpf::btf_by_id`].
    pub id: u32,
    /// Its types, split from the kernel's.
    pub btf: Btf,
}

/// Why the kernel's own types are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelBtfError {
    /// They cannot be read: `ENOENT` when the kernel was built without them (`CONFIG_DEBUG_INFO_BTF`).
    #[error("the kernel shows no types of its own: {0}")]
    Unreadable(Errno),
    /// This process does not have the memory for them.
    #[error("this process has too little memory for the kernel's own types: they take another {} MB", .bytes >> 20)]
    NoMemory {
        /// How many more bytes it takes.
        bytes: usize,
    },
    /// They were read and make no sense to us.
    #[error("the kernel's own types cannot be parsed: {0}")]
    Malformed(ParseError),
}

impl KernelBtfError {
    /// The same as an error number.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Unreadable(errno) => *errno,
            Self::NoMemory { .. } => Errno::ENOMEM,
            Self::Malformed(_) => Errno::EPROTO,
        }
    }
}

const _: Option<&dyn Bpf> = None; // the trait is usable as an object

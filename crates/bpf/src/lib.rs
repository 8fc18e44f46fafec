//! The interface to a BPF kernel: commands with typed arguments and typed handles ([`Bpf`]), flags, errnos and reports.
//!
//! Two crates implement it: `linux` by the bpf(2) system call of the running kernel, `kernel` in your own process. This crate makes no
//! system call and runs no program. It follows `include/uapi/linux/bpf.h` of Linux 6.18; the raw form of the arguments, `union bpf_attr`,
//! is in [`attr`], both ways.
//!
//! ```
//! use bpf::{Bpf, Errno, MapCreate, MapType, UpdateFlags};
//!
//! fn count_to_three(kernel: &dyn Bpf) -> Result<u32, Errno> {
//!     let map = kernel.map_create(&MapCreate {
//!         key_size: 4,
//!         value_size: 4,
//!         max_entries: 1,
//!         name: "counter",
//!         ..MapCreate::new(MapType::ARRAY)
//!     })?;
//!     for count in 1..=3u32 {
//!         kernel.map_update(&map, &0u32.to_le_bytes(), &count.to_le_bytes(), UpdateFlags::ANY)?;
//!     }
//!     let value = kernel.map_lookup(&map, &0u32.to_le_bytes())?;
//!     Ok(u32::from_le_bytes(value[..4].try_into().unwrap()))
//! } // the handle closes here, and with it the map ends
//! ```
#![forbid(unsafe_code)]

pub mod attr;
pub mod codes;
mod command;
mod errno;
mod feature;
mod flags;
mod handle;
mod helper_names;
mod link;
mod map;
mod prog;
mod report;
mod struct_ops;
mod types;

pub use command::{Bpf, IdKind, KernelBtfError, ModuleBtf, ObjectRef, PinEntry, PinEntryKind, Pinned};
pub use errno::Errno;
pub use feature::{Answer, Feature};
pub use flags::{MapFlags, ProgFlags, UpdateFlags};
pub use handle::{BtfObject, Fd, FdTable, Link, Map, Prog, Stats};
pub use helper_names::helper_name;
pub use isa::RawInsn;
pub use link::{LinkInfo, LinkTarget, LinkUpdate, LinkUpdateError};
pub use map::{MapCreate, MapInfo, MapMemory, MapRefusal};
pub use prog::{
    BtfInfo, BtfLoadError, FuncInfo, LineInfo, LoadVerdict, ProgInfo, ProgLoad, ProgLoadError, TestRun, TestRunResult,
};
pub use report::{Category, Report, SourceLine};
pub use struct_ops::{OpsState, StructOpsValue};
pub use types::{AttachType, LinkType, MapType, OBJECT_NAME_MAX, ProgType, object_name};

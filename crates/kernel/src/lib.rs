//! The embedded kernel: what `kernel/bpf/` of Linux does, in your own process.
//!
//! [`Kernel`] implements [`bpf::Bpf`] with Linux's states, reference counts and error numbers (6.12's sources read as a specification, 6.18
//! measured): BTF objects, programs, maps, links, ids, pins, helpers and kernel functions. Operations structures are generic:
//! a [`Family`] says what is special about one kind, as `struct bpf_struct_ops` does, and registers itself in one line.
//! This crate knows neither ELF nor TCP, and it reads no clock: the host sets [`Clock`].
//!
//! ```
//! use bpf::{Bpf, MapCreate, MapType, UpdateFlags};
//!
//! let kernel = kernel::Kernel::builder().build()?;
//! let map = kernel.map_create(&MapCreate {
//!     key_size: 4,
//!     value_size: 8,
//!     max_entries: 1,
//!     ..MapCreate::new(MapType::ARRAY)
//! })?;
//! kernel.map_update(&map, &[0; 4], &7u64.to_le_bytes(), UpdateFlags::ANY)?;
//! assert_eq!(kernel.map_lookup(&map, &[0; 4])?, 7u64.to_le_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Why it is safe: only programs that the verifier accepted run; maps, programs and tables are counted references; memory that a
//! program may still point to is kept as long as the map is. What programs use is bounded ([`Limits`]). Unsafe code is in `src/helpers/raw.rs` (native
//! functions that programs call), `src/struct_ops/call.rs` (the way from a table's function pointer into a program) and `src/memory.rs` (zeroed memory);
//! `src/struct_ops/family.rs` declares what a family vouches for.
#![deny(unsafe_code)]

mod btf_object;
mod budget;
mod clock;
mod commands;
mod config;
mod env;
mod error;
pub mod helpers;
mod kernel;
mod kfunc;
mod limits;
mod map;
#[expect(
    unsafe_code,
    reason = "zeroed memory that may be refused, which the standard library cannot give"
)]
mod memory;
mod probe;
mod program;
pub mod struct_ops;
mod tables;
mod types;
mod uapi;

pub use crate::clock::Clock;
pub use crate::config::Config;
pub use crate::env::{Env, TraceLine};
pub use crate::error::BuildError;
pub use crate::helpers::{Helper, Native};
pub use crate::kernel::{Builder, Kernel};
pub use crate::kfunc::Kfunc;
pub use crate::limits::Limits;
pub use crate::struct_ops::{Family, Member, Module, Stub, Table};
pub use bpf::{Errno, MapMemory, MapType, Report, TestRun, TestRunResult};
pub use verifier::{ArgKind, CallContract, CallFlags, RetKind, StructAccess};
pub use vm::HelperFn;

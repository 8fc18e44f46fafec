//! Fixtures and oracles for opswap's tests; never published.
//!
//! * [`linux_or_skip`]: whether a test that needs the kernel can run here;
//! * [`kernel_tools_or_skip`]: libbpf's verdicts and the kernel's selftest programs;
//! * [`unique_name`]: names that no other test has;
//! * [`raw_btf_cases`]: types written word by word, right and wrong;
//! * [`Bpffs`]: a file system for pins of a test's own;
//! * [`Ops`]: congestion controls written by hand;
//! * [`NetPair`] and [`Transfer`]: real TCP between two network namespaces;
//! * [`conformance()`]: what every [`bpf::Bpf`] must do.
#![forbid(unsafe_code)]

mod bpffs;
pub mod conformance;
mod gate;
mod kernel_tools;
mod names;
mod netns;
mod ops;
mod raw_btf;
mod transfer;

pub use bpffs::Bpffs;
pub use gate::{linux_or_skip, tool_or_skip};
pub use kernel_tools::{KernelTools, KernelToolsError, kernel_tools_or_skip};
pub use names::unique_name;
pub use netns::{NetPair, Side};
pub use ops::{Ops, Table, assemble, eventually};
pub use raw_btf::{RawBtf, raw_btf_cases};
pub use transfer::{Outcome, Transfer};

#[doc(inline)]
pub use conformance::conformance;

//! From an object file to a registered operations structure: [`Plan`], [`Loaded`], [`Attached`].
//!
//! 1. [`Plan::new`] matches an [`object::Object`] against a kernel's types and works out everything that will be
//!    done. It has no side effects; printing the plan tells what they would be.
//! 2. [`Plan::load`] creates types, maps and programs in a kernel, any [`bpf::Bpf`]. Dropping [`Loaded`] undoes it.
//! 3. [`Loaded::attach`] registers the ops structures, all or none. Dropping [`Attached`] unregisters them;
//!    [`Attached::pin`] keeps them.
//!
//! Conventions are libbpf's, read from `tools/lib/bpf/libbpf.c` of Linux 6.12. The loader makes no system call of its
//! own and knows no ELF.
//!
//! ```no_run
//! use loader::{Plan, PlanOptions};
//! use std::sync::Arc;
//!
//! fn register(file: &[u8], kernel: &Arc<dyn bpf::Bpf>) -> Result<loader::Attached, Box<dyn std::error::Error>> {
//!     let object = object::Object::parse(file)?;
//!     let options = PlanOptions {
//!         set: vec!["flags=non_restricted".parse()?],
//!         ..PlanOptions::default()
//!     };
//!     let plan = Plan::new(&object, &kernel.kernel_btf()?, &options)?;
//!     println!("{plan}");
//!     Ok(plan.load(kernel)?.attach()?)
//! }
//! ```
#![forbid(unsafe_code)]

mod attach;
mod check;
mod choose;
mod core_relocations;
mod error;
mod externs;
mod fields;
mod fill_in;
pub mod history;
mod kconfig;
mod load;
mod map_rules;
mod maps;
mod misplaced;
mod needs;
mod notes;
mod operation;
mod options;
mod origin;
mod others;
mod pin;
mod plan;
mod poison;
mod print;
mod programs;
mod register;
mod relocate;
pub mod rules;
pub mod sections;
mod sharing;
mod slots;
mod struct_ops;

pub use attach::{Attached, Registration};
pub use bpf::Bpf;
pub use check::{CheckedOps, CheckedProgram, OpsResult, PlanChecked};
pub use error::{
    AttachError, CoreProblem, DetachError, Elsewhere, Fault, KconfigProblem, LoadError, MemberProblem, PinError,
    PlanError, SetProblem, Step,
};
pub use load::{Loaded, LoadedMap, LoadedOps, LoadedProgram};
pub use map_rules::MapRule;
pub use maps::{Initial, MapPlan, SlotPlan};
pub use notes::PlanNote;
pub use options::{PlanOptions, SetField, SetFieldError};
pub use others::{OtherKind, Others};
pub use plan::Plan;
pub use programs::{ProgramKind, ProgramPlan, SkipReason, Skipped};
pub use register::{Incomplete, RegisterError, register};
pub use relocate::{Open, OpenKind, Part};
pub use sharing::{MapPin, PinRoot, ShapeDifference, SharedMap};
pub use struct_ops::{Fate, KernelTypes, MemberPlan, OpsPlan};

//! BPF Type Format (BTF): the types of C, as the kernel, the compilers and BPF objects carry them.
//!
//! * [`Btf`] reads, writes and searches types; [`Btf::size_of`], [`Btf::field`] and [`Btf::describe_offset`] lay them
//!   out; [`c`] prints them as a C header.
//! * [`Builder`] makes BTF; [`BtfType`], which can be derived, makes it from Rust types.
//! * [`BtfExt`] is the `.BTF.ext` section of an object: functions, source lines and CO-RE relocations.
//! * [`core`] matches CO-RE relocations against a kernel's types.
//!
//! Little-endian only, and only for 64-bit BPF. Nothing here talks to a kernel: bytes come in, values go out. Damaged
//! bytes give a [`ParseError`] with the offset.
#![forbid(unsafe_code)]

mod align;
mod btf;
mod builder;
pub mod c;
pub mod check;
pub mod core;
mod edit;
mod error;
mod ext;
mod field;
mod index;
mod kind;
mod layout;
mod merge;
mod raw;
mod rust;
mod shape;
mod types;

pub use crate::btf::Btf;
pub use crate::builder::Builder;
pub use crate::edit::Editor;
pub use crate::error::{BuildError, FieldError, LayoutError, ParseError, ParseReason};
pub use crate::ext::{BtfExt, FuncInfo, LineInfo, RelocationRecord, SectionInfo};
pub use crate::field::{Field, FieldAt};
pub use crate::kind::{Kind, TypeId};
pub use crate::layout::{DEPTH_MAX, POINTER_SIZE};
pub use crate::merge::IdMap;
pub use crate::rust::BtfType;
pub use crate::types::{
    Array, Composite, DataSec, Def, Encoding, Enum, Enumerator, FuncProto, Int, Linkage, Member, Param, SecVar, Type,
};
pub use btf_derive::{BtfType, fn_proto};

//! struct_ops, after `kernel/bpf/bpf_struct_ops.c` of Linux 6.12: tables of functions that are programs, for any kind of operations structure.
//!
//! [`Family`] says what is special about a kind. `desc` finds out what its structure looks like, `ops_map` is the map
//! that holds a table, `link` registers one, `call` leads from a function pointer into a program.

#[expect(unsafe_code, reason = "the way from a table's function pointer into a program")]
mod call;
mod desc;
#[expect(unsafe_code, reason = "declares what an implementation vouches for")]
mod family;
mod link;
mod ops_map;
mod table;

pub use call::TestCall;
pub use desc::{Member, MemberKind};
pub use family::{Family, ProgFacts, Stub};
pub use ops_map::Module;
pub use table::Table;

pub(crate) use desc::Desc;
pub(crate) use link::OpsLink;
pub(crate) use ops_map::OpsMap;

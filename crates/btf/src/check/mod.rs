//! The kernel's check of BTF that a process loads (`BPF_BTF_LOAD`): [`check`] gives Linux's verdict, and why.
//!
//! Reading BTF ([`Btf::parse`](crate::Btf::parse)) asks only that the bytes can be read. Linux asks more before it takes types from
//! outside, and what it refuses has no types at all: no line of its source, no map with typed values, no global function, no ops
//! structure. The rules are those of `btf_parse` and what it calls (`kernel/bpf/btf.c`, Linux 6.12 and 6.18), in Linux's order, because
//! the first rule that is broken decides the error number.
//!
//! ```text
//! header ─▶ strings ─▶ meta: each record by itself ─▶ resolve: what records say of one another ─▶ tags ─▶ special fields
//! ```

mod advice;
mod functions;
mod header;
mod members;
mod meta;
mod names;
mod ownership;
mod resolve;
mod rule;
mod special;
mod steps;
mod table;
mod tags;

pub use advice::advice;
pub use rule::{NameRule, Part, Place, Refusal, Rule};

use crate::{Btf, Kind};

/// What the check must know of the kernel that is to take the types: pointers to its own structures may stand in map values only where
/// it has a destructor for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelTypes<'a> {
    /// The kernel's own types; without them no pointer is one to a structure of the kernel.
    pub btf: Option<&'a Btf>,
    /// Names of the structures that have a destructor.
    pub destructible: &'a [&'a str],
}

impl KernelTypes<'_> {
    /// Whether the kernel has this structure; if so, whether it can destroy one.
    fn find(&self, name: &str) -> Option<bool> {
        self.btf?.find(name, Kind::Struct)?;
        Some(self.destructible.contains(&name))
    }
}

/// Answers whether Linux 6.18 takes these bytes as types that stand alone.
///
/// ```
/// use btf::check::{KernelTypes, Rule, check};
/// use btf::{Builder, Linkage, Param, TypeId};
/// let mut b = Builder::new();
/// let ctx = b.ptr(TypeId::VOID);
/// let proto = b.func_proto(TypeId::VOID, &[Param::new("", ctx)], false);
/// b.func("init", proto, Linkage::Global);
/// let refusal = check(&b.build()?.to_bytes(), KernelTypes::default()).unwrap_err();
/// assert_eq!(refusal.rule, Rule::UnnamedArgument);
/// assert_eq!(refusal.to_string(), "type [3] FUNC `init`, argument 1: an argument of a function with a body has no name");
/// # Ok::<(), btf::BuildError>(())
/// ```
///
/// # Errors
/// The first rule that is broken, with the place.
pub fn check(data: &[u8], kernel: KernelTypes<'_>) -> Result<(), Refusal> {
    let sections = header::sections(data)?;
    let strings = header::strings(&sections)?;
    let words = header::words(&sections)?;
    let types = meta::records(&words, sections.types.len(), strings)?;
    resolve::all(&types)?;
    tags::precede_modifiers(&types)?;
    special::check(&types, kernel)
}

//! [`Family`]: what struct_ops must know of one kind of operations structure. The shape is that of `struct bpf_struct_ops` and its
//! verifier operations (`include/linux/bpf.h`, Linux 6.12), with the latter as data.

use crate::helpers::Helper;
use crate::kfunc::Kfunc;
use crate::struct_ops::{Member, Module, Table, TestCall};
use bpf::{Errno, TestRun, TestRunResult};
use btf::{Btf, Builder, TypeId};
use std::any::Any;
use std::fmt;
use verifier::StructAccess;

/// One kind of operations structure.
///
/// A family is a second file or crate and one line in [`Builder::family`](crate::Builder::family); nothing in this crate knows it.
///
/// # Safety
/// The verifier and the thunks believe what a family says, so whoever implements this vouches that
///
/// * the structures it adds to the BTF have the layout of the memory that its functions are called with: an argument declared as a
///   pointer to a structure points to one (or, after [`promote`](Self::promote), to one of the promoted type) that stays valid for
///   the call, and may be null only where the [`Stub`] says so;
/// * every member's prototype has at most five arguments, as the function pointer that is called has, by C's calling convention; a result that Rust
///   reads is an integer, a `bool` or nothing;
/// * every store that [`struct_access`](Self::struct_access) allows leaves the structure in a state that the family's owner can bear;
/// * the functions of a table are called only while a [`Module`] of it is held, also until a function that is running has returned.
pub unsafe trait Family: Any + Send + Sync + fmt::Debug {
    /// Name of the structure, `tcp_congestion_ops` for instance.
    fn name(&self) -> &'static str;

    /// Adds the structure, under its name, and all other types that programs may need. Called once, before [`init`](Self::init).
    fn add_types(&self, types: &mut Builder);

    /// The kernel's types are complete: looks up ids.
    ///
    /// # Errors
    /// `EINVAL` when one is missing.
    fn init(&mut self, _btf: &Btf) -> Result<(), Errno> {
        Ok(())
    }

    /// What a program may implement this function member with; `None` when it may not (`ENOTSUPP`).
    fn stub(&self, member: &str) -> Option<Stub>;

    /// Helpers beside the base set.
    fn helpers(&self) -> &[Helper] {
        &[]
    }

    /// Whether the program of this member may call this helper, of the base set or the family's own (`get_func_proto`).
    fn offers_helper(&self, _member: &Member, _helper: u32) -> bool {
        true
    }

    /// Kernel functions that its programs may call.
    fn kfuncs(&self) -> &[Kfunc] {
        &[]
    }

    /// The structure that an argument really points to (`is_valid_access`): `struct sock` may be a `struct tcp_sock`.
    fn promote(&self, ty: TypeId) -> TypeId {
        ty
    }

    /// Whether a program may store `size` bytes at an offset of a structure (`btf_struct_access`).
    fn struct_access(&self, _ty: TypeId, _offset: u32, _size: u32) -> StructAccess {
        StructAccess::ReadOnly
    }

    /// A program is loaded for a member (`check_member`).
    ///
    /// # Errors
    /// Why it may not.
    fn check_member(&self, _member: &Member, _prog: &ProgFacts) -> Result<(), Errno> {
        Ok(())
    }

    /// A table gets its value: `user` is the whole structure as it was given, `kernel` as it will be. `Ok(true)` when this member has been
    /// dealt with; otherwise functions are filled in, and other members must be zero.
    ///
    /// # Errors
    /// `EINVAL` for a value that this member cannot have.
    fn init_member(&self, _member: &Member, _user: &[u8], _kernel: &mut [u8]) -> Result<bool, Errno> {
        Ok(false)
    }

    /// Names that tables have already, this kernel's own among them; empty for a kind without names.
    fn registered_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether a complete table could be registered.
    ///
    /// # Errors
    /// `EINVAL` when required members are missing.
    fn validate(&self, _table: &Table) -> Result<(), Errno> {
        Ok(())
    }

    /// Registers a table. The family keeps `module` for as long as the table is registered, which is the registration's reference on the map,
    /// and a clone for each user beside. After an error it keeps none.
    ///
    /// # Errors
    /// `EEXIST`, or what else keeps it from being registered.
    fn reg(&self, table: &Table, module: Module) -> Result<(), Errno>;

    /// Exchanges a registered table for another in one step; without this, links of the kind have no update (`EOPNOTSUPP`).
    ///
    /// # Errors
    /// Nothing has changed then.
    fn update(&self, _new: &Table, _module: Module, _old: &Table) -> Result<(), Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    /// Whether [`update`](Self::update) is there.
    fn has_update(&self) -> bool {
        false
    }

    /// Unregisters a table; users keep it.
    fn unreg(&self, table: &Table);

    /// `BPF_PROG_TEST_RUN` of a program of this kind.
    ///
    /// # Errors
    /// `EOPNOTSUPP` unless the family has it.
    fn test_run(&self, _call: &TestCall<'_>, _args: &TestRun<'_>) -> Result<TestRunResult, Errno> {
        Err(Errno::EOPNOTSUPP)
    }
}

/// That a member may be implemented, and what the kernel's stub function for it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Arguments, by index, that may be null (`__nullable`).
    pub nullable: &'static [usize],
}

impl Stub {
    /// No argument is ever null.
    pub const PLAIN: Self = Self { nullable: &[] };
}

/// What a family may know of a program that is loaded for one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgFacts {
    /// Whether it was loaded with `BPF_F_SLEEPABLE`.
    pub sleepable: bool,
}

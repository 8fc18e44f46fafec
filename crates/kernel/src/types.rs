//! The kernel's own BTF: what struct_ops needs of Linux's types (`include/linux/bpf.h`, 6.12) and what the families add.

use crate::error::BuildError;
use crate::kfunc::Kfunc;
use crate::struct_ops::Family;
use crate::uapi;
use btf::{Btf, BtfType, Builder, Kind, Linkage, Member, TypeId};

/// `enum bpf_struct_ops_state`.
#[derive(BtfType)]
#[repr(u32)]
#[btf(name = "bpf_struct_ops_state", prefix = "BPF_STRUCT_OPS_STATE_")]
enum State {
    #[btf(name = "INIT")]
    Init,
    #[btf(name = "INUSE")]
    InUse,
    #[btf(name = "TOBEFREE")]
    ToBeFree,
    #[btf(name = "READY")]
    Ready,
}

/// Offset of the table in a value: both parts begin on a cache line.
pub(crate) const VALUE_DATA: u32 = 64;

/// Name of the value's type for a kind.
pub(crate) fn value_name(kind: &str) -> String {
    format!("bpf_struct_ops_{kind}")
}

/// The BTF of a kernel with these families.
pub(crate) fn build<'a>(families: impl Iterator<Item = &'a dyn Family> + Clone) -> Result<Btf, BuildError> {
    let mut types = Builder::new();
    common_value(&mut types);
    uapi::add(&mut types);
    for family in families.clone() {
        family.add_types(&mut types);
    }
    // The values' sizes follow from what the families added.
    let added = types.build()?;
    let mut types = Builder::new();
    types.merge(&added);
    let common = common_value(&mut types);
    for family in families.clone() {
        let kind = family.name();
        let no_struct = || BuildError::NoStruct { kind };
        let size = added.find(kind, Kind::Struct).ok_or_else(no_struct)?;
        let size = added.size_of(size)?;
        let ty = types.find(kind, Kind::Struct).ok_or_else(no_struct)?;
        let members = [Member::at("common", common, 0), Member::at("data", ty, VALUE_DATA)];
        let size = VALUE_DATA + size.next_multiple_of(VALUE_DATA);
        types.struct_type(&value_name(kind), size, &members);
    }
    for family in families {
        for Kfunc { name, proto, .. } in family.kfuncs() {
            let proto = proto(&mut types);
            types.func(name, proto, Linkage::Static);
        }
    }
    Ok(types.build()?)
}

/// `struct bpf_struct_ops_common_value`.
fn common_value(types: &mut Builder) -> TypeId {
    let int = types.add_rust::<i32>();
    let atomic = types.struct_type("", 4, &[Member::at("counter", int, 0)]);
    let atomic = types.typedef("atomic_t", atomic);
    let refcount = types.struct_type("refcount_struct", 4, &[Member::at("refs", atomic, 0)]);
    let refcount = types.typedef("refcount_t", refcount);
    let state = types.add_rust::<State>();
    let members = [Member::at("refcnt", refcount, 0), Member::at("state", state, 4)];
    types.struct_type("bpf_struct_ops_common_value", 8, &members)
}

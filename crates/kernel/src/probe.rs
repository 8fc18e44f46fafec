//! What this kernel can do ([`bpf::Feature`]), answered from its tables.

use crate::kernel::Kernel;
use crate::map;
use crate::program;
use bpf::{Feature, ProgType};

pub(crate) fn has(kernel: &Kernel, feature: &Feature) -> bool {
    match feature {
        Feature::ProgType(prog_type) => program::has_type(*prog_type),
        Feature::MapType(map_type) => map::has_type(*map_type),
        Feature::Helper { prog_type, helper } => {
            let base = kernel
                .helpers
                .get(*helper)
                .is_some_and(|helper| helper.native.is_some());
            let families = || kernel.descs.iter().flat_map(|desc| desc.family.helpers());
            let of_family = *prog_type == ProgType::STRUCT_OPS
                && families().any(|known| known.id == *helper && known.native.is_some());
            program::has_type(*prog_type) && (base || of_family)
        }
        Feature::OpsHelper { kind, member, helper } => {
            let Some(desc) = kernel.descs.iter().find(|desc| desc.family.name() == kind) else {
                return false;
            };
            let own = desc.family.helpers().iter().find(|known| known.id == *helper);
            let known = own.or_else(|| kernel.helpers.get(*helper));
            let member = desc.members.iter().find(|known| known.name == *member);
            member.is_some_and(|member| member.implementable().is_some() && desc.family.offers_helper(member, *helper))
                && known.is_some_and(|helper| helper.native.is_some())
        }
        Feature::Kfunc(name) => kernel.kfuncs.iter().any(|kfunc| kfunc.name == name),
        Feature::StructOpsKind(kind) => kernel.descs.iter().any(|desc| desc.family.name() == kind),
        Feature::StructOpsModule => false,
        Feature::KernelBtf
        | Feature::StructOpsLink
        | Feature::ObjectName
        | Feature::GlobalData
        | Feature::MmapableArray
        | Feature::BtfFunc
        | Feature::BtfFuncGlobal
        | Feature::BtfDatasec
        | Feature::BtfFloat
        | Feature::BtfDeclTag
        | Feature::BtfTypeTag
        | Feature::BtfEnum64
        | Feature::RunStats => true,
    }
}

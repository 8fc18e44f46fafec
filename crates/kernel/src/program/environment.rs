//! [`World`]: the kernel as the verifier sees it for one program.

use crate::helpers::Helper;
use crate::kernel::Kernel;
use crate::map::Map;
use crate::program::Attach;
use crate::struct_ops::Member;
use bpf::MapType;
use btf::{Btf, Def, TypeId};
use std::sync::Arc;
use verifier::{CallContract, Context, Environment, MapRef, MapShape, ReturnRule, StructAccess};

/// What one program may use.
pub(super) struct World<'a> {
    pub(super) kernel: &'a Kernel,
    attach: Option<&'a Attach>,
    maps: &'a [(MapRef, Arc<Map>)],
    context: Context,
    returns: ReturnRule,
    /// Whether helpers for GPL compatible programs are offered.
    gpl: bool,
}

impl<'a> World<'a> {
    /// For a member of an ops structure.
    pub(super) fn struct_ops(kernel: &'a Kernel, attach: &'a Attach, maps: &'a [(MapRef, Arc<Map>)]) -> Self {
        let desc = &attach.desc;
        let btf = &kernel.vmlinux.btf;
        let implementable = desc.members.get(attach.member as usize).and_then(Member::implementable);
        let (context, returns) = match implementable {
            Some((proto, stub)) => {
                let promote = |ty| desc.family.promote(ty);
                let nullable = |index| stub.nullable.contains(&index);
                let context = Context::from_proto(btf, proto, promote, nullable);
                let ret = btf.type_by_id(proto).and_then(|ty| ty.func_proto());
                let void = ret.is_none_or(|proto| matches!(btf.resolve(proto.ret).map(|ty| ty.def), Ok(Def::Void)));
                (context, if void { ReturnRule::Void } else { ReturnRule::Readable })
            }
            None => (Context::Args(Vec::new()), ReturnRule::Void),
        };
        Self {
            kernel,
            attach: Some(attach),
            maps,
            context,
            returns,
            gpl: true,
        }
    }

    /// For a program that is for no ops structure.
    pub(super) fn plain(kernel: &'a Kernel, context: Context, maps: &'a [(MapRef, Arc<Map>)], gpl: bool) -> Self {
        Self {
            kernel,
            attach: None,
            maps,
            context,
            returns: ReturnRule::Scalar,
            gpl,
        }
    }

    /// The helper of a number, if this program may call it.
    pub(super) fn find_helper(&self, id: u32) -> Option<&'a Helper> {
        let base = || {
            self.kernel
                .helpers
                .get(id)
                .filter(|helper| self.gpl || !helper.gpl_only)
        };
        let Some(attach) = self.attach else {
            return base();
        };
        let family = &attach.desc.family;
        let member = attach.desc.members.get(attach.member as usize)?;
        if !family.offers_helper(member, id) {
            return None;
        }
        family.helpers().iter().find(|helper| helper.id == id).or_else(base)
    }

    /// The kernel function of a BTF id, if this program may call it.
    pub(super) fn find_kfunc(&self, id: TypeId, module: i16) -> Option<&'a crate::kernel::KnownKfunc> {
        let kind = self.attach?.desc.ty;
        let known = self.kernel.kfuncs.iter();
        known
            .filter(|_| module == 0)
            .find(|kfunc| kfunc.id == id && kfunc.kinds.contains(&kind))
    }

    pub(super) fn find_map(&self, reference: MapRef) -> Option<&'a Arc<Map>> {
        let named = self.maps.iter().find(|(known, _)| *known == reference);
        named.map(|(_, map)| map)
    }
}

impl Environment for World<'_> {
    fn kernel_btf(&self) -> &Btf {
        &self.kernel.vmlinux.btf
    }

    fn helper(&self, id: u32) -> Option<&CallContract> {
        self.find_helper(id).map(|helper| &helper.contract)
    }

    fn helper_name(&self, id: u32) -> Option<&str> {
        bpf::helper_name(id)
    }

    fn kfunc(&self, btf_id: TypeId, module: i16) -> Option<&CallContract> {
        self.find_kfunc(btf_id, module).map(|kfunc| &kfunc.contract)
    }

    fn map(&self, map: MapRef) -> Option<MapShape> {
        self.find_map(map).map(|map| map.shape())
    }

    fn helper_takes_map(&self, helper: u32, map: &MapShape) -> bool {
        let takes =
            |helper: &Helper| helper.maps.contains(&MapType(map.map_type)) && (map.writable || !helper.writes_map);
        self.find_helper(helper).is_some_and(takes)
    }

    fn map_constant(&self, map: MapRef, offset: u32, size: u32) -> Option<u64> {
        self.find_map(map)?.constant(offset, size)
    }

    fn context(&self) -> &Context {
        &self.context
    }

    fn struct_access(&self, ty: TypeId, offset: u32, size: u32) -> StructAccess {
        match self.attach {
            Some(attach) => attach.desc.family.struct_access(ty, offset, size),
            None => StructAccess::ReadOnly,
        }
    }

    fn returns(&self) -> ReturnRule {
        self.returns
    }
}

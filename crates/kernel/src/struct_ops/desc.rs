//! [`Desc`]: what a kind's structure looks like, found out once (`bpf_struct_ops_desc_init`, `kernel/bpf/bpf_struct_ops.c`, Linux 6.12).

use crate::error::{BuildError, MemberProblem};
use crate::struct_ops::{Family, Stub};
use crate::types;
use btf::{Btf, Def, Kind, TypeId};
use std::sync::Arc;

/// A kind of operations structure with its family.
#[derive(Debug)]
pub(crate) struct Desc {
    pub(crate) family: Arc<dyn Family>,
    /// The structure.
    pub(crate) ty: TypeId,
    /// `bpf_struct_ops_<kind>`.
    pub(crate) value_ty: TypeId,
    pub(crate) value_size: u32,
    /// Offset of the structure in the value.
    pub(crate) data: u32,
    pub(crate) size: u32,
    pub(crate) members: Vec<Member>,
}

/// A member of an operations structure.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its index, which a program gives as its attach type.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its offset in bytes.
    pub offset: u32,
    /// Its size in bytes.
    pub size: u32,
    /// What it is.
    pub kind: MemberKind,
}

/// What a member of an operations structure is.
#[derive(Clone, Debug)]
pub enum MemberKind {
    /// A pointer to a function.
    Function {
        /// Its prototype.
        proto: TypeId,
        /// How programs may implement it; none when they may not.
        stub: Option<Stub>,
    },
    /// The owner, `struct module *`: the kernel's business.
    Owner,
    /// Anything else.
    Data,
}

/// An integer in a register, as C passes it: which bits count, and how they are extended to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Width {
    mask: u64,
    sign: u64,
    is_bool: bool,
}

impl Width {
    /// Nothing is there.
    pub(crate) const NONE: Self = Self {
        mask: 0,
        sign: 0,
        is_bool: false,
    };

    const POINTER: Self = Self {
        mask: u64::MAX,
        sign: 0,
        is_bool: false,
    };

    /// Of a type; `None` when it does not fit one register.
    fn of(btf: &Btf, ty: TypeId) -> Option<Self> {
        let resolved = btf.resolve(ty).ok()?;
        let (size, signed, is_bool) = match resolved.def {
            Def::Void => return Some(Self::NONE),
            Def::Ptr(_) => return Some(Self::POINTER),
            Def::Int(int) => (int.size, int.encoding.signed, int.encoding.bool),
            Def::Enum(e) => (e.size, e.signed, false),
            _ => return None,
        };
        let mask = match size {
            1 | 2 | 4 => (1 << (size * 8)) - 1,
            8 => u64::MAX,
            _ => return None,
        };
        let sign = if signed && size < 8 { (mask >> 1) + 1 } else { 0 };
        Some(Self { mask, sign, is_bool })
    }

    /// Extends what a caller or program left in a register.
    #[inline]
    pub(crate) fn extend(self, register: u64) -> u64 {
        if self.is_bool {
            return u64::from(register & self.mask != 0);
        }
        ((register & self.mask) ^ self.sign).wrapping_sub(self.sign)
    }
}

/// Most arguments of a member: a context has so many slots here, and a thunk passes so many.
pub(crate) const ARGS: usize = 5;

impl Member {
    /// Prototype and stub, if programs may implement it.
    pub(crate) fn implementable(&self) -> Option<(TypeId, Stub)> {
        match self.kind {
            MemberKind::Function { proto, stub } => Some((proto, stub?)),
            MemberKind::Owner | MemberKind::Data => None,
        }
    }
}

/// Arguments and result of a function, each in a register.
pub(crate) fn registers(btf: &Btf, proto: TypeId) -> Result<([Width; ARGS], Width), MemberProblem> {
    let proto = btf.type_by_id(proto).and_then(|ty| ty.func_proto());
    let proto = proto.ok_or(MemberProblem::NotAFunction)?;
    let mut args = [Width::NONE; ARGS];
    if proto.params().len() > ARGS || proto.variadic {
        return Err(MemberProblem::TooManyArguments);
    }
    for (arg, param) in args.iter_mut().zip(proto.params()) {
        *arg = Width::of(btf, param.ty).ok_or(MemberProblem::NotARegister)?;
    }
    let ret = Width::of(btf, proto.ret).ok_or(MemberProblem::NotARegister)?;
    Ok((args, ret))
}

impl Desc {
    pub(crate) fn new(btf: &Btf, family: Arc<dyn Family>) -> Result<Self, BuildError> {
        let kind = family.name();
        let no_struct = || BuildError::NoStruct { kind };
        let ty = btf.find(kind, Kind::Struct).ok_or_else(no_struct)?;
        let value_ty = btf.find(&types::value_name(kind), Kind::Struct).ok_or_else(no_struct)?;
        let composite = btf.type_by_id(ty).and_then(|ty| ty.composite()).ok_or_else(no_struct)?;
        let mut members = Vec::with_capacity(composite.len());
        for (index, member) in (0..).zip(composite.members()) {
            let problem = |problem| BuildError::Member {
                kind,
                member: member.name.to_owned(),
                problem,
            };
            if member.name.is_empty() {
                return Err(problem(MemberProblem::Anonymous));
            }
            if btf.bit_field(&member).is_some() {
                return Err(problem(MemberProblem::BitField));
            }
            members.push(Member {
                index,
                name: member.name.to_owned(),
                offset: member.byte_offset(),
                size: btf.size_of(member.ty)?,
                kind: member_kind(btf, &*family, member.name, member.ty).map_err(problem)?,
            });
        }
        Ok(Self {
            ty,
            value_ty,
            value_size: btf.size_of(value_ty)?,
            data: types::VALUE_DATA,
            size: btf.size_of(ty)?,
            members,
            family,
        })
    }
}

fn member_kind(btf: &Btf, family: &dyn Family, name: &str, ty: TypeId) -> Result<MemberKind, MemberProblem> {
    let stub = family.stub(name);
    let pointee = btf.pointee(ty).ok().flatten();
    match pointee.map(|pointee| (pointee.id, pointee.name, pointee.def)) {
        Some((proto, _, Def::FuncProto(params))) => {
            if let Some(stub) = stub {
                registers(btf, proto)?;
                let nullable = |&index: &usize| {
                    let param = params.params().nth(index)?;
                    let pointee = btf.pointee(param.ty).ok().flatten()?;
                    pointee.composite().map(|_| ())
                };
                if !stub.nullable.iter().all(|index| nullable(index).is_some()) {
                    return Err(MemberProblem::Nullable);
                }
            }
            Ok(MemberKind::Function { proto, stub })
        }
        _ if stub.is_some() => Err(MemberProblem::NotAFunction),
        Some((_, "module", Def::Struct(_) | Def::Fwd { .. })) => Ok(MemberKind::Owner),
        _ => Ok(MemberKind::Data),
    }
}

#[cfg(test)]
mod tests {
    use super::Width;

    #[test]
    fn registers_are_extended_as_c_has_them() {
        let of = |name: &str, size, encoding| {
            let mut types = btf::Builder::new();
            let id = types.int(name, size, encoding);
            Width::of(&types.build().unwrap(), id).unwrap()
        };
        let signed = of("int", 4, btf::Encoding::SIGNED);
        assert_eq!(signed.extend(0xdead_beef_ffff_ffff), u64::MAX);
        assert_eq!(signed.extend(0xdead_beef_7fff_ffff), 0x7fff_ffff);
        let byte = of("u8", 1, btf::Encoding::UNSIGNED);
        assert_eq!(byte.extend(0x1ff), 0xff);
        let long = of("long", 8, btf::Encoding::SIGNED);
        assert_eq!(long.extend(u64::MAX - 1), u64::MAX - 1);
        let truth = of("_Bool", 1, btf::Encoding::BOOL);
        assert_eq!((truth.extend(0x102), truth.extend(0x100)), (1, 0));
        assert_eq!(Width::NONE.extend(7), 0);
    }
}

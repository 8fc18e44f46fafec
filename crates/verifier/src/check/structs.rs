//! Accesses to kernel structures through typed pointers.
//!
//! Follows `check_ptr_to_btf_access` of Linux 6.12's `kernel/bpf/verifier.c`. What is where is found in
//! [`btf_access`](crate::btf_access); which stores are allowed, the environment says.

use btf::TypeId;

use crate::btf_access::{Bad, Member, Tag, member_at};
use crate::engine::{Checked, Verifier};
use crate::environment::StructAccess;
use crate::failure::Feature;
use crate::reason::Reason;
use crate::value::{Kind, Null, Reference, Trust, Value};

use super::memory::{Access, Use};

impl Verifier<'_> {
    pub(crate) fn access_struct(&mut self, access: &Access, ty: TypeId, trust: Trust) -> Checked<Value> {
        let offset = self.struct_offset(access, ty)?;
        match access.usage {
            Use::Read { .. } => self.read_struct(access, ty, trust, offset),
            Use::Write(_) => self.write_struct(access, ty, trust, offset),
            // Linux checks the read first, then the write.
            Use::Atomic => {
                let value = self.read_struct(access, ty, trust, offset)?;
                self.write_struct(access, ty, trust, offset)?;
                Ok(value)
            }
        }
    }

    /// The offset, which must be constant and not negative.
    fn struct_offset(&self, access: &Access, ty: TypeId) -> Checked<u32> {
        if !access.base.scalar.is(0) {
            let kind = self.describe(&access.base);
            return Err(Reason::VariableOffset { kind }.into());
        }
        let offset = access.fixed();
        match u32::try_from(offset) {
            Ok(offset) => Ok(offset),
            Err(_negative) => Err(self.outside(access, ty).into()),
        }
    }

    fn outside(&self, access: &Access, ty: TypeId) -> Reason {
        Reason::StructOutOfBounds {
            ty: self.struct_name(ty),
            offset: access.fixed(),
            size: access.size,
            ty_size: self.env.kernel_btf().size_of(ty).unwrap_or(0),
        }
    }

    fn read_struct(&mut self, access: &Access, ty: TypeId, trust: Trust, offset: u32) -> Checked<Value> {
        let member = member_at(self.env.kernel_btf(), ty, offset, access.size).map_err(|bad| match bad {
            Bad::Beyond { .. } => self.outside(access, ty),
            Bad::Member => Reason::StructBadAccess {
                ty: self.struct_name(ty),
                offset: offset.into(),
                size: access.size,
            },
        })?;
        let (ty, in_union, tag) = match member {
            Member::Number => return Ok(self.unknown()),
            Member::Leaf => {
                // Linux lets a program read guarded memory behind it; here it can only be compared and kept.
                return Ok(Value::pointer(Kind::Struct {
                    ty: TypeId::VOID,
                    trust: Trust::Untrusted,
                    null: Null::Never,
                    reference: Reference::NONE,
                }));
            }
            Member::Pointer { ty, in_union, tag } => (ty, in_union, tag),
        };
        if tag == Tag::Foreign {
            return Err(Feature::Access("pointers to user or per-CPU memory").into());
        }
        let walked = match trust {
            Trust::Untrusted => Trust::Untrusted,
            Trust::Trusted | Trust::Walked if in_union => Trust::Untrusted,
            Trust::Trusted | Trust::Walked => Trust::Walked,
        };
        // Linux wants a test of an `__rcu` pointer that was loaded from a trusted structure.
        let null = self.new_null(tag == Tag::Rcu && trust == Trust::Trusted);
        Ok(Value::pointer(Kind::Struct {
            ty,
            trust: walked,
            null,
            reference: Reference::NONE,
        }))
    }

    fn write_struct(&mut self, access: &Access, ty: TypeId, trust: Trust, offset: u32) -> Checked<Value> {
        let name = || self.struct_name(ty);
        if trust != Trust::Trusted {
            return Err(Reason::UntrustedWrite { ty: name() }.into());
        }
        let size = access.size;
        let inside = self.env.kernel_btf().size_of(ty).is_ok_and(|whole| offset < whole);
        let field = || self.env.kernel_btf().describe_offset(ty, offset);
        let at = i64::from(offset);
        match self.env.struct_access(ty, offset, size) {
            StructAccess::Allowed => Ok(Value::UNINIT),
            StructAccess::ReadOnly => Err(Reason::StructReadOnly { ty: name() }.into()),
            StructAccess::NoField if !inside => Err(self.outside(access, ty).into()),
            StructAccess::NoField => Err(Reason::StructFieldReadOnly {
                field: field(),
                offset: at,
                size,
            }
            .into()),
            StructAccess::BeyondField { end } => Err(Reason::StructFieldEnd {
                field: without_place(&field()).to_owned(),
                offset: at,
                size,
                end,
            }
            .into()),
        }
    }
}

/// The member itself: `tcp_sock.icsk_ca_priv` of `tcp_sock.icsk_ca_priv[12]+4`.
fn without_place(field: &str) -> &str {
    field.split(['[', '+']).next().unwrap_or(field)
}

//! Loads and stores: what a pointer points to decides what may be done through it.
//!
//! Follows `check_mem_access`, `check_load_mem`, `check_store_reg`, `check_map_access`,
//! `check_mem_region_access` and `check_ctx_access` of Linux 6.12's `kernel/bpf/verifier.c`.

use isa::{Reg, Size, Src, Width};

use crate::bounds::Scalar;
use crate::engine::{AccessKind, Checked, Verifier};
use crate::environment::{Context, CtxArg, CtxHolds};
use crate::failure::Feature;
use crate::provenance::Node;
use crate::reason::{Bounds, Reason};
use crate::tnum::Tnum;
use crate::value::{Kind, MapIndex, OFFSET_MAX, Reference, Trust, Value};

use super::arith::bytes;

/// What is done to memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// Load, with sign extension or not.
    Read { sx: bool },
    /// Store this value.
    Write(Value),
    /// Read and store a value that is not followed.
    Atomic,
}

/// One access: `size` bytes at `off` from the value of `base`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    /// The register with the address.
    pub(crate) reg: Reg,
    pub(crate) base: Value,
    pub(crate) off: i32,
    pub(crate) size: u32,
    pub(crate) usage: Use,
}

impl Access {
    pub(crate) fn reads(&self) -> bool {
        matches!(self.usage, Use::Read { .. } | Use::Atomic)
    }

    pub(crate) fn writes(&self) -> bool {
        matches!(self.usage, Use::Write(_) | Use::Atomic)
    }

    /// Constant part of the offset.
    pub(crate) fn fixed(&self) -> i64 {
        i64::from(self.base.off) + i64::from(self.off)
    }

    /// The offset, if it is constant.
    pub(crate) fn constant(&self) -> Option<i64> {
        self.fixed().checked_add(self.base.scalar.known()? as i64)
    }

    /// The range of the offset, for messages.
    pub(crate) fn bounds(&self) -> Bounds {
        let (fixed, scalar) = (self.fixed(), &self.base.scalar);
        Bounds {
            signed_min: scalar.smin.saturating_add(fixed),
            signed_max: scalar.smax.saturating_add(fixed),
            unsigned_min: scalar.umin.saturating_add_signed(fixed),
            unsigned_max: scalar.umax.saturating_add_signed(fixed),
        }
    }
}

impl Verifier<'_> {
    /// `dst = *(uN *)(base + off)`.
    pub(crate) fn load(&mut self, size: Size, sx: bool, dst: Reg, base: Reg, off: i16) -> Checked {
        let access = Access {
            reg: base,
            base: self.read(base)?,
            off: off.into(),
            size: bytes(size),
            usage: Use::Read { sx },
        };
        if dst == Reg::FP {
            return Err(Reason::FramePointerWrite.into());
        }
        let value = self.access(&access)?;
        self.agree(&access, true)?;
        self.write(dst, value)
    }

    /// `*(uN *)(base + off) = src`.
    pub(crate) fn store(&mut self, size: Size, base: Reg, off: i16, src: Src) -> Checked {
        let mut value = self.operand(src)?;
        let address = self.read(base)?;
        match src {
            Src::Imm(_) => value.node = self.graph.fresh(),
            Src::Reg(src) => {
                let whole_slot = address.const_offset().is_some_and(|at| (at + i64::from(off)) % 8 == 0);
                let spilled = matches!(address.kind, Kind::Stack { .. }) && whole_slot;
                if spilled && value.scalar.width() <= bytes(size) * 8 {
                    value = self.read_to_copy(src)?;
                }
            }
        }
        let access = Access {
            reg: base,
            base: address,
            off: off.into(),
            size: bytes(size),
            usage: Use::Write(value),
        };
        self.access(&access)?;
        self.agree(&access, false)
    }

    /// Check an access and do it; gives what a read reads (`check_mem_access`).
    pub(crate) fn access(&mut self, access: &Access) -> Checked<Value> {
        self.check_alignment(access)?;
        if access.base.may_be_null() {
            let (reg, kind) = (access.reg, self.describe(&access.base));
            return Err(Reason::NullableAccess { reg, kind }.into());
        }
        let value = match access.base.kind {
            Kind::Stack { frame } => return self.access_stack(access, frame),
            Kind::Ctx => self.access_ctx(access)?,
            Kind::MapValue { map, .. } => self.access_map_value(access, map)?,
            Kind::Mem { size, .. } => {
                self.check_region(access, size, false)?;
                self.unknown()
            }
            Kind::Struct { ty, trust, .. } => self.access_struct(access, ty, trust)?,
            Kind::Uninit | Kind::Number | Kind::Map { .. } => {
                let (reg, kind) = (access.reg, self.describe(&access.base));
                return Err(Reason::NotAPointer { reg, kind }.into());
            }
        };
        Ok(self.as_read(access, value))
    }

    /// A loaded value as the register gets it: only `size` bytes, zero- or sign-extended.
    pub(crate) fn as_read(&mut self, access: &Access, mut value: Value) -> Value {
        if !value.is_number() || access.size == 8 {
            return value;
        }
        if let Use::Read { sx: true } = access.usage {
            return self.sign_extended(value, Width::W64, access.size);
        }
        if value.scalar.width() > access.size * 8 {
            value.renew(self.graph.made_from(value.node, Node::NONE));
            value.scalar.truncate(access.size);
            value.scalar.settle();
        }
        value
    }

    /// The stack is always aligned; elsewhere, unless the options ask for more, only atomic operations must be (`check_ptr_alignment` on a
    /// machine with efficient unaligned access).
    fn check_alignment(&self, access: &Access) -> Checked {
        let strict = self.options.strict_alignment
            || matches!(access.base.kind, Kind::Stack { .. })
            || matches!(access.usage, Use::Atomic);
        let offset = access.base.scalar.bits.add(Tnum::constant(access.fixed() as u64));
        if !strict || !access.base.is_pointer() || offset.is_aligned(access.size.into()) {
            return Ok(());
        }
        let kind = self.describe(&access.base);
        let (offset, size) = (access.constant().unwrap_or(access.fixed()), access.size);
        Err(Reason::Misaligned { kind, offset, size }.into())
    }

    /// An access inside memory of `mem_size` bytes (`check_mem_region_access`).
    pub(crate) fn check_region(&self, access: &Access, mem_size: u32, zero_ok: bool) -> Checked {
        let scalar = &access.base.scalar;
        let inside = |offset: i64| {
            let size_ok = access.size > 0 || zero_ok;
            offset >= 0 && size_ok && offset + i64::from(access.size) <= i64::from(mem_size)
        };
        let low = scalar.smin.checked_add(access.fixed());
        let bounded = scalar.umax < OFFSET_MAX as u64;
        let high = access.fixed().checked_add_unsigned(scalar.umax);
        if bounded && low.is_some_and(inside) && high.is_some_and(inside) {
            return Ok(());
        }
        let (bounds, size) = (access.bounds(), access.size);
        Err(match access.base.kind {
            Kind::MapValue { .. } => Reason::MapValueOutOfBounds {
                value_size: mem_size,
                bounds,
                size,
            },
            _ => Reason::MemOutOfBounds { mem_size, bounds, size },
        }
        .into())
    }

    /// What may be done with a map's value (`check_map_access_type`).
    pub(crate) fn check_map_access(&self, map: MapIndex, reads: bool, writes: bool) -> Checked {
        let shape = self.map(map);
        if reads && !shape.readable {
            let map = shape.name.clone();
            return Err(Reason::MapNotReadable { map }.into());
        }
        if writes && !shape.writable {
            let map = shape.name.clone();
            return Err(Reason::MapNotWritable { map }.into());
        }
        Ok(())
    }

    /// Fields of map values that are not plain bytes stay untouched (`check_map_access`).
    pub(crate) fn check_special_fields(&self, access: &Access, map: MapIndex) -> Checked {
        let shape = self.map(map);
        let bounds = access.bounds();
        for field in &shape.special {
            let (start, end) = (i64::from(field.offset), i64::from(field.offset) + i64::from(field.size));
            let last = bounds.signed_max.saturating_add(access.size.into());
            if bounds.signed_min >= end || last <= start {
                continue;
            }
            let what = field.what;
            if what.starts_with("kptr") {
                let map = shape.name.clone();
                return Err(Feature::MapField { map, what }.into());
            }
            let offset = field.offset;
            return Err(Reason::MapSpecialField { what, offset }.into());
        }
        Ok(())
    }

    fn access_map_value(&mut self, access: &Access, map: MapIndex) -> Checked<Value> {
        self.check_map_access(map, access.reads(), access.writes())?;
        self.check_region(access, self.map(map).value_size, false)?;
        self.check_special_fields(access, map)?;
        let constant = match (access.usage, access.constant()) {
            (Use::Read { .. }, Some(offset)) => {
                let reference = self.maps[usize::from(map.0)].0;
                let offset = u32::try_from(offset).ok();
                offset.and_then(|offset| self.env.map_constant(reference, offset, access.size))
            }
            _ => None,
        };
        let scalar = constant.map_or(Scalar::UNKNOWN, Scalar::constant);
        Ok(self.fresh(scalar))
    }

    fn access_ctx(&mut self, access: &Access) -> Checked<Value> {
        let kind = self.describe(&access.base);
        if access.base.off != 0 {
            let offset = access.base.off.into();
            return Err(Reason::OffsetNotZero { kind, offset }.into());
        }
        if !access.base.scalar.is(0) {
            return Err(Reason::VariableOffset { kind }.into());
        }
        let (offset, size) = (i64::from(access.off), access.size);
        let field = match self.env.context() {
            Context::Fields(fields) => {
                let reads = matches!(access.usage, Use::Read { .. });
                fields.iter().find(|field| field.has(offset, size, reads))
            }
            Context::Args(_) => None,
        };
        if field.is_some_and(|field| field.holds != CtxHolds::Number) {
            return Err(Feature::CtxField { offset }.into());
        }
        match access.usage {
            Use::Read { .. } => {}
            Use::Write(_) => return Err(Reason::CtxReadOnly.into()),
            Use::Atomic => return Err(Reason::AtomicNotAllowed { kind }.into()),
        }
        let outside = Reason::CtxOutOfBounds { offset, size };
        match self.env.context() {
            Context::Fields(_) if field.is_none() => Err(outside.into()),
            Context::Fields(_) => Ok(self.unknown()),
            Context::Args(args) => {
                let index = usize::try_from(offset)
                    .ok()
                    .filter(|offset| offset % 8 == 0)
                    .map(|offset| offset / 8);
                let Some(arg) = index.and_then(|index| args.get(index)).copied() else {
                    return Err(outside.into());
                };
                match arg {
                    CtxArg::Scalar { .. } => Ok(self.unknown()),
                    CtxArg::Unknown => {
                        let index = index.unwrap_or_default();
                        Err(Feature::CtxArg { index }.into())
                    }
                    CtxArg::Btf { .. } if size != 8 => Err(outside.into()),
                    CtxArg::Btf { ty, nullable, trusted } => {
                        let trust = if trusted { Trust::Trusted } else { Trust::Walked };
                        let null = self.new_null(nullable);
                        let reference = Reference::NONE;
                        Ok(Value::pointer(Kind::Struct {
                            ty,
                            trust,
                            null,
                            reference,
                        }))
                    }
                }
            }
        }
    }

    /// The instruction's access is of the same kind on all paths, or of kinds that the same machine code can do
    /// (`save_aux_ptr_type`).
    pub(crate) fn agree(&mut self, access: &Access, guarding: bool) -> Checked {
        let kind = match access.base.kind {
            Kind::Ctx => AccessKind::Ctx,
            Kind::Struct { trust, .. } => AccessKind::Struct {
                guarded: trust != Trust::Trusted,
            },
            _ => AccessKind::Plain,
        };
        let agreed = match (self.accesses[self.slot], kind) {
            (None, kind) => kind,
            (Some((before, _)), kind) if before == kind => kind,
            (Some((AccessKind::Struct { .. }, _)), AccessKind::Struct { .. }) if guarding => {
                AccessKind::Struct { guarded: true }
            }
            (Some((_, before)), _) => {
                let (before, now) = (self.describe(&before), self.describe(&access.base));
                return Err(Reason::MixedPointers { before, now }.into());
            }
        };
        self.accesses[self.slot] = Some((agreed, access.base));
        self.aux[self.slot].probe = agreed == AccessKind::Struct { guarded: true };
        Ok(())
    }
}

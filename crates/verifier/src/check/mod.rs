//! What each instruction needs, and what it does to the state: one file per kind of instruction.
//!
//! Here is only the dispatch (`do_check` in Linux 6.12's `kernel/bpf/verifier.c`) and what all files use.

mod arguments;
mod arith;
mod atomic;
mod calls;
mod functions;
mod jump;
mod memory;
mod stack_access;
mod structs;

use isa::{AluOp, Call, Imm64, Insn, Reg, Src, Width};

use crate::bounds::Scalar;
use crate::engine::{Checked, Next, Verifier};
use crate::environment::{Context, MapRef};
use crate::failure::Feature;
use crate::reason::{Reason, ValueKind};
use crate::value::{Kind, OFFSET_MAX, Value};

impl Verifier<'_> {
    /// Check the instruction at the current slot and do it.
    pub(crate) fn step(&mut self) -> Checked<Next> {
        let slot = self.slot;
        let insn = &self.program.insns[slot];
        if let Some(reason) = self.program.oddity(slot) {
            return Err(Reason::Undecodable(reason).into());
        }
        check_form(insn, self.env.context())?;
        match *insn {
            Insn::Alu {
                width,
                op: AluOp::Mov,
                dst,
                src,
            } => self.mov(width, dst, src)?,
            Insn::Alu { width, op, dst, src } => self.alu(width, op, dst, src)?,
            Insn::MovSx { width, dst, src, from } => self.mov_sx(width, dst, src, from)?,
            Insn::Neg { width, dst } => self.neg(width, dst)?,
            Insn::Endian { dst, kind, bits } => self.endian(dst, kind, bits)?,
            Insn::LoadImm64 { dst, imm } => self.load_imm64(dst, imm)?,
            Insn::Load {
                size,
                sx,
                dst,
                base,
                off,
            } => self.load(size, sx, dst, base, off)?,
            Insn::Store { size, base, off, src } => self.store(size, base, off, src)?,
            Insn::Atomic {
                op,
                size,
                base,
                off,
                src,
            } => self.atomic(op, size, base, off, src)?,
            Insn::Jump { .. } => {}
            Insn::JumpIf {
                width, op, dst, src, ..
            } => return self.jump_if(width, op, dst, src),
            Insn::Call(Call::Subprog { .. }) => return self.call_subprog(),
            Insn::Call(Call::Helper(id)) => self.call_helper(id)?,
            Insn::Call(Call::Kfunc { btf_id, module }) => self.call_kfunc(btf_id, module)?,
            Insn::Exit => return self.exit(),
            // `check_form` has refused them.
            Insn::AddrSpaceCast { .. }
            | Insn::MayGoto { .. }
            | Insn::LegacyLoad { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::LoadImm64Hi => return Err(Feature::Insn("this instruction").into()),
        }
        let next = match insn.jump_target(slot) {
            Some(target) => target as usize,
            None => slot + insn.slots(),
        };
        Ok(Next::Slot(next))
    }

    /// A register's value, which must be readable (`check_reg_arg` with `SRC_OP`).
    pub(crate) fn read(&self, reg: Reg) -> Checked<Value> {
        let value = *self.state.reg(reg);
        if value.kind == Kind::Uninit {
            return Err(Reason::UninitRegister { reg }.into());
        }
        Ok(value)
    }

    /// The value of a right operand; an immediate is sign-extended.
    pub(crate) fn operand(&self, src: Src) -> Checked<Value> {
        match src {
            Src::Reg(reg) => self.read(reg),
            Src::Imm(imm) => Ok(Value {
                kind: Kind::Number,
                scalar: Scalar::constant(i64::from(imm) as u64),
                ..Value::UNINIT
            }),
        }
    }

    /// Set a register (`check_reg_arg` with `DST_OP`).
    pub(crate) fn write(&mut self, reg: Reg, value: Value) -> Checked {
        if reg == Reg::FP {
            return Err(Reason::FramePointerWrite.into());
        }
        self.state.set(reg, value);
        Ok(())
    }

    /// A number that comes from nowhere.
    pub(crate) fn fresh(&mut self, scalar: Scalar) -> Value {
        Value::number(scalar, self.graph.fresh())
    }

    /// A number of which nothing is known.
    pub(crate) fn unknown(&mut self) -> Value {
        self.fresh(Scalar::UNKNOWN)
    }

    /// A number of 32 bits of which nothing is known.
    pub(crate) fn unknown32(&mut self) -> Value {
        let mut scalar = Scalar::UNKNOWN;
        scalar.truncate(4);
        self.fresh(scalar)
    }

    fn load_imm64(&mut self, dst: Reg, imm: Imm64) -> Checked {
        let value = match imm {
            Imm64::Value(value) => self.fresh(Scalar::constant(value)),
            Imm64::MapFd(fd) => self.map_pointer(MapRef::Fd(fd))?,
            Imm64::MapIdx(index) => self.map_pointer(MapRef::Index(index))?,
            Imm64::MapValue { fd, off } => self.map_value_pointer(MapRef::Fd(fd), off)?,
            Imm64::MapIdxValue { idx, off } => self.map_value_pointer(MapRef::Index(idx), off)?,
            Imm64::BtfId { .. } => return Err(Feature::Insn("the address of a kernel variable").into()),
            Imm64::Func { .. } => return Err(Feature::Insn("a function as a callback").into()),
        };
        self.write(dst, value)
    }

    fn map_pointer(&self, map: MapRef) -> Checked<Value> {
        let map = self.map_index(map)?;
        Ok(Value::pointer(Kind::Map { map }))
    }

    fn map_value_pointer(&self, map: MapRef, offset: u32) -> Checked<Value> {
        self.check_direct_value(map, offset)?;
        let map = self.map_index(map)?;
        let null = crate::value::Null::Never;
        let mut value = Value::pointer(Kind::MapValue { map, null });
        value.off = offset as i32;
        Ok(value)
    }

    /// An instruction may name this byte of a map's only value.
    pub(crate) fn check_direct_value(&self, map: MapRef, offset: u32) -> Checked {
        let shape = self.map(self.map_index(map)?);
        if !shape.direct_value || offset >= shape.value_size || i64::from(offset) >= OFFSET_MAX {
            let map = shape.name.clone();
            return Err(Reason::NoDirectValue { map, offset }.into());
        }
        Ok(())
    }

    /// A value for a message.
    pub(crate) fn describe(&self, value: &Value) -> ValueKind {
        let nullable = value.may_be_null();
        match value.kind {
            Kind::Uninit => ValueKind::Uninit,
            Kind::Number => match value.scalar.known() {
                Some(constant) => ValueKind::Constant(constant as i64),
                None => ValueKind::Number,
            },
            Kind::Ctx => ValueKind::Ctx,
            Kind::Stack { .. } => ValueKind::Stack,
            Kind::Map { map } => ValueKind::Map {
                name: self.map(map).name.clone(),
            },
            Kind::MapValue { map, .. } => ValueKind::MapValue {
                map: self.map(map).name.clone(),
                nullable,
            },
            Kind::Mem { size, .. } => ValueKind::Mem { size, nullable },
            Kind::Struct { ty, trust, .. } => ValueKind::Struct {
                ty: self.struct_name(ty),
                nullable,
                trusted: trust == crate::value::Trust::Trusted,
            },
        }
    }

    /// Name of a kernel structure.
    pub(crate) fn struct_name(&self, ty: btf::TypeId) -> String {
        match self.env.kernel_btf().name_of(ty) {
            "" => "(anonymous)".to_owned(),
            name => name.to_owned(),
        }
    }

    /// The zero or unknown value that 32-bit arithmetic on a pointer leaves.
    pub(crate) fn unknown_of(&mut self, width: Width) -> Value {
        match width {
            Width::W32 => self.unknown32(),
            Width::W64 => self.unknown(),
        }
    }
}

/// Rules about a single instruction, which Linux looks at when a path comes to it.
fn check_form(insn: &Insn, context: &Context) -> Checked {
    let unsupported = |what| Err(Feature::Insn(what).into());
    match *insn {
        Insn::Alu {
            op: AluOp::Lsh | AluOp::Rsh | AluOp::Arsh,
            width,
            src: Src::Imm(amount),
            ..
        } => {
            let bits = if width == Width::W32 { 32 } else { 64 };
            if (0..bits).contains(&amount) {
                Ok(())
            } else {
                Err(Reason::ShiftTooWide { amount, width }.into())
            }
        }
        Insn::Alu {
            op: AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod,
            src: Src::Imm(0),
            ..
        } => Err(Reason::DivisionByZero.into()),
        // Programs of packets have them on Linux.
        Insn::LegacyLoad { .. } if matches!(context, Context::Fields(_)) => unsupported("a packet load"),
        Insn::LegacyLoad { .. } => {
            let what = "a packet load";
            Err(Reason::InsnNotAllowed { what }.into())
        }
        Insn::MayGoto { .. } => unsupported("may_goto"),
        Insn::AddrSpaceCast { .. } => unsupported("address spaces"),
        Insn::LoadImm64 {
            imm: Imm64::Func { .. },
            ..
        } => unsupported("a function as a callback"),
        Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => unsupported("load-acquire and store-release"),
        _ => Ok(()),
    }
}

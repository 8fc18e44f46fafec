//! Arguments of helpers and kernel functions, checked against their contract.
//!
//! Follows `check_func_arg`, `check_reg_type`, `check_helper_mem_access`, `check_mem_size_reg` and
//! `check_kfunc_args` of Linux 6.12's `kernel/bpf/verifier.c`. Stricter than Linux in one point: a pointer to a
//! kernel structure must be trusted for every call, because a stale one would harm this process.

use btf::TypeId;
use isa::Reg;

use crate::btf_access::is_or_begins_with;
use crate::engine::{Checked, Verifier};
use crate::environment::{ArgKind, CallContract};
use crate::failure::Feature;
use crate::reason::{Reason, Wanted};
use crate::value::{Kind, MapIndex, OFFSET_MAX, Reference, Trust, Value};

use super::memory::{Access, Use};

/// What the arguments of a call told.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The map among them.
    pub(crate) map: Option<MapIndex>,
    /// The reference in the first argument.
    pub(crate) reference: Option<Reference>,
}

/// Memory that a call uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemUse {
    pub(crate) size: u32,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// An access of no bytes is fine.
    pub(crate) zero_ok: bool,
}

/// One argument of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arg<'a> {
    pub(crate) contract: &'a CallContract,
    /// From 0.
    pub(crate) index: usize,
    pub(crate) value: Value,
}

impl Arg<'_> {
    fn reg(&self) -> Reg {
        argument(self.index)
    }

    fn number(&self) -> u8 {
        self.index as u8 + 1
    }

    fn call(&self) -> String {
        self.contract.name.clone().into_owned()
    }
}

/// Register of an argument, from 0.
pub(crate) fn argument(index: usize) -> Reg {
    Reg::ALL[1 + index.min(4)]
}

impl Verifier<'_> {
    /// Check all arguments of a call.
    pub(crate) fn check_arguments(&mut self, contract: &CallContract) -> Checked<Facts> {
        let unsupported = |what| Feature::Call {
            call: contract.name.clone().into_owned(),
            what,
        };
        if let Some(what) = contract.flags.unsupported {
            return Err(unsupported(what).into());
        }
        if contract.args.len() > 5 {
            return Err(unsupported("more than five arguments").into());
        }
        let mut facts = Facts::default();
        for (index, kind) in contract.args.iter().enumerate() {
            let value = self.read(argument(index))?;
            let arg = Arg { contract, index, value };
            self.check_argument(&arg, *kind, &mut facts)?;
        }
        Ok(facts)
    }

    fn check_argument(&mut self, arg: &Arg<'_>, kind: ArgKind, facts: &mut Facts) -> Checked {
        match kind {
            ArgKind::Anything => Ok(()),
            ArgKind::Scalar => self.check_number(arg),
            ArgKind::ConstScalar => {
                self.check_number(arg)?;
                self.graph.mark(arg.value.node);
                if arg.value.scalar.known().is_none() {
                    let (call, arg) = (arg.call(), arg.number());
                    return Err(Reason::ArgNotConstant { call, arg }.into());
                }
                Ok(())
            }
            ArgKind::Ctx => self.check_ctx(arg),
            ArgKind::Map => {
                let Kind::Map { map } = arg.value.kind else {
                    return Err(self.wrong_kind(arg, Wanted::Map));
                };
                facts.map = Some(map);
                Ok(())
            }
            ArgKind::MapKey => {
                let size = self.map(self.map_before(arg, facts)?).key_size;
                self.check_memory(arg, &MemUse::read(size))
            }
            ArgKind::MapValue { fills, nullable } => {
                if self.is_null_argument(arg, nullable) {
                    return Ok(());
                }
                let size = self.map(self.map_before(arg, facts)?).value_size;
                self.check_memory(arg, &MemUse::new(size, !fills, fills))
            }
            ArgKind::FixedMem {
                size,
                fills,
                writes,
                nullable,
            } => {
                if self.is_null_argument(arg, nullable) {
                    return Ok(());
                }
                self.check_memory(arg, &MemUse::new(size, !fills, fills || writes))
            }
            // Checked with its size, which comes next.
            ArgKind::Mem { .. } => match arg.contract.args.get(arg.index + 1) {
                Some(ArgKind::MemSize { .. }) => Ok(()),
                _ => Err(self.not_checked(arg, "memory without a size")),
            },
            ArgKind::MemSize { zero_ok } => self.check_sized_memory(arg, zero_ok),
            ArgKind::Btf { ty, nullable } => {
                if self.is_null_argument(arg, nullable) {
                    return Ok(());
                }
                self.check_struct_argument(arg, ty, nullable, facts)
            }
            ArgKind::Unknown(what) => Err(self.not_checked(arg, what)),
        }
    }

    fn not_checked(&self, arg: &Arg<'_>, what: &'static str) -> crate::engine::Halt {
        let call = arg.call();
        Feature::Call { call, what }.into()
    }

    fn wrong_kind(&self, arg: &Arg<'_>, wanted: Wanted) -> crate::engine::Halt {
        Reason::ArgKind {
            call: arg.call(),
            arg: arg.number(),
            kind: self.describe(&arg.value),
            wanted,
        }
        .into()
    }

    fn check_number(&self, arg: &Arg<'_>) -> Checked {
        if arg.value.is_number() {
            Ok(())
        } else {
            Err(self.wrong_kind(arg, Wanted::Number))
        }
    }

    pub(crate) fn check_ctx(&self, arg: &Arg<'_>) -> Checked {
        if arg.value.kind != Kind::Ctx {
            return Err(self.wrong_kind(arg, Wanted::Ctx));
        }
        match arg.value.const_offset() {
            Some(0) => Ok(()),
            offset => {
                let kind = self.describe(&arg.value);
                let offset = offset.unwrap_or(i64::from(arg.value.off));
                Err(Reason::OffsetNotZero { kind, offset }.into())
            }
        }
    }

    fn map_before(&self, arg: &Arg<'_>, facts: &Facts) -> Checked<MapIndex> {
        facts
            .map
            .ok_or_else(|| self.not_checked(arg, "a key or value before its map"))
    }

    /// The null pointer, where it is fine.
    fn is_null_argument(&mut self, arg: &Arg<'_>, nullable: bool) -> bool {
        let null = nullable && arg.value.is_null();
        if null {
            self.graph.mark(arg.value.node);
        }
        null
    }

    /// The size of the memory in the argument before, and that memory (`check_mem_size_reg`).
    fn check_sized_memory(&mut self, arg: &Arg<'_>, zero_ok: bool) -> Checked {
        self.check_number(arg)?;
        let memory = arg.index.checked_sub(1).map(|index| (index, arg.contract.args[index]));
        let Some((
            index,
            ArgKind::Mem {
                fills,
                writes,
                nullable,
            },
        )) = memory
        else {
            return Err(self.not_checked(arg, "a size without memory"));
        };
        let scalar = &arg.value.scalar;
        let bounded = scalar.smin >= 0 && scalar.umax < OFFSET_MAX as u64 && (zero_ok || scalar.umin > 0);
        if !bounded {
            return Err(Reason::ArgSize {
                call: arg.call(),
                arg: arg.number(),
                bounds: scalar.facts(),
                zero_ok,
            }
            .into());
        }
        self.graph.mark(arg.value.node);
        let memory = Arg {
            index,
            value: self.read(argument(index))?,
            ..*arg
        };
        // Below OFFSET_MAX, as was just checked.
        let size = scalar.umax as u32;
        if self.is_null_argument(&memory, nullable) && size == 0 {
            return Ok(());
        }
        let filled = fills && scalar.known().is_some();
        let mut usage = MemUse::new(size, !filled, fills || writes);
        usage.zero_ok = zero_ok;
        self.check_memory(&memory, &usage)
    }

    /// Memory that a call uses (`check_helper_mem_access`).
    pub(crate) fn check_memory(&mut self, arg: &Arg<'_>, usage: &MemUse) -> Checked {
        let access = Access {
            reg: arg.reg(),
            base: arg.value,
            off: 0,
            size: usage.size,
            usage: Use::Read { sx: false },
        };
        if arg.value.may_be_null() {
            let (call, number, kind) = (arg.call(), arg.number(), self.describe(&arg.value));
            let arg = number;
            return Err(Reason::ArgNullable { call, arg, kind }.into());
        }
        match arg.value.kind {
            Kind::Stack { frame } => self.call_uses_stack(&access, frame, usage),
            Kind::MapValue { map, .. } => {
                self.check_map_access(map, usage.reads, usage.writes)?;
                self.check_region(&access, self.map(map).value_size, usage.zero_ok)?;
                self.check_special_fields(&access, map)
            }
            Kind::Mem { size, .. } => self.check_region(&access, size, usage.zero_ok),
            Kind::Uninit | Kind::Number | Kind::Ctx | Kind::Map { .. } | Kind::Struct { .. } => {
                Err(self.wrong_kind(arg, Wanted::Memory))
            }
        }
    }

    /// A pointer to a kernel structure.
    pub(crate) fn check_struct_argument(
        &mut self,
        arg: &Arg<'_>,
        wanted: TypeId,
        nullable: bool,
        facts: &mut Facts,
    ) -> Checked {
        let Kind::Struct {
            ty, trust, reference, ..
        } = arg.value.kind
        else {
            return Err(self.wrong_kind(arg, Wanted::Struct));
        };
        let (call, number) = (arg.call(), arg.number());
        if arg.value.may_be_null() && !nullable {
            let kind = self.describe(&arg.value);
            return Err(Reason::ArgNullable {
                call,
                arg: number,
                kind,
            }
            .into());
        }
        if trust != Trust::Trusted {
            let ty = self.struct_name(ty);
            return Err(Reason::ArgUntrusted { call, arg: number, ty }.into());
        }
        let offset = arg.value.const_offset();
        let releases = arg.contract.flags.release && arg.index == 0;
        let fits = offset
            .and_then(|offset| u32::try_from(offset).ok())
            .is_some_and(|offset| {
                if releases {
                    offset == 0 && ty == wanted
                } else {
                    is_or_begins_with(self.env.kernel_btf(), ty, offset, wanted)
                }
            });
        if !fits {
            let (ty, wanted) = (self.struct_name(ty), self.struct_name(wanted));
            return Err(Reason::ArgStruct {
                call,
                arg: number,
                ty,
                wanted,
            }
            .into());
        }
        if arg.index == 0 {
            facts.reference = Some(reference);
        }
        Ok(())
    }
}

impl MemUse {
    fn new(size: u32, reads: bool, writes: bool) -> Self {
        Self {
            size,
            reads,
            writes,
            zero_ok: false,
        }
    }

    fn read(size: u32) -> Self {
        Self::new(size, true, false)
    }
}

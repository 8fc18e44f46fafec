//! Atomic operations (`check_atomic_rmw` of Linux 6.12's `kernel/bpf/verifier.c`).

use isa::{AtomicOp, Reg, Size};

use crate::engine::{Checked, Verifier};
use crate::reason::{Reason, ValueKind};
use crate::value::Kind;

use super::arith::bytes;
use super::memory::{Access, Use};

impl Verifier<'_> {
    pub(crate) fn atomic(&mut self, op: AtomicOp, size: Size, base: Reg, off: i16, src: Reg) -> Checked {
        self.read(src)?;
        let address = self.read(base)?;
        let loaded = match op {
            AtomicOp::CmpXchg => {
                self.read(Reg::R0)?;
                Some(Reg::R0)
            }
            AtomicOp::Xchg
            | AtomicOp::Add { fetch: true }
            | AtomicOp::Or { fetch: true }
            | AtomicOp::And { fetch: true }
            | AtomicOp::Xor { fetch: true } => Some(src),
            AtomicOp::Add { fetch: false }
            | AtomicOp::Or { fetch: false }
            | AtomicOp::And { fetch: false }
            | AtomicOp::Xor { fetch: false } => None,
        };
        if loaded == Some(Reg::FP) {
            return Err(Reason::FramePointerWrite.into());
        }
        if loaded == Some(base) {
            // As Linux, which takes the result as written before the address is looked at.
            let (reg, kind) = (base, ValueKind::Number);
            return Err(Reason::NotAPointer { reg, kind }.into());
        }
        // `atomic_ptr_type_ok`: typed pointers to kernel structures are not among what it refuses.
        if address.kind == Kind::Ctx {
            let kind = self.describe(&address);
            return Err(Reason::AtomicNotAllowed { kind }.into());
        }
        let access = Access {
            reg: base,
            base: address,
            off: off.into(),
            size: bytes(size),
            usage: Use::Atomic,
        };
        // Here the paths need not agree on the kind of memory: Linux runs atomic operations as they are.
        let value = self.access(&access)?;
        match loaded {
            Some(reg) => self.write(reg, value),
            None => Ok(()),
        }
    }
}

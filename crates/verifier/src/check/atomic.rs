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
        // Kernel structures are written by plain stores alone.
        if matches!(address.kind, Kind::Ctx | Kind::Struct { .. }) {
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
        let value = self.access(&access)?;
        self.agree(&access, false)?;
        match loaded {
            Some(reg) => self.write(reg, value),
            None => Ok(()),
        }
    }
}

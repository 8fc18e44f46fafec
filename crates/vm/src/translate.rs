//! Decoded instructions to [`Op`]s: everything that can be settled before a program runs is settled here.
//!
//! Whatever passes has no jump out of the program or into the second half of an instruction and does not run
//! over its end, verified or not; both modes rely on it for their own safety.

use isa::{AtomicOp, Call, Imm64, Insn, Size, Src, Width};

use crate::alu;
use crate::op::{Code, Op};

/// What is known of an instruction beside its text; the verifier says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mark {
    /// Nothing.
    #[default]
    Plain,
    /// The load may meet an address where nothing is, and then gives 0 (`BPF_PROBE_MEM` in Linux).
    Probe,
    /// No path comes here. Such an instruction need not make sense (libbpf poisons code that CO-RE ruled out).
    Dead,
}

/// Why instructions cannot be made ready to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no instruction at all.
    #[error("the program is empty")]
    Empty,
    /// A jump or call leads out of the program or into the middle of an instruction.
    #[error("insn {slot}: goes to {target}, where no instruction starts")]
    BadTarget {
        /// The jump or call.
        slot: usize,
        /// Where it leads.
        target: i64,
    },
    /// The last instruction lets control run over the end.
    #[error("insn {slot}: the program runs over its end")]
    RunsOverEnd {
        /// The last instruction.
        slot: usize,
    },
    /// A second slot of a 64-bit immediate load is missing, or stands alone.
    #[error("insn {slot}: half of a 64-bit immediate load")]
    HalfLoadImm64 {
        /// The lonely slot.
        slot: usize,
    },
    /// The linker does not know the helper or kernel function.
    #[error("insn {slot}: nothing to call for {call:?}")]
    UnknownCall {
        /// The call.
        slot: usize,
        /// What it calls.
        call: Call,
    },
    /// The linker has no value for a symbolic 64-bit immediate.
    #[error("insn {slot}: no address for {imm}")]
    UnknownImm64 {
        /// The load.
        slot: usize,
        /// What it loads.
        imm: Imm64,
    },
    /// The interpreter does not do this: classic packet loads, arena casts, addresses of subprograms.
    #[error("insn {slot}: the interpreter has no `{insn}`")]
    Unsupported {
        /// Where.
        slot: usize,
        /// The instruction.
        insn: Insn,
    },
}

/// A program in the form that is interpreted.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    ops: Vec<Op>,
    calls: Vec<Call>,
    /// For each of the calls the first slot that makes it.
    call_slots: Vec<usize>,
    atomics: Vec<AtomicOp>,
}

impl Image {
    /// Translate; `mark` tells what is known of a slot, `resolve` gives values to symbolic immediates.
    pub(crate) fn new(
        insns: &[Insn],
        mark: impl Fn(usize) -> Mark,
        resolve: impl Fn(&Imm64) -> Option<u64>,
    ) -> Result<Self, BuildError> {
        let mut image = Self {
            ops: Vec::with_capacity(insns.len()),
            calls: Vec::new(),
            call_slots: Vec::new(),
            atomics: Vec::new(),
        };
        for (slot, insn) in insns.iter().enumerate() {
            let op = match mark(slot) {
                Mark::Dead => op(Code::Unreachable),
                mark => image.translate(insns, slot, insn, mark == Mark::Probe, &resolve)?,
            };
            image.ops.push(op);
        }
        let last = image.ops.len().checked_sub(1).ok_or(BuildError::Empty)?;
        match image.ops[last].code {
            Code::Exit | Code::Jump | Code::Unreachable => Ok(image),
            _ => Err(BuildError::RunsOverEnd { slot: last }),
        }
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// What is called out of the program; [`Code::CallOut`] indexes it.
    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The same, each with the first slot that calls it.
    pub(crate) fn calls_with_slots(&self) -> impl Iterator<Item = (usize, Call)> {
        self.call_slots.iter().copied().zip(self.calls.iter().copied())
    }

    pub(crate) fn atomic(&self, op: &Op) -> AtomicOp {
        self.atomics[op.imm as usize]
    }

    fn translate(
        &mut self,
        insns: &[Insn],
        slot: usize,
        insn: &Insn,
        probe: bool,
        resolve: impl Fn(&Imm64) -> Option<u64>,
    ) -> Result<Op, BuildError> {
        let unsupported = BuildError::Unsupported { slot, insn: *insn };
        let target = |target: Option<i64>| find_target(insns, slot, target);
        Ok(match *insn {
            Insn::Alu {
                width,
                op: operator,
                dst,
                src,
            } => op(Code::alu(operator, width, src)).dst(dst).operand(width, src),
            Insn::MovSx { width, dst, src, from } => {
                let code = match (width, from) {
                    (Width::W64, Size::B) => Code::MovSxB64,
                    (Width::W64, Size::H) => Code::MovSxH64,
                    (Width::W64, Size::W) => Code::MovSxW64,
                    (Width::W32, Size::B) => Code::MovSxB32,
                    (Width::W32, Size::H) => Code::MovSxH32,
                    (Width::W32, Size::W) | (_, Size::DW) => return Err(unsupported),
                };
                op(code).dst(dst).src(src)
            }
            Insn::Neg { width: Width::W64, dst } => op(Code::Neg64).dst(dst),
            Insn::Neg { width: Width::W32, dst } => op(Code::Neg32).dst(dst),
            Insn::Endian { dst, kind, bits } => {
                let code = match (alu::swaps(kind), bits) {
                    (true, 16) => Code::SwapH,
                    (true, 32) => Code::SwapW,
                    (true, 64) => Code::SwapDW,
                    (false, 16) => Code::TruncateH,
                    (false, 32) => Code::TruncateW,
                    (false, 64) => Code::TruncateDW,
                    _ => return Err(unsupported),
                };
                op(code).dst(dst)
            }
            Insn::LoadImm64 { dst, imm } => {
                if insns.get(slot + 1) != Some(&Insn::LoadImm64Hi) {
                    return Err(BuildError::HalfLoadImm64 { slot });
                }
                let value = match imm {
                    Imm64::Value(value) => value,
                    Imm64::Func { .. } => return Err(unsupported),
                    _ => resolve(&imm).ok_or(BuildError::UnknownImm64 { slot, imm })?,
                };
                op(Code::LoadImm64).dst(dst).imm(value)
            }
            Insn::LoadImm64Hi => match slot.checked_sub(1).map(|first| insns[first]) {
                Some(Insn::LoadImm64 { .. }) => op(Code::Unreachable),
                _ => return Err(BuildError::HalfLoadImm64 { slot }),
            },
            Insn::Load {
                size,
                sx,
                dst,
                base,
                off,
            } => op(Code::load(size, sx, probe)).dst(dst).src(base).off(off),
            Insn::Store { size, base, off, src } => {
                op(Code::store(size, src)).dst(base).operand(Width::W64, src).off(off)
            }
            Insn::Atomic {
                op: kind,
                size,
                base,
                off,
                src,
            } => {
                let code = match size {
                    Size::W => Code::AtomicW,
                    Size::DW => Code::AtomicDW,
                    Size::B | Size::H => return Err(unsupported),
                };
                let number = number_of(&mut self.atomics, kind);
                op(code).dst(base).src(src).off(off).imm(number as u64)
            }
            Insn::LoadAcquire { size, dst, base, off } => op(Code::acquire(size)).dst(dst).src(base).off(off),
            Insn::StoreRelease { size, base, off, src } => op(Code::release(size)).dst(base).src(src).off(off),
            Insn::Jump { .. } => op(Code::Jump).off(target(insn.jump_target(slot))?),
            Insn::JumpIf {
                width,
                op: operator,
                dst,
                src,
                ..
            } => op(Code::jump(operator, width, src))
                .dst(dst)
                .operand(width, src)
                .off(target(insn.jump_target(slot))?),
            Insn::MayGoto { .. } => op(Code::MayGoto).off(target(insn.jump_target(slot))?),
            Insn::Call(Call::Subprog { .. }) => op(Code::CallSubprog).off(target(insn.subprog_target(slot))?),
            Insn::Call(call) => {
                let number = number_of(&mut self.calls, call);
                if number == self.call_slots.len() {
                    self.call_slots.push(slot);
                }
                op(Code::CallOut).off(number as i32)
            }
            Insn::Exit => op(Code::Exit),
            Insn::AddrSpaceCast { .. } | Insn::LegacyLoad { .. } => return Err(unsupported),
        })
    }
}

fn find_target(insns: &[Insn], slot: usize, target: Option<i64>) -> Result<i32, BuildError> {
    // Every caller is a jump or a call, which has one.
    let target = target.unwrap_or(-1);
    let starts = usize::try_from(target)
        .ok()
        .and_then(|t| insns.get(t))
        .is_some_and(|insn| *insn != Insn::LoadImm64Hi);
    match i32::try_from(target) {
        Ok(target) if starts => Ok(target),
        _ => Err(BuildError::BadTarget { slot, target }),
    }
}

/// Index of `item` in a list without duplicates.
fn number_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|i| *i == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

fn op(code: Code) -> Op {
    Op {
        code,
        dst: 0,
        src: 0,
        off: 0,
        imm: 0,
    }
}

impl Op {
    fn dst(self, reg: isa::Reg) -> Self {
        let dst = reg.number();
        Self { dst, ..self }
    }

    fn src(self, reg: isa::Reg) -> Self {
        let src = reg.number();
        Self { src, ..self }
    }

    fn off(self, off: impl Into<i32>) -> Self {
        let off = off.into();
        Self { off, ..self }
    }

    fn imm(self, imm: u64) -> Self {
        Self { imm, ..self }
    }

    fn operand(self, width: Width, src: Src) -> Self {
        match (src, width) {
            (Src::Reg(reg), _) => self.src(reg),
            (Src::Imm(imm), Width::W64) => self.imm(imm as u64),
            (Src::Imm(imm), Width::W32) => self.imm((imm as u32).into()),
        }
    }
}

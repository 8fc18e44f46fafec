//! The loop that runs programs, in whichever [`Machine`].
//!
//! Both modes are this one function: a machine says what an access, a call out of the program and a step
//! mean, everything else is the same code.

use isa::{AluOp, AtomicOp, JmpOp, Size};

use crate::alu;
use crate::op::{Code, Op};
use crate::translate::Image;

/// Deepest nesting of subprograms, the entry included (include/linux/bpf_verifier.h).
pub const MAX_CALL_FRAMES: usize = 8;

/// Bytes of stack in each frame (include/linux/filter.h).
pub const MAX_BPF_STACK: usize = 512;

/// How often `may_goto` falls through in a frame before it jumps (include/linux/bpf.h).
pub const BPF_MAX_LOOPS: u32 = 8 << 20;

/// What differs between the fast and the checked mode. `slot` says where the program is, for reports.
pub(crate) trait Machine: Sized {
    /// Why a program stops before its `exit`.
    type Trap;

    /// Before each instruction.
    fn step(&mut self, slot: usize) -> Result<(), Self::Trap>;

    /// Run `body` in frame `depth` (0 is the entry) with the address one past the end of its stack.
    fn frame(
        &mut self,
        slot: usize,
        depth: usize,
        body: impl FnOnce(&mut Self, u64) -> Result<u64, Self::Trap>,
    ) -> Result<u64, Self::Trap>;

    /// Zero-extended value at an address.
    fn load(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, Self::Trap>;

    /// Value at an address that may be null or stale; 0 if there is nothing.
    fn probe(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, Self::Trap>;

    /// Write the low bytes of `value`.
    fn store(&mut self, slot: usize, address: u64, size: Size, value: u64) -> Result<(), Self::Trap>;

    /// As `load`, ordered before what follows.
    fn load_acquire(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, Self::Trap>;

    /// As `store`, ordered after what precedes.
    fn store_release(&mut self, slot: usize, address: u64, size: Size, value: u64) -> Result<(), Self::Trap>;

    /// Read-modify-write; the old value.
    fn atomic(&mut self, slot: usize, address: u64, size: Size, update: Update) -> Result<u64, Self::Trap>;

    /// Call helper or kernel function number `index` of the image.
    fn call_out(&mut self, slot: usize, index: usize, arguments: [u64; 5]) -> Result<u64, Self::Trap>;

    /// The program came to a slot that is no instruction.
    fn unreachable(&mut self, slot: usize) -> Self::Trap;
}

/// Operands of an atomic operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Update {
    pub(crate) op: AtomicOp,
    /// Value of the source register.
    pub(crate) src: u64,
    /// Value of R0.
    pub(crate) expected: u64,
}

/// Run the image from its first slot.
pub(crate) fn run<M: Machine>(machine: &mut M, image: &Image, context: u64) -> Result<u64, M::Trap> {
    call(machine, image, 0, 0, 0, [context, 0, 0, 0, 0])
}

/// Run a subprogram in a new frame. `slot` is the caller's.
fn call<M: Machine>(
    machine: &mut M,
    image: &Image,
    slot: usize,
    depth: usize,
    entry: usize,
    arguments: [u64; 5],
) -> Result<u64, M::Trap> {
    machine.frame(slot, depth, |machine, stack_end| {
        execute(machine, image, depth, entry, arguments, stack_end)
    })
}

fn execute<M: Machine>(
    machine: &mut M,
    image: &Image,
    depth: usize,
    entry: usize,
    arguments: [u64; 5],
    stack_end: u64,
) -> Result<u64, M::Trap> {
    // Sixteen, so that a masked number needs no bounds check.
    let mut regs = [0u64; 16];
    regs[1..6].copy_from_slice(&arguments);
    regs[10] = stack_end;
    let mut may_goto_left = BPF_MAX_LOOPS;
    let ops = image.ops();
    let mut next = entry;
    loop {
        let slot = next;
        machine.step(slot)?;
        let op: &Op = &ops[slot];
        next = slot + 1;
        let dst = usize::from(op.dst & 15);
        let src = usize::from(op.src & 15);

        macro_rules! alu {
            ($function:ident $op:ident reg) => {
                regs[dst] = alu::$function(AluOp::$op, regs[dst], regs[src])
            };
            ($function:ident $op:ident imm) => {
                regs[dst] = alu::$function(AluOp::$op, regs[dst], op.imm)
            };
        }
        macro_rules! jump_if {
            ($function:ident $op:ident reg) => {
                if alu::$function(JmpOp::$op, regs[dst], regs[src]) {
                    next = op.off as usize;
                }
            };
            ($function:ident $op:ident imm) => {
                if alu::$function(JmpOp::$op, regs[dst], op.imm) {
                    next = op.off as usize;
                }
            };
        }
        macro_rules! load {
            ($method:ident $size:ident) => {
                regs[dst] = machine.$method(slot, address(regs[src], op), Size::$size)?
            };
            ($method:ident sx $size:ident) => {
                regs[dst] = alu::sign_extend(
                    Size::$size,
                    machine.$method(slot, address(regs[src], op), Size::$size)?,
                )
            };
        }
        macro_rules! store {
            ($method:ident $size:ident $value:expr) => {
                machine.$method(slot, address(regs[dst], op), Size::$size, $value)?
            };
        }

        match op.code {
            Code::AddR64 => alu!(alu64 Add reg),
            Code::AddI64 => alu!(alu64 Add imm),
            Code::AddR32 => alu!(alu32 Add reg),
            Code::AddI32 => alu!(alu32 Add imm),
            Code::SubR64 => alu!(alu64 Sub reg),
            Code::SubI64 => alu!(alu64 Sub imm),
            Code::SubR32 => alu!(alu32 Sub reg),
            Code::SubI32 => alu!(alu32 Sub imm),
            Code::MulR64 => alu!(alu64 Mul reg),
            Code::MulI64 => alu!(alu64 Mul imm),
            Code::MulR32 => alu!(alu32 Mul reg),
            Code::MulI32 => alu!(alu32 Mul imm),
            Code::DivR64 => alu!(alu64 Div reg),
            Code::DivI64 => alu!(alu64 Div imm),
            Code::DivR32 => alu!(alu32 Div reg),
            Code::DivI32 => alu!(alu32 Div imm),
            Code::SDivR64 => alu!(alu64 SDiv reg),
            Code::SDivI64 => alu!(alu64 SDiv imm),
            Code::SDivR32 => alu!(alu32 SDiv reg),
            Code::SDivI32 => alu!(alu32 SDiv imm),
            Code::OrR64 => alu!(alu64 Or reg),
            Code::OrI64 => alu!(alu64 Or imm),
            Code::OrR32 => alu!(alu32 Or reg),
            Code::OrI32 => alu!(alu32 Or imm),
            Code::AndR64 => alu!(alu64 And reg),
            Code::AndI64 => alu!(alu64 And imm),
            Code::AndR32 => alu!(alu32 And reg),
            Code::AndI32 => alu!(alu32 And imm),
            Code::LshR64 => alu!(alu64 Lsh reg),
            Code::LshI64 => alu!(alu64 Lsh imm),
            Code::LshR32 => alu!(alu32 Lsh reg),
            Code::LshI32 => alu!(alu32 Lsh imm),
            Code::RshR64 => alu!(alu64 Rsh reg),
            Code::RshI64 => alu!(alu64 Rsh imm),
            Code::RshR32 => alu!(alu32 Rsh reg),
            Code::RshI32 => alu!(alu32 Rsh imm),
            Code::ModR64 => alu!(alu64 Mod reg),
            Code::ModI64 => alu!(alu64 Mod imm),
            Code::ModR32 => alu!(alu32 Mod reg),
            Code::ModI32 => alu!(alu32 Mod imm),
            Code::SModR64 => alu!(alu64 SMod reg),
            Code::SModI64 => alu!(alu64 SMod imm),
            Code::SModR32 => alu!(alu32 SMod reg),
            Code::SModI32 => alu!(alu32 SMod imm),
            Code::XorR64 => alu!(alu64 Xor reg),
            Code::XorI64 => alu!(alu64 Xor imm),
            Code::XorR32 => alu!(alu32 Xor reg),
            Code::XorI32 => alu!(alu32 Xor imm),
            Code::MovR64 => alu!(alu64 Mov reg),
            Code::MovI64 => alu!(alu64 Mov imm),
            Code::MovR32 => alu!(alu32 Mov reg),
            Code::MovI32 => alu!(alu32 Mov imm),
            Code::ArshR64 => alu!(alu64 Arsh reg),
            Code::ArshI64 => alu!(alu64 Arsh imm),
            Code::ArshR32 => alu!(alu32 Arsh reg),
            Code::ArshI32 => alu!(alu32 Arsh imm),
            Code::EqR64 => jump_if!(compare64 Eq reg),
            Code::EqI64 => jump_if!(compare64 Eq imm),
            Code::EqR32 => jump_if!(compare32 Eq reg),
            Code::EqI32 => jump_if!(compare32 Eq imm),
            Code::NeR64 => jump_if!(compare64 Ne reg),
            Code::NeI64 => jump_if!(compare64 Ne imm),
            Code::NeR32 => jump_if!(compare32 Ne reg),
            Code::NeI32 => jump_if!(compare32 Ne imm),
            Code::GtR64 => jump_if!(compare64 Gt reg),
            Code::GtI64 => jump_if!(compare64 Gt imm),
            Code::GtR32 => jump_if!(compare32 Gt reg),
            Code::GtI32 => jump_if!(compare32 Gt imm),
            Code::GeR64 => jump_if!(compare64 Ge reg),
            Code::GeI64 => jump_if!(compare64 Ge imm),
            Code::GeR32 => jump_if!(compare32 Ge reg),
            Code::GeI32 => jump_if!(compare32 Ge imm),
            Code::LtR64 => jump_if!(compare64 Lt reg),
            Code::LtI64 => jump_if!(compare64 Lt imm),
            Code::LtR32 => jump_if!(compare32 Lt reg),
            Code::LtI32 => jump_if!(compare32 Lt imm),
            Code::LeR64 => jump_if!(compare64 Le reg),
            Code::LeI64 => jump_if!(compare64 Le imm),
            Code::LeR32 => jump_if!(compare32 Le reg),
            Code::LeI32 => jump_if!(compare32 Le imm),
            Code::SGtR64 => jump_if!(compare64 SGt reg),
            Code::SGtI64 => jump_if!(compare64 SGt imm),
            Code::SGtR32 => jump_if!(compare32 SGt reg),
            Code::SGtI32 => jump_if!(compare32 SGt imm),
            Code::SGeR64 => jump_if!(compare64 SGe reg),
            Code::SGeI64 => jump_if!(compare64 SGe imm),
            Code::SGeR32 => jump_if!(compare32 SGe reg),
            Code::SGeI32 => jump_if!(compare32 SGe imm),
            Code::SLtR64 => jump_if!(compare64 SLt reg),
            Code::SLtI64 => jump_if!(compare64 SLt imm),
            Code::SLtR32 => jump_if!(compare32 SLt reg),
            Code::SLtI32 => jump_if!(compare32 SLt imm),
            Code::SLeR64 => jump_if!(compare64 SLe reg),
            Code::SLeI64 => jump_if!(compare64 SLe imm),
            Code::SLeR32 => jump_if!(compare32 SLe reg),
            Code::SLeI32 => jump_if!(compare32 SLe imm),
            Code::SetR64 => jump_if!(compare64 Set reg),
            Code::SetI64 => jump_if!(compare64 Set imm),
            Code::SetR32 => jump_if!(compare32 Set reg),
            Code::SetI32 => jump_if!(compare32 Set imm),
            Code::LoadB => load!(load B),
            Code::LoadSxB => load!(load sx B),
            Code::ProbeB => load!(probe B),
            Code::ProbeSxB => load!(probe sx B),
            Code::StoreB => store!(store B regs[src]),
            Code::StoreImmB => store!(store B op.imm),
            Code::AcquireB => load!(load_acquire B),
            Code::ReleaseB => store!(store_release B regs[src]),
            Code::LoadH => load!(load H),
            Code::LoadSxH => load!(load sx H),
            Code::ProbeH => load!(probe H),
            Code::ProbeSxH => load!(probe sx H),
            Code::StoreH => store!(store H regs[src]),
            Code::StoreImmH => store!(store H op.imm),
            Code::AcquireH => load!(load_acquire H),
            Code::ReleaseH => store!(store_release H regs[src]),
            Code::LoadW => load!(load W),
            Code::LoadSxW => load!(load sx W),
            Code::ProbeW => load!(probe W),
            Code::ProbeSxW => load!(probe sx W),
            Code::StoreW => store!(store W regs[src]),
            Code::StoreImmW => store!(store W op.imm),
            Code::AcquireW => load!(load_acquire W),
            Code::ReleaseW => store!(store_release W regs[src]),
            Code::LoadDW => load!(load DW),
            Code::LoadSxDW => load!(load sx DW),
            Code::ProbeDW => load!(probe DW),
            Code::ProbeSxDW => load!(probe sx DW),
            Code::StoreDW => store!(store DW regs[src]),
            Code::StoreImmDW => store!(store DW op.imm),
            Code::AcquireDW => load!(load_acquire DW),
            Code::ReleaseDW => store!(store_release DW regs[src]),
            Code::Neg64 => regs[dst] = regs[dst].wrapping_neg(),
            Code::Neg32 => regs[dst] = u64::from((regs[dst] as u32).wrapping_neg()),
            Code::MovSxB64 => regs[dst] = alu::sign_extend(Size::B, regs[src]),
            Code::MovSxH64 => regs[dst] = alu::sign_extend(Size::H, regs[src]),
            Code::MovSxW64 => regs[dst] = alu::sign_extend(Size::W, regs[src]),
            Code::MovSxB32 => regs[dst] = alu::truncate(Size::W, alu::sign_extend(Size::B, regs[src])),
            Code::MovSxH32 => regs[dst] = alu::truncate(Size::W, alu::sign_extend(Size::H, regs[src])),
            Code::SwapH => regs[dst] = alu::swap(Size::H, regs[dst]),
            Code::SwapW => regs[dst] = alu::swap(Size::W, regs[dst]),
            Code::SwapDW => regs[dst] = alu::swap(Size::DW, regs[dst]),
            Code::TruncateH => regs[dst] = alu::truncate(Size::H, regs[dst]),
            Code::TruncateW => regs[dst] = alu::truncate(Size::W, regs[dst]),
            Code::TruncateDW => {}
            Code::LoadImm64 => {
                regs[dst] = op.imm;
                next = slot + 2;
            }
            Code::AtomicW => atomic(machine, image, slot, Size::W, &mut regs)?,
            Code::AtomicDW => atomic(machine, image, slot, Size::DW, &mut regs)?,
            Code::Jump => next = op.off as usize,
            Code::MayGoto => match may_goto_left.checked_sub(1) {
                Some(left) => may_goto_left = left,
                None => next = op.off as usize,
            },
            Code::CallOut => {
                let arguments = [regs[1], regs[2], regs[3], regs[4], regs[5]];
                regs[0] = machine.call_out(slot, op.off as usize, arguments)?;
            }
            Code::CallSubprog => {
                let arguments = [regs[1], regs[2], regs[3], regs[4], regs[5]];
                regs[0] = call(machine, image, slot, depth + 1, op.off as usize, arguments)?;
            }
            Code::Exit => return Ok(regs[0]),
            Code::Unreachable => return Err(machine.unreachable(slot)),
        }
    }
}

#[inline(always)]
fn address(base: u64, op: &Op) -> u64 {
    base.wrapping_add_signed(op.off.into())
}

fn atomic<M: Machine>(
    machine: &mut M,
    image: &Image,
    slot: usize,
    size: Size,
    regs: &mut [u64; 16],
) -> Result<(), M::Trap> {
    let op = &image.ops()[slot];
    let dst = usize::from(op.dst & 15);
    let src = usize::from(op.src & 15);
    let kind = image.atomic(op);
    let update = Update {
        op: kind,
        src: regs[src],
        expected: regs[0],
    };
    let old = machine.atomic(slot, address(regs[dst], op), size, update)?;
    if kind == AtomicOp::CmpXchg {
        regs[0] = old;
    } else if kind.fetches() {
        regs[src] = old;
    }
    Ok(())
}

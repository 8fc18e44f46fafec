//! The fast mode: verified programs on the memory of this process. The only file here with `unsafe`.
//!
//! The argument for all of it is the same: who calls [`Program::run`] vouches that the verifier accepted these
//! instructions for this context and that the linker's addresses are what the verifier was told they are.
//! Addresses are numbers here, as they are for the program; whoever hands out an address exposes its
//! provenance.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use isa::{AtomicOp, Call, Imm64, Insn, Size};

use crate::checked::{self, Trap};
use crate::interpret::{self, MAX_BPF_STACK, Machine, Update};
use crate::memory::Memory;
use crate::translate::{BuildError, Image, Mark};

/// A helper or kernel function: R1 to R5, and what the program was run with.
///
/// Arguments that the function does not have hold garbage. An argument shorter than 64 bits is in the low bits.
pub type HelperFn = unsafe extern "C" fn(u64, u64, u64, u64, u64, env: *mut c_void) -> u64;

/// A program has executed as many instructions as it may, and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insn {slot}: the instruction budget is used up")]
pub struct OutOfBudget {
    /// The instruction that would have been next.
    pub slot: usize,
}

/// Gives addresses to what a program names.
pub trait Linker {
    /// Helper of that number.
    fn helper(&self, id: u32) -> Option<HelperFn>;

    /// Kernel function of that BTF id, in the BTF of that index (0: the kernel's).
    fn kfunc(&self, btf_id: u32, module: i16) -> Option<HelperFn>;

    /// Value of a symbolic 64-bit immediate: the address of a map, a map value or a kernel variable.
    fn imm64(&self, imm: &Imm64) -> Option<u64>;
}

/// A program with everything it calls, ready to run.
#[derive(Clone, Debug)]
pub struct Program {
    image: Image,
    /// For each of the image's calls.
    natives: Vec<HelperFn>,
    /// Bytes of each frame, counted from its end, that the program may touch.
    stack_depth: usize,
}

impl Program {
    /// Make a program ready to run; `mark` tells what the verifier found out about a slot.
    ///
    /// # Errors
    ///
    /// What keeps it from running, see [`BuildError`].
    pub fn build(insns: &[Insn], mark: impl Fn(usize) -> Mark, linker: &dyn Linker) -> Result<Self, BuildError> {
        let image = Image::new(insns, mark, |imm| linker.imm64(imm))?;
        let native = |(slot, call): (usize, Call)| {
            match call {
                Call::Helper(id) => linker.helper(id),
                Call::Kfunc { btf_id, module } => linker.kfunc(btf_id, module),
                Call::Subprog { .. } => None,
            }
            .ok_or(BuildError::UnknownCall { slot, call })
        };
        let natives = image.calls_with_slots().map(native).collect::<Result<_, _>>()?;
        let stack_depth = MAX_BPF_STACK;
        Ok(Self {
            image,
            natives,
            stack_depth,
        })
    }

    /// The same program, of which the verifier says that no frame touches more than the last `bytes` of its
    /// stack: so much less needs to be cleared at each entry.
    #[must_use]
    pub fn with_stack_depth(mut self, bytes: usize) -> Self {
        // Whole words of the vector unit are cleared as fast as single bytes.
        self.stack_depth = bytes.next_multiple_of(32).min(MAX_BPF_STACK);
        self
    }

    /// Run it: R1 is `context`, helpers get `env`; the result is R0. `left` is how many instructions may be executed; it counts down, also in runs
    /// that a helper begins with the same cell.
    ///
    /// # Errors
    ///
    /// They are used up. What the program has written until then stays.
    ///
    /// # Safety
    ///
    /// The verifier accepted the instructions, with these marks and this stack depth, for a context such as
    /// `context` points to; the linker gave what the verifier was told; both are alive; and `env` is what the linked functions expect.
    pub unsafe fn run(&self, context: u64, env: *mut c_void, left: &Cell<u64>) -> Result<u64, OutOfBudget> {
        let mut machine = Unchecked {
            natives: &self.natives,
            env,
            stack_depth: self.stack_depth,
            left,
        };
        interpret::run(&mut machine, &self.image, context)
    }

    /// Run it in the checked mode, where calls go to `memory` and not to the linked functions. `budget` is
    /// counted in instructions.
    ///
    /// # Errors
    ///
    /// Why the program was stopped.
    pub fn run_checked(&self, context: u64, memory: &mut dyn Memory, budget: u64) -> Result<u64, Trap> {
        checked::run(&self.image, context, memory, budget)
    }
}

/// Lowest address that a probing load tries, and the first one too high. Below is what null pointers with an
/// offset reach, above is nothing of a user process (x86-64 and aarch64 with 47 or 48 bits).
const PROBED: std::ops::Range<u64> = 0x1_0000..0x8000_0000_0000;

/// Memory as it is. Exists only inside [`Program::run`], whose contract each SAFETY comment below rests on.
struct Unchecked<'a> {
    natives: &'a [HelperFn],
    env: *mut c_void,
    stack_depth: usize,
    /// Instructions left.
    left: &'a Cell<u64>,
}

/// The stack of a frame, aligned as Linux aligns it.
#[repr(align(16))]
struct Frame([MaybeUninit<u8>; MAX_BPF_STACK]);

impl Machine for Unchecked<'_> {
    type Trap = OutOfBudget;

    /// Costs next to nothing: the processor does it beside the work (`benches/interpret.rs`).
    #[inline(always)]
    fn step(&mut self, slot: usize) -> Result<(), OutOfBudget> {
        let left = self.left.get().checked_sub(1).ok_or(OutOfBudget { slot })?;
        self.left.set(left);
        Ok(())
    }

    #[inline(always)]
    fn frame(
        &mut self,
        _: usize,
        _: usize,
        body: impl FnOnce(&mut Self, u64) -> Result<u64, OutOfBudget>,
    ) -> Result<u64, OutOfBudget> {
        let mut frame = Frame([MaybeUninit::uninit(); MAX_BPF_STACK]);
        // Zeroed, because a privileged program may read what it never wrote.
        frame.0[MAX_BPF_STACK - self.stack_depth..].fill(MaybeUninit::new(0));
        let start = ptr::from_mut(&mut frame.0).expose_provenance();
        body(self, (start + MAX_BPF_STACK) as u64)
    }

    #[inline(always)]
    fn load(&mut self, _: usize, address: u64, size: Size) -> Result<u64, OutOfBudget> {
        // SAFETY: the verifier saw that so many bytes are readable there.
        Ok(unsafe {
            match size {
                Size::B => at::<u8>(address).read_unaligned().into(),
                Size::H => at::<u16>(address).read_unaligned().into(),
                Size::W => at::<u32>(address).read_unaligned().into(),
                Size::DW => at::<u64>(address).read_unaligned(),
            }
        })
    }

    #[inline(always)]
    fn probe(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, OutOfBudget> {
        if PROBED.contains(&address) {
            self.load(slot, address, size)
        } else {
            Ok(0)
        }
    }

    #[inline(always)]
    fn store(&mut self, _: usize, address: u64, size: Size, value: u64) -> Result<(), OutOfBudget> {
        // SAFETY: the verifier saw that so many bytes are writable there.
        unsafe {
            match size {
                Size::B => at::<u8>(address).write_unaligned(value as u8),
                Size::H => at::<u16>(address).write_unaligned(value as u16),
                Size::W => at::<u32>(address).write_unaligned(value as u32),
                Size::DW => at::<u64>(address).write_unaligned(value),
            }
        }
        Ok(())
    }

    fn load_acquire(&mut self, _: usize, address: u64, size: Size) -> Result<u64, OutOfBudget> {
        // SAFETY: the verifier saw that so many bytes are readable there, and that they are aligned.
        Ok(unsafe {
            match size {
                Size::B => AtomicU8::from_ptr(at(address)).load(Ordering::Acquire).into(),
                Size::H => AtomicU16::from_ptr(at(address)).load(Ordering::Acquire).into(),
                Size::W => AtomicU32::from_ptr(at(address)).load(Ordering::Acquire).into(),
                Size::DW => AtomicU64::from_ptr(at(address)).load(Ordering::Acquire),
            }
        })
    }

    fn store_release(&mut self, _: usize, address: u64, size: Size, value: u64) -> Result<(), OutOfBudget> {
        // SAFETY: the verifier saw that so many bytes are writable there, and that they are aligned.
        unsafe {
            match size {
                Size::B => AtomicU8::from_ptr(at(address)).store(value as u8, Ordering::Release),
                Size::H => AtomicU16::from_ptr(at(address)).store(value as u16, Ordering::Release),
                Size::W => AtomicU32::from_ptr(at(address)).store(value as u32, Ordering::Release),
                Size::DW => AtomicU64::from_ptr(at(address)).store(value, Ordering::Release),
            }
        }
        Ok(())
    }

    /// Fully ordered, as Linux has every atomic that gives a value back.
    fn atomic(&mut self, _: usize, address: u64, size: Size, update: Update) -> Result<u64, OutOfBudget> {
        macro_rules! on {
            ($atomic:ty, $int:ty) => {{
                // SAFETY: the verifier saw that so many bytes are writable there, and that they are aligned.
                let place = unsafe { <$atomic>::from_ptr(at(address)) };
                let src = update.src as $int;
                let order = Ordering::SeqCst;
                u64::from(match update.op {
                    AtomicOp::Add { .. } => place.fetch_add(src, order),
                    AtomicOp::Or { .. } => place.fetch_or(src, order),
                    AtomicOp::And { .. } => place.fetch_and(src, order),
                    AtomicOp::Xor { .. } => place.fetch_xor(src, order),
                    AtomicOp::Xchg => place.swap(src, order),
                    AtomicOp::CmpXchg => place
                        .compare_exchange(update.expected as $int, src, order, order)
                        .unwrap_or_else(|old| old),
                })
            }};
        }
        Ok(match size {
            Size::DW => on!(AtomicU64, u64),
            // Smaller ones do not exist: `isa` has none and `translate` refuses them.
            Size::B | Size::H | Size::W => on!(AtomicU32, u32),
        })
    }

    #[inline(always)]
    fn call_out(&mut self, _: usize, index: usize, [r1, r2, r3, r4, r5]: [u64; 5]) -> Result<u64, OutOfBudget> {
        // SAFETY: the verifier checked the arguments against the prototype of this function.
        Ok(unsafe { self.natives[index](r1, r2, r3, r4, r5, self.env) })
    }

    #[cold]
    fn unreachable(&mut self, slot: usize) -> OutOfBudget {
        unreachable!("the verifier said that nothing comes to insn {slot}")
    }
}

#[inline(always)]
fn at<T>(address: u64) -> *mut T {
    ptr::with_exposed_provenance_mut(address as usize)
}

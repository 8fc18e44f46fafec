//! The checked mode: any program, every access tested, every step counted. No `unsafe`, no real addresses.

use isa::{Call, Imm64, Insn, Size};

use crate::alu;
use crate::interpret::{self, Machine, Update};
use crate::memory::{Denied, Memory, Stack};
use crate::translate::{BuildError, Image, Mark};

/// A program that runs in the checked mode only: what it calls is up to the [`Memory`] it runs with.
#[derive(Clone, Debug)]
pub struct CheckedProgram(Image);

impl CheckedProgram {
    /// Make a program ready to run. `mark` tells what is known of a slot, `resolve` gives values to symbolic
    /// 64-bit immediates.
    ///
    /// # Errors
    ///
    /// What keeps it from running, see [`BuildError`].
    pub fn build(
        insns: &[Insn],
        mark: impl Fn(usize) -> Mark,
        resolve: impl Fn(&Imm64) -> Option<u64>,
    ) -> Result<Self, BuildError> {
        Image::new(insns, mark, resolve).map(Self)
    }

    /// Run it: R1 is `context`, the result is R0. `budget` is counted in instructions.
    ///
    /// # Errors
    ///
    /// Why the program was stopped.
    pub fn run(&self, context: u64, memory: &mut dyn Memory, budget: u64) -> Result<u64, Trap> {
        run(&self.0, context, memory, budget)
    }
}

/// Where and why a program was stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("insn {slot}: {reason}")]
pub struct Trap {
    /// The instruction.
    pub slot: usize,
    /// What it did.
    pub reason: TrapReason,
}

/// Why a program was stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrapReason {
    /// It touched what it may not.
    #[error("{size}-byte {} at {address:#x}: {why}", if *.write { "write" } else { "read" })]
    Access {
        /// First byte.
        address: u64,
        /// Bytes.
        size: u32,
        /// Whether it wrote (an atomic operation counts as that).
        write: bool,
        /// What is wrong.
        why: Denied,
    },
    /// It called what it may not, or with wrong arguments.
    #[error("{call:?}: {why}")]
    Call {
        /// What it called.
        call: Call,
        /// What is wrong.
        why: Denied,
    },
    /// Subprograms are nested too deep.
    #[error("more than {} frames", interpret::MAX_CALL_FRAMES)]
    TooDeep,
    /// It did not end within the budget.
    #[error("the instruction budget is used up")]
    BudgetUsedUp,
    /// It came to an instruction that was said to be dead.
    #[error("came to an instruction that is dead")]
    Dead,
}

pub(crate) fn run(image: &Image, context: u64, memory: &mut dyn Memory, budget: u64) -> Result<u64, Trap> {
    let mut machine = Checked {
        calls: image.calls(),
        memory,
        stack: Stack::new(),
        budget,
    };
    interpret::run(&mut machine, image, context)
}

struct Checked<'a> {
    calls: &'a [Call],
    memory: &'a mut dyn Memory,
    stack: Stack,
    /// Instructions left.
    budget: u64,
}

impl Checked<'_> {
    fn read(&mut self, address: u64, size: Size) -> Result<u64, Denied> {
        let found = self.stack.load(address, size);
        found.unwrap_or_else(|| self.memory.load(address, size))
    }

    fn write(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied> {
        let found = self.stack.store(address, size, value);
        found.unwrap_or_else(|| self.memory.store(address, size, value))
    }
}

impl Machine for Checked<'_> {
    type Trap = Trap;

    fn step(&mut self, slot: usize) -> Result<(), Trap> {
        self.budget = self.budget.checked_sub(1).ok_or(Trap {
            slot,
            reason: TrapReason::BudgetUsedUp,
        })?;
        Ok(())
    }

    fn frame(
        &mut self,
        slot: usize,
        _: usize,
        body: impl FnOnce(&mut Self, u64) -> Result<u64, Trap>,
    ) -> Result<u64, Trap> {
        let reason = TrapReason::TooDeep;
        let end = self.stack.push().ok_or(Trap { slot, reason })?;
        let result = body(self, end);
        self.stack.pop();
        result
    }

    fn load(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, Trap> {
        self.read(address, size)
            .map_err(|why| access(slot, address, size, false, why))
    }

    fn probe(&mut self, _: usize, address: u64, size: Size) -> Result<u64, Trap> {
        Ok(self.read(address, size).unwrap_or(0))
    }

    fn store(&mut self, slot: usize, address: u64, size: Size, value: u64) -> Result<(), Trap> {
        self.write(address, size, value)
            .map_err(|why| access(slot, address, size, true, why))
    }

    fn load_acquire(&mut self, slot: usize, address: u64, size: Size) -> Result<u64, Trap> {
        aligned(slot, address, size, false)?;
        self.load(slot, address, size)
    }

    fn store_release(&mut self, slot: usize, address: u64, size: Size, value: u64) -> Result<(), Trap> {
        aligned(slot, address, size, true)?;
        self.store(slot, address, size, value)
    }

    fn atomic(&mut self, slot: usize, address: u64, size: Size, update: Update) -> Result<u64, Trap> {
        aligned(slot, address, size, true)?;
        let Update { op, src, expected } = update;
        let old = self
            .read(address, size)
            .map_err(|why| access(slot, address, size, true, why))?;
        self.store(slot, address, size, alu::atomic(op, size, old, src, expected))?;
        Ok(old)
    }

    fn call_out(&mut self, slot: usize, index: usize, arguments: [u64; 5]) -> Result<u64, Trap> {
        let call = self.calls[index];
        self.memory.call(call, arguments, &mut self.stack).map_err(|why| Trap {
            slot,
            reason: TrapReason::Call { call, why },
        })
    }

    fn unreachable(&mut self, slot: usize) -> Trap {
        Trap {
            slot,
            reason: TrapReason::Dead,
        }
    }
}

fn aligned(slot: usize, address: u64, size: Size, write: bool) -> Result<(), Trap> {
    if address.is_multiple_of(size.bytes().into()) {
        Ok(())
    } else {
        Err(access(slot, address, size, write, Denied::Misaligned))
    }
}

fn access(slot: usize, address: u64, size: Size, write: bool, why: Denied) -> Trap {
    let size = size.bytes();
    Trap {
        slot,
        reason: TrapReason::Access {
            address,
            size,
            write,
            why,
        },
    }
}

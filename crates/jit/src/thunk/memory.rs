//! Memory that holds code: mapped, filled, made executable, never changed again.

use std::io;

use memmap2::{Mmap, MmapMut};

/// Read-only, executable bytes; unmapped on drop.
#[derive(Debug)]
pub(super) struct Code(Mmap);

impl Code {
    /// Copy `bytes` (not empty) to executable memory.
    pub(super) fn new(bytes: &[u8]) -> io::Result<Self> {
        let mut memory = MmapMut::map_anon(bytes.len())?;
        memory.copy_from_slice(bytes);
        let memory = memory.make_exec()?;
        synchronize(&memory);
        Ok(Self(memory))
    }

    /// Address of the first byte; page-aligned.
    pub(super) fn start(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

/// Let instruction fetch see what was just written: the data cache is written back, the instruction cache
/// forgets (Arm ARM, B2.4.4). Other threads see the code by their first call, which happens after they got
/// the pointer; the kernel's `mprotect` has interrupted none that could have fetched from these new pages.
#[cfg(target_arch = "aarch64")]
fn synchronize(code: &[u8]) {
    /// The smallest cache line that the architecture allows; going line by line of that size is always right.
    const LINE: usize = 16;
    let lines = || code.iter().step_by(LINE).chain(code.last()).map(std::ptr::from_ref);
    for line in lines() {
        // SAFETY: cleans the cache line of a byte that we may read; changes no memory or register.
        unsafe { std::arch::asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: a barrier.
    unsafe { std::arch::asm!("dsb ish", options(nostack, preserves_flags)) };
    for line in lines() {
        // SAFETY: invalidates instruction cache lines of a byte that we may read.
        unsafe { std::arch::asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: barriers.
    unsafe { std::arch::asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
}

/// Instruction fetch is coherent with stores (x86), or there is no code for the machine.
#[cfg(not(target_arch = "aarch64"))]
fn synchronize(_: &[u8]) {}

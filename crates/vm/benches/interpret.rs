//! Nanoseconds per interpreted instruction: `cargo bench -p opswap-vm`. The items are instructions, so divan's
//! "items per second" is instructions per second.

use std::cell::Cell;
use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

use divan::Bencher;
use divan::counter::ItemsCount;
use isa::{Call, Imm64, Size};
use vm::{Denied, HelperFn, Linker, Mark, Memory, Program, Regions, Stack};

fn main() {
    divan::main();
}

struct Nothing;

impl Linker for Nothing {
    fn helper(&self, _: u32) -> Option<HelperFn> {
        Some(clock)
    }

    fn kfunc(&self, _: u32, _: i16) -> Option<HelperFn> {
        None
    }

    fn imm64(&self, _: &Imm64) -> Option<u64> {
        None
    }
}

unsafe extern "C" fn clock(_: u64, _: u64, _: u64, _: u64, _: u64, _: *mut c_void) -> u64 {
    black_box(NOW)
}

/// The socket of the cubic-like program, and its clock.
struct Socket(Regions);

impl Memory for Socket {
    fn load(&mut self, address: u64, size: Size) -> Result<u64, Denied> {
        self.0.load(address, size)
    }

    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied> {
        self.0.store(address, size, value)
    }

    fn call(&mut self, _: Call, _: [u64; 5], _: &mut Stack) -> Result<u64, Denied> {
        Ok(NOW)
    }
}

/// Instructions that a run takes: the least budget that is enough.
fn steps(program: &Program, socket: [u64; 4]) -> u64 {
    let enough = |budget: &u64| {
        let mut memory = Socket(Regions::default());
        let bytes = socket.iter().flat_map(|word| word.to_le_bytes()).collect();
        memory.0.add("socket", 0x1000, bytes, true);
        program.run_checked(0x1000, &mut memory, *budget).is_ok()
    };
    (1..10_000).find(enough).expect("the programs here are shorter")
}

const NOW: u64 = 123_456_789;

/// Arithmetic in a loop, each instruction depending on the one before.
const LOOP: &str = "
           r0 = 1
           r1 = 1000
    again: r0 *= 3
           r0 += 7
           r0 ^= r1
           w0 <<= 1
           r1 -= 1
           if r1 != 0 goto again
           exit";

/// What CUBIC does on an ACK: fields of the socket, the clock, a cube root by table and Newton, a cube, bounds.
const CUBIC: &str = "
           r6 = r1
           r7 = *(u32 *)(r6 +0)        ; cwnd
           r8 = *(u32 *)(r6 +4)        ; last maximum
           call helper#5
           r9 = r0
           r1 = *(u64 *)(r6 +8)        ; start of the epoch
           if r1 != 0 goto running
           *(u64 *)(r6 +8) = r0
           r1 = r0
           if r7 >= r8 goto running
           r2 = r8
           r2 -= r7
           r2 *= 41943040
    ; cube root of r2 by Newton, from a power of two
           r3 = 1
           r4 = r2
    size:  r3 <<= 1
           r4 >>= 3
           if r4 != 0 goto size
           r5 = 4
    root:  r4 = r3
           r4 *= r3
           r0 = r2
           r0 /= r4
           r3 <<= 1
           r3 += r0
           r3 /= 3
           r5 -= 1
           if r5 != 0 goto root
           *(u32 *)(r6 +16) = r3
    running:
           r9 -= r1
           r9 /= 976562
           r2 = *(u32 *)(r6 +16)
           if r9 < r2 goto before
           r9 -= r2
           goto cube
    before:
           r2 -= r9
           r9 = r2
    cube:  r1 = r9
           r1 *= r9
           r1 *= r9
           r1 *= 410
           r1 >>= 40
           r2 = r8
           r2 += r1
           if r2 <= r7 goto slow
           r3 = r2
           r3 -= r7
           r0 = r7
           r0 /= r3
           goto bound
    slow:  r0 = r7
           r0 *= 100
    bound: if r0 > 1 goto done
           r0 = 2
    done:  *(u32 *)(r6 +20) = r0
           r1 = *(u32 *)(r6 +24)
           r1 += 1
           *(u32 *)(r6 +24) = r1
           if r1 < r0 goto out
           *(u32 *)(r6 +24) = 0
           r7 += 1
    out:   w0 = w7
           exit";

fn build(text: &str) -> Program {
    let insns = isa::asm::assemble(text).expect("assembles");
    Program::build(&insns, |_| Mark::Plain, &Nothing).expect("builds")
}

#[divan::bench]
fn alu_loop(bencher: Bencher<'_, '_>) {
    let program = build(LOOP);
    let count = ItemsCount::new(steps(&program, [0; 4]));
    bencher.counter(count).bench_local(|| {
        // SAFETY: it computes with registers only and ends after a thousand rounds.
        unsafe { program.run(black_box(0), ptr::null_mut(), &Cell::new(u64::MAX)) }
    });
}

#[divan::bench]
fn alu_loop_checked(bencher: Bencher<'_, '_>) {
    let program = build(LOOP);
    let count = ItemsCount::new(steps(&program, [0; 4]));
    bencher
        .counter(count)
        .bench_local(|| program.run_checked(black_box(0), &mut Regions::default(), u64::MAX));
}

/// One call per iteration, so it includes entering and leaving the interpreter.
#[divan::bench(args = [("new epoch", 0u64), ("same epoch", 1)])]
fn cubic_like(bencher: Bencher<'_, '_>, (_, epoch): (&str, u64)) {
    let program = build(CUBIC).with_stack_depth(0);
    let start = [100 | 140 << 32, epoch, 500, 3];
    let count = ItemsCount::new(steps(&program, start));
    let mut socket = [0u64; 4];
    let address = ptr::from_mut(&mut socket).expose_provenance();
    bencher.counter(count).bench_local(|| {
        // SAFETY: `socket` is what the program expects at its context.
        unsafe {
            ptr::with_exposed_provenance_mut::<[u64; 4]>(address).write(black_box(start));
            program.run(black_box(address as u64), ptr::null_mut(), &Cell::new(u64::MAX))
        }
    });
}

/// Entering and leaving, with so much stack to clear.
#[divan::bench(args = [0, 64, 512])]
fn empty(bencher: Bencher<'_, '_>, stack: usize) {
    let program = build("r0 = 0\n exit").with_stack_depth(stack);
    // SAFETY: it does nothing.
    bencher.bench_local(|| unsafe { program.run(black_box(0), ptr::null_mut(), &Cell::new(u64::MAX)) });
}

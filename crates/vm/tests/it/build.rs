//! What is refused before it runs, what is linked, and what marks do.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use isa::{Call, Imm64, Insn, Size};
use vm::{BuildError, CheckedProgram, Denied, HelperFn, Linker, Mark, Memory, OutOfBudget, Program, Regions, Stack};

/// Helper 1 and kernel function 100 exist, and map 3.
struct Some1;

impl Linker for Some1 {
    fn helper(&self, id: u32) -> Option<HelperFn> {
        (id == 1).then_some(weigh as HelperFn)
    }

    fn kfunc(&self, btf_id: u32, module: i16) -> Option<HelperFn> {
        (btf_id == 100 && module == 0).then_some(count as HelperFn)
    }

    fn imm64(&self, imm: &Imm64) -> Option<u64> {
        match *imm {
            Imm64::MapFd(3) => Some(0x3000),
            Imm64::MapValue { fd: 3, off } => Some(0x3000 + u64::from(off)),
            _ => None,
        }
    }
}

unsafe extern "C" fn weigh(a: u64, b: u64, c: u64, d: u64, e: u64, _: *mut c_void) -> u64 {
    a + 10 * b + 100 * c + 1000 * d + 10_000 * e
}

unsafe extern "C" fn count(_: u64, _: u64, _: u64, _: u64, _: u64, env: *mut c_void) -> u64 {
    // SAFETY: every run below that comes here has a counter as env.
    let counter = unsafe { &mut *env.cast::<u64>() };
    *counter += 1;
    *counter
}

fn assemble(text: &str) -> Vec<Insn> {
    isa::asm::assemble(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn refusals() {
    let cases = [
        ("", "the program is empty"),
        ("r0 = 0", "insn 0: the program runs over its end"),
        ("exit\n call +0\n r0 = 1", "insn 2: the program runs over its end"),
        (
            "if r0 == 0 goto +1\n exit",
            "insn 0: goes to 2, where no instruction starts",
        ),
        ("goto -2\n exit", "insn 0: goes to -1, where no instruction starts"),
        (
            "goto +1\n r0 = 1 ll\n exit",
            "insn 0: goes to 2, where no instruction starts",
        ),
        ("may_goto +9\n exit", "insn 0: goes to 10, where no instruction starts"),
        (
            "gotol +2147483647\n exit",
            "insn 0: goes to 2147483648, where no instruction starts",
        ),
        ("call pc+1\n exit", "insn 0: goes to 2, where no instruction starts"),
        ("r1 = 1\n call helper#7\n exit", "insn 1: nothing to call for Helper(7)"),
        (
            "call kfunc#100@1\n exit",
            "insn 0: nothing to call for Kfunc { btf_id: 100, module: 1 }",
        ),
        ("r1 = map_fd(4) ll\n exit", "insn 0: no address for map_fd(4)"),
        (
            "r1 = func(pc+1) ll\n exit\n exit",
            "insn 0: the interpreter has no `r1 = func(pc+1) ll`",
        ),
        (
            "r0 = *(u8 *)skb[4]\n exit",
            "insn 0: the interpreter has no `r0 = *(u8 *)skb[4]`",
        ),
        (
            "r1 = addr_space_cast(r1, 1, 0)\n exit",
            "insn 0: the interpreter has no `r1 = addr_space_cast(r1, 1, 0)`",
        ),
    ];
    for (text, message) in cases {
        let error = Program::build(&assemble(text), |_| Mark::Plain, &Some1).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
    let whole = assemble("r0 = 1 ll\n exit");
    let build = |insns: &[Insn]| CheckedProgram::build(insns, |_| Mark::Plain, |_| None).map(drop);
    let half = [whole[0], whole[2]];
    assert_eq!(build(&half), Err(BuildError::HalfLoadImm64 { slot: 0 }));
    let half = [whole[1], whole[2]];
    assert_eq!(build(&half), Err(BuildError::HalfLoadImm64 { slot: 0 }));
    let half = [whole[0], whole[1], whole[1], whole[2]];
    assert_eq!(build(&half), Err(BuildError::HalfLoadImm64 { slot: 2 }));
}

#[test]
fn helpers_and_kernel_functions_are_called() {
    let text = "r6 = 5
        r1 = 1
        r2 = 2
        r3 = 3
        r4 = 4
        r5 = 5
        call helper#1
        r6 += r0
        call kfunc#100
        call kfunc#100
        r0 *= 100000
        r0 += r6
        exit";
    let program = Program::build(&assemble(text), |_| Mark::Plain, &Some1).expect("builds");
    let mut counter = 40u64;
    // SAFETY: it touches nothing, and env is what `count` expects.
    let result = unsafe { program.run(0, ptr::from_mut(&mut counter).cast(), &Cell::new(u64::MAX)) };
    assert_eq!((result, counter), (Ok(4_254_326), 42));
}

#[test]
fn symbolic_immediates_are_resolved() {
    let text = "r0 = map_fd(3) ll\n r1 = map_value(3, 16) ll\n r0 += r1\n exit";
    let program = Program::build(&assemble(text), |_| Mark::Plain, &Some1).expect("builds");
    let result = program.run_checked(0, &mut Regions::default(), 10);
    assert_eq!(result, Ok(0x6010));
}

#[test]
fn dead_code_need_not_make_sense() {
    let insns = assemble("r0 = 7\n goto out\n call helper#195896080\n r1 = map_fd(99) ll\n out: exit");
    let mark = |slot| {
        if (2..5).contains(&slot) {
            Mark::Dead
        } else {
            Mark::Plain
        }
    };
    let program = Program::build(&insns, mark, &Some1).expect("builds");
    // SAFETY: it touches nothing.
    assert_eq!(unsafe { program.run(0, ptr::null_mut(), &Cell::new(u64::MAX)) }, Ok(7));

    // The checked mode stops a program that comes to dead code.
    let program = CheckedProgram::build(&assemble("exit"), |_| Mark::Dead, |_| None).expect("builds");
    let trap = program.run(0, &mut Regions::default(), 10).unwrap_err();
    assert_eq!(trap.to_string(), "insn 0: came to an instruction that is dead");
}

#[test]
fn probing_loads_give_zero_where_nothing_is() {
    let addresses: [(u64, u64); 6] = [
        (0, 0),
        (8, 0),
        (0xffff, 0),
        (0x8000_0000_0000, 0),
        (u64::MAX - 7, 0),
        (0xffff_8880_0000_0000, 0),
    ];
    for sx in ["u32", "s32"] {
        let insns = assemble(&format!("r0 = -1\n r0 = *({sx} *)(r1 +0)\n exit"));
        let program = Program::build(&insns, |_| Mark::Probe, &Some1).expect("builds");
        for (address, expected) in addresses {
            // SAFETY: a probing load at addresses that no process has.
            let result = unsafe { program.run(address, ptr::null_mut(), &Cell::new(u64::MAX)) };
            assert_eq!(result, Ok(expected), "{address:#x}");
            assert_eq!(
                program.run_checked(address, &mut Regions::default(), 10),
                Ok(expected),
                "{address:#x}"
            );
        }
        let there = -2i32;
        let address = ptr::from_ref(&there).expose_provenance() as u64;
        // SAFETY: there are four bytes.
        let result = unsafe { program.run(address, ptr::null_mut(), &Cell::new(u64::MAX)) };
        assert_eq!(result, Ok(if sx == "u32" { 0xffff_fffe } else { u64::MAX - 1 }));
    }
}

/// Helper 9 doubles the number that r1 points to.
struct Doubling(Regions);

impl Memory for Doubling {
    fn load(&mut self, address: u64, size: Size) -> Result<u64, Denied> {
        self.0.load(address, size)
    }

    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Denied> {
        self.0.store(address, size, value)
    }

    fn call(&mut self, call: Call, [at, ..]: [u64; 5], stack: &mut Stack) -> Result<u64, Denied> {
        if call != Call::Helper(9) {
            return Err(Denied::NotCallable);
        }
        let value = stack.load(at, Size::DW).unwrap_or(Err(Denied::Unmapped))?;
        stack.store(at, Size::DW, value * 2).unwrap_or(Err(Denied::Unmapped))?;
        Ok(0)
    }
}

#[test]
fn calls_in_the_checked_mode_go_to_the_memory() {
    let text = "*(u64 *)(r10 -8) = 21
        r1 = r10
        r1 += -8
        call helper#9
        r0 = *(u64 *)(r10 -8)
        exit";
    let program = CheckedProgram::build(&assemble(text), |_| Mark::Plain, |_| None).expect("builds");
    let mut memory = Doubling(Regions::default());
    assert_eq!(program.run(0, &mut memory, 100), Ok(42));
    let trap = program.run(0, &mut Regions::default(), 100).unwrap_err();
    assert_eq!(trap.to_string(), "insn 3: Helper(9): not callable");

    let text = "r1 = 0\n call helper#9\n exit";
    let program = CheckedProgram::build(&assemble(text), |_| Mark::Plain, |_| None).expect("builds");
    let trap = program.run(0, &mut memory, 100).unwrap_err();
    assert_eq!(trap.to_string(), "insn 1: Helper(9): nothing is there");
}

#[test]
fn a_region_that_is_read_only() {
    let text = "*(u8 *)(r1 +1) = 1\n exit";
    let program = CheckedProgram::build(&assemble(text), |_| Mark::Plain, |_| None).expect("builds");
    let mut memory = Regions::default();
    memory.add("rodata", 0x1000, vec![0; 4], false);
    let trap = program.run(0x1000, &mut memory, 100).unwrap_err();
    assert_eq!(
        trap.to_string(),
        "insn 0: 1-byte write at 0x1001: `rodata` is read-only"
    );
    assert_eq!(memory.bytes("rodata"), Some(&[0; 4][..]));
}

#[test]
fn the_stack_that_is_needed_is_clear_and_usable() {
    let text = "r0 = *(u64 *)(r10 -8)
        r1 = *(u64 *)(r10 -40)
        r0 |= r1
        *(u64 *)(r10 -8) = -1
        *(u64 *)(r10 -40) = -1
        exit";
    let build = || Program::build(&assemble(text), |_| Mark::Plain, &Some1).expect("builds");
    for depth in [40, 64, 512, 4096] {
        let program = build().with_stack_depth(depth);
        for _ in 0..3 {
            // SAFETY: it touches the last 40 bytes of its stack.
            let result = unsafe { program.run(0, ptr::null_mut(), &Cell::new(u64::MAX)) };
            assert_eq!(result, Ok(0), "{depth}");
        }
    }
}

/// A run stops at the instruction that it may not execute any more, in both modes alike, and a helper's own runs count.
#[test]
fn the_budget_is_exact() {
    let program = Program::build(
        &assemble("r0 = 0\n again: r0 += 1\n if r0 < 10 goto again\n exit"),
        |_| Mark::Plain,
        &Some1,
    );
    let program = program.expect("builds");
    // One, ten times two, and the exit.
    for (budget, expected) in [(22, Ok(10)), (21, Err(3)), (20, Err(2)), (1, Err(1)), (0, Err(0))] {
        let left = Cell::new(budget);
        // SAFETY: it touches nothing.
        let result = unsafe { program.run(0, ptr::null_mut(), &left) };
        assert_eq!(result, expected.map_err(|slot| OutOfBudget { slot }), "{budget}");
        assert_eq!(left.get(), 0, "{budget}");
        let checked = program.run_checked(0, &mut Regions::default(), budget);
        assert_eq!(checked.map_err(|trap| trap.slot), expected, "{budget}");
    }

    /// A helper that runs a program of ten instructions with what is left.
    unsafe extern "C" fn nested(_: u64, _: u64, _: u64, _: u64, _: u64, env: *mut c_void) -> u64 {
        let left = env.cast::<Cell<u64>>();
        let inner =
            Program::build(&assemble(&("r0 = 1\n".repeat(9) + "exit")), |_| Mark::Plain, &Some1).expect("builds");
        // SAFETY: the test passes the cell as the environment; the program touches nothing.
        unsafe { inner.run(0, ptr::null_mut(), &*left) }.unwrap_or(0)
    }
    struct Nested;
    impl Linker for Nested {
        fn helper(&self, _: u32) -> Option<HelperFn> {
            Some(nested)
        }
        fn kfunc(&self, _: u32, _: i16) -> Option<HelperFn> {
            None
        }
        fn imm64(&self, _: &Imm64) -> Option<u64> {
            None
        }
    }
    let program = Program::build(
        &assemble("call helper#1\n call helper#1\n exit"),
        |_| Mark::Plain,
        &Nested,
    )
    .expect("builds");
    for (budget, expected) in [(23, Ok(1)), (22, Err(2)), (15, Err(2)), (10, Err(1))] {
        let mut left = Cell::new(budget);
        let env = ptr::from_mut(&mut left);
        // SAFETY: `nested` expects the cell, which lives.
        let result = unsafe { program.run(0, env.cast(), &*env) };
        assert_eq!(result, expected.map_err(|slot| OutOfBudget { slot }), "{budget}");
    }
}

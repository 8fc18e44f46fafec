//! Every case in both modes.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use crate::cases::{self, Case, Expected};
use crate::linker::Nothing;
use isa::Insn;
use vm::{CheckedProgram, Mark, Program, Regions};

/// Starts a program with the number of its bytes in r2, which only these tests need.
fn with_length(case: &Case) -> Vec<Insn> {
    let length = case.memory.as_ref().map_or(0, Vec::len);
    let text = format!("r2 = {length}\n{}", case.text);
    isa::asm::assemble(&text).unwrap_or_else(|e| panic!("{}: {e}", case.name))
}

#[test]
fn checked() {
    for case in cases::all() {
        let name = &case.name;
        // One instruction was put before the program, so traps are one further.
        let program = CheckedProgram::build(&with_length(&case), |_| Mark::Plain, |_| None)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut memory = Regions::default();
        memory.add("memory", 0x10000, case.memory.unwrap_or_default(), true);
        let mut result = program.run(0x10000, &mut memory, 100_000_000);
        if let Err(trap) = &mut result {
            trap.slot -= 1;
        }
        match (case.expected, result) {
            (Expected::Result { r0, memory: after }, Ok(result)) => {
                assert_eq!(result, r0, "{name}: {result:#x}, not {r0:#x}");
                if let Some(after) = after {
                    assert_eq!(memory.bytes("memory"), Some(&after[..]), "{name}");
                }
            }
            (Expected::Trap(expected), Err(trap)) => assert_eq!(trap.to_string(), expected, "{name}"),
            (Expected::Trap(expected), Ok(result)) => panic!("{name}: {result:#x}, not {expected}"),
            (Expected::Result { .. }, Err(trap)) => panic!("{name}: {trap}"),
        }
    }
}

#[test]
fn fast() {
    for case in cases::all() {
        let name = &case.name;
        let program =
            Program::build(&with_length(&case), |_| Mark::Plain, &Nothing).unwrap_or_else(|e| panic!("{name}: {e}"));
        let Expected::Result { r0, memory: after } = case.expected else {
            continue;
        };
        let mut memory = case.memory.unwrap_or_default();
        // Aligned, for the atomic accesses.
        let mut aligned = vec![0u64; memory.len().div_ceil(8)];
        let context: *mut u8 = aligned.as_mut_ptr().cast();
        // SAFETY: `aligned` has room for the bytes.
        unsafe { ptr::copy_nonoverlapping(memory.as_ptr(), context, memory.len()) };
        // SAFETY: the checked mode ran the same program within the same bounds, and it calls nothing.
        let result = unsafe {
            program.run(
                context.expose_provenance() as u64,
                ptr::null_mut::<c_void>(),
                &Cell::new(u64::MAX),
            )
        };
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(context, memory.as_mut_ptr(), memory.len()) };
        assert_eq!(result, Ok(r0), "{name}: not {r0:#x}");
        if let Some(after) = after {
            assert_eq!(memory, after, "{name}");
        }
    }
}

//! Linux is asked what an instruction is: every opcode, with each field set in turn, is loaded. What `isa` does
//! not decode Linux refuses, and what Linux calls malformed `isa` does not decode; exceptions are named.
//!
//! Here and not in `isa`, because it needs crates above that one.

use bpf::{Bpf, ProgLoad, ProgType};
use isa::{DecodeReason, Field, RawInsn};
use linux::Linux;

/// What Linux 6.12 to 6.18 say (`kernel/bpf/verifier.c`) when an instruction has no meaning, rather than none
/// at that place.
const MALFORMED: &[&str] = &[
    "unknown opcode",
    "reserved field",
    "is invalid",
    "invalid bpf_ld_imm64",
    "unrecognized bpf_ld_imm64",
    "invalid BPF_LD_IMM",
    "invalid BPF_ALU opcode",
    "invalid atomic operand size",
    "uses invalid atomic opcode",
    "unknown insn class",
    "invalid may_goto imm",
    "BPF_ATOMIC uses",
];

#[test]
fn linux_reads_instructions_alike() {
    if !testkit::linux_or_skip("loads programs of one odd instruction; runs none") {
        return;
    }
    let linux = Linux::new();
    let mut wrong = Vec::new();
    let mut counts = [0; 2];
    let mut tolerated = 0;
    for first in candidates() {
        for program in programs(first) {
            let ours = isa::decode(&program);
            let slot = program.iter().position(|raw| *raw == first).unwrap_or_default();
            let load = ProgLoad::new(ProgType::SOCKET_FILTER, &program);
            let theirs = linux.prog_load_with_log(&load, 1);
            let malformed = theirs
                .as_ref()
                .err()
                .map(|error| error.log.as_str())
                .filter(|log| MALFORMED.iter().any(|text| log.contains(text)));
            match &ours {
                Err(error) => {
                    counts[0] += 1;
                    assert_eq!(error.slot, slot, "{first:?}");
                    if theirs.is_ok() && tolerated_by_linux(first, error.reason) {
                        tolerated += 1;
                    } else if theirs.is_ok() {
                        wrong.push(format!("Linux takes {first:?}, we say {error}"));
                    }
                }
                Ok(_) => {
                    counts[1] += 1;
                    if let Some(log) = malformed {
                        wrong.push(format!("we take {first:?}, Linux says {log}"));
                    }
                }
            }
        }
    }
    assert!(counts[0] > 3000 && counts[1] > 500, "{counts:?}");
    assert!(tolerated > 0, "Linux has become stricter: say so in `isa::decode`");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where Linux forgets to look at a field that must be zero.
fn tolerated_by_linux(first: RawInsn, reason: DecodeReason) -> bool {
    let exit = first.code == 0x95;
    exit && matches!(reason, DecodeReason::ReservedField { field: Field::Off, .. })
}

/// Every opcode with every field zero, and with one or two that are not.
fn candidates() -> impl Iterator<Item = RawInsn> {
    let fields = [
        RawInsn::default(),
        RawInsn {
            dst: 1,
            ..RawInsn::default()
        },
        RawInsn {
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            dst: 10,
            src: 2,
            ..RawInsn::default()
        },
        RawInsn {
            dst: 11,
            ..RawInsn::default()
        },
        RawInsn {
            src: 11,
            ..RawInsn::default()
        },
        RawInsn {
            src: 7,
            ..RawInsn::default()
        },
        RawInsn {
            off: 1,
            ..RawInsn::default()
        },
        RawInsn {
            off: 8,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            off: 16,
            ..RawInsn::default()
        },
        RawInsn {
            off: 32,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            off: -8,
            dst: 10,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 16,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 64,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 0xe1,
            off: -8,
            dst: 10,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 0xe0,
            off: -8,
            dst: 10,
            src: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 0x100,
            off: -8,
            src: 10,
            dst: 1,
            ..RawInsn::default()
        },
        RawInsn {
            imm: 0x110,
            off: -8,
            dst: 10,
            src: 1,
            ..RawInsn::default()
        },
    ];
    (0..=255).flat_map(move |code| fields.map(|raw| RawInsn { code, ..raw }))
}

/// The instruction in a program in which all registers hold numbers, so that Linux gets as far as to look at
/// it. A 64-bit immediate load gets its second slot; an exit also stands at the end.
fn programs(first: RawInsn) -> impl Iterator<Item = Vec<RawInsn>> {
    let text = "r6 = r1\n r0 = 1\n r1 = 1\n r2 = 1\n r7 = 1\n r8 = 1\n *(u64 *)(r10 -8) = 1";
    let before = isa::asm::assemble(text).expect("assembles");
    let before = isa::encode(&before).expect("encodes");
    let after = isa::asm::assemble("r0 = 0\n r0 = 0\n exit").expect("assembles");
    let after = isa::encode(&after).expect("encodes");
    let second = (first.code & !0x18 == 0).then(RawInsn::default);
    let inside = [&before[..], &[first], second.as_slice(), &after[..]].concat();
    let exit = (first.code == 0x95).then(|| [&before[..], &[first]].concat());
    std::iter::once(inside).chain(exit)
}

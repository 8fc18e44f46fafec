//! CO-RE against libbpf: for each relocated instruction of `data/core/cases.c` we say what libbpf said when it loaded the
//! same object for the same kernel's types. `data/core/prepare.sh` made the objects, types and libbpf's answers.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use btf::core::{CoreError, Fixup, PatchError, Resolver};
use btf::{Btf, BtfExt};
use elf::{Object as _, ObjectSection as _};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/core").join(name)
}

#[test]
fn clang_14() {
    check("14");
}

#[test]
fn clang_19() {
    check("19");
}

fn check(clang: &str) {
    let object = std::fs::read(data(&format!("cases-{clang}.o"))).unwrap();
    let kernel = std::fs::read(data(&format!("kernel-{clang}.btf"))).unwrap();
    let expected = std::fs::read_to_string(data(&format!("cases-{clang}.expected"))).unwrap();
    let ours = relocate(&object, &kernel);
    for (ours, expected) in ours.lines().zip(expected.lines()) {
        assert_eq!(ours, expected);
    }
    assert_eq!(ours.lines().count(), expected.lines().count());
    // Enough cases of each outcome, so that an empty file would not pass.
    for (what, least) in [
        ("imm", 150),
        ("imm64", 5),
        ("off", 12),
        ("mem_sz", 7),
        ("invalid", 20),
        ("ambiguous", 3),
    ] {
        let count = expected.lines().filter(|line| line.contains(what)).count();
        assert!(count >= least, "{what}: {count}");
    }
}

/// Relocates each program of an object and writes what happens in the words of libbpf's log.
fn relocate(object: &[u8], kernel: &[u8]) -> String {
    let file = elf::File::parse(object).unwrap();
    let section = |name: &str| file.section_by_name(name).unwrap().data().unwrap();
    let local = Btf::parse(section(".BTF")).unwrap();
    let ext = BtfExt::parse(section(".BTF.ext"), &local).unwrap();
    let kernel = Btf::parse(kernel).unwrap();
    let mut out = String::new();
    for info in &ext.sections {
        let mut program = section(&info.name).to_vec();
        let name = info.name.strip_prefix("socket/").unwrap();
        // libbpf loaded each program alone, with fresh candidates.
        let mut resolver = Resolver::new(&local, [&kernel]);
        for (index, record) in info.relocations.iter().enumerate() {
            let at = record.insn_offset as usize;
            let start = format!("prog '{name}': relo #{index}");
            match resolver.resolve(&record.relocation(&local)) {
                Ok(fixup) => describe(&mut out, &start, &fixup, &mut program, at),
                Err(CoreError::Ambiguous { .. }) => writeln!(out, "{start}: ambiguous").unwrap(),
                Err(CoreError::BitFieldTooWide(_)) => writeln!(out, "prog '{name}': too wide").unwrap(),
                Err(error) => panic!("{start}: {error}"),
            }
        }
    }
    out
}

fn describe(out: &mut String, start: &str, fixup: &Fixup, program: &mut [u8], at: usize) {
    let insn = at / 8;
    let before = program[at..].to_vec();
    let poisoned = fixup
        .patch_bytes(&mut program[at..])
        .unwrap_or_else(|error| panic!("{start}: {error}"));
    let after = &program[at..];
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let half = |bytes: &[u8]| i16::from_le_bytes(bytes[2..4].try_into().unwrap());
    let wide = before[0] == 0x18;
    if poisoned {
        for slot in 0..=usize::from(wide) {
            assert_eq!(after[slot * 8..slot * 8 + 8], [0x85, 0, 0, 0, 0x10, 0x23, 0xad, 0x0b]);
            writeln!(out, "{start}: substituting insn #{} w/ invalid insn", insn + slot).unwrap();
        }
        return;
    }
    let patched = format!("{start}: patched insn #{insn}");
    match before[0] & 7 {
        4 | 7 => {
            // libbpf prints the new value before it is cut to 32 bits.
            let new = fixup.target;
            assert_eq!(word(after, 4), new as u32);
            writeln!(out, "{patched} (ALU/ALU64) imm {} -> {new}", word(&before, 4)).unwrap();
        }
        0 => {
            let imm = |bytes: &[u8]| u64::from(word(bytes, 12)) << 32 | u64::from(word(bytes, 4));
            writeln!(out, "{patched} (LDIMM64) imm64 {} -> {}", imm(&before), imm(after)).unwrap();
        }
        _ => {
            writeln!(out, "{patched} (LDX/ST/STX) off {} -> {}", half(&before), half(after)).unwrap();
            let size = |bytes: &[u8]| [4, 2, 1, 8][usize::from(bytes[0] >> 3 & 3)];
            if size(&before) != size(after) {
                writeln!(
                    out,
                    "{patched} (LDX/ST/STX) mem_sz {} -> {}",
                    size(&before),
                    size(after)
                )
                .unwrap();
            }
        }
    }
}

#[test]
fn instructions_that_do_not_fit() {
    use btf::core::RelocationKind::FieldByteOffset;
    let fixup = |local, target| Fixup {
        kind: FieldByteOffset,
        local,
        target,
        poisoned: false,
        validate: true,
        resize: None,
        bits: None,
        target_index: None,
        target_type: None,
    };
    let cases = [
        ("b70100000400000000", fixup(4, 8), Ok(false)),
        (
            "b70100000500000000",
            fixup(4, 8),
            Err(PatchError::Unexpected { found: 5, expected: 4 }),
        ),
        (
            "bf21000000000000",
            fixup(0, 8),
            Err(PatchError::Unsuited { code: 0xbf }),
        ),
        (
            "8500000001000000",
            fixup(1, 8),
            Err(PatchError::Unsuited { code: 0x85 }),
        ),
        (
            "6112000000000000",
            fixup(0, 40_000),
            Err(PatchError::TooLarge {
                value: 40_000,
                part: "offset",
            }),
        ),
        (
            "1801000000000000",
            fixup(0, 8),
            Err(PatchError::Unsuited { code: 0x18 }),
        ),
        ("b701", fixup(0, 8), Err(PatchError::Unsuited { code: 0xb7 })),
        ("", fixup(0, 8), Err(PatchError::Unsuited { code: 0 })),
    ];
    for (hex, fixup, expected) in cases {
        let mut bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        assert_eq!(fixup.patch_bytes(&mut bytes), expected, "{hex}");
    }
}

//! Encoding and assembling judged by llvm: `tests/data/llvm.txt` holds lines of assembler and the bytes that
//! `llvm-mc -triple=bpfel -mcpu=v4 -show-encoding` makes of them, and how it prints those bytes again (llvm
//! 19; regenerate with `tests/data/llvm.sh`). What llvm 19 does not know has its bytes from the kernel's
//! headers below.

use isa::asm::assemble;

#[test]
fn bytes_are_those_of_llvm() {
    let mut count = 0;
    for line in include_str!("data/llvm.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let (text, rest) = line.split_once(" => ").expect("text => bytes");
        let (bytes, theirs) = rest.split_once(" => ").expect("bytes => text");
        let program = assemble(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let raw = isa::encode(&program).expect(text);
        let ours: String = isa::to_bytes(&raw).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(ours, bytes, "{text}");
        assert_eq!(isa::decode(&raw).as_ref(), Ok(&program), "{text}");
        assert_eq!(assemble(theirs).as_ref(), Ok(&program), "{text} printed as {theirs}");
        let printed = isa::listing(&program).to_string();
        assert_eq!(assemble(&printed), Ok(program), "{text} printed as {printed}");
        count += 1;
    }
    assert!(count > 290, "only {count} lines");
}

/// `BPF_LOAD_ACQ` 0x100 and `BPF_STORE_REL` 0x110 of `include/uapi/linux/bpf.h`; the pseudo sources of a
/// 64-bit immediate from there too.
#[test]
fn bytes_beyond_llvm_19() {
    let cases = [
        ("w1 = load_acquire((u8 *)(r2 +4))", "d3210400_00010000"),
        ("r1 = load_acquire((u16 *)(r2 +4))", "cb210400_00010000"),
        ("r1 = load_acquire((u32 *)(r2 +4))", "c3210400_00010000"),
        ("r1 = load_acquire((u64 *)(r2 -4))", "db21fcff_00010000"),
        ("store_release((u8 *)(r2 -4), w1)", "d312fcff_10010000"),
        ("store_release((u64 *)(r2 -4), r1)", "db12fcff_10010000"),
        ("gotol +2147483647", "06000000_ffffff7f"),
        ("call pc-2", "85100000_feffffff"),
        ("call kfunc#258@3", "85200300_02010000"),
        ("call bpf_tcp_sock#96", "85000000_60000000"),
        ("r1 = map_fd(7) ll", "18110000_07000000_00000000_00000000"),
        ("r1 = map_value(7, 8) ll", "18210000_07000000_00000000_08000000"),
        ("r1 = btf_id(7, 8) ll", "18310000_07000000_00000000_08000000"),
        ("r1 = func(pc+7) ll", "18410000_07000000_00000000_00000000"),
        ("r1 = map_idx(7) ll", "18510000_07000000_00000000_00000000"),
        ("r1 = map_idx_value(7, 8) ll", "18610000_07000000_00000000_08000000"),
    ];
    for (text, bytes) in cases {
        let raw = isa::encode(&assemble(text).expect(text)).expect(text);
        let ours: String = isa::to_bytes(&raw).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(ours, bytes.replace('_', ""), "{text}");
    }
}

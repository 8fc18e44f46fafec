//! What the assembler takes beside plain instructions (labels, comments, other spellings), and how it says no.

use isa::asm::assemble;

#[test]
fn labels_and_comments() {
    let program = assemble(
        "; a comment
        # another
        start:
            r1 = func(callback) ll  // third
            r2 = 1                  # fourth
        0x: 5: again: if r2 == 0 goto out
            call callback
            may_goto again
            goto start
        out: exit

        callback: r0 = 0
            gotol out",
    );
    assert_eq!(
        program.unwrap_err().to_string(),
        "line 6, column 9: expected a number, found `0x`"
    );

    let program = assemble(
        "; a comment
        # another
        start:
            r1 = func(callback) ll  // third
            r2 = 1                  # fourth
        3: again: if r2 == 0 goto out
            call callback
            may_goto again
            goto start
        out: exit

        callback: r0 = 0
            gotol out",
    )
    .expect("assembles");
    let expected = "0: r1 = func(pc+7) ll
2: r2 = 1
3: if r2 == 0x0 goto +3
4: call pc+3
5: may_goto -3
6: goto -7
7: exit
8: r0 = 0
9: gotol -3
";
    assert_eq!(isa::listing(&program).to_string(), expected);
}

#[test]
fn other_spellings() {
    let pairs = [
        ("goto pc+3", "goto +3"),
        ("call 5", "call helper#5"),
        ("call bpf_ktime_get_ns#5", "call helper#5"),
        ("r1=*(u32*)(r2)", "r1 = *(u32 *)(r2 +0)"),
        ("r1 = *(u32 *)(r2 + 0x10)", "r1 = *(u32 *)(r2 +16)"),
        ("w1 = 0xffffffff", "w1 = -1"),
        ("if w1 == 0xfffffffe goto +0", "if w1 == -0x2 goto +0"),
        ("*(u32 *)(r1 +0) = 0xffffffff", "*(u32 *)(r1 +0) = -1"),
        (
            "r0 = cmpxchg_64(r1 + 8, r0, r3)",
            "r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r3)",
        ),
        ("w2 = xchg32_32(r1 + 8, w2)", "r2 = atomic_xchg((u32 *)(r1 +8), r2)"),
        ("r0 = *(u8 *)skb[r7 + 4]", "r0 = *(u8 *)skb[r7 +4]"),
        ("r1 = -1 ll", "r1 = 0xffffffffffffffff ll"),
        ("r1 = +5", "r1 = 5"),
    ];
    for (written, printed) in pairs {
        let program = assemble(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(program[0].to_string(), printed, "{written}");
    }
}

#[test]
fn refusals() {
    let cases = [
        (
            "r0 = 1\n jump",
            "line 2, column 2: expected an instruction, found `jump`",
        ),
        (
            "r0 = 1 r1",
            "line 1, column 8: expected the end of the line, found `r1`",
        ),
        ("r0 =", "line 1, column 5: expected an operand, found `end of line`"),
        ("r0 ? 1", "line 1, column 4: expected an instruction, found `?`"),
        ("r0 = w1", "line 1, column 6: w1 has the wrong width here"),
        ("w0 = 1 ll", "line 1, column 1: w0 has the wrong width here"),
        (
            "r0 = 0x100000000",
            "line 1, column 6: 4294967296 does not fit in 32 bits",
        ),
        (
            "r0 = 0xffffffff",
            "line 1, column 6: 4294967295 does not fit in 32 bits",
        ),
        (
            "r0 = 0x1ffffffffffffffff ll",
            "line 1, column 6: 36893488147419103231 does not fit in 64 bits",
        ),
        (
            "r0 = *(u8 *)(r1 +40000)",
            "line 1, column 17: 40000 does not fit in 16 bits",
        ),
        ("goto nowhere", "line 1, column 1: no label `nowhere`"),
        ("a: exit\na: exit", "line 2, column 1: label `a` stands twice"),
        ("1: exit", "line 1, column 1: this is slot 0, not 1"),
        (
            "r1 = -r2",
            "line 1, column 7: r2 must be r1: the instruction works in place",
        ),
        (
            "r1 = be16 r2",
            "line 1, column 11: r2 must be r1: the instruction works in place",
        ),
        (
            "r1 = xchg_64(r2 + 0, r3)",
            "line 1, column 22: r3 must be r1: the instruction works in place",
        ),
        ("w1 = (s32)w2", "line 1, column 1: no such instruction at size W"),
        (
            "lock *(u8 *)(r1 +0) += r2",
            "line 1, column 1: no such instruction at size B",
        ),
        (
            "r1 = *(s64 *)(r2 +0)",
            "line 1, column 1: no such instruction at size DW",
        ),
        (
            "*(s8 *)(r1 +0) = r2",
            "line 1, column 2: expected an unsigned type, found `(`",
        ),
        ("goto +40000", "line 1, column 1: goto +40000 does not fit in 16 bits"),
        ("é = 1", "line 1, column 1: expected an instruction, found `é`"),
    ];
    for (text, message) in cases {
        let error = assemble(text).expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
    }
}

//! Linux is asked about every case that does not need our memory: what the kernel (its JIT, where it is on)
//! computes is what we expect.

use crate::cases::{self, Expected};
use bpf::{Bpf, Fd, Prog, ProgLoad, ProgType, TestRun};
use isa::{AluOp, Call, Insn, Reg, Src, Width};
use linux::Linux;

#[test]
fn linux_computes_the_same() {
    if !testkit::linux_or_skip("runs small programs in the kernel with BPF_PROG_TEST_RUN") {
        return;
    }
    let linux = Linux::new();
    let mut count = 0;
    for case in cases::all().iter().filter(|case| case.on_linux) {
        let Expected::Result { r0, .. } = case.expected else {
            continue;
        };
        let name = &case.name;
        let insns = isa::asm::assemble(&case.text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let low = run(&linux, name, &insns);
        let high = run(&linux, name, &returning_the_upper_half(&insns));
        let result = u64::from(high) << 32 | u64::from(low);
        assert_eq!(result, r0, "{name}: Linux computes {result:#x}, not {r0:#x}");
        count += 1;
    }
    assert!(count > 1000, "only {count} cases");
}

/// A test run gives back 32 bits: the program becomes a subprogram of one that shifts its result.
fn returning_the_upper_half(insns: &[Insn]) -> Vec<Insn> {
    let mut out = vec![
        Insn::Call(Call::Subprog { off: 2 }),
        Insn::Alu {
            width: Width::W64,
            op: AluOp::Rsh,
            dst: Reg::R0,
            src: Src::Imm(32),
        },
        Insn::Exit,
    ];
    out.extend_from_slice(insns);
    out
}

fn run(linux: &Linux, name: &str, insns: &[Insn]) -> u32 {
    let raw = isa::encode(insns).unwrap_or_else(|e| panic!("{name}: {e}"));
    let load = ProgLoad {
        name: "vm_case",
        ..ProgLoad::new(ProgType::SOCKET_FILTER, &raw)
    };
    let program: Fd<Prog> = linux
        .prog_load(&load)
        .unwrap_or_else(|e| panic!("{name}: {e}\n{}\n{}", isa::listing(insns), e.log));
    let packet = [0; 64];
    let test = TestRun {
        data: &packet,
        ..TestRun::default()
    };
    let result = linux.prog_test_run(&program, &test);
    result.unwrap_or_else(|e| panic!("{name}: {e}")).retval
}

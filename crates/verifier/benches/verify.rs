//! How fast verification is: a loop, a program of many branches, and the congestion avoidance of CUBIC.

#[path = "../tests/it/linux_types.rs"]
mod linux_types;
#[path = "../tests/it/world.rs"]
#[expect(dead_code, reason = "a benchmark uses a part of it")]
mod world;

use divan::Bencher;
use isa::Insn;
use linux_types::{Tcp, instructions};
use loader::{Plan, PlanOptions, ProgramKind};
use verifier::{Options, Program};
use world::World;

fn main() {
    divan::main();
}

fn verify(bencher: Bencher<'_, '_>, text: &str) {
    let insns: Vec<Insn> = isa::asm::assemble(text).expect("the program assembles");
    let world = World::filter();
    bencher.bench(|| world.verify(&insns).expect("the program is accepted").stats());
}

#[divan::bench]
fn smallest(bencher: Bencher<'_, '_>) {
    verify(bencher, "r0 = 0\n exit");
}

/// 15,000 instructions.
#[divan::bench]
fn counted_loop(bencher: Bencher<'_, '_>) {
    verify(bencher, "r0 = 0\n l: r0 += 1\n r2 = r0\n if r0 < 5000 goto l\n exit");
}

#[divan::bench]
fn many_branches(bencher: Bencher<'_, '_>) {
    let mut text = "r6 = 0\n r7 = 0\n".to_owned();
    for branch in 0..200 {
        text += &format!("call 7\n if r0 > {branch} goto l{branch}\n r6 += r0\n r7 ^= r6\n l{branch}: r6 *= 3\n");
    }
    text += "r0 = r6\n exit";
    verify(bencher, &text);
}

/// `cong_avoid` of the shipped CUBIC, against Linux's types.
#[divan::bench]
fn cubic_cong_avoid(bencher: Bencher<'_, '_>) {
    let btf = bpf::Bpf::kernel_btf(&linux::Linux::new()).expect("Linux's types");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../algorithms/objects/cubic.bpf.o");
    let object = object::Object::parse(&std::fs::read(path).expect("the object")).expect("the object is sound");
    let plan = Plan::new(&object, &btf, &PlanOptions::default()).expect("the object fits Linux");
    let wanted = |kind: &ProgramKind| matches!(kind, ProgramKind::StructOps { member, .. } if member == "cong_avoid");
    let program = plan
        .programs()
        .iter()
        .find(|program| wanted(&program.kind))
        .expect("cong_avoid");
    let ProgramKind::StructOps { ty, member_index, .. } = program.kind else {
        return;
    };
    let world = Tcp::new(&btf, Some(&plan), ty, member_index);
    let insns = instructions(program);
    let options = Options::default();
    bencher.bench(|| {
        verifier::verify(&Program::new(&insns), &world, &options)
            .expect("accepted")
            .stats()
    });
}

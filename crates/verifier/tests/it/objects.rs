//! Congestion controls that Linux takes are taken here, against Linux's own types.
//!
//! `OPSWAP_VERIFIER_OBJECTS` names further object files, separated by colons.

use std::path::PathBuf;

use crate::linux_types::{Tcp, instructions};
use btf::{Btf, TypeId};
use loader::{Plan, PlanOptions, ProgramKind, ProgramPlan};
use verifier::{FuncInfo, LineInfo, Options, Program, ProgramDebug, Verified};

fn verify(btf: &Btf, plan: &Plan, program: &ProgramPlan) -> Verified {
    let name = &program.name;
    let insns = instructions(program);
    let types = plan.btf().expect("an object with types");
    let funcs: Vec<FuncInfo> = program
        .func_info
        .iter()
        .map(|info| FuncInfo {
            slot: info.insn_off,
            type_id: TypeId(info.type_id),
        })
        .collect();
    let lines: Vec<LineInfo> = program
        .line_info
        .iter()
        .map(|info| LineInfo {
            slot: info.insn_off,
            file_name_off: info.file_name_off,
            line_off: info.line_off,
            line_col: info.line_col,
        })
        .collect();
    let input = Program {
        insns: &insns,
        odd: &[],
        debug: Some(ProgramDebug {
            btf: types,
            funcs: &funcs,
            lines: &lines,
        }),
    };
    let ProgramKind::StructOps { ty, member_index, .. } = &program.kind else {
        panic!("{name} is not for an operation");
    };
    let world = Tcp::new(btf, Some(plan), *ty, *member_index);
    let begin = std::time::Instant::now();
    let verdict = verifier::verify(&input, &world, &Options::default());
    let took = begin.elapsed();
    let verified = verdict.unwrap_or_else(|e| panic!("{name}: {e}\n{}", isa::listing(&insns)));
    eprintln!("{name}: {} slots, {:?}, {took:?}", insns.len(), verified.stats());
    verified
}

#[test]
fn algorithms_are_accepted() {
    if !testkit::linux_or_skip("verifies congestion controls against Linux's types") {
        return;
    }
    let kernel = linux::Linux::new();
    let btf = bpf::Bpf::kernel_btf(&kernel).unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../algorithms/objects");
    let mut objects: Vec<PathBuf> = ["reno", "cubic", "dctcp"]
        .iter()
        .map(|name| root.join(format!("{name}.bpf.o")))
        .collect();
    if let Some(more) = std::env::var_os("OPSWAP_VERIFIER_OBJECTS") {
        objects.extend(std::env::split_paths(&more));
    }
    let mut programs = 0;
    for path in objects {
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let object = object::Object::parse(&bytes).unwrap();
        let plan = Plan::new(&object, &btf, &PlanOptions::default()).unwrap();
        for program in plan.programs() {
            let verified = verify(&btf, &plan, program);
            assert!(verified.aux()[0].reached);
            programs += 1;
        }
    }
    assert!(programs >= 15, "only {programs} programs");
}

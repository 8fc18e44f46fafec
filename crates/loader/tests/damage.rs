//! Damaged objects and damaged kernel types give errors or plans, never a panic; and a plan's parts fit together.

use loader::{OpenKind, Plan, PlanOptions};
use object::Object;
use proptest::prelude::*;

const OBJECTS: [&[u8]; 4] = [
    include_bytes!("data/plans/everything.bpf.o"),
    include_bytes!("data/plans/moved.bpf.o"),
    include_bytes!("data/linux/core.bpf.o"),
    include_bytes!("../../object/tests/data/externs.clang19.bpf.o"),
];
const KERNEL: &[u8] = include_bytes!("data/kernel.o");

fn check(object: &[u8], kernel: &btf::Btf) {
    let Ok(object) = Object::parse(object) else { return };
    let options = PlanOptions {
        set: vec!["flags=1".parse().unwrap()],
        ..PlanOptions::default()
    };
    for options in [PlanOptions::default(), options] {
        let Ok(plan) = Plan::new(&object, kernel, &options) else {
            continue;
        };
        for program in plan.programs() {
            let slots = program.insns.len();
            assert!(program.parts.iter().all(|part| (part.start as usize) < slots));
            for open in &program.open {
                let wide = !matches!(open.what, OpenKind::ModuleCall { .. });
                assert!(open.slot as usize + usize::from(wide) < slots, "{open:?}");
            }
        }
        for ops in plan.ops() {
            assert!(
                ops.programs()
                    .all(|(_, _, _, offset)| offset as usize + 8 <= ops.value.len())
            );
        }
        assert!(!plan.to_string().is_empty());
    }
}

fn types(object: &[u8]) -> Option<btf::Btf> {
    Object::parse(object).ok()?.btf
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn damaged_objects(
        which in 0..OBJECTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let kernel = types(KERNEL).unwrap();
        let mut bytes = OBJECTS[which].to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check(&bytes, &kernel);
    }

    #[test]
    fn damaged_kernel_types(
        which in 0..OBJECTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        // Damage where the types are: what is outside them does not reach the loader.
        let whole = types(KERNEL).unwrap().to_bytes();
        let mut bytes = whole.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(kernel) = btf::Btf::parse(&bytes) {
            check(OBJECTS[which], &kernel);
        }
    }
}

#[test]
fn each_byte_of_an_object() {
    let kernel = types(KERNEL).unwrap();
    let mut bytes = OBJECTS[0].to_vec();
    for at in 0..bytes.len() {
        for flip in [0xff, 0x02, 0x80] {
            bytes[at] ^= flip;
            check(&bytes, &kernel);
            bytes[at] ^= flip;
        }
    }
}

//! Damaged files give errors, never a panic, and what is still read stays consistent.

use object::{Object, Target};
use proptest::prelude::*;

const OBJECTS: [&[u8]; 5] = [
    include_bytes!("data/ops.clang19.bpf.o"),
    include_bytes!("data/maps.clang14.bpf.o"),
    include_bytes!("data/calls.clang19.bpf.o"),
    include_bytes!("data/externs.clang14.bpf.o"),
    include_bytes!("../../../algorithms/objects/reno.bpf.o"),
];

/// Whatever was read must refer only to what is there.
fn check(bytes: &[u8]) {
    let Ok(object) = Object::parse(bytes) else { return };
    for function in &object.functions {
        for relocation in &function.relocations {
            assert!((relocation.slot as usize) < function.insns.len());
            let there = match relocation.target {
                Target::Map(index) | Target::Data { map: index, .. } => object.map(index).is_some(),
                Target::ExternAddress(index) | Target::ExternCall(index) => {
                    object.externs.get(index.0 as usize).is_some()
                }
                Target::Call(index) | Target::FunctionAddress(index) => object.function(index).is_some(),
            };
            assert!(there, "{relocation:?} of {}", function.name);
        }
    }
    for ops in &object.ops {
        for assigned in &ops.programs {
            assert!(
                object
                    .function(assigned.program)
                    .is_some_and(object::Function::is_struct_ops)
            );
        }
    }
    // Printing walks every index and string offset.
    assert!(!object.to_string().is_empty());
}

#[test]
fn every_truncation() {
    for object in OBJECTS {
        for len in 0..object.len() {
            check(&object[..len]);
        }
    }
}

#[test]
fn every_byte_changed_once() {
    for object in OBJECTS {
        let mut bytes = object.to_vec();
        for at in 0..bytes.len() {
            for flip in [0xff, 0x01, 0x80] {
                bytes[at] ^= flip;
                check(&bytes);
                bytes[at] ^= flip;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn several_bytes_changed(
        which in 0..OBJECTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..16),
    ) {
        let mut bytes = OBJECTS[which].to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check(&bytes);
    }

    #[test]
    fn words_with_extreme_values(
        which in 0..OBJECTS.len(),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(vec![0u32, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, u32::MAX])),
            1..8,
        ),
    ) {
        let mut bytes = OBJECTS[which].to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        check(&bytes);
    }
}

//! Building: what goes in comes out, equal types are one, and types of one BTF move into another.

use btf::{Btf, BtfType, BuildError, Builder, Encoding, Enumerator, Kind, Linkage, Member, Param, SecVar, TypeId};
use proptest::prelude::*;

use crate::common::{dump, running_kernel, section};

#[test]
fn equal_types_are_one() {
    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    assert_eq!(b.int("int", 4, Encoding::SIGNED), int);
    assert_ne!(b.int("int", 4, Encoding::UNSIGNED), int);
    let one = b.ptr(int);
    assert_eq!(b.ptr(int), one);
    let members = [Member::at("a", one, 0)];
    let anonymous = b.struct_type("", 8, &members);
    assert_eq!(b.struct_type("", 8, &members), anonymous);
    let named = b.struct_type("named", 8, &members);
    assert_eq!(b.struct_type("named", 8, &members), named);
    assert_ne!(named, anonymous);
    let proto = b.func_proto(int, &[Param::new("a", one)], false);
    assert_ne!(
        b.func_proto(int, &[Param::new("b", one)], false),
        proto,
        "parameters' names count"
    );
    let tag = b.decl_tag("bpf_kfunc", named, None);
    assert_ne!(b.decl_tag("bpf_kfunc", named, Some(0)), tag);
    b.build().unwrap();
}

#[test]
fn a_declaration_becomes_the_definition() {
    let mut b = Builder::new();
    let fwd = b.fwd("sock", false);
    let pointer = b.ptr(fwd);
    let union = b.fwd("sock", true);
    assert_ne!(fwd, union);
    let sock = b.struct_type("sock", 8, &[Member::at("next", pointer, 0)]);
    assert_eq!(sock, fwd);
    assert_eq!(b.fwd("sock", false), sock);
    let btf = b.build().unwrap();
    assert_eq!(btf.pointee(pointer).unwrap().unwrap().kind(), Kind::Struct);
    assert_eq!(btf.kind_of(union), Some(Kind::Fwd));
}

#[test]
fn what_cannot_be_built() {
    type Case = (&'static str, fn(&mut Builder));
    let cases: [Case; 9] = [
        ("two structures", |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            b.struct_type("s", 8, &[Member::at("a", int, 0), Member::at("b", int, 4)]);
            b.struct_type("s", 8, &[Member::at("a", int, 0), Member::at("c", int, 4)]);
        }),
        ("two sizes", |b| {
            b.struct_type("s", 8, &[]);
            b.struct_type("s", 4, &[]);
        }),
        ("two typedefs", |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            b.typedef("t", int);
            b.typedef("t", TypeId::VOID);
        }),
        ("two enumerations", |b| {
            b.enum_type("e", 4, false, &[Enumerator::new("A", 1)]);
            b.enum_type("e", 4, false, &[Enumerator::new("A", 2)]);
        }),
        ("never defined", |b| {
            b.declare(Kind::Union, "u");
        }),
        ("an id made up", |b| {
            b.ptr(TypeId(77));
        }),
        ("a zero byte", |b| {
            b.struct_type("a\0b", 0, &[]);
        }),
        ("a far bit field", |b| {
            let int = b.int("int", 4, Encoding::SIGNED);
            b.struct_type("s", 1 << 22, &[Member::bit_field("far", int, 1 << 24, 3)]);
        }),
        ("too many", |b| {
            let values: Vec<_> = (0..70_000).map(|_| Enumerator::new("A", 1)).collect();
            b.enum_type("e", 4, false, &values);
        }),
    ];
    let mut out = String::new();
    for (name, case) in cases {
        let mut b = Builder::new();
        case(&mut b);
        let error: BuildError = b.build().expect_err(name);
        out += &format!("{name}: {error}\n");
    }
    insta::assert_snapshot!("what_cannot_be_built", out);
}

#[test]
fn merging_twice_adds_nothing() {
    for object in ["kinds.o", "core/cases-14.o", "core/cases-19.o"] {
        let source = Btf::parse(&section(object, ".BTF")).unwrap();
        let mut b = Builder::new();
        let map = b.merge(&source);
        let first = b.build().unwrap();
        for ty in source.types() {
            let id = map.get(ty.id).unwrap();
            assert_eq!(source.declaration(ty.id, "x"), first.declaration(id, "x"), "{object}");
            assert_eq!(source.size_of(ty.id).ok(), first.size_of(id).ok(), "{object}");
        }
        let mut b = Builder::new();
        b.merge(&source);
        b.merge(&first);
        b.merge(&source);
        assert_eq!(dump(&b.build().unwrap()), dump(&first), "{object}");
    }
}

/// One type with all that it needs, taken out of a kernel: small, and each structure as it was.
#[test]
fn import_from_the_running_kernel() {
    let Some(data) = running_kernel() else { return };
    let kernel = Btf::parse(&data).unwrap();
    let mut b = Builder::new();
    let source = kernel.find("bpf_struct_ops_tcp_congestion_ops", Kind::Struct).unwrap();
    let id = b.import(&kernel, source);
    let btf = b.build().unwrap();
    assert!(btf.end_id() < kernel.end_id());
    assert_eq!(btf.describe_offset(id, 64), kernel.describe_offset(source, 64));
    for name in ["tcp_congestion_ops", "sock", "rate_sample"] {
        let (ours, theirs) = (
            btf.find(name, Kind::Struct).unwrap(),
            kernel.find(name, Kind::Struct).unwrap(),
        );
        assert_eq!(btf.size_of(ours), kernel.size_of(theirs), "{name}");
        let members = |btf: &Btf, id| -> Vec<String> {
            let composite = btf.type_by_id(id).unwrap().composite().unwrap();
            composite
                .members()
                .map(|m| format!("{} at {}", btf.declaration(m.ty, m.name), m.bit_offset))
                .collect()
        };
        assert_eq!(members(&btf, ours), members(&kernel, theirs), "{name}");
    }
}

#[test]
fn rust_types_and_merged_types_must_agree() {
    #[derive(BtfType)]
    #[repr(C)]
    struct ack_sample {
        pkts_acked: u32,
        rtt_us: i32,
        in_flight: u32,
    }
    let mut b = Builder::new();
    b.add_rust::<ack_sample>();
    let rust = b.build().unwrap();
    // Into another that has it already, and the other way round.
    let mut b = Builder::new();
    b.merge(&rust);
    b.add_rust::<ack_sample>();
    assert_eq!(dump(&b.build().unwrap()), dump(&rust));

    let mut b = Builder::new();
    let int = b.int("int", 4, Encoding::SIGNED);
    b.struct_type("ack_sample", 12, &[Member::at("pkts_acked", int, 0)]);
    b.add_rust::<ack_sample>();
    assert!(matches!(b.build(), Err(BuildError::Conflict { .. })));
}

/// One call of the builder; numbers choose among the ids made so far.
#[derive(Clone, Debug)]
enum Op {
    Int(u8, bool),
    Modifier(u8, usize),
    Array(usize, u32),
    Struct(u8, Vec<(u8, usize)>),
    Enum(u8, bool, bool, Vec<u64>),
    Proto(usize, Vec<usize>, bool),
    Func(u8, usize),
    Section(u8, Vec<usize>),
    Tag(u8, usize, Option<u32>),
}

fn op() -> impl Strategy<Value = Op> {
    let any_id = any::<usize>;
    prop_oneof![
        (0u8..5, any::<bool>()).prop_map(|(size, signed)| Op::Int(size, signed)),
        (0u8..6, any_id()).prop_map(|(kind, id)| Op::Modifier(kind, id)),
        (any_id(), any::<u32>()).prop_map(|(id, len)| Op::Array(id, len)),
        (any::<u8>(), prop::collection::vec((0u8..40, any_id()), 0..5)).prop_map(|(name, m)| Op::Struct(name, m)),
        (
            any::<u8>(),
            any::<bool>(),
            any::<bool>(),
            prop::collection::vec(any::<u64>(), 0..4)
        )
            .prop_map(|(name, wide, signed, values)| Op::Enum(name, wide, signed, values)),
        (any_id(), prop::collection::vec(any_id(), 0..4), any::<bool>())
            .prop_map(|(ret, params, variadic)| Op::Proto(ret, params, variadic)),
        (any::<u8>(), any_id()).prop_map(|(name, id)| Op::Func(name, id)),
        (any::<u8>(), prop::collection::vec(any_id(), 0..4)).prop_map(|(name, vars)| Op::Section(name, vars)),
        (any::<u8>(), any_id(), prop::option::of(0u32..9)).prop_map(|(name, id, at)| Op::Tag(name, id, at)),
    ]
}

fn build(ops: &[Op]) -> Btf {
    let mut b = Builder::new();
    let mut ids = vec![TypeId::VOID];
    for (at, op) in ops.iter().enumerate() {
        let id = |choice: &usize| ids[choice % ids.len()];
        // Names of definitions are all different; each may also be absent.
        let unique = |name: &u8| {
            if name.is_multiple_of(4) {
                String::new()
            } else {
                format!("n{at}")
            }
        };
        let new = match op {
            Op::Int(size, signed) => {
                let encoding = if *signed { Encoding::SIGNED } else { Encoding::UNSIGNED };
                b.int("int", 1 << size, encoding)
            }
            Op::Modifier(0, to) => b.ptr(id(to)),
            Op::Modifier(1, to) => b.constant(id(to)),
            Op::Modifier(2, to) => b.volatile(id(to)),
            Op::Modifier(3, to) => b.restrict(id(to)),
            Op::Modifier(4, to) => b.typedef(&format!("t{at}"), id(to)),
            Op::Modifier(_, to) => b.type_tag("tag", id(to)),
            Op::Array(of, len) => b.array(id(of), *len),
            Op::Struct(name, members) => {
                let names: Vec<String> = members.iter().map(|(name, _)| unique(name)).collect();
                let members: Vec<_> = names
                    .iter()
                    .zip(members)
                    .enumerate()
                    .map(|(index, (name, (bits, ty)))| match bits {
                        0..20 => Member::at(name, id(ty), index as u32 * 8),
                        _ => Member::bit_field(name, id(ty), index as u32 * 64, *bits),
                    })
                    .collect();
                b.struct_type(&unique(name), members.len() as u32 * 8, &members)
            }
            Op::Enum(name, wide, signed, values) => {
                let cut = |value: u64| match (wide, signed) {
                    (true, _) => value,
                    (false, true) => value as i32 as i64 as u64,
                    (false, false) => u64::from(value as u32),
                };
                let values: Vec<_> = values.iter().map(|value| Enumerator::new("V", cut(*value))).collect();
                b.enum_type(&unique(name), if *wide { 8 } else { 4 }, *signed, &values)
            }
            Op::Proto(ret, params, variadic) => {
                let params: Vec<_> = params.iter().map(|param| Param::new("p", id(param))).collect();
                b.func_proto(id(ret), &params, *variadic)
            }
            Op::Func(name, proto) => b.func(&unique(name), id(proto), Linkage::Global),
            Op::Section(name, vars) => {
                let vars: Vec<_> = vars
                    .iter()
                    .map(|ty| SecVar {
                        ty: id(ty),
                        offset: 8,
                        size: 4,
                    })
                    .collect();
                b.datasec(&unique(name), 16, &vars)
            }
            Op::Tag(name, on, component) => b.decl_tag(&unique(name), id(on), *component),
        };
        ids.push(new);
    }
    b.build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_read_back(ops in prop::collection::vec(op(), 0..40)) {
        let btf = build(&ops);
        prop_assert_eq!(dump(&Btf::parse(&btf.to_bytes()).unwrap()), dump(&btf));
        // No two types are alike, void arguments at the end aside, which C writes as `…`.
        let text = dump(&btf);
        let mut definitions: Vec<&str> = text.split("\n[").map(|ty| ty.split_once(']').map_or("", |(_, rest)| rest)).collect();
        let count = definitions.len();
        definitions.sort_unstable();
        definitions.dedup();
        prop_assert_eq!(definitions.len(), count);
    }

    #[test]
    fn a_merge_keeps_every_type(ops in prop::collection::vec(op(), 0..40)) {
        let source = build(&ops);
        let mut b = Builder::new();
        let map = b.merge(&source);
        let merged = b.build().unwrap();
        prop_assert_eq!(merged.end_id(), source.end_id());
        for ty in source.types() {
            let id = map.get(ty.id).unwrap();
            prop_assert_eq!(source.declaration(ty.id, "x"), merged.declaration(id, "x"));
            prop_assert_eq!(source.kind_of(ty.id), merged.kind_of(id));
            prop_assert_eq!(source.size_of(ty.id).ok(), merged.size_of(id).ok());
        }
    }
}

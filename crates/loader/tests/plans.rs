//! Plans without any kernel: objects of `tests/data/plans` against the types of `tests/data/kernel.c`.

use btf::{Btf, Kind};
use loader::{
    Fate, Fault, OpenKind, Others, Plan, PlanError, PlanNote, PlanOptions, ProgramKind, SetField, SkipReason,
};
use object::Object;
use std::path::Path;

#[test]
fn plans_are_their_snapshots() {
    for name in ["moved", "several", "everything"] {
        let plan = plan(name, &PlanOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        insta::assert_snapshot!(name, plan);
    }
}

#[test]
fn objects_that_do_not_fit_say_why() {
    let mut count = 0;
    for entry in std::fs::read_dir("tests/data/plans").unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = file.strip_suffix(".bpf.c").filter(|name| name.starts_with("error_")) else {
            continue;
        };
        let source = std::fs::read_to_string(&path).unwrap();
        let first = source.lines().next().unwrap();
        let expected = first
            .strip_prefix("/* expect: ")
            .and_then(|rest| rest.strip_suffix(" */"))
            .unwrap();
        match plan(name, &PlanOptions::default()) {
            Ok(plan) => panic!("{name}: planned\n{plan}"),
            Err(error) => assert_eq!(error.to_string(), expected, "{name}"),
        }
        count += 1;
    }
    assert!(count >= 12, "{count} broken objects");
}

#[test]
fn whose_fault_it_is() {
    let cases = [
        ("error_absent", Fault::Kernel),
        ("error_kind", Fault::Kernel),
        ("error_bit_field", Fault::Unsupported),
        ("error_reuse", Fault::Object),
        ("error_unreferenced", Fault::Object),
        ("error_kind_unknown", Fault::Kernel),
        ("error_kernel_function", Fault::Kernel),
    ];
    for (name, expected) in cases {
        assert_eq!(
            plan(name, &PlanOptions::default()).unwrap_err().fault(),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_program_of_another_kind_is_loaded_when_it_is_asked_for() {
    let left_out = plan("other_kind", &PlanOptions::default()).unwrap();
    assert!(left_out.programs().is_empty());
    assert_eq!(left_out.skipped()[0].reason, SkipReason::OtherKind);
    let section = std::iter::once("kprobe/do_exit".to_owned()).collect();
    for others in [Others::Load, Others::Sections(section)] {
        let options = PlanOptions {
            others,
            ..PlanOptions::default()
        };
        let loaded = plan("other_kind", &options).unwrap();
        assert!(matches!(&loaded.programs()[0].kind, ProgramKind::Other(other) if other.section.prog_type.0 == 2));
    }
}

#[test]
fn members_go_to_where_the_kernel_has_them() {
    let kernel = kernel();
    let plan = plan("moved", &PlanOptions::default()).unwrap();
    let [ops] = plan.ops() else { panic!("one ops structure") };
    let ty = kernel.find("tcp_congestion_ops", Kind::Struct).unwrap();
    assert_eq!((ops.types.ty, ops.types.data_offset), (ty, 64));
    let offset = |member: &str| 64 + kernel.field(ty, member).unwrap().byte_offset();
    let flags = offset("flags") as usize;
    assert_eq!(ops.value[flags..flags + 4], [1, 0, 0, 0]);
    assert_eq!(ops.text("name").as_deref(), Some("moved"));
    for (member, _, index, at) in ops.programs() {
        let (kernel_index, _) = kernel
            .get(ty)
            .unwrap()
            .composite()
            .unwrap()
            .member_named(member)
            .unwrap();
        assert_eq!((index, at), (kernel_index as u32, offset(member)), "{member}");
    }
    let fate = |name: &str| &ops.members.iter().find(|member| member.name == name).unwrap().fate;
    assert_eq!(fate("of_the_future"), &Fate::Absent);
    assert_eq!(fate("later"), &Fate::Absent);
    assert_eq!(fate("cong_avoid"), &Fate::Null);
}

#[test]
fn sub_programs_follow_in_the_order_of_their_first_call() {
    let object = object("everything");
    let plan = plan("everything", &PlanOptions::default()).unwrap();
    let [program] = plan.programs() else {
        panic!("one program")
    };
    let names: Vec<&str> = program
        .parts
        .iter()
        .map(|part| object.function(part.function).unwrap().name.as_str())
        .collect();
    assert_eq!(names, ["ssthresh", "outer", "inner"]);
    // Every call of a sub-program reaches the first instruction of one.
    let starts: Vec<i64> = program.parts.iter().map(|part| i64::from(part.start)).collect();
    let mut calls = 0;
    for (slot, insn) in program
        .insns
        .iter()
        .enumerate()
        .filter(|(_, insn)| insn.code == 0x85 && insn.src == 1)
    {
        assert!(starts.contains(&(slot as i64 + 1 + i64::from(insn.imm))), "slot {slot}");
        calls += 1;
    }
    assert_eq!(calls, 3);
    // Types and lines are those of all functions, in order.
    let at: Vec<u32> = program.func_info.iter().map(|info| info.insn_off).collect();
    assert_eq!(at, program.parts.iter().map(|part| part.start).collect::<Vec<_>>());
    assert!(program.line_info.is_sorted_by_key(|line| line.insn_off));
    let inner = program.parts[2].start;
    let (function, line) = plan.source("ssthresh", inner).unwrap();
    assert_eq!((function, line.line), ("inner", 10));
    assert!(
        line.file.ends_with("everything.bpf.c") && line.text.starts_with("static __noinline u32 inner"),
        "{line:?}"
    );
    assert_eq!(plan.source("nobody", 0), None);
    // Maps stay open until there are descriptors: the map, the two data sections, one of them in a sub-program.
    let open = |fits: fn(&OpenKind) -> bool| program.open.iter().filter(|open| fits(&open.what)).count();
    assert_eq!(open(|what| matches!(what, OpenKind::Map(_))), 1);
    assert_eq!(open(|what| matches!(what, OpenKind::MapValue { .. })), 2);
    // The kernel function is there, the other one is not and must not be reached; the field neither.
    let kernel = kernel();
    let function = kernel.find("tcp_reno_undo_cwnd", Kind::Func).unwrap();
    assert!(
        program
            .insns
            .iter()
            .any(|insn| insn.code == 0x85 && insn.src == 2 && insn.imm == function.0 as i32)
    );
    assert!(
        program
            .insns
            .iter()
            .any(|insn| insn.code == 0x85 && insn.src == 0 && insn.imm >= 2_002_000_000)
    );
    assert_eq!(program.poisoned, 1);
}

#[test]
fn fields_can_be_set_before_loading() {
    type Field = (&'static str, &'static [u8]);
    let cases: &[(&str, Result<Field, &str>)] = &[
        ("flags=non_restricted", Ok(("flags", &[1, 0, 0, 0]))),
        ("flags=TCP_CONG_NON_RESTRICTED|needs_ecn", Ok(("flags", &[3, 0, 0, 0]))),
        ("flags=0x10", Ok(("flags", &[0x10, 0, 0, 0]))),
        ("moved.flags=4294967295", Ok(("flags", &[0xff; 4]))),
        ("name=abcdefghijklmno", Ok(("name", b"abcdefghijklmno\0"))),
        (
            "flags=4294967296",
            Err("cannot set `moved.flags` to `4294967296`: numbers from 0 to 4294967295 fit"),
        ),
        (
            "flags=-1",
            Err("cannot set `moved.flags` to `-1`: numbers from 0 to 4294967295 fit"),
        ),
        (
            "flags=fast",
            Err(
                "cannot set `moved.flags` to `fast`: `fast` is neither a number nor a known name; known here: non_restricted, needs_ecn",
            ),
        ),
        (
            "name=abcdefghijklmnop",
            Err("cannot set `moved.name` to `abcdefghijklmnop`: at most 15 bytes fit"),
        ),
        (
            "colour=1",
            Err("cannot set `moved.colour` to `1`: there is no such field"),
        ),
        (
            "ssthresh=1",
            Err(
                "cannot set `moved.ssthresh` to `1`: it is neither a number nor a text (a function can only be set to `null`)",
            ),
        ),
        (
            "of_the_future=1",
            Err("`moved.of_the_future`: the kernel's structure has no such member, and the object gives it a value"),
        ),
        (
            "other.flags=1",
            Err("the object has no ops structure `other`, or it is not created; it has: moved"),
        ),
    ];
    for (text, expected) in cases {
        let options = PlanOptions {
            set: vec![text.parse().unwrap()],
            ..PlanOptions::default()
        };
        match (plan("moved", &options), expected) {
            (Ok(plan), Ok((member, bytes))) => assert_eq!(plan.ops()[0].data(member), Some(*bytes), "{text}"),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), *expected),
            (Ok(plan), Err(_)) => panic!("{text}: planned\n{plan}"),
            (Err(error), Ok(_)) => panic!("{text}: {error}"),
        }
    }
    for text in ["flags", "=1", ".flags=1", "a.b.c=1"] {
        assert!(text.parse::<SetField>().is_err(), "{text}");
    }
}

#[test]
fn a_name_needs_one_ops_structure() {
    let options = PlanOptions {
        rename: Some("renamed".to_owned()),
        ..PlanOptions::default()
    };
    let renamed = plan("moved", &options).unwrap();
    assert_eq!(renamed.ops()[0].text("name").as_deref(), Some("renamed"));
    assert_eq!(
        plan("several", &options).unwrap_err().to_string(),
        "which ops structure's `name`? Say FILE:NAME, or OPS.name where a field is set; the object has: first, second"
    );
}

#[test]
fn what_is_created_can_be_chosen() {
    let options = PlanOptions {
        autocreate: [("first", false), ("second", false), ("third", true)]
            .map(|(name, create)| (name.to_owned(), create))
            .into(),
        ..PlanOptions::default()
    };
    let plan_of_third = plan("several", &options).unwrap();
    let names = |plan: &Plan| {
        plan.programs()
            .iter()
            .map(|program| program.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&plan_of_third), ["only_optional"]);
    assert_eq!(plan_of_third.ops_left_out(), ["first", "second"]);
    // A member that is taken away takes its program with it.
    let options = PlanOptions {
        set: vec!["second.undo_cwnd=null".parse().unwrap()],
        ..PlanOptions::default()
    };
    assert_eq!(names(&plan("several", &options).unwrap()), ["shared"]);
    let unknown = PlanOptions {
        autocreate: [("fourth".to_owned(), true)].into(),
        ..PlanOptions::default()
    };
    assert!(matches!(plan("several", &unknown), Err(PlanError::NoSuchOps { name, .. }) if name == "fourth"));
    let unknown = PlanOptions {
        autoload: [("nobody".to_owned(), true)].into(),
        ..PlanOptions::default()
    };
    assert!(matches!(plan("several", &unknown), Err(PlanError::NoSuchProgram { name }) if name == "nobody"));
}

#[test]
fn rules_of_registration_are_known_before() {
    let breaches = |name: &str, set: &[&str]| {
        let options = PlanOptions {
            set: set.iter().map(|text| text.parse().unwrap()).collect(),
            ..PlanOptions::default()
        };
        let plan = plan(name, &options).unwrap();
        plan.breaches()
            .into_iter()
            .map(|(ops, breach)| format!("{ops}: {breach}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        breaches("moved", &[]),
        ["moved: no program for `cong_avoid` or `cong_control`"]
    );
    assert_eq!(
        breaches("moved", &["name=", "flags=0x21"]),
        [
            "moved: no program for `cong_avoid` or `cong_control`",
            "moved: `name` is empty",
            "moved: `flags` is 0x21, but flags lie within 0x1f",
        ]
    );
    assert_eq!(
        breaches("moved", &["name=my-cc"])[1],
        "moved: `name` has the character '-'; the kernel takes letters, digits, `_` and `.`"
    );
}

fn plan(name: &str, options: &PlanOptions) -> Result<Plan, PlanError> {
    Plan::new(&object(name), &kernel(), options)
}

fn object(name: &str) -> Object {
    read(&format!("tests/data/plans/{name}.bpf.o"))
}

fn kernel() -> Btf {
    read("tests/data/kernel.o").btf.unwrap()
}

fn read(path: &str) -> Object {
    Object::parse(&std::fs::read(Path::new(path)).unwrap()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_map_is_shared_only_where_there_is_a_directory_for_it() {
    let alone = plan("shared_map", &PlanOptions::default()).unwrap();
    assert_eq!(alone.maps()[0].pin, None);
    let expected = PlanNote::NotShared {
        map: "shared".to_owned(),
    };
    assert!(alone.notes().contains(&expected), "{:?}", alone.notes());
    let options = PlanOptions {
        pin_root: Some(Path::new("/some/where").into()),
        ..PlanOptions::default()
    };
    let shared = plan("shared_map", &options).unwrap();
    assert!(!shared.notes().contains(&expected));
    assert!(shared.to_string().contains("shared at /some/where/shared"), "{shared}");
}

//! Objects that hold more than ops structures.

use crate::kernels;
use crate::source::{clang_or_skip, object, table};
use opswap::{Source, Verdict, check_source};

/// A table, and beside it a program of a cgroup with a map and a kernel function of its own that no kernel has.
fn beside() -> Source {
    table(
        "beside",
        "struct { __uint(type, 2); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); } shared SEC(\".maps\");
         struct { __uint(type, 22); __uint(max_entries, 8); __type(value, __u64); } own SEC(\".maps\");
         static long (*bpf_map_push_elem)(void *map, const void *value, __u64 flags) = (void *)87;
         SEC(\"struct_ops\") void uses(__u64 *ctx) { __u32 k = 0; bpf_map_lookup_elem(&shared, &k); }
         SEC(\"cgroup/setsockopt\") int opt(void *ctx) { __u32 k = 0; __u64 v = 1; bpf_map_lookup_elem(&shared, &k); bpf_map_push_elem(&own, &v, 0); return 1; }
         SEC(\"mine/own\") int strange(void *ctx) { return 0; }
         TABLE_WITH(o, \"opswap_beside\", uses);",
    )
}

#[test]
fn what_can_be_judged_is_and_the_rest_is_told() {
    if !clang_or_skip("objects with other programs") {
        return;
    }
    let source = beside();
    for kernel in kernels("objects with other programs") {
        let checked = check_source(&source, &kernel).expect("a verdict");
        assert_eq!(checked.verdict, Verdict::Accepted, "{}: {checked:?}", kernel.name());
        assert_eq!(checked.ops[0].verdict, Verdict::Accepted);
        let left_out: Vec<&str> = checked
            .notes
            .iter()
            .filter_map(|note| note.program.as_deref())
            .collect();
        let judged = checked.programs.iter().find(|program| program.name == "opt");
        if kernel.name() == "linux" {
            let judged = judged.expect("Linux can say");
            assert_eq!(
                (judged.section.as_deref(), judged.member.as_deref()),
                (Some("cgroup/setsockopt"), None)
            );
            assert_eq!(left_out, ["strange"]);
        } else {
            // Its map is of a type that this kernel does not have: it was not even made.
            assert!(judged.is_none());
            assert_eq!(left_out, ["opt", "strange"]);
        }
    }
    let notes = source.left_out(&["cgroup/setsockopt".to_owned()]);
    assert_eq!(
        notes
            .iter()
            .filter_map(|note| note.program.as_deref())
            .collect::<Vec<_>>(),
        ["strange"]
    );
}

#[test]
fn a_program_without_any_table_is_judged_alone() {
    if !clang_or_skip("objects without tables") {
        return;
    }
    let good = object("filter", "SEC(\"socket\") int f(void *ctx) { return 0; }");
    let bad = object(
        "bad",
        "SEC(\"socket\") int f(void *ctx) { return 0; } SEC(\"socket\") int g(__u64 *ctx) { return *(volatile __u64 *)0; }",
    );
    let other = object("other", "SEC(\"sockops\") int f(void *ctx) { return 1; }");
    for kernel in kernels("objects without tables") {
        let checked = check_source(&good, &kernel).expect("a verdict");
        assert_eq!(
            (checked.verdict, checked.programs.len(), checked.ops.len()),
            (Verdict::Accepted, 1, 0),
            "{checked:?}"
        );
        let checked = check_source(&bad, &kernel).expect("a verdict");
        let verdicts: Vec<Verdict> = checked.programs.iter().map(|program| program.verdict).collect();
        assert_eq!(
            (checked.verdict, verdicts),
            (Verdict::Rejected, vec![Verdict::Accepted, Verdict::Rejected]),
            "{checked:?}"
        );
        let checked = check_source(&other, &kernel).expect("a verdict");
        let expected = if kernel.name() == "linux" {
            Verdict::Accepted
        } else {
            Verdict::Unsupported
        };
        assert_eq!(checked.verdict, expected, "{checked:?}");
    }
}

#[test]
fn a_program_that_no_table_uses_has_a_verdict_of_its_own() {
    if !clang_or_skip("judges programs without a table") {
        return;
    }
    let lone = object(
        "lone",
        "SEC(\"struct_ops\") int lone(__u64 *ctx) { return 0; } SEC(\"socket\") int filter(void *ctx) { return 0; }",
    );
    let beside = table(
        "beside",
        "SEC(\"struct_ops\") void lone(__u64 *ctx) { } TABLE(o, \"opswap_beside\");",
    );
    for kernel in kernels("verdicts of Linux on programs without a table") {
        for source in [&lone, &beside] {
            let checked = check_source(source, &kernel).expect("a verdict");
            assert_eq!(checked.verdict, Verdict::Rejected, "{checked:?}");
            assert!(checked.error.is_none(), "{checked:?}");
            for program in &checked.programs {
                let (expected, names_it) = match program.name.as_str() {
                    "lone" => (Verdict::Rejected, true),
                    _ => (Verdict::Accepted, false),
                };
                assert_eq!(program.verdict, expected, "{program:?}");
                let says = |error: &opswap::CheckedError| error.message.contains("program `lone` is not referenced");
                assert_eq!(program.error.as_ref().is_some_and(says), names_it, "{program:?}");
            }
            assert!(
                checked.ops.iter().all(|ops| ops.verdict == Verdict::Accepted),
                "{checked:?}"
            );
        }
    }
}

#[test]
fn the_verdict_is_what_a_load_would_come_to() {
    if !clang_or_skip("judges programs beside a table") || !testkit::linux_or_skip("judges programs beside a table") {
        return;
    }
    let kernel = opswap::linux().expect("this is Linux");
    let source = table(
        "beside",
        "SEC(\"cgroup/setsockopt\") int bad(__u64 *ctx) { return ctx[100]; } TABLE(o, \"opswap_beside\");",
    );
    let checked = check_source(&source, &kernel).expect("a verdict");
    let bad = checked
        .programs
        .iter()
        .find(|program| program.name == "bad")
        .expect("its verdict");
    assert_eq!(bad.verdict, Verdict::Rejected);
    // `load` leaves it out.
    assert_eq!(checked.notes.len(), 1, "{checked:?}");
    assert_eq!(checked.notes[0].program.as_deref(), Some("bad"));
    assert_eq!(checked.verdict, Verdict::Accepted, "{checked:?}");
}

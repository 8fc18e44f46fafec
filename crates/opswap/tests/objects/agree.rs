//! `check` accepts what `load` loads, and nothing else, on both kernels.

use crate::source::{clang_or_skip, object, table};
use opswap::{Bpf, Class, Embedded, Host, Settings, Source, Verdict, check_source};
use std::sync::Arc;
use testkit::{Bpffs, linux_or_skip, unique_name};

fn cases() -> Vec<(&'static str, Source)> {
    let name = unique_name("ag_");
    // A table whose members are as given.
    let members = |what: &'static str, members: &str| {
        let text = format!(
            "SEC(\".struct_ops.link\") struct tcp_congestion_ops o = {{ .ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, {members} }};"
        );
        (what, table("members", &text))
    };
    let named = |what, text: &str| (what, table("named", &text.replace("NAME", &name)));
    vec![
        named("in order", "TABLE(o, \"NAME\");"),
        named("two names", "TABLE(o, \"NAME\"); TABLE(p, \"NAME2\");"),
        named("one name twice", "TABLE(o, \"NAME\"); TABLE(p, \"NAME\");"),
        named("a built-in name", "TABLE(o, \"reno\");"),
        named("a flavour without link", "SEC(\".struct_ops\") struct tcp_congestion_ops o = { .ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .name = \"NAME\" };"),
        named("one of two cannot be", "TABLE(o, \"NAME\"); SEC(\".struct_ops.link\") struct tcp_congestion_ops p = { .cong_avoid = (void *)ca, .name = \"NAME2\" };"),
        named(
            "a node of memory without the flag",
            "struct { __uint(type, 1); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); __uint(numa_node, 7); } m SEC(\".maps\");
             SEC(\"struct_ops\") void uses(__u64 *ctx) { __u32 k = 0; bpf_map_lookup_elem(&m, &k); } TABLE_WITH(o, \"NAME\", uses);",
        ),
        named(
            "a node of memory that is not there",
            "struct { __uint(type, 1); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); __uint(numa_node, 999); __uint(map_flags, 4); } m
                 SEC(\".maps\");
             SEC(\"struct_ops\") void uses(__u64 *ctx) { __u32 k = 0; bpf_map_lookup_elem(&m, &k); } TABLE_WITH(o, \"NAME\", uses);",
        ),
        named(
            "a program of another kind beside it",
            "SEC(\"cgroup/setsockopt\") int opt(void *ctx) { return 1; } TABLE(o, \"NAME\");",
        ),
        members("no name", ""),
        members("a name that is too long", ".name = { 'a','b','c','d','e','f','g','h','i','j','k','l','m','n','o','p' }"),
        members("a name with a slash", ".name = \"ag/x\""),
        members("flags that Linux has", &format!(".flags = 0x1f, .name = \"{name}\"")),
        members("flags that nobody has", &format!(".flags = 0x20, .name = \"{name}\"")),
        members("an owner", &format!(".owner = (void *)ss, .name = \"{name}\"")),
        (
            "a kind for test runs",
            object(
                "dummy",
                "struct bpf_dummy_ops_state { int val; }; struct bpf_dummy_ops { int (*test_1)(struct bpf_dummy_ops_state *cb); };
                 SEC(\"struct_ops\") int t1(__u64 *ctx) { return 0; }
                 SEC(\".struct_ops.link\") struct bpf_dummy_ops d = { .test_1 = (void *)t1 };",
            ),
        ),
        (
            "a kind that no kernel has",
            object(
                "kind",
                "struct no_such_ops { int (*f)(void); }; SEC(\"struct_ops\") int f(__u64 *ctx) { return 0; }
                 SEC(\".struct_ops.link\") struct no_such_ops o = { .f = (void *)f };",
            ),
        ),
        named("a program that is refused", "SEC(\"struct_ops\") void bad(__u64 *ctx) { *(volatile __u64 *)0 = 1; } TABLE_WITH(o, \"NAME\", bad);"),
        named("a program in two members", "TABLE_WITH(o, \"NAME\", ca);"),
        named("a map that is refused", "struct { __uint(type, 1); __type(key, __u32); __type(value, __u64); } m SEC(\".maps\");
             SEC(\"struct_ops\") void uses(__u64 *ctx) { __u32 k = 0; bpf_map_lookup_elem(&m, &k); } TABLE_WITH(o, \"NAME\", uses);"),
        named("a table that is not asked for", "SEC(\"?.struct_ops.link\") struct tcp_congestion_ops o = { .ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .name = \"NAME\" };"),
    ]
}

fn agree(host: &Host, kernel: &Arc<dyn Bpf>) {
    let mut accepted = 0;
    for (what, source) in cases() {
        let checked = check_source(&source, kernel).unwrap_or_else(|error| panic!("{what}: {error}"));
        let loaded = host.load(&source, &Settings::default());
        let expected = match &loaded {
            Ok(_) => Verdict::Accepted,
            Err(error) => match error.class() {
                Class::Unsupported => Verdict::Unsupported,
                Class::Rejected | Class::Conflict => Verdict::Rejected,
                other => panic!("{what} on {}: {other:?}: {error}", kernel.name()),
            },
        };
        if let Ok(loaded) = &loaded {
            accepted += 1;
            for one in loaded {
                host.unload(&one.name).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
        }
        let loaded = loaded.map(|loaded| loaded.len()).map_err(|error| error.to_string());
        assert_eq!(
            checked.verdict,
            expected,
            "{what} on {}: {loaded:?}, {checked:?}",
            kernel.name()
        );
        let errors = || {
            checked
                .error
                .iter()
                .chain(checked.ops.iter().filter_map(|ops| ops.error.as_ref()))
        };
        for error in errors() {
            assert!(
                opswap::explain(&error.code).is_ok(),
                "{what}: {} has no page",
                error.code
            );
        }
    }
    assert!(accepted >= 4, "something is accepted");
}

#[test]
fn on_the_embedded_kernel() {
    if !clang_or_skip("check and load on small objects") {
        return;
    }
    let embedded = Embedded::new().expect("a kernel");
    let kernel: Arc<dyn Bpf> = embedded.kernel.clone();
    agree(&Host::new(&kernel, "/sys/fs/bpf".as_ref()), &kernel);
}

#[test]
fn on_linux() {
    if !clang_or_skip("check and load on small objects") || !linux_or_skip("loads small objects") {
        return;
    }
    let bpffs = Bpffs::new();
    let host = Host::on_linux(bpffs.path()).expect("this is Linux");
    agree(&host, &opswap::linux().expect("this is Linux"));
}

#[test]
fn a_taken_name_is_told_with_a_way_out() {
    if !clang_or_skip("names of small objects") {
        return;
    }
    let (twice, builtin) = (
        table("twice", "TABLE(o, \"f\"); TABLE(second, \"f\");"),
        table("builtin", "TABLE(o, \"reno\");"),
    );
    for kernel in crate::kernels("names of Linux") {
        let checked = check_source(&twice, &kernel).expect("a verdict");
        let verdicts: Vec<Verdict> = checked.ops.iter().map(|ops| ops.verdict).collect();
        assert_eq!(verdicts, [Verdict::Accepted, Verdict::Rejected], "{checked:?}");
        let error = checked.ops[1].error.as_ref().expect("a reason");
        assert!(
            error.code == "EEXIST" && error.message.contains("`o` of the same object"),
            "{error:?}"
        );
        let checked = check_source(&builtin, &kernel).expect("a verdict");
        let error = checked.ops[0].error.as_ref().expect("a reason");
        assert!(
            error.code == "EEXIST" && error.message.contains("reno of its own"),
            "{error:?}"
        );
        assert!(
            error.help.as_ref().is_some_and(|help| help.contains("--as NAME")),
            "{error:?}"
        );
    }
}

/// Its name is taken, and yet a swap would take it: no rejection.
#[test]
fn what_is_registered_by_a_program_is_noted() {
    if !clang_or_skip("names of small objects") {
        return;
    }
    let embedded = Embedded::new().expect("a kernel");
    let kernel: Arc<dyn Bpf> = embedded.kernel.clone();
    let host = Host::new(&kernel, "/sys/fs/bpf".as_ref());
    let source = table("again", "TABLE(o, \"again\");");
    host.load(&source, &Settings::default()).expect("it is accepted");
    let checked = check_source(&source, &kernel).expect("a verdict");
    assert_eq!(checked.verdict, Verdict::Accepted, "{checked:?}");
    assert_eq!(
        checked.notes.iter().map(|note| note.about).collect::<Vec<_>>(),
        ["registered"]
    );
    host.unload("again").expect("it is registered");
}

//! Every object gets a verdict with a code, whatever part of it is refused.

use crate::kernels;
use crate::source::{clang_or_skip, object, table};
use opswap::{Source, Verdict, check_source};

/// Name, source, verdict, code, and what the message must say.
type Case = (&'static str, Source, Verdict, &'static str, &'static [&'static str]);

#[test]
fn every_refusal_is_a_verdict() {
    if !clang_or_skip("verdicts on small objects") {
        return;
    }
    let cases: Vec<Case> = vec![
        (
            "a hash without max_entries",
            table(
                "no_entries",
                "struct { __uint(type, 1); __type(key, __u32); __type(value, __u64); } m SEC(\".maps\");
                 SEC(\"struct_ops\") void uses(__u64 *ctx) { __u32 k = 0; bpf_map_lookup_elem(&m, &k); }
                 TABLE_WITH(o, \"f\", uses);",
            ),
            Verdict::Rejected,
            "EINVAL",
            &["map `m`", "hash"],
        ),
        (
            "an array with a long key",
            table(
                "long_key",
                "struct { __uint(type, 2); __uint(max_entries, 8); __type(key, __u64); __type(value, __u64); } q SEC(\".maps\");
                 TABLE(o, \"f\");",
            ),
            Verdict::Rejected,
            "EINVAL",
            &["map `q`", "array"],
        ),
        (
            "a kind that no kernel has",
            object(
                "kind",
                "struct no_such_ops { int (*f)(void); };
                 SEC(\"struct_ops\") int f(__u64 *ctx) { return 0; }
                 SEC(\".struct_ops.link\") struct no_such_ops o = { .f = (void *)f };",
            ),
            Verdict::Unsupported,
            "SO1704",
            &["no_such_ops"],
        ),
        (
            "a function that no kernel has",
            table(
                "function",
                "extern int no_such_function(void) __ksym;
                 SEC(\"struct_ops\") void calls(__u64 *ctx) { no_such_function(); }
                 TABLE_WITH(o, \"f\", calls);",
            ),
            Verdict::Unsupported,
            "SO1705",
            &["no_such_function", "`calls` needs"],
        ),
        (
            "a kind that these kernels lack, with its functions",
            object(
                "scx",
                "extern __s32 scx_bpf_create_dsq(__u64 id, __s32 node) __ksym;
                 struct sched_ext_ops { __s32 (*init)(void); char name[128]; };
                 SEC(\"struct_ops.s/init\") __s32 my_init(void *ctx) { return scx_bpf_create_dsq(0, -1); }
                 SEC(\".struct_ops.link\") struct sched_ext_ops s = { .init = (void *)my_init, .name = \"s\" };",
            ),
            Verdict::Unsupported,
            "SO1704",
            &["sched_ext_ops", "6.12", "CONFIG_SCHED_CLASS_EXT"],
        ),
        (
            "a member of a later version",
            object(
                "later",
                "struct tcp_congestion_ops___later { void (*cwnd_event_tx_start)(struct sock *sk); char name[16]; };
                 SEC(\"struct_ops\") void f(__u64 *ctx) { }
                 SEC(\".struct_ops.link\") struct tcp_congestion_ops___later o = { .cwnd_event_tx_start = (void *)f, .name = \"f\" };",
            ),
            Verdict::Unsupported,
            "SO1708",
            &["o.cwnd_event_tx_start", "since 7.1"],
        ),
        (
            "a function that is defined nowhere",
            table(
                "undefined",
                "extern __u32 twice(__u32 x); SEC(\"struct_ops\") void calls(__u64 *ctx) { *(volatile __u32 *)0 = twice(1); }
                 TABLE_WITH(o, \"f\", calls);",
            ),
            Verdict::Rejected,
            "object",
            &["`twice` is undefined", "in `calls`", "undefined.bpf.c:"],
        ),
        (
            "a setting that no kernel has",
            table(
                "setting",
                "extern int CONFIG_NO_SUCH_SETTING __kconfig;
                 SEC(\"struct_ops\") void reads(__u64 *ctx) { if (CONFIG_NO_SUCH_SETTING) *(volatile int *)ctx; }
                 TABLE_WITH(o, \"f\", reads);",
            ),
            Verdict::Unsupported,
            "SO1710",
            &["CONFIG_NO_SUCH_SETTING"],
        ),
        (
            "a member that no kernel has",
            object(
                "member",
                "struct tcp_congestion_ops___mine { int (*no_such_member)(struct sock *sk); char name[16]; };
                 SEC(\"struct_ops\") int f(__u64 *ctx) { return 0; }
                 SEC(\".struct_ops.link\") struct tcp_congestion_ops___mine o = { .no_such_member = (void *)f, .name = \"f\" };",
            ),
            Verdict::Unsupported,
            "SO1708",
            &["o.no_such_member"],
        ),
    ];
    for kernel in kernels("verdicts of Linux on small objects") {
        for (what, source, verdict, code, said) in &cases {
            // The running kernel may have the kind.
            if said.iter().any(|word| opswap::kind(kernel.as_ref(), word).is_ok()) {
                continue;
            }
            let checked =
                check_source(source, &kernel).unwrap_or_else(|error| panic!("{what} on {}: {error}", kernel.name()));
            let error = checked
                .error
                .as_ref()
                .unwrap_or_else(|| panic!("{what} on {}: {checked:?}", kernel.name()));
            assert_eq!(
                (checked.verdict, error.code.as_str()),
                (*verdict, *code),
                "{what} on {}: {error:?}",
                kernel.name()
            );
            assert!(
                said.iter().all(|word| error.message.contains(word)),
                "{what}: {}",
                error.message
            );
            assert!(opswap::explain(&error.code).is_ok(), "{code} has no page");
        }
    }
}

#[test]
fn the_structure_that_cannot_be_registered_is_named() {
    if !clang_or_skip("verdicts on small objects") {
        return;
    }
    let source = table(
        "two",
        "SEC(\".struct_ops.link\") struct tcp_congestion_ops wrong = { .cong_avoid = (void *)ca }; TABLE(o, \"opswap_named\");",
    );
    for kernel in kernels("verdicts of Linux on small objects") {
        let checked = check_source(&source, &kernel).expect("a verdict");
        assert_eq!(checked.verdict, Verdict::Rejected);
        let [wrong, right] = checked.ops.as_slice() else {
            panic!("{checked:?}");
        };
        assert_eq!((wrong.map.as_str(), wrong.verdict), ("wrong", Verdict::Rejected));
        assert!(
            wrong
                .error
                .as_ref()
                .is_some_and(|error| error.message.starts_with("`wrong` cannot be registered")),
            "{wrong:?}"
        );
        assert_eq!(
            (right.map.as_str(), right.verdict),
            ("o", Verdict::Accepted),
            "{right:?}"
        );
    }
}

#[test]
fn what_is_left_out_is_noted() {
    if !clang_or_skip("verdicts on small objects") {
        return;
    }
    let source = table(
        "optional",
        "SEC(\"?struct_ops\") void spare(__u64 *ctx) { }
         SEC(\"?.struct_ops.link\") struct tcp_congestion_ops later = { .ssthresh = (void *)ss, .name = \"later\" };
         TABLE(o, \"opswap_noted\");",
    );
    for kernel in kernels("verdicts of Linux on small objects") {
        let checked = check_source(&source, &kernel).expect("a verdict");
        assert_eq!(checked.verdict, Verdict::Accepted, "{checked:?}");
        let notes: Vec<_> = checked
            .notes
            .iter()
            .map(|note| (note.about, note.program.as_deref()))
            .collect();
        assert_eq!(notes, [("left_out", Some("spare")), ("left_out", None)]);
        assert!(checked.notes[1].message.contains("`later`"), "{:?}", checked.notes);
    }
}

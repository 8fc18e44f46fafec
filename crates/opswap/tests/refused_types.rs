//! Types that no kernel takes: the verdict names the type and the rule, and says what helps, alike on both kernels.

use opswap::{Bpf, Embedded, Verdict};
use std::process::Command;
use std::sync::Arc;

const SOURCE: &str = r#"
#define SEC(n) __attribute__((section(n), used))
typedef unsigned u32; typedef unsigned long long u64;
struct sock { int x; };
struct tcp_congestion_ops {
    u32 (*ssthresh)(struct sock *sk); void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
    u32 (*undo_cwnd)(struct sock *sk); char name[16];
};
char _license[] SEC("license") = "GPL";
SEC("struct_ops") u32 ss(u64 *NAME) { return 10; }
SEC("struct_ops") u32 un(u64 *ctx) { return 12; }
SEC("struct_ops") void ca(u64 *ctx) { }
struct tcp_congestion_ops ops SEC(".struct_ops.link") = {
    .ssthresh = (void *)ss, .cong_avoid = (void *)ca, .undo_cwnd = (void *)un, .name = "mine" };
"#;

/// Name, compiler, flags, and the two texts of a refusal.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    Option<(&'static str, &'static str)>,
);

/// What the source has for `NAME`, the compiler, and what the verdict says: of the type and rule, and of what helps.
const CASES: &[Case] = &[
    ("ctx", "clang-19", &["-O2", "-g", "-target", "bpf"], None),
    (
        "",
        "clang-19",
        &["-O2", "-g", "-target", "bpf", "-Wno-c23-extensions"],
        Some((
            "FUNC `ss`, argument 1: an argument of a function with a body has no name",
            "give the argument a name",
        )),
    ),
    (
        "ctx",
        "clang-19",
        &["-O0", "-g", "-target", "bpf"],
        Some((
            "FUNC `ss`, argument 1: an argument of a function with a body has no name",
            "compile with -O2",
        )),
    ),
    (
        "ctx",
        "bpf-gcc",
        &["-O2", "-gbtf"],
        Some((
            "INT `char`: an integer's encoding 0x3",
            "gcc 12 (bpf-gcc -gbtf) writes such types: compile with clang",
        )),
    ),
];

#[test]
fn the_verdict_says_what_is_wrong_and_what_helps() {
    let mut kernels: Vec<Arc<dyn Bpf>> = vec![Embedded::new().unwrap().kernel.clone()];
    if testkit::linux_or_skip("what Linux says of types that no kernel takes") {
        kernels.push(opswap::linux().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("mine.c"), folder.path().join("mine.bpf.o"));
    for (name, compiler, flags, expected) in CASES {
        if !testkit::tool_or_skip(compiler, "an object of that compiler") {
            continue;
        }
        std::fs::write(&from, SOURCE.replace("NAME", name)).unwrap();
        let status = Command::new(compiler)
            .args(*flags)
            .arg("-c")
            .arg(&from)
            .arg("-o")
            .arg(&to)
            .status();
        assert!(status.unwrap().success(), "{compiler} {flags:?}");
        for kernel in &kernels {
            let case = format!("{compiler} {flags:?} on the {} kernel", kernel.name());
            let checked = opswap::check(&to, kernel).unwrap();
            let error = checked.error.as_ref();
            let Some((rule, help)) = expected else {
                assert_eq!(checked.verdict, Verdict::Accepted, "{case}: {error:?}");
                continue;
            };
            assert_eq!(checked.verdict, Verdict::Rejected, "{case}");
            let error = error.unwrap_or_else(|| panic!("{case}: no reason"));
            assert!(error.message.contains(rule), "{case}: {}", error.message);
            assert!(
                error.help.as_ref().is_some_and(|text| text.contains(help)),
                "{case}: {:?}",
                error.help
            );
        }
    }
}

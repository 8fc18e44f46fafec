//! A program at a tracepoint beside an ops structure: attached by an event of perf, kept by its pin, and gone with the algorithm.

use crate::common::run;
use std::process::Command;
use testkit::{Bpffs, linux_or_skip, tool_or_skip, unique_name};

const SOURCE: &str = r#"
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
char _license[] SEC("license") = "GPL";
SEC("struct_ops") __u32 BPF_PROG(ss, struct sock *sk) { return 10; }
SEC("struct_ops") __u32 BPF_PROG(un, struct sock *sk) { return 10; }
SEC("struct_ops") void BPF_PROG(ca, struct sock *sk, __u32 ack, __u32 acked) { }
SEC("tp/sched/sched_switch") int at(void *ctx) { return 0; }
SEC(".struct_ops.link") struct tcp_congestion_ops o = {
	.ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .name = "NAME",
};
"#;

#[test]
fn a_tracepoint_is_attached_and_ends_with_the_algorithm() {
    let what = "attaches a program to a tracepoint";
    if !linux_or_skip(what) || !tool_or_skip("clang-19", what) || !tool_or_skip("unshare", what) {
        return;
    }
    let (bpffs, name) = (Bpffs::new(), unique_name("tp_"));
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("tp.bpf.c");
    std::fs::write(&source, SOURCE.replace("NAME", &name)).unwrap();
    let (source, place) = (source.to_str().unwrap(), bpffs.path().to_str().unwrap());
    // The tracefs is mounted for this command alone.
    let load = |mount: &str, section: &str| {
        let script = format!("{mount}; exec \"$@\"");
        let attach = format!("{section}=auto");
        let words = ["load", source, "--attach", &attach, "--bpffs", place, "--json"];
        let command = [
            &["--mount", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_opswap")],
            &words[..],
        ]
        .concat();
        let output = Command::new("unshare").args(command).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), json)
    };
    let (code, json) = load("mount -t tracefs tracefs /sys/kernel/tracing", "tp/sched/sched_switch");
    let unloaded = run(&["unload", &name, "--bpffs", place]);
    assert_eq!((code, unloaded.code), (Some(0), 0), "{json} {unloaded:?}");
    assert_eq!(json["changes"][0]["attached"][0]["program"], "at", "{json}");
    assert!(unloaded.out.contains("3 pins"), "{unloaded:?}");

    // Without one the way out is said, and nothing is left.
    let (code, json) = load("umount /sys/kernel/tracing 2>/dev/null", "tp/sched/sched_switch");
    assert_eq!(code, Some(1), "{json}");
    assert!(
        json["error"]["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("tracefs")),
        "{json}"
    );
    assert_eq!(run(&["show", &name, "--bpffs", place]).code, 7);
}

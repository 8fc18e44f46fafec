//! `vmlinux.h` of the embedded kernel: its names are Linux's, it compiles with libbpf's headers, and what is compiled with either kernel's header
//! is taken by both.

use btf::{Btf, Def, Kind};
use opswap::{Bpf, Source, Verdict};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// A first program as most begin: libbpf's headers, a map, a packet's length.
const FIRST: &str = r#"
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
char _license[] SEC("license") = "GPL";
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} seen SEC(".maps");
SEC("struct_ops") void BPF_PROG(first_event, struct sock *sk, enum tcp_ca_event event)
{
	__u64 *count = bpf_sk_storage_get(&seen, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (count && event == CA_EVENT_TX_START && sk->__sk_common.skc_state == TCP_ESTABLISHED)
		*count += true;
}
SEC("struct_ops") __u32 BPF_PROG(first_ssthresh, struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD((struct tcp_sock *)sk, is_cwnd_limited) + 10;
}
SEC("struct_ops") __u32 BPF_PROG(first_undo_cwnd, struct sock *sk) { return ((struct tcp_sock *)sk)->prior_cwnd; }
SEC("struct_ops") void BPF_PROG(first_cong_avoid, struct sock *sk, __u32 ack, __u32 acked) { }
SEC("socket") int first_packet(struct __sk_buff *skb) { return skb->len + skb->protocol; }
SEC(".struct_ops.link") struct tcp_congestion_ops first = {
	.ssthresh = (void *)first_ssthresh,
	.undo_cwnd = (void *)first_undo_cwnd,
	.cong_avoid = (void *)first_cong_avoid,
	.cwnd_event = (void *)first_event,
	.name = "hdr_first",
};
"#;

/// Private memory laid out by the types of Linux's own algorithms; DCTCP's by a type of the source, since not every kernel is built with it.
const PRIVATE: &str = r#"
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
char _license[] SEC("license") = "GPL";
struct dctcp___own { __u32 loss_cwnd; struct { __u32 pause_until; } plb; } __attribute__((preserve_access_index));
SEC("struct_ops") __u32 BPF_PROG(private_ssthresh, struct sock *sk)
{
	struct bictcp *ca = (void *)((struct inet_connection_sock *)sk)->icsk_ca_priv;

	ca->cnt = ca->bic_K + ca->found;
	ca->curr_rtt = 3;
	return 10;
}
SEC("struct_ops") __u32 BPF_PROG(private_undo_cwnd, struct sock *sk)
{
	struct bbr *bbr = (void *)((struct inet_connection_sock *)sk)->icsk_ca_priv;

	bbr->bw.s[2].v = bbr->extra_acked[1];
	bbr->full_bw_cnt = bbr->mode;
	return 10;
}
SEC("struct_ops") void BPF_PROG(private_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	struct bictcp *ca = (void *)((struct inet_connection_sock *)sk)->icsk_ca_priv;

	ca->epoch_start = 0;
}
DCTCP
SEC(".struct_ops.link") struct tcp_congestion_ops private = {
	.ssthresh = (void *)private_ssthresh,
	.undo_cwnd = (void *)private_undo_cwnd,
	.cong_avoid = (void *)private_cong_avoid,
	INIT
	.name = "hdr_private",
};
"#;

const DCTCP: &str = r#"
SEC("struct_ops") void BPF_PROG(private_init, struct sock *sk)
{
	struct dctcp___own *ca = (void *)((struct inet_connection_sock *)sk)->icsk_ca_priv;

	ca->loss_cwnd = ca->plb.pause_until;
}
"#;

fn embedded() -> Arc<dyn Bpf> {
    opswap::embedded().expect("a kernel")
}

fn verdict(object: &Path, kernel: &Arc<dyn Bpf>) -> (Verdict, String) {
    let source = Source::find(object.to_str().unwrap()).expect("an object");
    let checked = opswap::check_source(&source, kernel).expect("the kernel can be asked");
    (checked.verdict, format!("{checked:#?}"))
}

/// Names, numbers and chains of types: whatever the embedded kernel has of them is Linux's. Fields of sockets are held to Linux by the tests of crate `tcp`.
#[test]
fn names_are_those_of_linux() {
    if !testkit::linux_or_skip("compares the embedded kernel's types with the running kernel's") {
        return;
    }
    let bytes = std::fs::read("/sys/kernel/btf/vmlinux").expect("the gate has looked for it");
    let linux = Btf::parse(&bytes).expect("the kernel's BTF");
    let ours = embedded().kernel_btf().expect("types");
    let (mut constants, mut typedefs) = (0, 0);
    for ty in ours.types() {
        match ty.def {
            Def::Enum(e) => {
                for value in e.enumerators() {
                    let theirs = linux
                        .types()
                        .filter(|other| other.name == ty.name)
                        .find_map(|other| other.enumeration()?.value_of(value.name));
                    assert_eq!(theirs, Some(value.value), "{}: {}", ty.name, value.name);
                    constants += 1;
                }
            }
            Def::Typedef(of) => {
                let theirs = linux.find(ty.name, Kind::Typedef).and_then(|id| linux.type_by_id(id));
                let Some(Def::Typedef(theirs)) = theirs.map(|ty| ty.def) else {
                    panic!("Linux has no typedef {}", ty.name);
                };
                assert_eq!(ours.type_name(of), linux.type_name(theirs), "{}", ty.name);
                typedefs += 1;
            }
            _ => {}
        }
    }
    assert!(constants > 100 && typedefs > 40, "{constants} {typedefs}");
    // What programs are called with is laid out alike, byte by byte.
    let [here, there] = [&ours, &linux].map(|btf| {
        let id = btf
            .find("__sk_buff", Kind::Struct)
            .expect("the context of socket programs");
        let places = (0..btf.size_of(id).unwrap()).map(|at| btf.describe_offset(id, at));
        places.collect::<Vec<_>>()
    });
    assert_eq!(here, there);
}

/// With the libbpf of the system, by each compiler that is there.
#[test]
fn the_header_compiles_with_libbpf() {
    let libbpf = Path::new("/usr/include/bpf/bpf_helpers.h");
    let found = if libbpf.exists() {
        "true"
    } else {
        "libbpf's headers (package libbpf-dev)"
    };
    if !testkit::tool_or_skip(found, "compiles the embedded kernel's header with libbpf's") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let header = opswap::header(embedded().as_ref()).expect("a header");
    std::fs::write(folder.path().join("vmlinux.h"), header).unwrap();
    let source = folder.path().join("first.bpf.c");
    std::fs::write(
        &source,
        FIRST.replace(
            "#include \"vmlinux.h\"",
            "#include \"vmlinux.h\"\n#define NULL ((void *)0)",
        ),
    )
    .unwrap();
    for clang in ["clang-14", "clang-19"] {
        if !testkit::tool_or_skip(clang, "compiles the embedded kernel's header with libbpf's") {
            continue;
        }
        let object = folder.path().join(format!("{clang}.bpf.o"));
        let mut command = Command::new(clang);
        command.args([
            "-target",
            "bpf",
            "-mcpu=v3",
            "-O2",
            "-g",
            "-Wall",
            "-Werror",
            "-D__TARGET_ARCH_x86",
            "-c",
        ]);
        let output = command.arg(&source).arg("-o").arg(&object).output().unwrap();
        assert!(
            output.status.success(),
            "{clang}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        taken_by_both(&object);
    }
}

fn taken_by_both(object: &Path) {
    let (taken, why) = verdict(object, &embedded());
    assert_eq!(taken, Verdict::Accepted, "{why}");
    if testkit::linux_or_skip("what was compiled with the embedded kernel's header, on Linux") {
        let (taken, why) = verdict(object, &opswap::linux().expect("the gate has looked"));
        assert_eq!(taken, Verdict::Accepted, "{why}");
    }
}

/// The kernel's own selftest programs, compiled with either kernel's header: the embedded kernel says the same of both.
#[test]
fn selftests_compile_with_the_header() {
    let Some(tools) = testkit::kernel_tools_or_skip("compiles selftest programs with the embedded kernel's header")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let kernel = embedded();
    let header = opswap::header(kernel.as_ref()).expect("a header");
    std::fs::write(folder.path().join("vmlinux.h"), header).unwrap();
    for name in [
        "bpf_cubic",
        "bpf_dctcp",
        "bpf_cc_cubic",
        "bpf_dctcp_release",
        "tcp_ca_incompl_cong_ops",
        "tcp_ca_kfunc",
        "tcp_ca_unsupp_cong_op",
        "tcp_ca_update",
        "tcp_ca_write_sk_pacing",
    ] {
        let source = tools.selftests().join("progs").join(format!("{name}.c"));
        let here = tools
            .compile_with(folder.path(), &source, &folder.path().join("objects"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let there = tools.compile(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verdict(&here, &kernel).0, verdict(&there, &kernel).0, "{name}");
    }
}

/// Sources made with a real `vmlinux.h` lay out their memory by the types of Linux's own algorithms.
#[test]
fn types_of_linuxs_algorithms_are_there() {
    let Some(tools) =
        testkit::kernel_tools_or_skip("compiles programs that use struct bictcp and struct bbr of vmlinux.h")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let compiled = |name: &str, text: String| {
        let source = folder.path().join(name);
        std::fs::write(&source, text).unwrap();
        tools
            .compile_with(folder.path(), &source, folder.path())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    taken_by_both(&compiled("private.c", PRIVATE.replace("DCTCP", "").replace("INIT", "")));
    let whole = compiled(
        "whole.c",
        PRIVATE
            .replace("DCTCP", DCTCP)
            .replace("INIT", ".init = (void *)private_init,"),
    );
    let (taken, why) = verdict(&whole, &embedded());
    assert_eq!(taken, Verdict::Accepted, "{why}");
}

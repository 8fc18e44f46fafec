//! The outside judges can be made here.

use testkit::{Selftests, bpftool, linux_or_skip, tool_or_skip};

#[test]
fn bpftool_is_the_newer_one() {
    if !linux_or_skip("bpftool from the kernel source") || !tool_or_skip("make", "bpftool") {
        return;
    }
    let tool = bpftool().unwrap();
    let output = std::process::Command::new(tool).arg("version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("v7.5"), "{text}");
}

#[test]
fn selftests_compile() {
    if !linux_or_skip("selftest objects") || !tool_or_skip("clang-19", "selftest objects") {
        return;
    }
    let selftests = Selftests::prepare().unwrap();
    for name in [
        "bpf_cubic",
        "bpf_dctcp",
        "bpf_cc_cubic",
        "bpf_dctcp_release",
        "bpf_tcp_nogpl",
        "dummy_st_ops_success",
        "dummy_st_ops_fail",
        "tcp_ca_incompl_cong_ops",
        "tcp_ca_kfunc",
        "tcp_ca_unsupp_cong_op",
        "tcp_ca_update",
        "tcp_ca_write_sk_pacing",
    ] {
        let object = selftests.object(name).unwrap();
        assert_eq!(std::fs::read(object).unwrap()[..4], *b"\x7fELF", "{name}");
    }
}

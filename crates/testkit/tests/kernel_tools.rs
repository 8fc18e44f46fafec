//! The outside judges can be made here.

use testkit::kernel_tools_or_skip;

#[test]
fn bpftool_is_the_newer_one() {
    let Some(tools) = kernel_tools_or_skip("bpftool from the kernel's source") else {
        return;
    };
    let output = tools.bpftool().arg("version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("v7.5"), "{text}");
}

#[test]
fn selftests_compile() {
    let Some(tools) = kernel_tools_or_skip("selftest objects") else {
        return;
    };
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
        let object = tools.selftest(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(std::fs::read(object).unwrap()[..4], *b"\x7fELF", "{name}");
    }
}

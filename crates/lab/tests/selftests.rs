//! The kernel's own selftest programs of this family in simulated runs: the same objects that Linux was measured with, and what the embedded kernel
//! says to those that must not or cannot run. They are compiled from Debian's kernel source, so this needs that package and clang.

use lab::{Cast, QueueSize, Run, RunError, Scenario, Source, SourceKind};

fn run(tools: &testkit::KernelTools, name: &str, scenario: &Scenario) -> Result<Run, RunError> {
    let object = tools.selftest(name).unwrap_or_else(|error| panic!("{error}"));
    let bytes = std::fs::read(object).unwrap();
    let source = Source {
        label: name.to_owned(),
        kind: SourceKind::object(bytes),
    };
    lab::run(scenario, &Cast::one(source), &mut |_| {})
}

#[test]
fn selftests_run_as_they_did_on_linux() {
    let Some(tools) = testkit::kernel_tools_or_skip("runs of the kernel's selftest programs") else {
        return;
    };
    let mut marking = Scenario::default();
    marking.path.ecn_at = Some(QueueSize::Bytes(36_000));
    for (name, scenario, goodput, cwnd, srtt) in [
        ("bpf_cubic", Scenario::default(), 96.53, 303.5, 35.91),
        ("bpf_dctcp", marking, 96.48, 192.7, 22.67),
    ] {
        let run = run(&tools, name, &scenario).unwrap_or_else(|error| panic!("{name}: {error}"));
        let flow = &run.result.flows[0];
        for (what, simulated, measured) in [
            ("goodput", flow.goodput_mbps, goodput),
            ("cwnd", flow.cwnd_mean, cwnd),
            ("srtt", flow.srtt_mean_ms, srtt),
        ] {
            eprintln!("{name} {what}: simulated {simulated}, measured {measured}");
            assert!((simulated / measured - 1.0_f64).abs() < 0.03, "{name}: {flow:?}");
        }
    }
}

#[test]
fn selftests_that_cannot_run_are_told_why() {
    let Some(tools) = testkit::kernel_tools_or_skip("refusals of the kernel's selftest programs") else {
        return;
    };
    for (name, needle) in [
        ("bpf_cc_cubic", "kernel has no function `cubictcp_"),
        (
            "bpf_dctcp_release",
            "SO1301: helper bpf_setsockopt#49 cannot be called here",
        ),
        ("bpf_tcp_nogpl", "SO1701"),
        (
            "tcp_ca_incompl_cong_ops",
            "no program for `cong_avoid` or `cong_control`",
        ),
        ("tcp_ca_kfunc", "kernel has no function `"),
        ("tcp_ca_unsupp_cong_op", "SO1702: member get_info"),
    ] {
        match run(&tools, name, &Scenario::default()) {
            Ok(_) => panic!("{name} runs"),
            Err(error) => assert!(error.to_string().contains(needle), "{name}: {error}"),
        }
    }
}

//! The shipped algorithms, verified and run in the embedded kernel over our TCP.

use crate::common::{Connection, Ground, Path};
use tcp::{Config, EcnMode};

const LOSSY: Path = Path {
    lose_every: 211,
    mark_every: 0,
};

/// Reno in BPF and reno in Rust are two implementations of one rule: every segment leaves at the same time.
#[test]
fn reno_in_bpf_is_native_reno() {
    let ground = Ground::new();
    let _attached = ground.attach("reno");
    let run = |name: &str| {
        let mut connection = Connection::new(&ground.clock, &Config::default(), &ground.find(name), LOSSY);
        let trace = connection.transfer(4_000_000);
        (trace, connection.sender.info())
    };
    let (native, native_info) = run("reno");
    let (in_bpf, info) = run("bpf_reno");
    assert!(native.len() > 2700 && info.recoveries > 5, "{info:?}");
    assert_eq!(format!("{info:?}"), format!("{native_info:?}"));
    let differs = native.iter().zip(&in_bpf).position(|(a, b)| a != b);
    assert_eq!((differs, in_bpf.len()), (None, native.len()));
}

#[test]
fn cubic_keeps_seven_tenths() {
    let ground = Ground::new();
    let _attached = ground.attach("cubic");
    let mut connection = Connection::new(&ground.clock, &Config::default(), &ground.find("bpf_cubic"), LOSSY);
    let trace = connection.transfer(3_000_000);
    let info = connection.sender.info();
    assert!(trace.len() > 2000 && info.recoveries > 3, "{info:?}");
    assert_eq!(info.timeouts, 0, "{info:?}");
    let private = connection.sender.tcp_sock().inet_conn.icsk_ca_priv;
    assert_ne!(private, [0; 13], "its own memory is used");
}

#[test]
fn dctcp_answers_marks_and_not_more() {
    let ground = Ground::new();
    let _attached = ground.attach("dctcp");
    let config = Config {
        ecn: EcnMode::On,
        ..Config::default()
    };
    let run = |mark_every| {
        let path = Path {
            lose_every: 0,
            mark_every,
        };
        let mut connection = Connection::new(&ground.clock, &config, &ground.find("bpf_dctcp"), path);
        connection.transfer(1_000_000);
        let cwnd = connection.sender.info().cwnd;
        connection.transfer(1_000_000);
        (cwnd, connection.sender.info())
    };
    let (_, rarely) = run(100);
    let (_, often) = run(5);
    assert!(rarely.ecn && rarely.delivered_ce > 5, "{rarely:?}");
    assert!(often.ecn_reductions > rarely.ecn_reductions, "{often:?} {rarely:?}");
    assert!(often.cwnd < rarely.cwnd, "{often:?} {rarely:?}");
    assert_eq!((often.recoveries, often.timeouts), (0, 0));
}

/// The same bytes, seed and clock: the same run.
#[test]
fn runs_repeat() {
    let run = || {
        let ground = Ground::new();
        let _attached = ground.attach("cubic");
        Connection::new(&ground.clock, &Config::default(), &ground.find("bpf_cubic"), LOSSY).transfer(1_000_000)
    };
    assert_eq!(run(), run());
}

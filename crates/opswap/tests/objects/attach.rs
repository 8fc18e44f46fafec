//! `load --attach`: the other programs of an object run while its algorithm is registered, and end with it.

use crate::source::{clang_or_skip, table};
use opswap::{Class, Host, Settings, Source};
use std::path::{Path, PathBuf};
use testkit::{Bpffs, NetPair, Side, linux_or_skip, tool_or_skip, unique_name};

/// A cgroup of the test's own, gone at its end.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(name: &str) -> Self {
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("a file of every Linux");
        let mut unified = mounts.lines().filter(|line| line.split(' ').nth(2) == Some("cgroup2"));
        let root = unified
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a mounted cgroup2");
        let path = Path::new(root).join(name);
        std::fs::create_dir(&path).expect("a cgroup");
        Self(path)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A directory of a cgroup that nobody is in can always be removed.
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn source(name: &str) -> Source {
    table(
        "beside",
        &format!(
            "SEC(\"cgroup/setsockopt\") int opt(void *ctx) {{ return 1; }}
             SEC(\"raw_tp/sched_switch\") int raw(void *ctx) {{ return 0; }}
             SEC(\"tp_btf/tcp_probe\") int entry(void *ctx) {{ return 0; }}
             SEC(\"tracepoint/tcp/tcp_probe\") int tp(void *ctx) {{ return 0; }}
             SEC(\"xdp\") int x(void *ctx) {{ return 2; }}
             TABLE(o, \"{name}\");"
        ),
    )
}

fn settings(attach: &[&str]) -> Settings {
    Settings {
        attach: attach
            .iter()
            .map(|word| word.parse().expect("SECTION=TARGET"))
            .collect(),
        ..Settings::default()
    }
}

#[test]
fn other_programs_are_attached_and_end_with_the_algorithm() {
    if !clang_or_skip("attaches programs") || !linux_or_skip("attaches programs") {
        return;
    }
    let name = unique_name("at_");
    let (bpffs, cgroup) = (Bpffs::new(), Cgroup::new(&name));
    let host = Host::on_linux(bpffs.path()).expect("this is Linux");
    let kernel = opswap::linux().expect("this is Linux");
    let source = source(&name);
    let at = format!("cgroup/setsockopt={}", cgroup.0.display());
    let loaded = host
        .load(
            &source,
            &settings(&[&at, "raw_tp/sched_switch=auto", "tp_btf/tcp_probe=auto", "xdp=lo"]),
        )
        .unwrap_or_else(|error| panic!("{error}"));
    let attached = &loaded[0].attached;
    let programs: Vec<&str> = attached.iter().map(|one| one.program.as_str()).collect();
    assert_eq!(programs, ["opt", "raw", "entry", "x"]);
    // They are there although every descriptor of the load is closed.
    for one in attached {
        assert!(kernel.link_by_id(one.link_id).is_ok(), "{one:?}");
    }
    assert_eq!(loaded[0].pins.len(), 2 + attached.len());
    let shown = host.show(&name).expect("it is registered");
    assert_eq!(shown[0].pins.len(), loaded[0].pins.len(), "{shown:?}");
    // A swap leaves them alone, and says so.
    let swapped = host
        .swap(&name, &table("next", "TABLE(o, \"next\");"), &Settings::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(swapped.attached_before as usize, attached.len());
    assert!(attached.iter().all(|one| kernel.link_by_id(one.link_id).is_ok()));
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
    testkit::eventually("every link ends", || {
        attached.iter().all(|one| kernel.link_by_id(one.link_id).is_err())
    });
}

#[test]
fn a_target_that_does_not_fit_leaves_nothing() {
    if !clang_or_skip("attaches programs") || !linux_or_skip("attaches programs") {
        return;
    }
    let name = unique_name("at_");
    let bpffs = Bpffs::new();
    let host = Host::on_linux(bpffs.path()).expect("this is Linux");
    let source = source(&name);
    let folder = tempfile::tempdir().expect("a folder");
    let status = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let pipe = format!("cgroup/setsockopt={}", folder.path().join("pipe").display());
    for (word, class) in [
        ("cgroup/setsockopt=auto", Class::Usage),
        ("cgroup/setsockopt=/no/such/cgroup", Class::Failed),
        ("cgroup/getsockopt=/sys/fs/cgroup", Class::Usage),
        ("raw_tp/sched_switch=lo", Class::Usage),
        ("tracepoint/tcp/tcp_probe=lo", Class::Usage),
        ("xdp=no_such_if", Class::Failed),
        ("xdp=../../../lo", Class::Failed),
        (&pipe, Class::Failed),
    ] {
        let error = host.load(&source, &settings(&[word])).expect_err(word);
        assert_eq!(error.class(), class, "{word}: {error}");
        // Maps are freed after a grace period.
        testkit::eventually("the table is freed", || {
            let list = host.list().expect("the kernel answers");
            !list.iter().any(|table| table.name == name)
        });
    }
    assert!("cgroup/setsockopt".parse::<opswap::Attach>().is_err());
}

#[test]
fn an_interface_is_one_of_the_namespace_that_asks() {
    if !clang_or_skip("attaches programs") || !linux_or_skip("attaches programs") || !tool_or_skip("ip", "interfaces") {
        return;
    }
    let name = unique_name("at_");
    let (bpffs, net) = (Bpffs::new(), NetPair::new());
    let host = Host::on_linux(bpffs.path()).expect("this is Linux");
    let device = "veth0";
    let settings = settings(&[&format!("xdp={device}")]);
    // /sys is that of the test's first namespace, where there is no such interface.
    assert!(!Path::new("/sys/class/net").join(device).exists());
    let load = || {
        host.load(&source(&name), &settings)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let loaded = net.inside(Side::Client, load);
    assert_eq!(loaded[0].attached.len(), 1);
    host.unload(&name).unwrap_or_else(|error| panic!("{error}"));
}

//! The Debian packages that the tests need: named here once, installed when root, named to the user when not.

use crate::run::{StepError, step};
use std::process::{Command, Stdio};

/// Package and what the tests use it for.
const PACKAGES: &[(&str, &str)] = &[
    ("clang-19", "compiles the algorithms and the kernel's selftest programs"),
    ("clang-14", "the oldest clang that is promised to work"),
    (
        "clang-15",
        "between the oldest and the newest: every compiler gets one verdict",
    ),
    (
        "clang-16",
        "between the oldest and the newest: every compiler gets one verdict",
    ),
    ("gcc-bpf", "the other compiler for BPF: what is said of its objects"),
    (
        "libbpf-dev",
        "libbpf's own headers, which sources and the headers that we print must go with",
    ),
    (
        "llvm-19",
        "llvm-strip: takes the debug information out of the objects; llvm-objdump: judges our disassembler",
    ),
    (
        "linux-source-6.12",
        "the kernel's own BPF selftests and bpftool, as outside judges",
    ),
    ("bpftool", "prints the running kernel's vmlinux.h"),
    ("libelf-dev", "bpftool from the kernel source is built with it"),
    ("zlib1g-dev", "bpftool from the kernel source is built with it"),
    ("gcc", "bpftool from the kernel source is built with it"),
    ("make", "bpftool from the kernel source is built with it"),
    ("python3", "bpftool's build makes a header with it"),
    ("xz-utils", "unpacks the kernel source"),
    ("iproute2", "network namespaces for real TCP transfers"),
];

/// Installs what is missing; an error if something is missing and we are not root.
pub(crate) fn install() -> Result<(), StepError> {
    let missing: Vec<&(&str, &str)> = PACKAGES.iter().filter(|(name, _)| !installed(name)).collect();
    if missing.is_empty() {
        eprintln!("all Debian packages that the tests need are installed");
        return Ok(());
    }
    eprintln!("Debian packages that the tests need and this machine lacks:");
    for (name, purpose) in &missing {
        eprintln!("  {name:<20} {purpose}");
    }
    if !is_root() {
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        return Err(StepError::Findings(vec![format!(
            "not root: run `sudo apt-get install -y {}` and then this command again, or `cargo xtask test --quick`",
            names.join(" ")
        )]));
    }
    let here = crate::root();
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    step(&here, &["apt-get", "update", "-q"], &quiet)?;
    let mut words = vec!["apt-get", "install", "-y", "-q", "--no-install-recommends"];
    words.extend(missing.iter().map(|(name, _)| *name));
    step(&here, &words, &quiet)
}

fn installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f", "${Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"install ok installed"))
}

/// Whether this process is root; asked of /proc, so that no unsafe code is needed.
pub(crate) fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
    })
}

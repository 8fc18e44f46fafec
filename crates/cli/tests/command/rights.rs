//! With fewer rights and little memory: what still works, and that `doctor` says beforehand what `load` says afterwards.

use crate::common::Ran;
use crate::ground::Ground;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use testkit::{linux_or_skip, tool_or_skip};

/// A copy of the command that everybody may run.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).expect("a folder of ours");
        std::fs::copy(env!("CARGO_BIN_EXE_opswap"), folder.path().join("opswap")).expect("a copy of the command");
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("opswap")
    }

    /// Runs it as nobody with these rights, `+bpf,+perfmon` for instance.
    fn run_with(&self, rights: &str, words: &[&str]) -> Ran {
        let mut command = Command::new("setpriv");
        command.args("--reuid 65534 --regid 65534 --clear-groups".split(' '));
        match rights {
            "" => command.arg("--inh-caps=-all"),
            rights => command.args(["--inh-caps", rights, "--ambient-caps", rights]),
        };
        let output = command.arg(self.path()).args(words).stdin(Stdio::null()).output();
        output.expect("setpriv of util-linux").into()
    }
}

#[test]
fn doctor_says_what_load_will_say() {
    if !linux_or_skip("doctor and load with fewer rights") || !tool_or_skip("setpriv", "fewer rights") {
        return;
    }
    let copy = Copy::new();
    for (rights, mode, code) in [
        ("+bpf,+perfmon", 0o1777, 0),
        ("+bpf,+perfmon", 0o755, 5),
        ("+bpf,+perfmon", 0o700, 5),
        ("+bpf", 0o1777, 5),
        ("", 0o1777, 5),
    ] {
        let ground = Ground::new();
        std::fs::set_permissions(ground.bpffs.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let run = |words: &[&str]| copy.run_with(rights, &ground.words(words));
        let doctor = run(&["doctor"]);
        assert_eq!(doctor.code, code, "{rights} {mode:o}: {doctor:?}");
        assert!(
            code == 0 || doctor.out.contains("fix: "),
            "{rights} {mode:o}: {doctor:?}"
        );
        assert!(!doctor.out.contains("no   embedded"), "{doctor:?}");
        assert!(!doctor.out.contains("`opswap doctor`"), "{doctor:?}");
        for fix in doctor.out.lines().filter_map(|line| line.strip_prefix("fix: ")) {
            let (name, _) = fix.split_once(": ").expect("what it mends, and how");
            let mut lines = doctor.out.lines();
            assert!(
                lines.any(|line| line.starts_with("no ") && line.contains(name)),
                "{doctor:?}"
            );
        }
        let load = run(&["load", "reno", "--as", &ground.name]);
        assert_eq!(load.code, code, "{rights} {mode:o}: {load:?}");
        let again = run(&["load", "reno", "--as", &ground.name]);
        assert_eq!(
            again.code,
            if code == 0 { 6 } else { code },
            "{rights} {mode:o}: {again:?}"
        );
        let unload = run(&["unload", &ground.name]);
        assert_eq!(unload.code, code, "{rights} {mode:o}: {unload:?}");
        ground.gone();

        let check = run(&["check", "reno", "--kernel", "linux"]);
        let may_check = if rights == "+bpf,+perfmon" { 0 } else { 5 };
        assert_eq!(check.code, may_check, "{rights}: {check:?}");
        assert_eq!(run(&["list"]).code, 5, "{rights}: walking ids takes more");
    }
    let ground = Ground::new();
    assert_eq!(ground.run(&["doctor"]).code, 0, "as root");
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("precious"), "").unwrap();
    let full = crate::common::run(&["doctor", "--bpffs", elsewhere.path().to_str().unwrap()]);
    assert!(full.code == 1 && full.out.contains("ENOTEMPTY"), "{full:?}");
}

#[test]
fn too_little_memory_is_said_and_nobody_aborts() {
    if !linux_or_skip("the kernel's types with little memory") {
        return;
    }
    let ground = Ground::new();
    let mut told = 0;
    for kilobytes in (8_000..42_000).step_by(2_000) {
        for verb in ["load reno --as", "doctor"] {
            let name = if verb == "doctor" { "" } else { &ground.name };
            let script = format!("ulimit -v {kilobytes}; exec \"$0\" {verb} {name} --bpffs \"$1\"");
            let output = Command::new("sh")
                .args(["-c", &script, env!("CARGO_BIN_EXE_opswap")])
                .arg(ground.bpffs.path())
                .stdin(Stdio::null())
                .output();
            let ran = Ran::from(output.expect("sh"));
            match ran.code {
                0 => {}
                127 => continue, // not even the C library fits
                1 => {
                    let said = [&ran.out, &ran.err]
                        .iter()
                        .any(|text| text.contains("too little memory"));
                    assert!(said, "{kilobytes} kB: {verb}: {ran:?}");
                    told += 1;
                }
                code => panic!("{kilobytes} kB: {verb}: {code}: {ran:?}"),
            }
        }
        ground.run(&["unload", &ground.name]);
    }
    assert!(told > 0, "some of these are too little");
    ground.gone();
}

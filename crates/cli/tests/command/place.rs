//! The bpffs as a place: one that is mounted in passing is told of, one that would end with the command is not mounted at all.

use crate::common::{Ran, run};
use crate::ground::available;
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::{linux_or_skip, tool_or_skip, unique_name};

/// A directory on which something may be mounted; nothing is at the end.
struct Mountable(tempfile::TempDir);

impl Mountable {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("a path in UTF-8")
    }

    fn is_mounted(&self) -> bool {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("a file of every Linux");
        mounts.contains(&format!(" {} ", self.path()))
    }
}

impl Drop for Mountable {
    fn drop(&mut self) {
        if self.is_mounted() {
            let _nothing_else_can_be_done = Command::new("umount").arg(self.path()).status();
        }
    }
}

/// Runs a script in a mount namespace of its own, with the command as `$0` and the directory as `$1`.
fn apart(script: &str, folder: &Path, name: &str) -> Ran {
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_opswap")])
        .arg(folder)
        .arg(name)
        .stdin(Stdio::null())
        .output();
    output.expect("unshare of util-linux").into()
}

#[test]
fn what_would_end_with_the_command_is_refused() {
    if !linux_or_skip("a mount namespace of the test's own") || !tool_or_skip("unshare", "mount namespaces") {
        return;
    }
    let (place, name) = (Mountable::new(), unique_name("cli_"));
    for words in ["load reno --as \"$2\"", "apply reno --as \"$2\"", "doctor"] {
        let script =
            format!("\"$0\" {words} --bpffs \"$1\"; code=$?; grep -c \" $1 .* bpf \" /proc/self/mountinfo; exit $code");
        let ran = apart(&script, place.0.path(), &name);
        assert_eq!(ran.code, 6, "{words}: {ran:?}");
        assert!(
            [&ran.out, &ran.err]
                .iter()
                .any(|text| text.contains("nsenter --target 1 --mount")),
            "{words}: {ran:?}"
        );
        assert!(ran.out.ends_with("0\n"), "nothing is mounted: {words}: {ran:?}");
    }
    assert!(!available().contains(&name));

    // Somebody who mounts one there wants it so.
    let ran = apart(
        "mount -t bpf bpf \"$1\"; \"$0\" doctor --bpffs \"$1\" && \"$0\" load reno --as \"$2\" --bpffs \"$1\"",
        place.0.path(),
        &name,
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("in this mount namespace only"), "{ran:?}");
    assert!(ran.out.contains("only this mount namespace has it"), "{ran:?}");
    testkit::eventually("it ended with the namespace", || !available().contains(&name));
}

#[test]
fn a_mount_in_passing_is_told_of() {
    if !linux_or_skip("a bpffs that load mounts") {
        return;
    }
    let (place, name) = (Mountable::new(), unique_name("cli_"));
    let here = |words: &[&str]| run(&[words, &["--bpffs", place.path()]].concat());
    let refused = here(&["load", "reno", "--as", "far_too_long_for_a_name"]);
    assert!(refused.code != 0 && !place.is_mounted(), "{refused:?}");
    let first = here(&["load", "reno", "--as", &name]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(place.is_mounted());
    let told = format!("note: a bpffs was mounted at {}", place.path());
    assert!(
        first.err.contains(&told) && !first.err.contains("namespace only"),
        "{first:?}"
    );

    // Forgotten where: the other bpffs is found.
    let elsewhere = Mountable::new();
    for words in [
        &["swap", &name, "cubic"][..],
        &["rollback", &name],
        &["apply", "cubic", "--as", &name],
        &["unload", &name],
    ] {
        let ran = run(&[words, &["--bpffs", elsewhere.path()]].concat());
        let told = format!("--bpffs '{}'", place.path());
        assert!(ran.code == 6 && ran.err.contains(&told), "{words:?}: {ran:?}");
        assert!(!elsewhere.is_mounted(), "{words:?}");
    }
    let listed = run(&["ls", "--bpffs", "/no/such/place"]);
    assert!(listed.err.contains("/no/such/place is no bpffs"), "{listed:?}");

    let swapped = here(&["swap", &name, "cubic"]);
    let told = format!("the object calls it bpf_cubic; a swap keeps the name {name}");
    assert!(swapped.code == 0 && swapped.err.contains(&told), "{swapped:?}");

    let gone = here(&["unload", &name]);
    assert_eq!(gone.code, 0, "{gone:?}");
    let again = here(&["load", "reno", "--as", &name]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(!again.err.contains("was mounted"), "{again:?}");
    assert_eq!(here(&["unload", &name]).code, 0);
}

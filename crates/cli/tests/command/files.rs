//! What may stand where an object or a source is expected, and what may not: never a hang, never a lost file, and the right exit code on every verb.

use crate::common::{Ran, json, opswap, run, shipped};
use std::path::Path;

/// A folder of files to try.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = Folder::new();
    let directory = folder.path("d.bpf.c");
    std::fs::create_dir(&directory).unwrap();
    let pipe = folder.path("pipe.bpf.o");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let large = folder.write("large.bpf.c", "");
    std::fs::File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(3 << 30)
        .unwrap();
    for (path, named) in [(&directory, "a directory"), (&pipe, "a pipe"), (&large, "bytes")] {
        for verb in ["check", "try", "compare", "load"] {
            let ran = run(&[verb, path]);
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.err.contains(named) && ran.err.contains(path.as_str()), "{ran:?}");
        }
    }
}

#[test]
fn a_build_never_writes_over_its_source() {
    let folder = Folder::new();
    let source = folder.write("x.bpf.c", "int x;");
    for object in [source.clone(), folder.path("./x.bpf.c")] {
        let ran = run(&["build", &source, "-o", &object]);
        assert!(ran.code == 2 && ran.err.contains("is the source"), "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(&source).unwrap(), "int x;");
}

#[test]
fn without_clang_it_says_what_helps() {
    let folder = Folder::new();
    let source = folder.write("x.bpf.c", "int x;");
    for words in [["build", &source], ["check", &source], ["try", &source]] {
        let ran: Ran = opswap(&words)
            .env("OPSWAP_CLANG", "/nonexistent")
            .output()
            .unwrap()
            .into();
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("/nonexistent") && ran.err.contains("apt-get install clang"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_rejection_in_a_run_is_a_rejection() {
    let folder = Folder::new();
    // An object that holds no table, made from a shipped one by giving its section another name.
    let mut bytes = std::fs::read(shipped("reno")).unwrap();
    let name = b".struct_ops.link";
    let places: Vec<usize> = (0..bytes.len() - name.len())
        .filter(|at| &bytes[*at..*at + name.len()] == name)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + name.len()].copy_from_slice(b".ztruct_ops.link");
    }
    let path = folder.write("none.bpf.o", bytes);
    for verb in ["check", "try", "compare"] {
        let (code, value) = json(&[verb, &path]);
        assert_eq!(code, 3, "{verb}: {value}");
    }
}

#[test]
fn files_of_the_same_name_are_told_apart() {
    let folder = Folder::new();
    let bytes = std::fs::read(shipped("reno")).unwrap();
    let (one, two) = (
        folder.write("a/my cc.bpf.o", &bytes),
        folder.write("b/my cc.bpf.o", &bytes),
    );
    let (code, value) = json(&["compare", &one, &two, "--duration", "1s"]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(
        (&value["runs"][0]["cc"], &value["runs"][1]["cc"]),
        (&one.into(), &two.into())
    );
}

#[test]
fn short_slow_and_near_runs_need_no_other_flags() {
    for words in [
        &["--duration", "20ms", "--rate", "100gbit"][..],
        &["--duration", "5s"],
        &["--duration", "5s", "--rtt", "0ms"],
        &["--duration", "5s", "--rate", "1kbit"],
    ] {
        let (code, value) = json(&[&["compare", "reno"], words].concat());
        assert_eq!(code, 0, "{words:?}: {value}");
    }
}

#[test]
fn marks_that_never_come_are_told() {
    let words = ["compare", "dctcp", "--duration", "1s", "--queue", "100p", "--ecn-at"];
    let never = run(&[&words[..], &["100p"]].concat());
    assert!(
        never.code == 0 && never.err.contains("nothing will be marked"),
        "{never:?}"
    );
    let sometimes = run(&[&words[..], &["20p"]].concat());
    assert!(sometimes.code == 0 && sometimes.err.is_empty(), "{sometimes:?}");
}

#[test]
fn every_file_gets_its_entry_whatever_becomes_of_the_others() {
    let folder = Folder::new();
    let text = folder.write("text.bpf.o", "no object");
    let source = folder.write("broken.bpf.c", "int x");
    let lacking = folder.path("no_such.bpf.o");
    let words = ["check", "reno", &text, &lacking, &source, "cubic"];
    let (code, value) = json(&words);
    let verdicts: Vec<&str> = (0..5)
        .map(|at| value["objects"][at]["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["accepted", "rejected", "unchecked", "unchecked", "accepted"],
        "{value}"
    );
    // The first of those without a verdict gives the exit code: nobody knows whether they are good.
    assert_eq!((code, &value["error"]["exit"]), (7, &7.into()), "{value}");
    let said: Vec<&str> = (1..4)
        .map(|at| value["objects"][at]["error"]["code"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["object", "file", "clang"], "{value}");
    let ran = run(&words);
    assert_eq!(ran.code, 7);
    let ends: Vec<&str> = ran.out.lines().filter(|line| line.ends_with("not checked")).collect();
    assert_eq!(
        ends,
        [format!("{lacking}: not checked"), format!("{source}: not checked")],
        "{ran:?}"
    );
    assert!(ran.err.contains(&lacking), "{ran:?}");
    let (code, value) = json(&["check", "reno", &text]);
    assert_eq!(code, 3, "{value}");
    assert!(value.get("error").is_none(), "{value}");
}

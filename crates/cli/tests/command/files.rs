//! What may stand where an object or a source is expected, and what may not: never a hang, never a lost file, and the right exit code on every verb.

use crate::common::{Ran, json, opswap, run, shipped};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Command, Stdio};

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
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let large = folder.write("large.bpf.c", "");
    std::fs::File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(3 << 30)
        .unwrap();
    // As root, the first waits until the kernel says something, and the second has more bytes than there is memory.
    let (log, pages) = ("/proc/kmsg".to_owned(), "/proc/self/pagemap".to_owned());
    let link = folder.path("link.bpf.c");
    std::os::unix::fs::symlink(&log, &link).unwrap();
    for (path, named) in [
        (&directory, "a directory"),
        (&pipe, "a pipe"),
        (&large, "bytes"),
        (&log, "while it is read"),
        (&pages, "while it is read"),
        (&link, "while it is read"),
    ] {
        for verb in ["check", "try", "compare", "load"] {
            let ran = run(&[verb, path]);
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.err.contains(named) && ran.err.contains(path.as_str()), "{ran:?}");
        }
    }
}

#[test]
fn names_that_are_no_text_are_names() {
    let folder = Folder::new();
    let named = |ending: &[u8]| {
        let name = [folder.path("").as_bytes(), b"\xff cc", ending].concat();
        OsString::from_vec(name)
    };
    let (object, source, built) = (named(b".bpf.o"), named(b".bpf.c"), named(b"-built.bpf.o"));
    std::fs::copy(shipped("reno"), &object).unwrap();
    std::fs::write(&source, include_str!("../../../../algorithms/reno.bpf.c")).unwrap();
    let swap = [b"1s=".as_slice(), object.as_encoded_bytes()].concat();
    let swap = OsString::from_vec(swap);
    let one = |word: &str| OsString::from(word);
    let mut all = vec![
        vec![one("check"), object.clone()],
        vec![one("compare"), object.clone(), one("--duration"), one("1s")],
        vec![
            one("try"),
            object.clone(),
            one("--duration"),
            one("2s"),
            one("--swap"),
            swap,
        ],
    ];
    if opswap::find_clang().is_ok() {
        all.push(vec![one("build"), source.clone(), one("-o"), built.clone()]);
        all.push(vec![one("check"), source, built]);
    }
    for words in all {
        for json in [false, true] {
            let mut command = opswap(if json { &["--json"] } else { &[] });
            let ran: Ran = command.args(&words).output().unwrap().into();
            assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
        }
    }
    let check: Ran = opswap(&["--json", "check"]).arg(&object).output().unwrap().into();
    let value: serde_json::Value = serde_json::from_str(&check.out).unwrap();
    let exact: String = object
        .as_encoded_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(value["objects"][0]["file_bytes"], exact, "{value}");
}

/// Runs with something on standard input.
fn fed(words: &[&str], input: &[u8]) -> std::process::Output {
    let mut command: Command = opswap(words);
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A command that needs no input may have ended before it is written.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

#[test]
fn a_dash_is_standard_input_and_output() {
    let object = std::fs::read(shipped("reno")).unwrap();
    let checked = fed(&["check", "-"], &object);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let empty: Ran = fed(&["check", "-"], b"").into();
    assert!(
        empty.code == 1 && empty.err.contains("standard input is empty"),
        "{empty:?}"
    );
    if opswap::find_clang().is_err() {
        return eprintln!("NOT CHECKED: sources on standard input, because there is no clang");
    }
    let source = include_bytes!("../../../../algorithms/reno.bpf.c");
    let checked = fed(&["check", "-"], source);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    for words in [&["build", "-"][..], &["build", "-", "-o", "-", "--", "-O1"]] {
        let built = fed(words, source);
        assert!(
            built.status.success() && built.stdout.starts_with(b"\x7fELF"),
            "{words:?}: {built:?}"
        );
        assert_eq!(fed(&["check", "-"], &built.stdout).status.code(), Some(0));
    }
    let refused: Ran = fed(&["check", "-"], b"int x").into();
    assert!(
        refused.code == 3 && refused.err.contains("<stdin>:1:6: error"),
        "{refused:?}"
    );
    let both: Ran = fed(&["build", "-", "--json"], source).into();
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn too_little_memory_for_a_file_is_said() {
    let folder = Folder::new();
    let large = folder.write("large.bpf.o", "");
    let file = std::fs::File::options().write(true).open(&large).unwrap();
    file.set_len(200_000_000).unwrap();
    let whole = opswap(&["check", &large]);
    let ran: Ran = Command::new("sh")
        .args(["-c", "ulimit -v 100000 && exec \"$0\" \"$@\""])
        .arg(whole.get_program())
        .args(whole.get_args())
        .output()
        .unwrap()
        .into();
    assert!(
        ran.code == 1 && ran.err.contains("not enough memory to read its 200000000"),
        "{ran:?}"
    );
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
        (&format!("bpf_reno ({one})").into(), &format!("bpf_reno ({two})").into())
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
        ["accepted", "rejected", "unchecked", "rejected", "accepted"],
        "{value}"
    );
    // The one without a verdict gives the exit code: nobody knows whether it is good. What clang refuses is judged.
    assert_eq!((code, &value["error"]["exit"]), (7, &7.into()), "{value}");
    let said: Vec<&str> = (1..4)
        .map(|at| value["objects"][at]["error"]["code"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["object", "file", "clang"], "{value}");
    let ran = run(&words);
    assert_eq!(ran.code, 7);
    let lines: Vec<&str> = ran.out.lines().collect();
    for line in [format!("{lacking}: not checked"), format!("{source}: rejected")] {
        assert!(lines.contains(&line.as_str()), "{ran:?}");
    }
    assert!(
        ran.err.contains(&lacking) && ran.err.contains("broken.bpf.c:1:6: error"),
        "{ran:?}"
    );
    let (code, value) = json(&["check", "reno", &text]);
    assert_eq!(code, 3, "{value}");
    assert!(value.get("error").is_none(), "{value}");
}

//! Bytes that a terminal obeys, put wherever a stranger could put them: the names, lines and sections of an object, file names, arguments, the environment,
//! folders of a bpffs. Whatever the command makes of them, none of those bytes leaves it, and no name makes a line of its own.

use crate::common::{json, opswap, shipped};
use crate::ground::Ground;
use crate::patch::Strings;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use testkit::linux_or_skip;

/// A window's title, hidden text (a colour, as ours are), a C1 control sequence, a turn of the reading direction, a carriage return, a line of its own, bytes
/// that are no UTF-8, a letter that nobody sees. The shortest first: names are short.
const HOSTILE: [&[u8]; 8] = [
    b"\x1b]0;P\x07",
    b"\x1b[8m",
    b"\xc2\x9b2J",
    b"\xe2\x80\xaeX",
    b"\rFORGED",
    b"\nFORGED",
    b"\x9b\xff\x07",
    b"\xf3\xa0\x81\x81\xe2\x80\xa8FORGED",
];

/// Runs the command and looks at its bytes. Returns its exit code.
fn looked_at(words: &[&OsStr], variables: &[(&str, &OsStr)]) -> i32 {
    let mut code = -1;
    for more in [&["--color", "always"][..], &["--json"]] {
        let mut command = opswap(&[]);
        command.args(words).args(more).envs(variables.iter().copied());
        let ran = command.output().expect("the command starts");
        code = ran.status.code().unwrap_or(-1);
        assert_ne!(code, 101, "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
        for bytes in [&ran.stdout, &ran.stderr] {
            let context = || {
                format!(
                    "{words:?} {variables:?} {more:?}: {}",
                    String::from_utf8_lossy(bytes).escape_debug()
                )
            };
            let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{}", context()));
            let bare = if more.contains(&"always") {
                without_our_colours(text)
            } else {
                text.to_owned()
            };
            let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || is_turned(c);
            assert!(!bare.contains(obeyed), "{}", context());
            assert!(
                !bare.lines().any(|line| line.trim_start().starts_with("FORGED")),
                "{}",
                context()
            );
        }
    }
    code
}

fn is_turned(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

/// Colours are `ESC [ numbers m`; none of ours hides text (8).
fn without_our_colours(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        let end = after
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(after.len());
        let (numbers, tail) = after.split_at(end);
        assert!(tail.starts_with('m') && numbers != "8", "{}", text.escape_debug());
        rest = &tail[1..];
    }
    bare + rest
}

fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    words.iter().map(|word| OsStr::new(*word)).collect()
}

/// The shipped Reno, and one whose first instruction reads a register that nobody set.
fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let good = std::fs::read(shipped("reno")).unwrap();
    let mut bad = good.clone();
    let program = crate::patch::section(&bad, "struct_ops/reno_cong_avoid").start;
    bad[program..program + 8].copy_from_slice(&[0x79, 0x90, 0, 0, 0, 0, 0, 0]); // r0 = *(u64 *)(r9 + 0)
    vec![("good", good), ("bad", bad)]
}

/// Every string of every table of the object, one after the other, and all lines of source at once.
fn patched() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (which, object) in objects() {
        for (number, place) in Strings::of(&object).enumerate() {
            let hostile = HOSTILE.iter().cycle().skip(number).take(HOSTILE.len());
            // The longest that fits, from another one each time.
            let Some(bytes) = hostile.into_iter().find(|bytes| bytes.len() <= place.len()) else {
                continue;
            };
            let mut object = object.clone();
            crate::patch::overwrite(&mut object[place.clone()], bytes);
            all.push((format!("{which} {number}"), object));
        }
        for bytes in HOSTILE {
            let mut object = object.clone();
            for place in Strings::of(&object.clone()) {
                let is_source = object[place.clone()]
                    .iter()
                    .any(|byte| matches!(byte, b' ' | b'/' | b'\t'));
                if is_source && place.len() >= bytes.len() {
                    crate::patch::overwrite(&mut object[place], bytes);
                }
            }
            all.push((format!("{which} sources"), object));
        }
    }
    all
}

#[test]
fn in_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let linux = linux_or_skip("hostile objects in Linux's own words");
    let page = folder.path().join("page.html");
    let mut refused = 0;
    for (number, (what, object)) in patched().into_iter().enumerate() {
        let file = folder.path().join("x.bpf.o");
        std::fs::write(&file, object).unwrap();
        let file = file.to_str().unwrap();
        let code = looked_at(&words(&["check", "--log", file]), &[]);
        assert!((0..=4).contains(&code), "{what}");
        refused += usize::from(code != 0);
        if linux && number % 3 == 0 {
            looked_at(&words(&["check", "--log", file, "--kernel", "linux"]), &[]);
        }
        // Running takes longer than checking.
        if code == 0 || number % 8 == 0 {
            looked_at(
                &words(&["try", file, "--duration", "20ms", "--report", page.to_str().unwrap()]),
                &[],
            );
            looked_at(&words(&["compare", file, "--duration", "20ms"]), &[]);
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn in_an_object_that_linux_is_to_keep() {
    if !linux_or_skip("loads and swaps in hostile objects") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.bpf.o");
    let path = file.to_str().unwrap();
    for (number, (_, object)) in patched().into_iter().enumerate().filter(|(number, _)| number % 12 == 0) {
        std::fs::write(&file, object).unwrap();
        let ground = Ground::new();
        if number % 24 == 0 {
            ground.load("reno");
            looked_at(&words(&ground.words(&["swap", &ground.name, path])), &[]);
        } else {
            looked_at(&words(&ground.words(&["load", path, "--as", &ground.name])), &[]);
        }
        looked_at(&words(&ground.words(&["list"])), &[]);
        looked_at(&words(&ground.words(&["show", &ground.name])), &[]);
        looked_at(&words(&ground.words(&["rollback", &ground.name])), &[]);
        looked_at(&words(&ground.words(&["unload", &ground.name])), &[]);
    }
}

#[test]
fn in_the_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for hostile in HOSTILE {
        let named = |ending: &str| {
            let name = [&b"x"[..], hostile, ending.as_bytes()].concat();
            folder.path().join(OsString::from_vec(name))
        };
        let (object, damaged, source) = (named(".bpf.o"), named(".o"), named(".bpf.c"));
        let reno = std::fs::read(shipped("reno")).unwrap();
        std::fs::write(&object, &reno).unwrap();
        std::fs::write(&damaged, &reno[..100]).unwrap();
        std::fs::write(&source, [b"int x // ", hostile, b"\n;#error ", hostile, b"\n"].concat()).unwrap();
        for file in [&object, &damaged, &source, &named(".no_such_file")] {
            let file = file.as_os_str();
            for verb in [
                &["check"][..],
                &["build"],
                &["try", "--duration", "20ms"],
                &["compare", "reno", "--duration", "20ms"],
                &["load", "--as", "no spaces"],
            ] {
                let mut words = words(verb);
                words.push(file);
                looked_at(&words, &[]);
            }
            let swap = [OsStr::new("10ms=").as_bytes(), file.as_bytes()].concat();
            let mut swapping = words(&["try", "reno", "--duration", "20ms", "--swap"]);
            swapping.push(OsStr::from_bytes(&swap));
            looked_at(&swapping, &[]);
            let mut report = words(&["try", "reno", "--duration", "20ms", "--report"]);
            report.push(file);
            looked_at(&report, &[]);
            std::fs::write(&object, &reno).unwrap(); // the report may have taken its place
        }
    }
}

#[test]
fn in_an_argument_of_every_verb() {
    let ground = linux_or_skip("hostile names in Linux's answers").then(Ground::new);
    for hostile in HOSTILE {
        let hostile = OsStr::from_bytes(hostile);
        for verb in [
            &["kinds"][..],
            &["kinds", "--kernel", "embedded"],
            &["header"],
            &["build"],
            &["check"],
            &["try"],
            &["compare"],
            &["load"],
            &["list"],
            &["show"],
            &["swap"],
            &["swap", "x"],
            &["rollback"],
            &["unload"],
            &["explain"],
            &["doctor"],
            &["completions"],
            &["man"],
            &[],
            &["help"],
            &["load", "reno", "--as"],
            &["load", "reno", "--set"],
            &["try", "reno", "--rate"],
            &["try", "reno", "--queue"],
            &["try", "reno", "--swap"],
            &["check", "reno", "--kernel"],
            &["list", "--color"],
            &["list", "--bpffs"],
            &["show", "x", "--bpffs"],
        ] {
            let mut words = words(verb);
            words.push(hostile);
            looked_at(&words, &[]);
        }
        for field in ["name=", "flags=", "cong_avoid="] {
            let value = [field.as_bytes(), hostile.as_bytes()].concat();
            let mut load = words(&["load", "reno", "--as", "no spaces", "--set"]);
            load.push(OsStr::from_bytes(&value));
            looked_at(&load, &[]);
        }
        for (variable, verb) in [
            ("OPSWAP_BPFFS", &["list"][..]),
            ("OPSWAP_BPFFS", &["show", "x"]),
            ("OPSWAP_BPFFS", &["doctor"]),
            (
                "OPSWAP_CLANG",
                &["build", "../../algorithms/reno.bpf.c", "-o", "/nonexistent/o"],
            ),
            ("COLUMNS", &["explain"]),
            ("NO_COLOR", &["explain"]),
            ("TMPDIR", &["check", "../../algorithms/reno.bpf.c"]),
            ("OPSWAP_BPFFS", &["--help"]),
        ] {
            looked_at(&words(verb), &[(variable, hostile)]);
        }
    }
    drop(ground);
}

#[test]
fn in_a_bpffs() {
    if !linux_or_skip("folders of hostile names in a bpffs") {
        return;
    }
    for hostile in HOSTILE {
        let ground = Ground::new();
        ground.load("reno");
        let top = ground.bpffs.path().join("opswap");
        let foreign = OsStr::from_bytes(hostile);
        for folder in [
            top.join(foreign),
            top.join("tcp_congestion_ops").join(foreign),
            top.join("tcp_congestion_ops").join(&ground.name).join(foreign),
        ] {
            std::fs::create_dir(&folder).unwrap();
        }
        std::os::unix::fs::symlink(
            Path::new(foreign),
            top.join(OsString::from_vec([b"l", hostile].concat())),
        )
        .unwrap();
        for verb in [
            &["list"][..],
            &["doctor"],
            &["show", &ground.name],
            &["swap", &ground.name, "reno"],
            &["rollback", &ground.name],
            &["unload", &ground.name],
        ] {
            looked_at(&words(&ground.words(verb)), &[]);
        }
    }
}

#[test]
fn json_still_says_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a\u{1b}]0;P\u{7}\u{9b}\u{202e}.bpf.o");
    std::fs::copy(shipped("reno"), &file).unwrap();
    let (code, value) = json(&["check", file.to_str().unwrap()]);
    assert_eq!(
        (code, &value["objects"][0]["file"]),
        (0, &file.to_str().unwrap().into())
    );
}

//! `new`: each template builds, is accepted by both kernels as written, and does in `try` what it is for.

use crate::common::{Ran, json, opswap};
use std::path::Path;

/// Runs the command in a folder, with the compiler that is given.
fn run_in(folder: &Path, clang: &str, words: &[&str]) -> Ran {
    let mut command = opswap(words);
    command.current_dir(folder).env("OPSWAP_CLANG", clang);
    command.output().expect("the command starts").into()
}

/// A run's goodput in Mbit/s, its mean queue in packets and its packets lost.
fn figures(object: &str, words: &[&str]) -> (f64, f64, f64) {
    let (code, value) = json(&[&["try", object], words].concat());
    assert_eq!(code, 0, "{value}");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let run = &value["run"];
    let flows = run["flows"].as_array().expect("a list");
    let goodput = flows.iter().map(|flow| number(&flow["goodput_mbps"])).sum();
    (
        goodput,
        number(&run["link"]["queue_mean_pkts"]),
        number(&run["link"]["drops"]),
    )
}

#[test]
fn every_template_is_complete() {
    let linux = testkit::linux_or_skip("checks the templates of `new` on the running kernel");
    for clang in ["clang-14", "clang-19"] {
        if !testkit::tool_or_skip(clang, "compiles the templates of `new`") {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        for like in ["aimd", "vegas", "bbr"] {
            let name = format!("cc_{like}");
            let source = format!("{name}.bpf.c");
            let made = run_in(folder.path(), clang, &["new", &name, "--like", like]);
            assert!(made.code == 0 && made.err.is_empty(), "{made:?}");
            assert!(made.out.contains(&format!("opswap check {source}")), "{made:?}");
            let built = run_in(folder.path(), clang, &["build", &source]);
            assert!(built.code == 0 && built.err.is_empty(), "no warnings: {built:?}");
            let object = folder.path().join(format!("{name}.bpf.o"));
            let object = object.to_str().unwrap();
            for kernel in &["embedded", "linux"][..1 + usize::from(linux)] {
                let (code, value) = json(&["check", object, "--kernel", kernel]);
                let checked = &value["objects"][0];
                assert_eq!(code, 0, "{value}");
                assert_eq!(checked["ops"][0]["name"], name, "{value}");
                assert_eq!(checked["programs"].as_array().map(Vec::len), Some(11), "{value}");
                assert_eq!(checked["notes"].as_array().map(Vec::len), Some(0), "{value}");
            }
            // 100 Mbit/s, of which 96.5 are payload; 20 ms, which are 167 packets; a queue of 167 packets.
            let (goodput, queue, drops) = figures(object, &[]);
            match like {
                "aimd" => assert!(
                    goodput > 95.0 && (40.0..120.0).contains(&queue) && drops > 0.0,
                    "{goodput} {queue} {drops}"
                ),
                "vegas" => assert!(
                    goodput > 95.0 && queue < 12.0 && drops == 0.0,
                    "{goodput} {queue} {drops}"
                ),
                _ => assert!(
                    goodput > 94.0 && queue < 20.0 && drops == 0.0,
                    "{goodput} {queue} {drops}"
                ),
            }
            // A loss in a hundred packets stops all but the one that is deaf to it; three share the link.
            let (goodput, _, _) = figures(object, &["--loss", "1%"]);
            assert_eq!(goodput > 80.0, like == "bbr", "{like}: {goodput}");
            let (goodput, _, _) = figures(object, &["--flows", "3"]);
            assert!(goodput > 90.0, "{like}: {goodput}");
        }
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str| run_in(folder.path(), "/nonexistent", &["new", name]);
    let first = run_in(folder.path(), "/nonexistent", &["new", "one", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&first.out).expect("JSON");
    let expected = serde_json::json!({
        "schema": 1, "verb": "new", "notes": [], "source": "one.bpf.c", "header": "opswap_tcp.h", "like": "aimd"
    });
    assert_eq!((first.code, value), (0, expected));
    std::fs::write(folder.path().join("one.bpf.c"), "mine").unwrap();
    let again = new("one");
    assert!(again.code == 6 && again.err.contains("one.bpf.c"), "{again:?}");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("one.bpf.c")).unwrap(),
        "mine"
    );
    assert_eq!(new("two").code, 0, "the same header may be there");
    std::fs::write(folder.path().join("opswap_tcp.h"), "mine").unwrap();
    let other = new("three");
    assert!(other.code == 6 && other.err.contains("opswap_tcp.h"), "{other:?}");
    assert!(!folder.path().join("three.bpf.c").exists(), "nothing is left half done");
    let header = std::fs::read_to_string(folder.path().join("opswap_tcp.h")).unwrap();
    assert_eq!(header, "mine");
}

#[test]
fn names_that_will_not_do_are_usage() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "a b", "1st", "../x", "sixteen__letters", "bbr", "cubic"] {
        let ran = run_in(folder.path(), "/nonexistent", &["new", "--", name]);
        assert!(
            ran.code == 2 && ran.err.contains("cannot be the name"),
            "{name}: {ran:?}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

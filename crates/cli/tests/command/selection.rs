//! One ops structure of an object that has several: `FILE:NAME` and `--ops NAME`, wherever a file is taken.

use crate::common::{json, run};
use crate::ground::Ground;
use std::path::{Path, PathBuf};
use testkit::linux_or_skip;

/// The object of the loader's tests with two tables, `first` and `second`, and a third that is not asked for.
fn several() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loader/tests/data/plans/several.bpf.o");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn with_colon(folder: &Path) -> PathBuf {
    let path = folder.join("a:first");
    std::fs::copy(several(), &path).expect("a copy");
    path
}

#[test]
fn check_looks_at_the_chosen_one() {
    let file = several();
    let chosen = |words: &[&str]| {
        let (code, value) = json(&[&["check"], words].concat());
        let names = |list: &str, name: &str| -> Vec<String> {
            let parts = value["objects"][0][list].as_array().expect("a list");
            parts.iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
        };
        (code, names("ops", "map"))
    };
    let (_, all) = chosen(&[&file]);
    assert!(all.len() > 1, "{all:?}");
    for map in &all {
        assert_eq!(chosen(&[&format!("{file}:{map}")]).1, [map.as_str()]);
        assert_eq!(chosen(&[&file, "--ops", map]).1, [map.as_str()]);
        assert_eq!(chosen(&[&format!("{file}:{map}"), "--ops", map]).1, [map.as_str()]);
    }
}

#[test]
fn a_run_takes_the_chosen_one_and_asks_when_there_are_several() {
    let file = two();
    for verb in ["try", "compare"] {
        let (code, value) = json(&[verb, &file.object]);
        let message = value["error"]["message"].as_str().unwrap_or_default();
        assert!(
            code == 2 && message.contains("two_f") && message.contains("two_g"),
            "{value}"
        );
        assert!(
            value["error"]["hint"]
                .as_str()
                .is_some_and(|hint| hint.contains("--ops")),
            "{value}"
        );
        for words in [&["--ops", "f"][..], &["--ops", "two_g"]] {
            let (code, value) = json(&[&[verb, &file.object, "--duration", "1s"], words].concat());
            assert_eq!(code, 0, "{value}");
        }
        let (code, value) = json(&[verb, &file.object, "--ops", "nobody"]);
        let message = value["error"]["message"].as_str().unwrap_or_default();
        assert!(
            code == 7 && message.contains("nobody") && message.contains("f, g"),
            "{value}"
        );
    }
    let (f, g) = (format!("{}:f", file.object), format!("{}:two_g", file.object));
    let (code, value) = json(&["compare", &f, &g, "--duration", "1s"]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(
        (&value["runs"][0]["cc"], &value["runs"][1]["cc"]),
        (&"two_f".into(), &"two_g".into())
    );
    let (code, value) = json(&["try", "reno", "--swap", &format!("500ms={g}"), "--duration", "1s"]);
    assert_eq!(code, 0, "{value}");
}

#[test]
fn a_file_with_a_colon_in_its_name_is_that_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = with_colon(folder.path());
    let path = path.to_str().expect("a path in UTF-8");
    assert_ne!(run(&["check", path]).code, 2);
    assert_ne!(run(&["check", &format!("{path}:first")]).code, 2);
    assert_eq!(run(&["check", &format!("{path}:nobody")]).code, 7);
    assert_eq!(
        run(&["check", &format!("{path}2:first")]).code,
        7,
        "there is no such file"
    );
}

#[test]
fn load_and_swap_take_the_chosen_one() {
    if !linux_or_skip("loads one of two structures") {
        return;
    }
    let ground = Ground::new();
    let name = ground.name.as_str();
    let file = two();
    let loaded = ground.json(&["load", &format!("{}:g", file.object), "--as", name]);
    assert_eq!(loaded["changes"].as_array().map(Vec::len), Some(1), "{loaded}");
    let (code, value) = json(&ground.words(&["swap", name, &file.object]));
    let message = value["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 2 && message.ends_with(": f, g"), "{value}");
    ground.json(&["swap", name, &file.object, "--ops", "f"]);
    ground.json(&["swap", name, &format!("{}:two_g", file.object)]);
    assert_eq!(
        json(&ground.words(&["swap", name, &format!("{}:nobody", file.object)])).0,
        7
    );
    ground.json(&["unload", name]);
    ground.gone();
}

/// An object with two tables that every kernel takes: variables `f` and `g`, algorithms `two_f` and `two_g`.
struct Two {
    object: String,
    _folder: tempfile::TempDir,
}

fn two() -> Two {
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("two.bpf.c");
    std::fs::write(&source, TWO).expect("a file of ours");
    let source = source.to_str().expect("a path in UTF-8");
    let ran = run(&["build", source]);
    assert_eq!(ran.code, 0, "{ran:?}");
    Two {
        object: source.replace(".bpf.c", ".bpf.o"),
        _folder: folder,
    }
}

const TWO: &str = r#"
#define SEC(name) __attribute__((section(name), used))
struct sock { int unused; };
struct tcp_congestion_ops {
    unsigned int (*ssthresh)(struct sock *sk);
    void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
    unsigned int (*undo_cwnd)(struct sock *sk);
    char name[16];
};
char _license[] SEC("license") = "GPL";
SEC("struct_ops") unsigned int ss(unsigned long long *ctx) { return 10; }
SEC("struct_ops") unsigned int un(unsigned long long *ctx) { return 10; }
SEC("struct_ops") void ca(unsigned long long *ctx) { }
SEC(".struct_ops.link") struct tcp_congestion_ops f = {
    .ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .name = "two_f" };
SEC(".struct_ops.link") struct tcp_congestion_ops g = {
    .ssthresh = (void *)ss, .undo_cwnd = (void *)un, .cong_avoid = (void *)ca, .name = "two_g" };
"#;

#[test]
fn what_cannot_be_chosen_is_told() {
    let file = several();
    for (words, code, said) in [
        (
            vec![
                "check".to_owned(),
                format!("{file}:first"),
                "--ops".to_owned(),
                "second".to_owned(),
            ],
            2,
            "choose different ops structures",
        ),
        (
            vec!["check".to_owned(), format!("{file}:nobody")],
            7,
            "it has: first, second",
        ),
        (
            vec!["check".to_owned(), format!("{file}:firts")],
            7,
            "did you mean `first`?",
        ),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = run(&words);
        assert!(ran.code == code && ran.err.contains(said), "{ran:?}");
    }
    if !linux_or_skip("a name for one of several ops structures") {
        return;
    }
    let ground = Ground::new();
    let ran = ground.run(&["load", &file, "--as", &ground.name]);
    assert!(ran.code == 2 && ran.err.contains("Say FILE:NAME"), "{ran:?}");
}

#[test]
fn a_file_without_its_ending_is_what_was_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let stem = folder.path().join("mine");
    std::fs::copy(several(), stem.with_extension("bpf.o")).expect("a copy");
    let stem = stem.to_str().expect("a path in UTF-8");
    let ran = run(&["check", stem]);
    assert!(
        ran.code == 7 && ran.err.contains(&format!("did you mean `{stem}.bpf.o`?")),
        "{ran:?}"
    );
}

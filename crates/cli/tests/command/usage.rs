//! What the command says to people who ask for help, type something wrong, or give it files that are none.

use crate::common::{json, run, shipped};
use std::io::Write;

#[test]
fn version_and_help() {
    let version = run(&["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("opswap ", env!("CARGO_PKG_VERSION")))
    );
    insta::assert_snapshot!("help", run(&["--help"]).out);
    insta::assert_snapshot!("help_list_short", run(&["list", "-h"]).out);
    insta::assert_snapshot!("help_compare", run(&["compare", "--help"]).out);
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_what_was_typed() {
    for (words, named) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["check"], "FILE"),
        (&["compare", "reno", "--rate", "fast"], "fast"),
        (&["compare", "reno", "--queue", "12"], "12"),
        (&["compare", "reno", "--loss", "200%"], "200%"),
        (&["compare", "reno", "--loss", "1%", "--loss-every", "10"], "loss-every"),
        (&["try", "reno", "--swap", "cubic"], "cubic"),
        (&["load", "reno", "--set", "flags"], "flags"),
        (&["build", "x.txt"], "x.txt"),
        (&["check", "reno", "--kernel", "windows"], "windows"),
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 2, "{words:?}: {ran:?}");
        assert!(ran.err.contains(named), "{words:?}: {ran:?}");
        assert_eq!(ran.out, "", "{words:?}");
        let (code, value) = json(words);
        assert_eq!(
            (code, value["error"]["exit"].as_i64()),
            (2, Some(2)),
            "{words:?}: {value}"
        );
        assert!(
            value["error"]["message"]
                .as_str()
                .is_some_and(|message| message.contains(named)),
            "{words:?}: {value}"
        );
    }
}

#[test]
fn what_is_not_there_is_exit_code_7_on_every_verb_that_takes_a_name() {
    for (words, named) in [
        (&["check", "no_such_file.o"][..], "no_such_file.o"),
        (&["try", "no_such_name"], "no_such_name"),
        (&["compare", "reno", "no_such_name"], "no_such_name"),
        (&["try", "reno", "--swap", "1s=no_such_name"], "no_such_name"),
        (&["build", "no_such_file.bpf.c"], "no_such_file"),
        (&["kinds", "no_such_kind", "--kernel", "embedded"], "no_such_kind"),
        (&["explain", "SO9999"], "SO9999"),
    ] {
        let ran = run(words);
        assert_eq!((ran.code, ran.out.as_str()), (7, ""), "{words:?}: {ran:?}");
        assert!(ran.err.contains(named), "{words:?}: {ran:?}");
        let (code, value) = json(words);
        assert_eq!(
            (code, value["error"]["exit"].as_i64()),
            (7, Some(7)),
            "{words:?}: {value}"
        );
    }
}

#[test]
fn files_that_are_no_objects_are_rejected_and_never_panic() {
    let whole = std::fs::read(shipped("cubic")).unwrap();
    let mut bent = whole.clone();
    for place in (64..bent.len()).step_by(97) {
        bent[place] ^= 0x5a;
    }
    let cases: [(&str, &[u8]); 5] = [
        ("empty", b""),
        ("text", b"int main() {}"),
        ("header only", &whole[..64]),
        ("half", &whole[..whole.len() / 2]),
        ("bent", &bent),
    ];
    for (name, bytes) in cases {
        let mut file = tempfile::NamedTempFile::with_suffix(".bpf.o").unwrap();
        file.write_all(bytes).unwrap();
        let path = file.path().to_str().unwrap();
        for verb in [&["check"][..], &["try"], &["compare"], &["load"]] {
            let ran = run(&[verb, &[path]].concat());
            assert!((1..=5).contains(&ran.code), "{name}, {verb:?}: {ran:?}");
            assert!(!ran.err.contains("panicked"), "{name}, {verb:?}: {ran:?}");
            assert!(
                ran.err.contains(path) || ran.out.contains(path),
                "{name}, {verb:?} names the file: {ran:?}"
            );
        }
    }
}

#[test]
fn output_into_a_pipe_that_closes_is_no_error() {
    let mut child = crate::common::opswap(&["explain"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn explain_and_completions() {
    let (code, all) = json(&["explain"]);
    assert_eq!(code, 0);
    let first = all["codes"][0]["code"].as_str().unwrap().to_owned();
    let one = run(&["explain", &first.to_lowercase()]);
    assert!(one.code == 0 && one.out.starts_with(&first), "{one:?}");
    assert_eq!(run(&["explain", "SO9999"]).code, 7);
    // What `check` prints in place of a code has a page, too, and a number needs no letters.
    for code in ["EINVAL", "object", first.trim_start_matches("SO")] {
        assert_eq!(run(&["explain", code]).code, 0, "{code}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).out.contains("OPSWAP_COMPLETE"), "{shell}");
    }
}

#[test]
fn one_manual_page_for_each_verb() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("man1");
    let (code, written) = json(&["man", "--out", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{written}");
    let help = run(&["--help"]).out;
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.strip_prefix("  ")?
                .split(' ')
                .next()
                .filter(|word| !word.is_empty())
        })
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() >= 17, "{verbs:?}");
    assert_eq!(written["files"].as_array().map(Vec::len), Some(verbs.len() + 1));
    for verb in verbs {
        let page = std::fs::read_to_string(folder.join(format!("opswap-{verb}.1"))).unwrap();
        assert_eq!(page, run(&["man", verb]).out, "{verb}");
        for part in [
            ".TH opswap",
            ".SH OPTIONS",
            "Print one JSON object instead of text",
            "Which kernel",
        ] {
            assert!(page.contains(part), "{verb}: {part}");
        }
    }
    let whole = run(&["man"]).out;
    assert!(
        whole.contains("opswap\\-rollback(1)") && whole.contains("Exit codes"),
        "{whole}"
    );
    let wrong = run(&["man", "chek"]);
    assert!(wrong.code == 7 && wrong.err.contains("`check`"), "{wrong:?}");
    assert_eq!(run(&["man", "rm"]).out, run(&["man", "unload"]).out);
}

/// What is offered for the last of these words, as bash asks.
fn offered(words: &[&str]) -> Vec<String> {
    let mut command = crate::common::opswap(&["--", "opswap"]);
    let answer = command
        .args(words)
        .env("OPSWAP_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(answer.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn shells_are_offered_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("mine.bpf.o");
    std::fs::write(&object, "").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    let begun = format!("{}/", folder.path().display());
    for (words, wanted) in [
        (&["roll"][..], "rollback"),
        (&["try", "cub"], "cubic"),
        (&["compare", "reno", ""], "dctcp"),
        (&["explain", "SO10"], "SO1001"),
        (&["kinds", ""], "tcp_congestion_ops"),
        (&["man", "che"], "check"),
        (&["load", "reno", "--set", ""], "flags=non_restricted"),
        (&["try", "reno", "--ra"], "--rate"),
        (&["list", "--color", ""], "never"),
        (&["check", &begun], object.to_str().unwrap()),
    ] {
        let offered = offered(words);
        assert!(offered.iter().any(|word| word == wanted), "{words:?}: {offered:?}");
        assert!(
            !offered.iter().any(|word| word.ends_with(".txt")),
            "{words:?}: {offered:?}"
        );
    }
    if !testkit::linux_or_skip("names of registered algorithms for completion") {
        return;
    }
    let ground = crate::ground::Ground::new();
    ground.load("reno");
    for verb in ["show", "swap", "rollback", "unload", "list"] {
        assert!(offered(&[verb, &ground.name[..6]]).contains(&ground.name), "{verb}");
    }
}

#[test]
fn short_help_is_about_the_verb_alone() {
    let short = run(&["check", "-h"]).out;
    assert!(short.contains("--log") && !short.contains("--json"), "{short}");
    let long = run(&["check", "--help"]).out;
    assert!(
        long.contains("--log") && long.contains("Options of every verb:") && long.contains("--json"),
        "{long}"
    );
}

#[test]
fn colour_only_when_asked_for_or_on_a_terminal() {
    let escape = '\u{1b}';
    let plain = run(&["check", "no_such"]);
    assert!(!plain.err.contains(escape), "{plain:?}");
    let colored = run(&["check", "no_such", "--color", "always"]);
    assert!(colored.err.contains(escape), "{colored:?}");
}

#[test]
fn narrow_terminals_see_everything() {
    let words = ["try", "reno", "--duration", "2s"];
    let wide = run(&words).out;
    let narrow: crate::common::Ran = crate::common::opswap(&words)
        .env("COLUMNS", "48")
        .output()
        .unwrap()
        .into();
    assert!(wide.lines().any(|line| line.chars().count() > 80));
    let widest = narrow.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(48), "{}", narrow.out);
    for heading in ["GOODPUT Mbit/s", "RECOVERIES", "JAIN"] {
        assert!(narrow.out.contains(heading), "{}", narrow.out);
    }
}

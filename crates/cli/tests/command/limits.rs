//! Objects that declare or use too much: what is only declared costs nothing, and what is used ends in a report, not in an abort.

use crate::common::{Ran, json, opswap, run};
use std::path::Path;
use std::process::Command;

/// One of the objects made of `data/greedy.bpf.c`.
fn greedy(kind: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    folder.join(format!("{kind}.bpf.o")).to_string_lossy().into_owned()
}

/// Runs it with so much address space.
fn within(kib: u32, words: &[&str]) -> Ran {
    let whole = opswap(words);
    Command::new("sh")
        .args(["-c", &format!("ulimit -v {kib} && exec \"$0\" \"$@\"")])
        .arg(whole.get_program())
        .args(whole.get_args())
        .env_remove("COLUMNS")
        .output()
        .expect("the shell starts")
        .into()
}

/// Address space of a gigabyte, about.
const GIGABYTE_KIB: u32 = 1_000_000;

#[test]
fn declared_maps_cost_nothing() {
    let object = greedy("arrays");
    // The object declares two gigabytes, which this process could not have.
    let ran = within(GIGABYTE_KIB / 5, &["check", &object]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("3 of 3 programs accepted"), "{ran:?}");
}

#[test]
fn what_maps_take_is_bounded_and_told() {
    let arrays = greedy("arrays");
    let ran = within(GIGABYTE_KIB, &["try", &arrays, "--duration", "1s"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in ["map `m2` wants 256 MiB", "may take 512 MiB", "--map-memory"] {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
    // Within the budget, and more than the process can have.
    let ran = within(
        GIGABYTE_KIB,
        &["try", &arrays, "--duration", "1s", "--map-memory", "10gb"],
    );
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("the system has no more memory"), "{ran:?}");
    // An array that could never be had is refused when it is created.
    let ran = run(&["check", &arrays, "--map-memory", "100mib"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in ["map `m0` (array)", "256 MiB", "100 MiB", "--map-memory"] {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
}

#[test]
fn keys_count_and_the_program_is_told() {
    let ran = within(
        GIGABYTE_KIB,
        &["try", &greedy("keys"), "--duration", "1s", "--map-memory", "64mib"],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in ["map `seen` wants 4.0 MiB", "may take 64 MiB", "ENOMEM", "--map-memory"] {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
    // The run goes on as it would on a Linux without memory: the figures are those of Reno.
    assert!(ran.out.contains("GOODPUT"), "{ran:?}");
}

/// What is made of a large object does not fit, although its bytes do.
#[test]
fn a_large_object_in_little_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let object = folder.path().join("large.bpf.o");
    let mut bytes = std::fs::read(greedy("prints")).expect("it is there");
    bytes.resize(8 << 20, 0);
    std::fs::write(&object, bytes).expect("it is written");
    let object = object.to_string_lossy();
    let ran = within(GIGABYTE_KIB / 16, &["check", &object]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("not enough memory to read its 8388608 bytes"),
        "{ran:?}"
    );
    assert_eq!(within(GIGABYTE_KIB, &["check", &object]).code, 0);
}

/// What the verifier remembers of a program's paths is bounded by the process's memory: a report, not an abort.
#[test]
fn many_branches_in_little_memory() {
    let object = greedy("branches");
    for kib in [20_000, 30_000, 50_000] {
        let ran = within(kib, &["check", &object]);
        assert_eq!(ran.code, 1, "{kib}: {ran:?}");
        for part in ["not enough memory to follow all paths", "ENOMEM", "ulimit -v"] {
            assert!(ran.err.contains(part), "{part}: {ran:?}");
        }
        assert!(!ran.err.contains("--map-memory"), "maps have no part in it: {ran:?}");
    }
    // With enough of it, the verdict is Linux's.
    let ran = within(GIGABYTE_KIB, &["check", &object]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.out.contains("SO1602"), "{ran:?}");
}

/// The verifier accepts it, as Linux's does, and it would turn for years.
#[test]
fn a_call_that_does_not_end_is_given_up() {
    let object = greedy("endless");
    assert_eq!(run(&["check", &object]).code, 0);
    for words in [
        &["try", &object, "--duration", "1s", "--max-insns", "1000000"][..],
        &["compare", "reno", &object, "--duration", "1s", "--max-insns", "1000000"],
        &[
            "try",
            "reno",
            "--swap",
            &format!("500ms={object}"),
            "--duration",
            "1s",
            "--max-insns",
            "1000000",
        ],
    ] {
        let ran = run(words);
        assert_eq!(ran.code, 3, "{words:?}: {ran:?}");
        assert_eq!(ran.out, "", "no figures of a run that did not end");
        for part in [
            "error[SO1801]",
            "`cong_avoid` (program `greedy_cong_avoid`)",
            "executed 1000000 instructions",
            "greedy.bpf.c:93",
            "function `level0`",
            "opswap: greedy:",
            "--max-insns N",
        ] {
            assert!(ran.err.contains(part), "{part}: {ran:?}");
        }
    }
    let (code, value) = json(&["try", &object, "--duration", "1s", "--max-insns", "1000000"]);
    let error = &value["error"];
    assert_eq!(
        (code, &error["exit"], &error["line"]),
        (3, &3.into(), &93.into()),
        "{value}"
    );
    assert_eq!(error["code"], "SO1801");
}

/// What programs print is shown with the time, the flow and the program; what cannot be printed is told.
#[test]
fn printed_lines_are_shown() {
    let object = greedy("prints");
    let words = ["try", &object, "--duration", "200ms", "--flows", "2"];
    let silent = run(&words);
    assert!(!silent.err.contains("ack"), "{silent:?}");
    let ran = run(&[&words[..], &["--trace"]].concat());
    assert_eq!((ran.code, &ran.out), (0, &silent.out), "the result is the same");
    let line = |part: &str| {
        ran.err
            .lines()
            .find(|line| line.contains(part))
            .unwrap_or_else(|| panic!("{part}: {ran:?}"))
    };
    let first = line("#0 sender greedy_cong_avo: ack ");
    assert!(
        first.trim_start().starts_with("0.") && first.contains("s greedy #0"),
        "{first}"
    );
    line("#1 sender greedy_cong_avo: ack ");
    assert!(line("not printed").contains("has no %s"), "{ran:?}");

    let (code, value) = json(&[&words[..], &["--trace"]].concat());
    let lines = value["trace"].as_array().expect("a list");
    assert_eq!((code, lines.len()), (0, ran.err.lines().count()));
    assert_eq!(
        (&lines[0]["cc"], &lines[0]["end"], &lines[0]["run"]),
        (&"greedy".into(), &"sender".into(), &0.into())
    );
    let times: Vec<f64> = lines.iter().filter_map(|line| line["at_s"].as_f64()).collect();
    assert!(times.is_sorted() && times.len() == lines.len(), "{times:?}");
    let (_, value) = json(&["compare", "reno", &object, "--duration", "200ms", "--trace"]);
    assert_eq!(value["trace"][0]["run"], 1, "it prints, reno does not");
}

/// A JSON object has room for so many lines, and says how many were left out.
#[test]
fn traces_in_json_are_bounded() {
    let object = greedy("prints");
    let (code, value) = json(&["try", &object, "--duration", "2s", "--trace"]);
    assert_eq!((code, value["trace"].as_array().map(Vec::len)), (0, Some(10_000)));
    assert!(
        value["trace_dropped"].as_u64() > Some(100),
        "{}",
        value["trace_dropped"]
    );
}

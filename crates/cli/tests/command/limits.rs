//! Objects that declare or use too much: what is only declared costs nothing, and what is used ends in a report, not in an abort.

use crate::common::{Ran, opswap, run};
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

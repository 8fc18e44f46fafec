//! Bit fields of the socket that a program reads plainly: the byte is found by CO-RE, the mask is what the compiler wrote.

use crate::common::{json, shipped};
use std::path::Path;

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bits");
    folder.join(format!("{name}.bpf.o")).to_string_lossy().into_owned()
}

fn goodput_mbps(object: &str) -> f64 {
    let (code, value) = json(&["try", object]);
    assert_eq!(code, 0, "{value}");
    value["run"]["flows"][0]["goodput_mbps"].as_f64().expect("a number")
}

/// A mask of Linux 6.18 finds the bit: the window grows after a loss, and the link stays full. With another mask it would stay where
/// slow start left it, at nine tenths of the link.
#[test]
fn a_mask_of_linux_finds_the_bit() {
    let known = goodput_mbps(&shipped("reno"));
    for compiler in [14, 19] {
        let found = goodput_mbps(&fixture(&format!("reno-6.18.clang{compiler}")));
        assert!((found - known).abs() < 0.1, "{found} and {known} Mbit/s");
        let missed = goodput_mbps(&fixture(&format!("reno-6.12.clang{compiler}")));
        assert!(missed < known - 4.0, "{missed} and {known} Mbit/s");
    }
}

/// What `check` notes of bit fields: program and line.
fn notes(object: &str, kernel: &str) -> Vec<(String, u64, String)> {
    let (code, value) = json(&["check", object, "--kernel", kernel]);
    assert_eq!(code, 0, "{value}");
    let notes = value["objects"][0]["notes"].as_array().expect("a list");
    let of_bits = notes.iter().filter(|note| note["about"] == "bit_field");
    of_bits
        .map(|note| {
            let program = note["program"].as_str().expect("a name").to_owned();
            let line = note["line"].as_u64().expect("a number");
            (program, line, note["message"].as_str().expect("a text").to_owned())
        })
        .collect()
}

/// Only a mask that misses is told: none at Linux's bits, none where the program asks for the bits, and each line once.
#[test]
fn a_mask_that_misses_is_noted() {
    let linux = testkit::linux_or_skip("notes of bit fields on the running kernel");
    let kernels = ["embedded", "linux"];
    for kernel in &kernels[..1 + usize::from(linux)] {
        for compiler in [14, 19] {
            let of = |name: &str| notes(&fixture(&format!("{name}.clang{compiler}")), kernel);
            assert_eq!(of("reno-6.18"), []);
            let reno = of("reno-6.12");
            let [(program, 30, message)] = reno.as_slice() else {
                panic!("{reno:?}")
            };
            assert_eq!(program, "bits_cong_avoid");
            for part in [
                "`tcp_sock.is_cwnd_limited` at bit 5",
                "kernel has it at bit 3",
                "BPF_CORE_READ_BITFIELD",
                "reno.bpf.c:30",
            ] {
                assert!(message.contains(part), "{part}: {message}");
            }
            let fields = of("fields");
            let [(program, 68, message)] = fields.as_slice() else {
                panic!("{fields:?}")
            };
            assert!(
                program == "both" && message.contains("`tcp_sock.frto` at bit 0"),
                "{message}"
            );
        }
        for name in ["reno", "cubic", "dctcp"] {
            assert_eq!(notes(&shipped(name), kernel), [], "{name}");
        }
    }
}

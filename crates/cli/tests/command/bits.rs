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
